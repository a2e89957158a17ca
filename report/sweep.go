package report

import (
	"fmt"
	"io"
	"slices"

	"kbench/metrics"
)

// SweepRow is one run of one cell of a sweep, or why there was none. At most one of Result, Refused and Err is set; none:
// the sweep didn't get to it.
// Rows with the same Values are repeats of the same cell, whatever their names.
type SweepRow struct {
	Cell      string          // name of the run, such as c012-r1
	Values    []string        // of the axes, in their order
	Repeat    int             // number of the repeat
	Reference bool            // run of the reference cell, repeated to see drift
	Result    *metrics.Result // what was measured
	Refused   string          // why the cell can't be run, such as a setting that its driver can't express
	Err       string          // why the run failed
}

// sweepFormat is a way to write a sweep.
type sweepFormat struct {
	name  string
	write func(io.Writer, *sweep) error
}

func sweepFormats() []sweepFormat {
	return []sweepFormat{{"table", writeSweepTable}, {"json", writeSweepJSON}, {"csv", writeSweepCSV}, {"markdown", writeSweepMarkdown}}
}

// SweepFormats are the names that WriteSweep knows.
func SweepFormats() []string {
	return each(sweepFormats(), func(f sweepFormat) string { return f.name })
}

// CheckSweepFormat is the error that WriteSweep would return for an unknown format, or nil.
func CheckSweepFormat(name string) error {
	if !slices.Contains(SweepFormats(), name) {
		return unknownFormat(name, SweepFormats())
	}
	return nil
}

// WriteSweep writes all cells of a sweep in one of SweepFormats, one row a cell in the order of their names: medians
// over its repeats, their range, and the Pareto front. No difference between cells is tested, and the output says so.
func WriteSweep(w io.Writer, format string, axes []string, rows []SweepRow) error {
	for _, f := range sweepFormats() {
		if f.name != format {
			continue
		}
		s, err := mergeSweep(axes, rows)
		if err != nil {
			return err
		}
		return f.write(w, s)
	}
	return unknownFormat(format, SweepFormats())
}

func checkRows(axes []string, rows []SweepRow) error {
	for _, r := range rows {
		if len(r.Values) != len(axes) {
			return fmt.Errorf("run %q has %s, but the sweep has %s", r.Cell, plural(uint64(len(r.Values)), "value"),
				plural(uint64(len(axes)), "axis value"))
		}
	}
	return nil
}
