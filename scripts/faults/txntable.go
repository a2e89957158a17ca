package main

import (
	"fmt"
	"io"
	"strconv"
)

// txnRow is one line of the table of transactions.
type txnRow struct {
	Version    string         `json:"version"`
	Nodes      int            `json:"nodes"`
	Fault      string         `json:"fault"`
	Mode       string         `json:"mode"`
	Produce    int64          `json:"produce_version"`
	Producers  int            `json:"producers"`
	Fatal      int            `json:"producers_that_could_not_go_on"`
	Forgotten  int            `json:"epochs_that_a_coordinator_forgot"`
	Committed  int            `json:"committed"`
	Aborted    int            `json:"aborted"`
	Unknown    int            `json:"unknown"`
	Proved     int            `json:"unknown_and_committed"`
	Sent       int            `json:"sent"`
	Acked      int            `json:"acked"`
	Failed     int            `json:"failed"`
	Read       int            `json:"read"`
	Lost       int            `json:"lost_of_committed"`
	Hollow     int            `json:"committed_with_failed_records"`
	Visible    int            `json:"of_aborted_and_there"`
	Torn       int            `json:"transactions_there_in_part"`
	Unmarked   int            `json:"wrong_for_want_of_a_brokers_marker"`
	Duplicates int            `json:"duplicates"`
	Disorder   int            `json:"out_of_order"`
	Misrouted  int            `json:"misrouted"`
	Misplaced  int            `json:"acked_at_another_offset"`
	Unanswered int            `json:"without_callback"`
	Again      int            `json:"callbacks_too_many"`
	Retries    int64          `json:"retries"`
	Errors     map[string]int `json:"errors,omitempty"`
	Seen       string         `json:"seen,omitempty"`
	Verdict    string         `json:"verdict"`
}

func newTxnRow(s *scene, ld *txnLoad, t *txnTally) txnRow {
	stats := ld.meter.sum()
	r := txnRow{
		Version: s.target.Version, Nodes: s.nodes, Fault: s.fault.name, Mode: ld.mode.name, Produce: stats.ProduceVersion,
		Producers: len(ld.lives), Fatal: t.fatal, Forgotten: t.forgotten, Committed: t.committed, Aborted: t.aborted, Unknown: t.unknown, Proved: t.proved,
		Sent: t.sent, Acked: t.acked, Failed: t.failed, Read: t.records, Lost: t.lost, Hollow: t.hollow, Visible: t.visible,
		Torn: t.torn, Unmarked: t.unmarked, Duplicates: t.duplicates, Disorder: t.disorder, Misrouted: t.misrouted, Misplaced: t.misplaced,
		Unanswered: t.unanswered, Again: t.again, Retries: stats.Retries, Errors: t.errs, Seen: s.shown(), Verdict: t.broken(),
	}
	switch {
	case r.Verdict != "":
	case ld.err != nil:
		r.Verdict = broken + ld.err.Error()
	case t.unfenced > 0:
		r.Verdict = fmt.Sprintf(broken+"%d producers couldn't go on, though nobody fenced them", t.unfenced)
	case ld.mode.steady() && r.Fatal > r.Forgotten:
		r.Verdict = fmt.Sprintf(broken+"%d producers couldn't go on", r.Fatal)
	case !ld.mode.overdue && (r.Committed == 0 || r.Aborted == 0):
		r.Verdict = untested + "nothing was committed, or nothing aborted"
	case ld.mode.twins && r.Fatal == 0:
		r.Verdict = untested + "nobody was fenced"
	case ld.mode.overdue && t.overdue == 0:
		r.Verdict = untested + "no transaction took too long"
	case s.fault.touching && ld.mode.outlasts() && !ld.meter.felt():
		r.Verdict = untested + "nothing was sent twice"
	case ld.mode.steady() && r.Fatal > 0:
		r.Verdict = fmt.Sprintf("holds, but a coordinator forgot an epoch that it had given: %d producers were fenced", r.Fatal)
	case r.Unmarked > 0:
		r.Verdict = fmt.Sprintf("holds, but a broker ended transactions without their markers: %d records or offsets of them", r.Unmarked)
	default:
		r.Verdict = "holds"
	}
	return r
}

// writeTxnTable writes rows as Markdown.
func writeTxnTable(w io.Writer, rows []txnRow) error {
	lines := [][]string{{"version", "nodes", "fault", "producer", "opened", "fenced", "committed", "aborted", "unknown", "of them there",
		"read back", "lost", "aborted, but there", "in part", "duplicates", "out of order", "misrouted", "retries", "verdict"}}
	n := strconv.Itoa
	for i := range rows {
		r := &rows[i]
		lines = append(lines, []string{r.Version, n(r.Nodes), r.Fault, r.Mode, n(r.Producers), n(r.Fatal), n(r.Committed), n(r.Aborted),
			n(r.Unknown), n(r.Proved), n(r.Read), n(r.Lost), n(r.Visible), n(r.Torn), n(r.Duplicates), n(r.Disorder), n(r.Misrouted),
			strconv.FormatInt(r.Retries, 10), r.Verdict})
	}
	return writeLines(w, lines)
}
