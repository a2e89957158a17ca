package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"kbench/metrics"
)

// note is one line of text with a label in front.
type note struct{ label, text string }

// block is a part of what people read: a grid, a drawing, or notes, or notes under one of the others.
type block struct {
	grid    *grid
	drawing []note // lines whose columns stand below each other: no wrapping
	notes   []note
}

// title is the first line: the verdict, and what was run.
func title(r *metrics.Result) string {
	return strings.Join([]string{verdictTitle(r), r.Profile, driverText(r.Driver), targetText(r.Target), loadText(r)}, " · ")
}

// verdictTitle is the verdict as the first line says it: VALID, INVALID: UNSTEADY, INTERRUPTED.
func verdictTitle(r *metrics.Result) string {
	text := strings.ToUpper(verdictText(r.Verdict))
	if r.Interrupted {
		text += ", INTERRUPTED"
	}
	return text
}

func driverText(d metrics.DriverInfo) string {
	client := strings.TrimSpace(d.Client + " " + d.Version)
	if d.Client == d.Name {
		client = d.Version
	}
	if client == "" {
		return d.Name
	}
	return d.Name + " (" + client + ")"
}

func targetText(t metrics.TargetInfo) string {
	text := strings.TrimSpace(t.Kind+" "+t.Version) + ", " + plural(uint64(max(0, t.Brokers)), "broker")
	if t.Hold != "" {
		text += ", answers held: " + t.Hold
	}
	return text
}

// view is everything that WriteTable and WriteMarkdown show under the title, in order.
func view(r *metrics.Result) []block {
	lines, legend := drawing(r)
	series := block{drawing: lines}
	if legend != "" {
		series.notes = []note{{"", legend}}
	}
	return []block{
		{notes: verdictNotes(r)},
		{grid: totalsGrid(r), notes: totalsNotes(r)},
		{grid: latencyGrid(r), notes: latencyNotes(r)},
		series,
		{notes: slices.Concat(evidenceNotes(r), runtimeNotes(r), clientNotes(r))},
		{notes: slices.Concat(differenceNotes(r), objectiveNotes(r), errorNotes(r), warningNotes(r))},
	}
}

func verdictNotes(r *metrics.Result) []note {
	var notes []note
	for _, reason := range r.Verdict.Reasons {
		notes = append(notes, note{r.Verdict.State, reason})
	}
	if r.Interrupted {
		notes = append(notes, note{"interrupted", "stopped before its end: these figures cover the " +
			duration(float64(r.Totals.DurationNS)) + " that were measured"})
	}
	return notes
}

func totalsGrid(r *metrics.Result) *grid {
	t := r.Totals
	return &grid{
		head: []string{"scheduled", "acked", "failed", "censored", "records/s", "MiB/s", "requests", "records/req", "compression"},
		rows: [][]string{{count(t.Scheduled), count(t.Acked), count(t.Failed), count(t.Censored), digits(t.RecordsPerSecond),
			mebi(t.BytesPerSecond), known(t.Requests), positive(t.RecordsPerReq), positive(t.CompressionRatio)}},
	}
}

func totalsNotes(r *metrics.Result) []note {
	t := r.Totals
	measured := "measured " + duration(float64(t.DurationNS))
	if t.WarmupNS > 0 {
		measured += fmt.Sprintf(" after %s of warm-up (%s, counted in requests alone)", duration(float64(t.WarmupNS)), plural(t.WarmupRecords, "record"))
	}
	notes := []note{{"", measured}}
	if within := t.RecordsPerSecond * float64(t.DurationNS) / 1e9; float64(t.Acked) > within*(1+lateShown) {
		least := ""
		if t.WarmupNS > 0 {
			least = "at least " // some of those within the time were the warm-up's
		}
		notes = append(notes, note{"", fmt.Sprintf("records/s and MiB/s are of the %s acknowledged within the measured time; of the acked, %s%s only came after it",
			plural(uint64(math.Round(within)), "record"), least, count(t.Acked-uint64(math.Round(within))))})
	}
	if t.Retries > 0 || t.ThrottleNS > 0 {
		retries := known(t.Retries) + " retries"
		if t.Retries == 1 {
			retries = "1 retry"
		}
		notes = append(notes, note{"", retries + ", throttled for " + duration(float64(t.ThrottleNS))})
	}
	if t.Censored > 0 {
		notes = append(notes, note{"", "censored: unfinished at their time-out, or when the drain ended; latencies count them at the age they had, a lower bound"})
	}
	return notes
}

// lateShown is the share of the acknowledged records that may have come after the measured time without a word: at usual
// latencies those in flight at its end.
const lateShown = 0.01

func runtimeNotes(r *metrics.Result) []note {
	u := r.Runtime
	return []note{{"generator", fmt.Sprintf("CPU %s ns/record, %s allocs/record (%s B), %s (%s), peak RSS %s MiB",
		digits(u.CPUNSPerRecord), digits(u.AllocsPerRecord), digits(u.AllocBytesPerRecord),
		plural(uint64(u.GCCount), "GC"), duration(float64(u.GCPauseNS)), mebi(float64(u.MaxRSSBytes)))}}
}

func differenceNotes(r *metrics.Result) []note {
	var notes []note
	for _, d := range r.Driver.DiffersFromAsked {
		text := fmt.Sprintf("%s: asked %s, in force %s", d.Setting, orNothing(d.Asked), orNothing(d.Effective))
		if d.Why != "" {
			text += " (" + d.Why + ")"
		}
		notes = append(notes, note{"differs", text})
	}
	return notes
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

func objectiveNotes(r *metrics.Result) []note {
	var notes []note
	for _, o := range r.Objectives {
		text := "objective " + o.Objective
		switch {
		case o.Met:
			notes = append(notes, note{"met", text + " (actual " + o.Actual + ")"})
		case untold(o.Actual):
			notes = append(notes, note{"CAN'T TELL", text + " (" + o.Actual + ")"})
		default:
			notes = append(notes, note{"NOT MET", text + " (actual " + o.Actual + ")"})
		}
	}
	return notes
}

// untold says whether an objective's actual value is the reason why there is none.
func untold(actual string) bool {
	return strings.HasPrefix(actual, "can't be told") || strings.HasPrefix(actual, "needs ≥")
}

// errorsShown is the number of different error messages that people get to see.
const errorsShown = 10

// errorNotes has the most frequent first.
func errorNotes(r *metrics.Result) []note {
	keys := slices.SortedFunc(maps.Keys(r.Totals.Errors), func(a, b string) int {
		if x, y := r.Totals.Errors[a], r.Totals.Errors[b]; x != y {
			if x > y {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	var notes []note
	for i, k := range keys {
		if i == errorsShown {
			notes = append(notes, note{"error", plural(uint64(len(keys)-i), "further message") + " in result.json"})
			break
		}
		notes = append(notes, note{"error", plural(r.Totals.Errors[k], "record") + ": " + k})
	}
	return notes
}

func warningNotes(r *metrics.Result) []note {
	var notes []note
	for _, w := range slices.Concat(r.Warnings, r.Host.Warnings) {
		notes = append(notes, note{"warning", w})
	}
	return notes
}
