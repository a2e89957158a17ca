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
	"kbench/words"
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

// sweepSchema is the version of sweep.json. 1 had the names of the cells alone, and no checksum.
const sweepSchema = 2

// sweepRecord is the content of sweep.json.
type sweepRecord struct {
	Schema      int             `json:"schema"`
	Checksum    string          `json:"checksum"` // report.Checksum
	Kbench      string          `json:"kbench"`
	Started     time.Time       `json:"started"`
	Fingerprint string          `json:"fingerprint"` // of profile, axes, order and target
	Target      string          `json:"target"`
	Axes        []workload.Axis `json:"axes"`
	Cells       []sweepCell     `json:"cells"`   // in the order of the runs
	Refused     []sweepCell     `json:"refused"` // combinations that can't run
}

// sweepCell is one run of a sweep, or a combination that can't run.
type sweepCell struct {
	ID        string   `json:"id"`
	Values    []string `json:"values"` // one for each axis
	Repeat    int      `json:"repeat"`
	Reference bool     `json:"reference"`
	Reason    string   `json:"reason,omitempty"` // why it can't run
}

// newSweepRecord is the sweep as it is stored when it begins.
func newSweepRecord(sweep *workload.SweepPlan, target string) sweepRecord {
	r := sweepRecord{Schema: sweepSchema, Kbench: version(), Started: time.Now(), Fingerprint: sweep.Fingerprint, Target: target, Axes: sweep.Axes,
		Cells: []sweepCell{}, Refused: []sweepCell{}}
	for i := range sweep.Cells {
		c := &sweep.Cells[i]
		r.Cells = append(r.Cells, sweepCell{ID: c.ID, Values: c.Values, Repeat: c.Repeat, Reference: c.Reference})
	}
	for i := range sweep.Refused {
		c := &sweep.Refused[i]
		r.Refused = append(r.Refused, sweepCell{ID: c.ID, Values: c.Values, Reason: c.Refused.Error()})
	}
	return r
}

// parseSweepRecord reads a sweep.json.
func parseSweepRecord(src []byte) (sweepRecord, error) {
	var have sweepRecord
	if err := report.CheckJSON(src); err != nil {
		return have, err
	}
	var probe struct{ Schema int }
	if err := json.Unmarshal(src, &probe); err != nil {
		return have, err
	}
	switch {
	case probe.Schema > sweepSchema:
		return have, fmt.Errorf("schema %d is newer than this kbench knows (up to %d): a newer kbench wrote it and can read it", probe.Schema, sweepSchema)
	case probe.Schema < sweepSchema:
		return have, fmt.Errorf("schema %d is older: this kbench knows %d; run the sweep again, into another folder", probe.Schema, sweepSchema)
	}
	if err := report.CheckChecksum(src); err != nil {
		return have, err
	}
	return have, json.Unmarshal(src, &have)
}

// encode is the record as it is stored, with its checksum.
func (r sweepRecord) encode() ([]byte, error) {
	r.Checksum = ""
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, err
	}
	if r.Checksum, err = report.Checksum(out, ""); err != nil {
		return nil, err
	}
	out, err = json.MarshalIndent(r, "", "  ")
	return append(out, '\n'), err
}

// openSweepStore makes the folder, or takes up the sweep that it holds.
func openSweepStore(dir string, resume bool, sweep *workload.SweepPlan, target string) (*sweepStore, error) {
	s := &sweepStore{dir: dir, done: map[string]*metrics.Result{}, failed: map[string]error{}}
	want := newSweepRecord(sweep, target)
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
	out, err := want.encode()
	if err != nil {
		return nil, err
	}
	return s, writeAside(filepath.Join(dir, sweepFile), func(w io.Writer) error {
		_, err := w.Write(out)
		return err
	})
}

// resume reads the results of an earlier part of the same sweep.
func (s *sweepStore) resume(src []byte, want sweepRecord) error {
	path := filepath.Join(s.dir, sweepFile)
	have, err := parseSweepRecord(src)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if have.Target != want.Target {
		return fmt.Errorf("%s holds a sweep of target %s, not of %s: give another folder, or the same command as then", s.dir, have.Target, want.Target)
	}
	if have.Fingerprint != want.Fingerprint {
		return fmt.Errorf("%s holds another sweep (of %s; or its profile, flags or load differ): give another folder, or the same command as then", s.dir, axesText(have.Axes))
	}
	for _, c := range want.Cells {
		id, dir := c.ID, s.cellDir(c.ID)
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

func (s *sweepStore) failedDir(id string) string { return filepath.Join(s.dir, "failed", id) }

func (s *sweepStore) has(id string) bool { return s.done[id] != nil }

// reasonFile holds why a cell failed, in its folder under failed/.
const reasonFile = "error.txt"

// fail notes why a cell has no result. The reason and what was measured until then (res, if not nil) are kept under
// failed/<id>, where nothing takes it for a cell that is done.
func (s *sweepStore) fail(id string, res *metrics.Result, err error) {
	s.failed[id] = err
	dir := s.failedDir(id)
	if os.RemoveAll(dir) != nil || report.CreateDir(dir) != nil {
		return
	}
	if writeErr := writeAside(filepath.Join(dir, reasonFile), func(w io.Writer) error {
		_, writeErr := fmt.Fprintln(w, err)
		return writeErr
	}); writeErr != nil {
		s.failed[id] = errors.Join(err, writeErr)
	}
	if res == nil {
		return
	}
	if _, writeErr := report.WriteDir(dir, res); writeErr != nil {
		s.failed[id] = errors.Join(s.failed[id], writeErr)
	}
}

// put stores one cell's result: into a folder aside, renamed when it is complete, so that a cell is there or isn't.
func (s *sweepStore) put(id string, r *metrics.Result) error {
	s.done[id] = r // also if it can't be stored: the table is to have it
	aside := s.cellDir(id) + ".part"
	if err := os.RemoveAll(aside); err != nil {
		return err
	}
	if err := report.CreateDir(aside); err != nil {
		return err
	}
	_, err := report.WriteDir(aside, r)
	if err == nil {
		err = os.Rename(aside, s.cellDir(id))
	}
	if err != nil {
		_ = os.RemoveAll(aside) // the first error is the one to tell
	}
	return err
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
	err = errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close())
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
	_, err := fmt.Fprintf(w, "%s, %s refused, about %v%s\n", words.Count(len(s.Cells), "cell"), words.Count(len(s.Refused), "combination"), s.Total.Round(time.Second), unestimated(s))
	return err
}

// unestimated says which cells the estimate leaves out.
func unestimated(s *workload.SweepPlan) string {
	if s.Unestimated == 0 {
		return ""
	}
	return ", besides " + words.Count(s.Unestimated, "cell") + " bound by a number of records alone"
}
