package report

import (
	"math"
	"strings"

	"kbench/metrics"
)

// drawn is the number of columns that a drawing of the series has at most, its mark left out.
const drawn = 60

// mark stands in a drawing where the warm-up ended.
const mark = "│"

// column is one character of a drawing.
type column struct {
	seconds int
	acked   uint64
	p99     int64 // ns, highest of its seconds; 0: nothing was acknowledged
}

// columns divide the run's whole seconds up to the end of the measured part: each is the number of seconds to a column, of
// which the last one of either part may have fewer, and warm is how many columns are warm-up. A second without
// acknowledgements, of which the series has no row, counts. What was acknowledged later, in the drain, doesn't: no load
// stood behind it. No columns: there are fewer than two seconds.
func columns(r *metrics.Result) (cols []column, each, warm int) {
	const tolerance = metrics.Second / 20 // a run may end a moment before its last second does
	all := int((r.Totals.WarmupNS + r.Totals.DurationNS + tolerance) / metrics.Second)
	if all < 2 || len(r.Series) == 0 {
		return nil, 0, 0
	}
	each = (all + drawn - 1) / drawn
	before := min(all, int((r.Totals.WarmupNS+metrics.Second/2)/metrics.Second)) // a second is what most of it is
	warm = (before + each - 1) / each
	at := func(second int) int {
		if second < before {
			return second / each
		}
		return warm + (second-before)/each
	}
	cols = make([]column, at(all-1)+1)
	for i := range cols {
		cols[i].seconds = each
	}
	if rest := before % each; rest > 0 {
		cols[warm-1].seconds = rest
	}
	if rest := (all - before) % each; rest > 0 {
		cols[len(cols)-1].seconds = rest
	}
	for i, p := range r.Series {
		second := p.AtNS/metrics.Second - 1
		if second < 0 || second >= int64(all) {
			continue
		}
		c := &cols[at(int(second))]
		c.acked += p.Acked
		if p.Acked > 0 && !outnumbered(r.Series, i) {
			c.p99 = max(c.p99, p.ResponseP99)
		}
	}
	return cols, each, warm
}

// outnumbered says whether a row of the series is the smaller one of the two of its second: the last records of the
// warm-up, a handful of slow ones, aren't what that second was like.
func outnumbered(series []metrics.Point, i int) bool {
	for _, k := range []int{i - 1, i + 1} {
		if k >= 0 && k < len(series) && series[k].AtNS == series[i].AtNS && series[k].Acked > series[i].Acked {
			return true
		}
	}
	return false
}

// drawing shows the run's throughput and response p99 over time, in characters whose height counts from zero. It is
// empty where there are fewer than two seconds.
func drawing(r *metrics.Result) (lines []note, legend string) {
	cols, each, warm := columns(r)
	if len(cols) == 0 {
		return nil, ""
	}
	rates, p99s := make([]float64, len(cols)), make([]float64, len(cols))
	for i, c := range cols {
		rates[i], p99s[i] = float64(c.acked)/float64(c.seconds), float64(c.p99)
	}
	u := latencyUnit(r)
	lines = []note{
		{"rate", sparkline(rates, warm) + "  " + rangeText(rates, digits) + "/s"},
		{"p99", sparkline(p99s, warm) + "  " + rangeText(p99s, u.show) + " " + u.name},
	}
	legend = "each column is " + plural(uint64(each), "second")
	if each > 1 {
		legend += " (the mean rate, the highest p99)"
	}
	if warm > 0 && warm < len(cols) {
		legend += "; " + mark + ": the warm-up ended"
	}
	return lines, legend
}

// sparkline draws values from zero to the highest, a dot for zero, with a mark behind so many of them.
func sparkline(values []float64, marked int) string {
	const blocks = "▁▂▃▄▅▆▇█"
	levels, highest := []rune(blocks), 0.0
	for _, v := range values {
		highest = max(highest, v)
	}
	var b strings.Builder
	for i, v := range values {
		if i == marked && i > 0 {
			b.WriteString(mark)
		}
		if v <= 0 {
			b.WriteRune('·')
			continue
		}
		b.WriteRune(levels[min(len(levels)-1, int(math.Ceil(v/highest*float64(len(levels))))-1)])
	}
	return b.String()
}

// rangeText is the lowest and the highest of what there is.
func rangeText(values []float64, show func(float64) string) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	if from, to := show(low), show(high); from != to {
		return from + "–" + to
	}
	return show(high)
}
