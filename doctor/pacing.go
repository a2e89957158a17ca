package doctor

import (
	"context"
	"fmt"
	"strings"

	"kbench/metrics"
)

// lateness reads the generator's own lateness out of a result.
func lateness(res *metrics.Result) Lateness {
	g := res.Latency.GeneratorLateness
	return Lateness{P50NS: g.P50, P99NS: g.P99, P999NS: g.P999, MaxNS: g.Max}
}

// late says whether more than 0.1 % of the records were over 1 ms late: that invalidates a run.
func (l Lateness) late() bool { return l.P999NS > lateNS }

// pacingRates are what is tried where no rate is asked for.
func (o *Options) pacingRates() []float64 {
	if rate := o.perSecond(); rate > 0 {
		return []float64{rate}
	}
	return []float64{10_000, 100_000}
}

// exactP99 is the lateness at p99 that a fit machine stays below, in ns.
const exactP99 = 50_000

// enoughDue is the least number of records from which a lateness is worth telling.
const enoughDue = 10

// pacing measures how late the generator is by itself, with the first ceiling's driver.
func (l *laboratory) pacing(ctx context.Context) {
	if len(l.opts.Ceilings) == 0 {
		return
	}
	f := Finding{Check: "pacing", Severity: OK, Why: "records that the generator hands over late are not the load that was asked for; over 0.1 % of them over 1 ms late, with 99 % confidence, make a run invalid", Values: map[string]float64{}}
	var texts []string
	for i, rate := range l.opts.pacingRates() {
		if due := rate * l.opts.Duration.Seconds(); due < enoughDue {
			f.worse(Note)
			texts = append(texts, fmt.Sprintf("%.3g records/s are too few within %v to say how late they are", rate, l.opts.Duration))
			f.Do = []string{"a longer --duration"}
			continue
		}
		if most := l.most(l.opts.Ceilings[0]); most > 0 && rate > most {
			f.worse(Bad)
			texts = append(texts, fmt.Sprintf("%s are more than the generator alone can hand over, %s", records(rate), records(most)))
			continue
		}
		l.opts.Progress("how exactly " + records(rate) + " are kept")
		res, err := l.run(ctx, trial{l.opts.Ceilings[0], rate})
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			f.worse(Bad)
			texts = append(texts, fmt.Sprintf("%s: %v", records(rate), err))
			continue
		}
		p := Pacing{RateAsked: rate, RecordsPerSecond: res.Totals.RecordsPerSecond, Lateness: lateness(res)}
		l.report.Pacing = append(l.report.Pacing, p)
		f.Values[fmt.Sprintf("at_%.0f_p99_ns", rate)] = float64(p.P99NS)
		texts = append(texts, fmt.Sprintf("at %s late by %s at the median, %s at p99, %s at p99.9",
			records(rate), times(float64(p.P50NS)), times(float64(p.P99NS)), times(float64(p.P999NS))))
		f.worse(p.severity(i == 0))
	}
	if len(texts) == 0 {
		return
	}
	f.Measured = strings.Join(texts, "; ")
	if f.Severity != OK && f.Do == nil {
		f.Do = []string{"end other load on this machine, or take one with more CPUs", "see naps, other-load, steal and governor"}
	}
	l.report.add(f)
}

// severity judges one rate. The lowest rate tried is one that any fit machine keeps.
func (p Pacing) severity(lowest bool) Severity {
	switch {
	case p.late() && lowest:
		return Bad
	case p.late():
		return Warning
	case p.P99NS > exactP99:
		return Note
	}
	return OK
}
