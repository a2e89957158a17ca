package doctor

import (
	"context"
	"fmt"
	"slices"
)

// vouchTries bounds the search, each a run of Options.Duration.
const vouchTries = 3

// MaxShare is the share of the lowest ceiling that is vouched for at most. At half the capacity a queue in front of the
// generator is on average as long as one service: ρ/(1−ρ) = 1 (M/M/1). At 70 % it is 2.3, at 90 % 9 times as long: from there
// on a run shows the generator's queue. The other half is also what a costlier client or a noisy second may take.
const MaxShare = 0.5

// vouch finds the rate up to which the generator isn't what is measured: at most MaxShare of the lowest ceiling, and
// less, by halves, where records are late at that rate.
func (l *laboratory) vouch(ctx context.Context) {
	lowest, ok := l.lowest()
	if !ok || ctx.Err() != nil {
		return
	}
	v := Vouched{Ceiling: lowest.Driver, ShareOfCeiling: MaxShare}
	c := l.ceiling(lowest.Driver)
	found := false
	for range vouchTries {
		rate := v.ShareOfCeiling * lowest.RecordsPerSecond
		if l.lateBelow(rate) {
			v.ShareOfCeiling /= 2
			continue
		}
		l.opts.Progress("whether " + records(rate) + " can be vouched for")
		res, err := l.run(ctx, trial{c, rate})
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			v.Lateness = lateness(res)
			if !v.Lateness.late() {
				v.RecordsPerSecond, v.BytesPerSecond, found = rate, rate*float64(l.opts.RecordBytes), true
				break
			}
		}
		v.ShareOfCeiling /= 2
	}
	if !found {
		v.ShareOfCeiling = 0
	}
	l.report.Vouched = v
	l.report.add(rateFinding(v, lowest, l.report.RateAsked))
}

// lateBelow says whether the pacing was late at this rate or a lower one.
func (l *laboratory) lateBelow(rate float64) bool {
	return slices.ContainsFunc(l.report.Pacing, func(p Pacing) bool { return p.RateAsked <= rate && p.late() })
}

// lowest is the lowest ceiling that was measured.
func (l *laboratory) lowest() (CeilingResult, bool) {
	var low CeilingResult
	for _, c := range l.report.Ceilings {
		if c.Error == "" && (low.Driver == "" || c.RecordsPerSecond < low.RecordsPerSecond) {
			low = c
		}
	}
	return low, low.Driver != ""
}

// ceiling is the option of that driver.
func (l *laboratory) ceiling(name string) Ceiling {
	for _, c := range l.opts.Ceilings {
		if c.Driver.Name == name {
			return c
		}
	}
	return Ceiling{}
}

// rateFinding judges the rate asked against what can be vouched for and the ceiling.
func rateFinding(v Vouched, ceiling CeilingResult, asked float64) Finding {
	f := Finding{Check: "rate", Severity: OK, Why: fmt.Sprintf("up to half of the lowest ceiling, that of %s, the generator's own queue is no longer than one record's service, and a run shows the target; beyond it shows the generator", ceiling.Driver)}
	f.Values = map[string]float64{"vouched_per_s": v.RecordsPerSecond, "ceiling_per_s": ceiling.RecordsPerSecond, "asked_per_s": asked}
	f.Do = []string{"ask for a lower --rate, larger batches or smaller records, or take a machine with more CPUs"}
	if v.RecordsPerSecond == 0 {
		f.Severity = Bad
		f.Measured = "no rate can be vouched for: records were late at every rate tried"
		f.Do = []string{"see pacing, naps, other-load and steal"}
		return f
	}
	f.Measured = fmt.Sprintf("up to %s, %s of %s's ceiling", records(v.RecordsPerSecond), percent(v.ShareOfCeiling), ceiling.Driver)
	switch {
	case asked > ceiling.RecordsPerSecond:
		f.Severity = Bad
		f.Measured = fmt.Sprintf("%s asked for is over the ceiling of %s; vouched for %s",
			records(asked), records(ceiling.RecordsPerSecond), records(v.RecordsPerSecond))
	case asked > v.RecordsPerSecond:
		f.Severity = Warning
		f.Measured = fmt.Sprintf("%s asked for is over what can be vouched for, %s", records(asked), records(v.RecordsPerSecond))
	case v.ShareOfCeiling < MaxShare:
		f.Severity = Note
		f.Measured += ": at higher rates records were late"
	default:
		f.Do = nil
	}
	return f
}
