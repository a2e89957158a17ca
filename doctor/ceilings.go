package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"kbench/broker"
)

// ceilings measures every driver's highest rate.
func (l *laboratory) ceilings(ctx context.Context) {
	f := Finding{Check: "ceilings", Severity: OK, Why: "what the generator can do at most: close to it, a run measures the generator and not the target", Values: map[string]float64{}}
	var texts []string
	for _, c := range l.opts.Ceilings {
		l.opts.Progress("the ceiling of driver " + c.Driver.Name)
		r := CeilingResult{Driver: c.Driver.Name, Target: "none"}
		if c.Sink {
			r.Target = broker.KindSink
		}
		res, err := l.run(ctx, trial{ceiling: c})
		if ctx.Err() != nil {
			return
		}
		if err == nil && res.Totals.RecordsPerSecond == 0 {
			err = errors.New("no record was acknowledged within the measured time")
		}
		if err != nil {
			r.Error = err.Error()
			f.worse(Bad)
			f.Do = append(f.Do, fmt.Sprintf("kbench run --driver %s", c.Driver.Name))
			texts = append(texts, fmt.Sprintf("%s failed: %v", c.Driver.Name, err))
		} else {
			r.RecordsPerSecond, r.BytesPerSecond = res.Totals.RecordsPerSecond, res.Totals.BytesPerSecond
			r.NSPerRecord, r.CPUNSPerRecord = 1e9/res.Totals.RecordsPerSecond, res.Runtime.CPUNSPerRecord
			f.Values[c.Driver.Name+"_per_s"] = r.RecordsPerSecond
			texts = append(texts, c.Driver.Name+" "+records(r.RecordsPerSecond))
		}
		l.report.Ceilings = append(l.report.Ceilings, r)
	}
	if len(texts) > 0 {
		f.Measured = strings.Join(texts, ", ")
		l.report.add(f)
	}
}

// most is the measured ceiling of an option; 0: there is none.
func (l *laboratory) most(c Ceiling) float64 {
	for _, r := range l.report.Ceilings {
		if r.Driver == c.Driver.Name {
			return r.RecordsPerSecond
		}
	}
	return 0
}
