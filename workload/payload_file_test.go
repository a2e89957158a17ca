package workload

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// writeFile makes a file in a temporary folder.
func writeFile(t *testing.T, content string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "values.txt")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestFileLines(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	tests := []struct {
		content string
		want    []string
	}{
		{"a", []string{"a"}},
		{"a\n", []string{"a"}},
		{"a\r\n", []string{"a"}},
		{"a\nbb\r\nccc", []string{"a", "bb", "ccc"}},
		{"a\n\nb\n", []string{"a", "", "b"}},   // a blank line is an empty value
		{"\r\nb\n", []string{"", "b"}},         //
		{"a\n\n\r\n\n", []string{"a"}},         // but not at the end
		{"a\rb\n", []string{"a\rb"}},           // \r alone is no line end
		{" \n", []string{" "}},                 // spaces are bytes
		{"é\x00\xff\n", []string{"é\x00\xff"}}, // so is everything else
		{long + "\n" + long, []string{long, long}},
	}
	for _, tt := range tests {
		p := mustSource(t, testPlan(withFile(writeFile(t, tt.content))))
		var got []string
		for _, r := range take(p.Shard(0, 1), 2*len(tt.want)) {
			if r.Value == nil {
				t.Error("a blank line became a null value")
			}
			got = append(got, string(r.Value))
		}
		if diff := cmp.Diff(append(tt.want, tt.want...), got); diff != "" {
			t.Errorf("%.20q: %s", tt.content, diff)
		}
	}
}

func TestFileErrors(t *testing.T) {
	dir := t.TempDir()
	over := writeFile(t, "short\n"+strings.Repeat("x", 1000)+"\n")
	tests := []struct {
		name string
		file string
		want string
	}{
		{"missing", filepath.Join(dir, "no.jsonl"), "records.value.file: open " + filepath.Join(dir, "no.jsonl") + ": no such file"},
		{"directory", dir, "records.value.file: " + dir + " is a directory"},
		{"empty", writeFile(t, ""), "is empty"},
		{"blank", writeFile(t, "\n\r\n\n"), "has only blank lines"},
		{"too large", writeFile(t, strings.Repeat("line\n", 5000)), "has 25000 bytes, more than the 20000 that a run keeps"},
		{"endless", "/dev/zero", "has more bytes, more than the 20000"},
		{"long line", over, fmt.Sprintf("records.value.file: %s:2: a value of 1000 bytes with 8 bytes of key and headers makes a record of up to 1094 bytes, over max.request.size=1000", over)},
	}
	for _, tt := range tests {
		plan := testPlan(withFile(tt.file), withKeys(KeySpec{Distribution: KeyUniform, Cardinality: 10, Size: 8}))
		plan.Producer.MaxRequestSize = 1000
		_, err := NewSource(plan, SourceOptions{FileBytes: 20_000})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// TestFileAtTheLimit: a record of exactly max.request.size passes.
func TestFileAtTheLimit(t *testing.T) {
	plan := testPlan(withFile(writeFile(t, strings.Repeat("x", 1000))))
	plan.Producer.MaxRequestSize = 61 + 21 + 1 + 2 + 1000 + 1
	if _, err := NewSource(plan, SourceOptions{}); err != nil {
		t.Error(err)
	}
	plan.Producer.MaxRequestSize--
	if _, err := NewSource(plan, SourceOptions{}); err == nil {
		t.Error("a record of one byte over max.request.size passes")
	}
}
