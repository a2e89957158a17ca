package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// untested is what every sweep says about its differences.
const untested = "differences between cells are described, not tested"

// sweepJSON is the JSON form of a sweep. Figures have the names and units of result.json.
type sweepJSON struct {
	Axes      []string     `json:"axes"`
	Note      string       `json:"note"`
	Front     []string     `json:"pareto_figures"` // what cells compete in
	Cells     []cellJSON   `json:"cells"`
	Lost      []lostJSON   `json:"not_measured"`
	Reference *driftJSON   `json:"reference"` // null: not run twice
	Warnings  []warningRow `json:"warnings"`
}

type cellJSON struct {
	Runs      []string              `json:"runs"`
	Values    map[string]string     `json:"values"`
	N         int                   `json:"n"`
	Valid     int                   `json:"valid_runs"`
	Causes    []string              `json:"causes"` // of the other runs' verdicts
	Reference bool                  `json:"reference"`
	Pareto    bool                  `json:"pareto"`
	Figures   map[string]*rangeJSON `json:"figures"` // null: not known or not supported
}

type rangeJSON struct {
	Median float64 `json:"median"`
	Min    float64 `json:"min"`
	Max    float64 `json:"max"`
}

type lostJSON struct {
	Runs   []string          `json:"runs"`
	Values map[string]string `json:"values"`
	State  string            `json:"state"` // refused or failed
	Reason string            `json:"reason"`
}

// driftJSON describes the reference cell; the ratios are of the last third of its runs to the first, null below 3 runs.
type driftJSON struct {
	Values    map[string]string `json:"values"`
	N         int               `json:"n"`
	Rate      *rangeJSON        `json:"totals.records_per_second"`
	P99       *rangeJSON        `json:"latency.response.p99"`
	RateRatio *float64          `json:"records_per_second_last_over_first"`
	P99Ratio  *float64          `json:"p99_last_over_first"`
}

type warningRow struct {
	Run     string `json:"run"`
	Warning string `json:"warning"`
}

func writeSweepJSON(w io.Writer, s *sweep) error {
	out := sweepJSON{Axes: append([]string{}, s.axes...), Note: untested, Front: s.frontFigures(), Cells: []cellJSON{},
		Lost: []lostJSON{}, Warnings: []warningRow{}}
	for _, c := range s.cells {
		j := cellJSON{Runs: c.names, Values: s.named(c.values), N: len(c.runs), Valid: c.valid(), Causes: c.causes(), Reference: c.reference,
			Pareto: c.pareto, Figures: map[string]*rangeJSON{}}
		for _, f := range allFigures() {
			j.Figures[f.name] = f.over(c.runs).json()
		}
		out.Cells = append(out.Cells, j)
		for i, r := range c.runs {
			for _, text := range slices.Concat(r.Warnings, r.Host.Warnings) {
				out.Warnings = append(out.Warnings, warningRow{c.names[i], text})
			}
		}
	}
	for _, l := range s.lost {
		out.Lost = append(out.Lost, lostJSON{l.names, s.named(l.values), l.state, l.reason})
	}
	if d := s.drift; d != nil {
		out.Reference = &driftJSON{Values: s.named(d.values), N: d.n, Rate: d.rate.json(), P99: d.p99.json(),
			RateRatio: finite(d.rateRatio), P99Ratio: finite(d.p99Ratio)}
	}
	text, err := encodeJSON(out)
	if err != nil {
		return err
	}
	return writeAll(w, text)
}

func (s *sweep) frontFigures() []string {
	if s.rated {
		return []string{nameCPU, nameP99}
	}
	return []string{nameRate, nameP99}
}

// named gives each value the name of its axis.
func (s *sweep) named(values []string) map[string]string {
	out := map[string]string{}
	for i, axis := range s.axes {
		out[axis] = values[i]
	}
	return out
}

func (s spread) json() *rangeJSON {
	if math.IsNaN(s.median) {
		return nil
	}
	return &rangeJSON{s.median, s.min, s.max}
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// writeSweepCSV writes one row a cell; those that weren't measured have a reason and no figures.
func writeSweepCSV(w io.Writer, s *sweep) error {
	head := append([]string{"runs"}, s.axes...)
	head = append(head, "state", "reason", "n", "valid_runs", "causes", "reference", "pareto")
	for _, f := range allFigures() {
		head = append(head, f.name+".median", f.name+".min", f.name+".max")
	}
	rows := [][]string{head}
	for _, c := range s.cells {
		row := append([]string{strings.Join(c.names, " ")}, c.values...)
		row = append(row, "measured", "", fmt.Sprint(len(c.runs)), fmt.Sprint(c.valid()), strings.Join(c.causes(), " "),
			strconv.FormatBool(c.reference), strconv.FormatBool(c.pareto))
		for _, f := range allFigures() {
			v := f.over(c.runs)
			row = append(row, csvFloat(v.median), csvFloat(v.min), csvFloat(v.max))
		}
		rows = append(rows, row)
	}
	for _, l := range s.lost {
		row := append([]string{strings.Join(l.names, " ")}, l.values...)
		row = append(row, l.state, l.reason, "0", "0", "", "false", "false")
		rows = append(rows, append(row, make([]string, len(head)-len(row))...))
	}
	return encodeCSV(w, rows)
}

// csvFloat is empty where the figure isn't known.
func csvFloat(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return float(v)
}
