package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kbench/report"
	"kbench/words"
)

func newReport(s streams) *cobra.Command {
	format := "table"
	cmd := &cobra.Command{
		Use: "report RESULT…", Short: "Print stored results again, in any form",
		Long: `Prints what run and sweep have stored: each RESULT is a result.json or the folder it is in, or the folder of a sweep.

A file that isn't as it was written is refused: cut off, edited since (its checksum tells), or of another version.`,
		Example: `  kbench run --out results/first
  kbench report results/first --format markdown`,
		Args: wantArgs(1, -1, "a RESULT, which is a result.json, the folder it is in, or the folder of a sweep"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := report.CheckFormat(format); err != nil {
				return fmt.Errorf("--format: %w", err)
			}
			for i, path := range args {
				show, err := stored(s, path, format)
				if err != nil {
					return err
				}
				if i > 0 && format != "json" {
					fmt.Fprintln(s.out)
				}
				if err := show(); err != nil {
					return targetError(fmt.Errorf("printing %s: %w", path, err))
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", format, "`form` of what is printed: "+joined(report.Formats()))
	mustRegister(completeFlags(cmd, map[string][]string{"format": report.Formats()}))
	return cmd
}

// stored reads what is at path, a result or a sweep, and returns how to print it.
func stored(s streams, path, format string) (func() error, error) {
	dir, record, err := storedSweep(path)
	if err != nil {
		return nil, err
	}
	if record == nil {
		r, err := report.ReadResult(path)
		return func() error { return report.Write(s.out, format, r) }, err
	}
	if err := report.CheckSweepFormat(format); err != nil {
		return nil, fmt.Errorf("--format: %s is a sweep: %w", path, err)
	}
	rows, err := storedRows(dir, record)
	if err != nil {
		return nil, err
	}
	axes := make([]string, 0, len(record.Axes))
	for _, a := range record.Axes {
		axes = append(axes, a.Name)
	}
	return func() error { return report.WriteSweep(s.out, format, axes, rows) }, nil
}

// storedSweep reads the sweep that path, its folder or its sweep.json, is about; nil where it is about none.
func storedSweep(path string) (dir string, record *sweepRecord, err error) {
	dir = path
	if filepath.Base(path) == sweepFile {
		dir = filepath.Dir(path)
	}
	file := filepath.Join(dir, sweepFile)
	src, err := os.ReadFile(file)
	if err != nil {
		if dir != path && !errors.Is(err, fs.ErrNotExist) {
			return "", nil, fmt.Errorf("read a sweep: %w", err)
		}
		return "", nil, nil // what is wrong with the path is told by reading it as a result
	}
	have, err := parseSweepRecord(src)
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", file, err)
	}
	return dir, &have, nil
}

// storedRows has a row for every cell, whether it was measured, failed, was refused or not run yet.
func storedRows(dir string, record *sweepRecord) ([]report.SweepRow, error) {
	store := &sweepStore{dir: dir}
	var rows []report.SweepRow
	for _, c := range record.Cells {
		row := report.SweepRow{Cell: c.ID, Values: c.Values, Repeat: c.Repeat, Reference: c.Reference}
		if err := checkCell(dir, record, c); err != nil {
			return nil, err
		}
		if _, err := os.Stat(store.cellDir(c.ID)); err == nil {
			r, err := report.ReadResult(store.cellDir(c.ID))
			if err != nil {
				return nil, fmt.Errorf("cell %s: %w", c.ID, err)
			}
			row.Result = r
		} else if why, err := os.ReadFile(filepath.Join(store.failedDir(c.ID), reasonFile)); err == nil {
			row.Err = strings.TrimSpace(string(why))
		}
		rows = append(rows, row)
	}
	for _, c := range record.Refused {
		if err := checkCell(dir, record, c); err != nil {
			return nil, err
		}
		rows = append(rows, report.SweepRow{Cell: c.ID, Values: c.Values, Refused: c.Reason})
	}
	return rows, nil
}

// checkCell refuses a cell that is no cell of its sweep: its name is a folder's, and its values stand in columns.
func checkCell(dir string, record *sweepRecord, c sweepCell) error {
	file := filepath.Join(dir, sweepFile)
	if c.ID == "" || c.ID != filepath.Base(c.ID) || c.ID == ".." || c.ID == "." {
		return fmt.Errorf("%s: cell %q is no name of a folder", file, c.ID)
	}
	if len(c.Values) != len(record.Axes) {
		return fmt.Errorf("%s: cell %s has %s for the axes %s", file, c.ID, words.Count(len(c.Values), "value"), axesText(record.Axes))
	}
	return nil
}
