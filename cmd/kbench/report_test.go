package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kbench/workload"
)

// TestStoredSweepRefuses: a sweep.json whose checksum fits but whose cells can't be is refused, and nothing outside its
// folder is read.
func TestStoredSweepRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		cells []sweepCell
		want  string
	}{
		{"up", []sweepCell{{ID: "..", Values: []string{"0"}}}, `cell ".." is no name of a folder`},
		{"elsewhere", []sweepCell{{ID: "../../etc", Values: []string{"0"}}}, `cell "../../etc" is no name of a folder`},
		{"no name", []sweepCell{{Values: []string{"0"}}}, `cell "" is no name of a folder`},
		{"values", []sweepCell{{ID: "c000-r1", Values: []string{"0", "1"}}}, "cell c000-r1 has 2 values for the axes linger.ms="},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			text, err := sweepRecord{Schema: sweepSchema, Axes: []workload.Axis{{Name: "linger.ms"}}, Cells: c.cells}.encode()
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, sweepFile)
			if err := os.WriteFile(file, text, 0o644); err != nil {
				t.Fatal(err)
			}
			_, err = stored(streams{}, dir, "table")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("error %v, want %q and %s", err, c.want, file)
			}
		})
	}
}
