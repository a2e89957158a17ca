package report

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"kbench/metrics"
	"kbench/metrics/stat"
)

func writeSweepTable(w io.Writer, s *sweep) error {
	var out bytes.Buffer
	out.WriteString(wrap(s.title(), 0, 2) + "\n")
	if len(s.cells) > 0 {
		out.WriteByte('\n')
		if err := s.grid().text(&out); err != nil {
			return fmt.Errorf("draw the table: %w", err)
		}
	}
	for _, n := range s.notes() {
		writeNote(&out, n)
	}
	return writeAll(w, &out)
}

func writeSweepMarkdown(w io.Writer, s *sweep) error {
	var out bytes.Buffer
	out.WriteString("### " + escapeMarkdown(oneLine(s.title())) + "\n\n")
	if len(s.cells) > 0 {
		if err := s.grid().markdown(&out); err != nil {
			return fmt.Errorf("draw the table: %w", err)
		}
		out.WriteByte('\n')
	}
	for _, n := range s.notes() {
		writeMarkdownNote(&out, n)
	}
	return writeAll(w, &out)
}

func (s *sweep) title() string {
	lost := map[string]uint64{}
	for _, l := range s.lost {
		lost[l.state] += uint64(len(l.names))
	}
	parts := []string{"SWEEP"}
	if lost[pending] > 0 {
		parts[0] += ", UNFINISHED"
	}
	runs, invalid := 0, 0
	for _, c := range s.cells {
		runs += len(c.runs)
		invalid += len(c.runs) - c.valid()
	}
	switch {
	case invalid > 0:
		parts[0] += fmt.Sprintf(": %s of %s INVALID", count(uint64(invalid)), plural(uint64(runs), "run"))
	case runs > 0:
		parts[0] += ": VALID"
	}
	if runs > 0 {
		first := s.cells[0].runs[0]
		parts = append(parts, first.Profile, targetText(first.Target))
	}
	parts = append(parts, plural(uint64(len(s.cells)), "cell")+", "+plural(uint64(runs), "run"))
	if n := lost[pending]; n > 0 {
		parts = append(parts, plural(n, "run")+" not made yet")
	}
	if n := lost["refused"]; n > 0 {
		parts = append(parts, plural(n, "run")+" refused")
	}
	if n := lost["failed"]; n > 0 {
		parts = append(parts, plural(n, "run")+" failed")
	}
	return strings.Join(parts, " · ")
}

// unit suits the median p50 over all cells.
func (s *sweep) unit() unit {
	var sample []float64
	for _, c := range s.cells {
		if v := figureOf(nameP50).over(c.runs).median; !math.IsNaN(v) {
			sample = append(sample, v)
		}
	}
	return unitFor(stat.Median(sample))
}

func (s *sweep) grid() *grid {
	u := s.unit()
	shown := slices.DeleteFunc(figures(), func(f figure) bool {
		return f.name == nameLost && !slices.ContainsFunc(s.cells, func(c *sweepCell) bool { return f.over(c.runs).max > 0 })
	})
	g := &grid{left: 1 + len(s.axes), head: append([]string{""}, s.axes...)}
	g.head = append(g.head, "n")
	for _, f := range shown {
		title := f.title
		if f.kind == latency {
			title += ", " + u.name
		}
		g.head = append(g.head, title)
	}
	g.head = append(g.head, "verdict")
	for _, c := range s.cells {
		row := append([]string{c.mark()}, c.values...)
		row = append(row, fmt.Sprint(len(c.runs)))
		for _, f := range shown {
			row = append(row, spreadText(f, f.over(c.runs), u))
		}
		g.rows = append(g.rows, append(row, c.verdict()))
	}
	return g
}

// mark is * for a cell on the Pareto front and ref for the reference cell.
func (c *sweepCell) mark() string {
	var marks []string
	if c.pareto {
		marks = append(marks, "*")
	}
	if c.reference {
		marks = append(marks, "ref")
	}
	return strings.Join(marks, " ")
}

func (c *sweepCell) verdict() string {
	invalid := len(c.runs) - c.valid()
	if invalid == 0 {
		return metrics.StateValid
	}
	text := metrics.StateInvalid
	if invalid < len(c.runs) {
		text = fmt.Sprintf("%d/%d invalid", invalid, len(c.runs))
	}
	if causes := c.causes(); len(causes) > 0 {
		text += ": " + strings.Join(causes, ", ")
	}
	return text
}

// spreadText is the median, and on a second line the range where there is one.
func spreadText(f figure, s spread, u unit) string {
	show := digits
	switch f.kind {
	case latency:
		show = u.show
	case size:
		show = mebi
	case whole:
		show = func(v float64) string { return humanize.Comma(int64(math.Round(v))) }
	}
	if s.min == s.max || math.IsNaN(s.median) {
		return show(s.median)
	}
	return show(s.median) + "\n" + show(s.min) + "–" + show(s.max)
}

func (s *sweep) notes() []note {
	var notes []note
	if len(s.cells) > 0 {
		repeated := slices.ContainsFunc(s.cells, func(c *sweepCell) bool { return len(c.runs) > 1 })
		if repeated {
			notes = append(notes, note{"", "of n runs: the median, below it the lowest and the highest; latencies are response"})
		} else {
			notes = append(notes, note{"", "latencies are response"})
		}
		notes = append(notes, note{"*", s.frontText()},
			note{"", "differences between cells are described, not tested: a gap between two medians may be noise"})
	}
	if s.drift != nil {
		notes = append(notes, note{"ref", s.driftText()})
	}
	for _, c := range s.cells {
		for _, r := range c.runs {
			for _, reason := range r.Verdict.Reasons {
				n := note{r.Verdict.State, s.cellText(c.values) + ": " + reason}
				if !slices.Contains(notes, n) {
					notes = append(notes, n)
				}
			}
		}
	}
	for _, l := range s.lost {
		if l.state == pending {
			continue // the title has their number
		}
		notes = append(notes, note{l.state, s.cellText(l.values) + " (" + strings.Join(l.names, ", ") + "): " + l.reason})
	}
	return append(notes, s.warnings()...)
}

// warnings are those of all runs, each with the number of runs that had it.
func (s *sweep) warnings() []note {
	var texts []string
	runs := map[string]uint64{}
	for _, c := range s.cells {
		for _, r := range c.runs {
			for _, w := range slices.Concat(r.Warnings, r.Host.Warnings) {
				if runs[w] == 0 {
					texts = append(texts, w)
				}
				runs[w]++
			}
		}
	}
	return each(texts, func(w string) note { return note{"warning", w + " (" + plural(runs[w], "run") + ")"} })
}

func (s *sweep) frontText() string {
	beaten := "more records/s and a lower p99"
	if s.rated {
		beaten = "less CPU a record and a lower p99"
	}
	return "Pareto front: no other cell has " + beaten + "; cells with an invalid run, failed or censored records don't compete"
}

func (s *sweep) driftText() string {
	d, u := s.drift, s.unit()
	p99 := absent
	if !math.IsNaN(d.p99.median) {
		p99 = u.show(d.p99.min) + "–" + u.show(d.p99.max) + " " + u.name
	}
	text := fmt.Sprintf("reference cell %s: n=%d, p99 %s, records/s %s–%s", s.cellText(d.values), d.n, p99, digits(d.rate.min), digits(d.rate.max))
	if !math.IsNaN(d.rateRatio) {
		text += fmt.Sprintf("; last third of its runs over the first: p99 ×%s, records/s ×%s (a description, not a test)",
			digits(d.p99Ratio), digits(d.rateRatio))
	}
	return text
}
