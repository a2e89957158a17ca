package kbench_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReadmeCommands executes the README's commands: every line of its ```sh blocks, in order, in one folder, with the
// built binary as kbench. Blocks of recorded output (```text) aren't run. Commands that need real Kafka run where
// KBENCH_TEST_KAFKA is set, as scripts/test sets it.
func TestReadmeCommands(t *testing.T) {
	src, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	bin, work := t.TempDir(), t.TempDir()
	if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, "kbench"), "./cmd/kbench").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	commands := shellLines(string(src))
	if len(commands) < 8 {
		t.Fatalf("only %d commands found in README.md", len(commands))
	}
	for _, line := range commands {
		dir := work
		switch {
		case strings.HasPrefix(line, "scripts/test"):
			continue // that is what runs this
		case strings.HasPrefix(line, "go run "), strings.HasPrefix(line, "scripts/"):
			dir = root
		}
		t.Run(line, func(t *testing.T) {
			if strings.Contains(line, "kafka") && os.Getenv("KBENCH_TEST_KAFKA") == "" {
				t.Skip("needs real Kafka: scripts/test runs it")
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "sh", "-c", line)
			cmd.Dir = dir
			cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			// 1: an objective that this machine misses; 3: a measurement that this machine spoils. Both say that the
			// command works, and neither is the document's fault.
			if code := cmd.ProcessState.ExitCode(); err != nil && code != 1 && code != 3 {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

// shellLines returns the commands in the ```sh blocks of a Markdown text, without comments; a \ at the end goes on.
func shellLines(text string) []string {
	var out []string
	inside, pending := false, ""
	for line := range strings.SplitSeq(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") {
			inside = !inside && trimmed == "```sh"
			continue
		}
		if !inside || trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		if before, more := strings.CutSuffix(trimmed, "\\"); more {
			pending += before
			continue
		}
		command, _, _ := strings.Cut(pending+trimmed, "  #")
		out = append(out, strings.TrimSpace(command))
		pending = ""
	}
	return out
}
