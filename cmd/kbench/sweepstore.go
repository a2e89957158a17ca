package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kbench/metrics"
	"kbench/report"
	"kbench/workload"
)

// sweepFile holds what a sweep is, so that only the same sweep goes on in its folder.
const sweepFile = "sweep.json"

// sweepStore keeps a sweep's results: sweep.json, cells/<id>/result.json …, sweep.csv.
type sweepStore struct {
	dir    string
	done   map[string]*metrics.Result
	failed map[string]error
}

// sweepRecord is the content of sweep.json.
type sweepRecord struct {
	Schema      int             `json:"schema"`
	Kbench      string          `json:"kbench"`
	Started     time.Time       `json:"started"`
	Fingerprint string          `json:"fingerprint"` // of profile, axes, order and target
	Target      string          `json:"target"`
	Axes        []workload.Axis `json:"axes"`
	Cells       []string        `json:"cells"` // in the order of the runs
}

// openSweepStore makes the folder, or takes up the sweep that it holds.
func openSweepStore(dir string, resume bool, sweep *workload.SweepPlan, target string) (*sweepStore, error) {
	s := &sweepStore{dir: dir, done: map[string]*metrics.Result{}, failed: map[string]error{}}
	want := sweepRecord{Schema: 1, Kbench: version(), Started: time.Now(), Fingerprint: sweep.Fingerprint, Target: target, Axes: sweep.Axes}
	for _, c := range sweep.Cells {
		want.Cells = append(want.Cells, c.ID)
	}
	src, err := os.ReadFile(filepath.Join(dir, sweepFile))
	if resume && err == nil {
		return s, s.resume(src, want)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := report.CreateDir(dir); err != nil {
		return nil, err
	}
	out, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		return nil, err
	}
	return s, writeAside(filepath.Join(dir, sweepFile), func(w io.Writer) error {
		_, err := w.Write(append(out, '\n'))
		return err
	})
}

// resume reads the results of an earlier part of the same sweep.
func (s *sweepStore) resume(src []byte, want sweepRecord) error {
	path := filepath.Join(s.dir, sweepFile)
	var have sweepRecord
	if err := json.Unmarshal(src, &have); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if have.Target != want.Target {
		return fmt.Errorf("%s holds a sweep of target %s, not of %s: give another folder, or the same command as then", s.dir, have.Target, want.Target)
	}
	if have.Fingerprint != want.Fingerprint {
		return fmt.Errorf("%s holds another sweep (%s): give another folder, or the same command as then", s.dir, axesText(have.Axes))
	}
	for _, id := range want.Cells {
		dir := s.cellDir(id)
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		r, err := report.ReadResult(dir)
		if err != nil {
			return fmt.Errorf("cell %s: %w; remove %s to run the cell again", id, err, dir)
		}
		if !r.Interrupted {
			s.done[id] = r
		}
	}
	return nil
}

func (s *sweepStore) cellDir(id string) string { return filepath.Join(s.dir, "cells", id) }

func (s *sweepStore) has(id string) bool { return s.done[id] != nil }

// fail notes why a cell has no result. What was measured until then (res, if not nil) is kept under failed/<id>, where
// nothing takes it for a cell that is done.
func (s *sweepStore) fail(id string, res *metrics.Result, err error) {
	s.failed[id] = err
	dir := filepath.Join(s.dir, "failed", id)
	if res == nil || os.RemoveAll(dir) != nil || report.CreateDir(dir) != nil {
		return
	}
	if _, writeErr := report.WriteDir(dir, res); writeErr != nil {
		s.failed[id] = errors.Join(err, writeErr)
	}
}

// put stores one cell's result: into a folder aside, renamed when it is complete, so that a cell is there or isn't.
func (s *sweepStore) put(id string, r *metrics.Result) error {
	aside := s.cellDir(id) + ".part"
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := report.CreateDir(aside); err != nil {
		return err
	}
	if _, err := report.WriteDir(aside, r); err != nil {
		return err
	}
	if err := os.Rename(aside, s.cellDir(id)); err != nil {
		return err
	}
	s.done[id] = r
	return nil
}

// writeTable stores the table of all cells.
func (s *sweepStore) writeTable(axes []string, rows []report.SweepRow) error {
	return writeAside(filepath.Join(s.dir, "sweep.csv"), func(w io.Writer) error { return report.WriteSweep(w, "csv", axes, rows) })
}

// writeAside writes a file under another name and renames it when it is complete.
func writeAside(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	err = errors.Join(write(f), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error that made it useless is the one to tell
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func axesText(axes []workload.Axis) string {
	parts := make([]string, 0, len(axes))
	for _, a := range axes {
		parts = append(parts, a.Name+"="+strings.Join(a.Values, ","))
	}
	return strings.Join(parts, " ")
}

// printSweepPlan says what will run, in which order, and how long it takes.
func printSweepPlan(w io.Writer, s *workload.SweepPlan) error {
	fmt.Fprintf(w, "sweep of %s: %s\n", sweepProfile(s), axesText(s.Axes))
	for i := range s.Cells {
		fmt.Fprintf(w, "  %3d  %-8s %s\n", i+1, s.Cells[i].ID, cellName(s.Axes, &s.Cells[i]))
	}
	for i := range s.Refused {
		fmt.Fprintf(w, "refused  %s: %v\n", cellName(s.Axes, &s.Refused[i]), s.Refused[i].Refused)
	}
	_, err := fmt.Fprintf(w, "%d cells, %d combinations refused, about %v%s\n", len(s.Cells), len(s.Refused), s.Total.Round(time.Second), unestimated(s))
	return err
}

// unestimated says which cells the estimate leaves out.
func unestimated(s *workload.SweepPlan) string {
	if s.Unestimated == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d cells that take as long as their number of records does", s.Unestimated)
}
