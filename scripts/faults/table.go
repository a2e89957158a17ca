package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// row is one line of the table: a fault under one mode.
type row struct {
	Version    string         `json:"version"`
	Nodes      int            `json:"nodes"`
	Fault      string         `json:"fault"`
	Acks       string         `json:"acks"`
	Produce    int64          `json:"produce_version"`
	Producers  int            `json:"producers"`
	Sent       int            `json:"sent"`
	Acked      int            `json:"acked"`
	Failed     int            `json:"failed"`
	Read       int            `json:"read"`
	Lost       int            `json:"lost"`
	Gone       int            `json:"gone_with_deleted_topic"`
	Duplicates int            `json:"duplicates"`
	Disorder   int            `json:"out_of_order"`
	Misrouted  int            `json:"misrouted"`
	Misplaced  int            `json:"acked_at_another_offset"`
	Indefinite int            `json:"failed_and_there"`
	Revived    int            `json:"refused_and_there"`
	Unanswered int            `json:"without_callback"`
	Again      int            `json:"callbacks_too_many"`
	Retries    int64          `json:"retries"`
	ThrottleMS int64          `json:"throttle_ms"`
	Errors     map[string]int `json:"errors,omitempty"`
	Seen       string         `json:"seen,omitempty"`
	Verdict    string         `json:"verdict"`
}

func newRow(s *scene, ld *load, t *tally) row {
	stats := ld.meter.sum()
	r := row{
		Version: s.target.Version, Nodes: s.nodes, Fault: s.fault.name, Acks: ld.mode.name, Produce: stats.ProduceVersion,
		Producers: len(ld.instances), Sent: t.sent, Acked: t.acked, Failed: t.failed, Read: t.read, Lost: t.lost, Gone: t.gone,
		Duplicates: t.duplicates, Disorder: t.disorder, Misrouted: t.misrouted, Misplaced: t.misplaced, Indefinite: t.indefinite,
		Revived: t.revived, Unanswered: t.unanswered, Again: t.again, Retries: stats.Retries,
		ThrottleMS: stats.ThrottleNS / 1e6, Errors: t.errs, Seen: s.shown(), Verdict: t.broken(&ld.mode),
	}
	switch {
	case r.Verdict != "":
	case ld.err != nil:
		r.Verdict = broken + ld.err.Error()
	case r.Acked == 0:
		r.Verdict = broken + "nothing acknowledged"
	case ld.mode.outlasts() && r.Failed > 0:
		r.Verdict = fmt.Sprintf(broken+"%d failed though the fault ended within delivery.timeout.ms", r.Failed)
	case s.fault.touching && ld.mode.outlasts() && !ld.meter.felt():
		r.Verdict = untested + "nothing was sent twice"
	case s.fault.name == "quota" && ld.mode.outlasts() && r.ThrottleMS == 0:
		r.Verdict = untested + "nothing was throttled"
	case ld.mode.guaranteed():
		r.Verdict = "holds"
	case r.Lost+r.Duplicates+r.Disorder > 0:
		r.Verdict = "as documented"
	default:
		r.Verdict = "nothing lost"
	}
	return r
}

// outlasts says whether the producers are given the time to get over every fault.
func (m *mode) outlasts() bool { return m.acks != 0 && !m.short && m.topic != "expiring" }

// What verdicts begin with that aren't to be content with: see findings.exit.
const (
	broken   = "BROKEN: "
	untested = "NOT TESTED: "
)

var columns = []string{"version", "nodes", "fault", "acks", "sent", "acked", "failed", "read back", "lost", "duplicates", "out of order", "misrouted", "retries", "verdict"}

func (r *row) cells() []string {
	n := strconv.Itoa
	return []string{r.Version, n(r.Nodes), r.Fault, r.Acks, n(r.Sent), n(r.Acked), n(r.Failed), n(r.Read), n(r.Lost), n(r.Duplicates),
		n(r.Disorder), n(r.Misrouted), strconv.FormatInt(r.Retries, 10), r.Verdict}
}

// writeTable writes rows as Markdown.
func writeTable(w io.Writer, rows []row) error {
	lines := [][]string{columns}
	for i := range rows {
		lines = append(lines, rows[i].cells())
	}
	return writeLines(w, lines)
}

// writeLines writes a table as Markdown, aligned so that it reads as text too. Without a line below its head it is left out.
func writeLines(w io.Writer, lines [][]string) error {
	if len(lines) < 2 {
		return nil
	}
	widths := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, cell := range l {
			widths[i] = max(widths[i], len(cell))
		}
	}
	rule := make([]string, len(widths))
	for i := range rule {
		rule[i] = strings.Repeat("-", widths[i])
	}
	for _, l := range slices.Insert(lines, 1, rule) {
		cells := make([]string, len(l))
		for i, cell := range l {
			cells[i] = fmt.Sprintf("%-*s", widths[i], cell)
		}
		if _, err := fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | ")); err != nil {
			return err
		}
	}
	return nil
}
