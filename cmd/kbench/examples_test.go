package main

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// TestHelpExamples runs every example of every command's help as typed. The environment shortens those that don't say
// how long they take; those that need real Kafka run where KBENCH_TEST_KAFKA is set.
func TestHelpExamples(t *testing.T) {
	dir := t.TempDir()
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		if cmd.Runnable() && cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.SplitSeq(cmd.Example, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				t.Run(line, func(t *testing.T) { runExample(t, dir, line) })
			}
		}
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(newRoot(streams{os.Stdin, os.Stdout, os.Stderr}))
}

func runExample(t *testing.T, dir, line string) {
	if strings.Contains(line, "kafka") && os.Getenv("KBENCH_TEST_KAFKA") == "" {
		t.Skip("needs real Kafka: scripts/test runs it")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	// exec: an interrupt must reach kbench, not a shell around it.
	cmd := exec.CommandContext(ctx, "sh", "-c", "exec "+line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "KBENCH_DURATION=1s", "KBENCH_WARMUP=0s", "KBENCH_ALLOW_INVALID=true")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "listening on") {
			if err := cmd.Process.Signal(syscall.SIGINT); err != nil { // a broker runs until it is told to stop
				t.Error(err)
			}
		}
	}
	// An objective or a claim that this machine misses is exit code 1, and one that it is too busy for is 3: no fault of the
	// example.
	err = cmd.Wait()
	code := cmd.ProcessState.ExitCode()
	if busy := code == exitInvalid && strings.Contains(line, " selftest"); err != nil && code != exitFailed && !busy {
		t.Errorf("%v\n%s", err, stderr.String())
	}
}
