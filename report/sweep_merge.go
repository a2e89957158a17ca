package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"kbench/metrics"
	"kbench/metrics/stat"
)

// sweep is a sweep with the repeats of each cell brought together.
type sweep struct {
	axes  []string
	cells []*sweepCell // measured at least once
	lost  []lostRow    // refused, failed, or not run yet
	drift *drift       // nil: the reference cell wasn't run twice
	rated bool         // every run had a rate to keep
}

// sweepCell is a cell and its runs.
type sweepCell struct {
	names     []string // of the runs
	values    []string
	reference bool
	pareto    bool
	runs      []*metrics.Result
}

// lostRow is a cell some of whose runs didn't happen or didn't end, for one reason.
type lostRow struct {
	names         []string // of those runs
	values        []string
	state, reason string // state is refused, failed or pending
}

// pending is the state of a run that its sweep didn't get to.
const pending = "pending"

// spread is the median and the range of a figure over the repeats of a cell; all NaN where no repeat knows it.
type spread struct{ median, min, max float64 }

// figure is one figure of a result that a sweep compares.
type figure struct {
	name  string // as in result.json
	title string
	kind  figureKind
	of    func(*metrics.Result) float64 // NaN: not known or not supported
}

// figureKind says in what scale a figure is shown.
type figureKind int

const (
	plain   figureKind = iota // as it is
	latency                   // ns, in the unit of the table
	size                      // bytes, in MiB
	whole                     // a count
)

// The figures that the front and the drift are about.
const (
	nameRate  = "totals.records_per_second"
	nameP99   = "latency.response.p99"
	nameCPU   = "runtime.cpu_ns_per_record"
	nameP50   = "latency.response.p50"
	nameLost  = "totals.censored"
	nameError = "totals.failed"
)

// figures are those of the table.
func figures() []figure {
	positive := func(v float64) float64 {
		if v > 0 {
			return v
		}
		return math.NaN()
	}
	response := func(name, title string) figure {
		return figure{"latency.response." + name, title, latency, func(r *metrics.Result) float64 {
			i := slices.IndexFunc(percentiles(), func(p percentile) bool { return p.name == name })
			if p := percentiles()[i]; supported(&r.Latency.Response, p.name) {
				return float64(p.of(&r.Latency.Response))
			}
			return math.NaN()
		}}
	}
	return []figure{
		{nameRate, "records/s", plain, func(r *metrics.Result) float64 { return r.Totals.RecordsPerSecond }},
		{"totals.bytes_per_second", "MiB/s", size, func(r *metrics.Result) float64 { return r.Totals.BytesPerSecond }},
		response("p50", "p50"),
		response("p99", "p99"),
		response("p999", "p99.9"),
		{nameCPU, "CPU ns/rec", plain, func(r *metrics.Result) float64 { return r.Runtime.CPUNSPerRecord }},
		{"totals.records_per_request", "rec/req", plain, func(r *metrics.Result) float64 { return positive(r.Totals.RecordsPerReq) }},
		{"totals.compression_ratio", "compr.", plain, func(r *metrics.Result) float64 { return positive(r.Totals.CompressionRatio) }},
		{nameError, "failed", whole, func(r *metrics.Result) float64 { return float64(r.Totals.Failed) }},
		{nameLost, "censored", whole, func(r *metrics.Result) float64 { return float64(r.Totals.Censored) }},
	}
}

// allFigures are those of the files.
func allFigures() []figure { return append(figures(), clientFigures()...) }

// figureOf is the figure with that name.
func figureOf(name string) figure {
	all := figures()
	return all[slices.IndexFunc(all, func(f figure) bool { return f.name == name })]
}

// over is the figure's spread over the runs.
func (f figure) over(runs []*metrics.Result) spread {
	var sample []float64
	for _, r := range runs {
		if v := f.of(r); !math.IsNaN(v) {
			sample = append(sample, v)
		}
	}
	if len(sample) == 0 {
		return spread{math.NaN(), math.NaN(), math.NaN()}
	}
	return spread{stat.Median(sample), slices.Min(sample), slices.Max(sample)}
}

// valid is the number of runs whose verdict is valid.
func (c *sweepCell) valid() int {
	n := 0
	for _, r := range c.runs {
		if r.Verdict.State == metrics.StateValid {
			n++
		}
	}
	return n
}

// causes are why the cell's invalid runs are invalid, each once, in the order of the runs.
func (c *sweepCell) causes() []string {
	causes := []string{}
	for _, r := range c.runs {
		if r.Verdict.State != metrics.StateValid && r.Verdict.Cause != "" && !slices.Contains(causes, r.Verdict.Cause) {
			causes = append(causes, r.Verdict.Cause)
		}
	}
	return causes
}

// cellKey tells cells apart.
func cellKey(values []string) string { return strings.Join(values, "\x00") }

// groupRows brings the measured rows of each cell together, in the order of the names of their runs.
func groupRows(rows []SweepRow) []*sweepCell {
	var cells []*sweepCell
	byKey, order := map[string]*sweepCell{}, map[*sweepCell]string{}
	for _, r := range rows {
		if r.Result == nil {
			continue
		}
		c := byKey[cellKey(r.Values)]
		if c == nil {
			c = &sweepCell{values: r.Values}
			byKey[cellKey(r.Values)] = c
			cells = append(cells, c)
		}
		c.reference = c.reference || r.Reference
		c.names, c.runs = append(c.names, r.Cell), append(c.runs, r.Result)
		// The extra runs of the reference cell have names of their own, which say nothing about its place.
		if first, ok := order[c]; !r.Reference && (!ok || byName(r.Cell, first) < 0) {
			order[c] = r.Cell
		}
	}
	slices.SortStableFunc(cells, func(a, b *sweepCell) int { return byName(order[a], order[b]) })
	return cells
}

// byName compares names with numbers in them that may outgrow their zeros: c999-r1 comes before c1000-r1.
func byName(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) }

func mergeSweep(axes []string, rows []SweepRow) (*sweep, error) {
	if err := checkRows(axes, rows); err != nil {
		return nil, err
	}
	s := &sweep{axes: axes, cells: groupRows(rows), drift: driftOf(rows)}
	s.rated = rated(s.cells)
	markFront(s.cells)
	for _, r := range rows {
		if r.Result == nil {
			s.lose(r)
		}
	}
	return s, nil
}

// lose notes a row without a result; repeats of a cell with the same reason are one.
func (s *sweep) lose(r SweepRow) {
	state, reason := pending, "not run yet"
	switch {
	case r.Refused != "":
		state, reason = "refused", r.Refused
	case r.Err != "":
		state, reason = "failed", r.Err
	}
	for i := range s.lost {
		if l := &s.lost[i]; l.state == state && l.reason == reason && slices.Equal(l.values, r.Values) {
			l.names = append(l.names, r.Cell)
			return
		}
	}
	s.lost = append(s.lost, lostRow{[]string{r.Cell}, r.Values, state, reason})
}

// cellText names a cell by what its axes are set to.
func (s *sweep) cellText(values []string) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = s.axes[i] + "=" + v
	}
	return strings.Join(parts, " ")
}

// rated says whether every run had a rate to keep. Then records/s says nothing, and what it cost is compared.
func rated(cells []*sweepCell) bool {
	for _, c := range cells {
		if slices.ContainsFunc(c.runs, func(r *metrics.Result) bool { return r.Totals.TargetRate <= 0 }) {
			return false
		}
	}
	return len(cells) > 0
}

// markFront sets pareto on the cells that no other cell beats. Where every run had a rate to keep, cells compete in CPU per
// record and response p99, both low; otherwise in records/s, high, and response p99, low; always by the medians of their
// repeats. Cells with an invalid run, a failed or a censored record don't compete.
func markFront(cells []*sweepCell) {
	cost, sign := figureOf(nameRate), -1.0
	if rated(cells) {
		cost, sign = figureOf(nameCPU), 1
	}
	points := make([][2]float64, len(cells))
	for i, c := range cells {
		points[i] = [2]float64{math.NaN(), math.NaN()}
		complete := figureOf(nameError).over(c.runs).max == 0 && figureOf(nameLost).over(c.runs).max == 0
		if complete && c.valid() == len(c.runs) {
			points[i] = [2]float64{sign * cost.over(c.runs).median, figureOf(nameP99).over(c.runs).median}
		}
	}
	for i, on := range stat.ParetoFront(points) {
		cells[i].pareto = on
	}
}

// drift describes how the reference cell changed in the course of the sweep.
type drift struct {
	values    []string
	n         int
	rate, p99 spread
	rateRatio float64 // median of the last third of its runs over that of the first, in the order they ran; NaN below 3 runs
	p99Ratio  float64
}

func driftOf(rows []SweepRow) *drift {
	d := &drift{}
	var runs []*metrics.Result
	for _, r := range rows {
		if r.Reference && r.Result != nil {
			d.values = r.Values
			runs = append(runs, r.Result)
		}
	}
	if len(runs) < 2 {
		return nil
	}
	slices.SortStableFunc(runs, func(a, b *metrics.Result) int { return a.Started.Compare(b.Started) })
	d.n = len(runs)
	d.rate, d.p99 = figureOf(nameRate).over(runs), figureOf(nameP99).over(runs)
	d.rateRatio, d.p99Ratio = math.NaN(), math.NaN()
	if third := len(runs) / 3; third > 0 {
		ratio := func(name string) float64 {
			return figureOf(name).over(runs[len(runs)-third:]).median / figureOf(name).over(runs[:third]).median
		}
		d.rateRatio, d.p99Ratio = ratio(nameRate), ratio(nameP99)
	}
	return d
}
