package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kbench/bench"
	"kbench/broker"
	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// laboratory measures the generator by running it.
type laboratory struct {
	opts     *Options
	report   *Report
	plan     *workload.Plan
	payloads *workload.Payloads
	sink     *broker.Target // nil: none was asked for, or it didn't start
	sinkErr  error
	topic    string
}

// template is the load of kbench's own first profile with another size: what is vouched for here is what a run without
// arguments does.
const template = `name: doctor
topics: [{name: doctor, partitions: 6}]
records: {value: {size: %d}}
load: {arrivals: max, producers: 1, warmup: 0s, duration: 1s}
producer: {acks: all, linger.ms: 5, batch.size: 64KiB}
driver: native
`

// newPlan is the template as a plan.
func newPlan(size int64) (*workload.Plan, error) {
	p, err := workload.ParseProfile("doctor.yaml", fmt.Appendf(nil, template, size))
	if err != nil {
		return nil, err
	}
	plan, err := p.Plan()
	return &plan, err
}

// CheckRecordBytes refuses an empty value, and one that makes a record over max.request.size.
func CheckRecordBytes(size int64) error {
	if size < 1 {
		return fmt.Errorf("%d bytes: at least 1", size)
	}
	plan, err := newPlan(1)
	if err != nil {
		return err
	}
	limit := int64(plan.Producer.MaxRequestSize)
	if size <= limit && int64(workload.RecordSizeUpperBound(nil, make([]byte, size), nil)) <= limit {
		return nil
	}
	return fmt.Errorf("a value of %d bytes makes a record over max.request.size=%d", size, limit)
}

// measure fills in ceilings, pacing and the rate, with their findings.
func (l *laboratory) measure(ctx context.Context) (err error) {
	if l.plan, err = newPlan(l.opts.RecordBytes); err != nil {
		return err
	}
	if l.payloads, err = workload.NewSource(l.plan, workload.SourceOptions{}); err != nil {
		return err
	}
	l.sinkErr = l.startSink(ctx)
	defer func() {
		if l.sink != nil {
			_ = l.sink.Close() // it holds nothing, and dies with this process at the latest
		}
	}()
	if len(l.opts.CPUs) > 0 {
		if err := broker.PinSelf(l.opts.CPUs); err != nil {
			return err
		}
	}
	l.ceilings(ctx)
	l.pacing(ctx)
	l.vouch(ctx)
	return nil
}

// startSink starts the sink, if a ceiling needs it, and makes its topic.
func (l *laboratory) startSink(ctx context.Context) error {
	needed := false
	for _, c := range l.opts.Ceilings {
		needed = needed || c.Sink
	}
	if !needed || ctx.Err() != nil {
		return ctx.Err()
	}
	sink, err := broker.Start(ctx, broker.Spec{Kind: broker.KindSink, CPUs: l.opts.TargetCPUs})
	if err != nil {
		return err
	}
	l.sink, l.topic = sink, "kbench-doctor"
	cluster, err := broker.Connect(ctx, sink.Bootstrap)
	if err != nil {
		return err
	}
	defer cluster.Close()
	topic := l.plan.Topics[0]
	return cluster.CreateTopics(ctx, []broker.TopicSpec{{Name: l.topic, Partitions: topic.Partitions, ReplicationFactor: topic.ReplicationFactor}})
}

// trial is one run.
type trial struct {
	ceiling Ceiling
	rate    float64 // records/s, Poisson; 0: as fast as it goes
}

// run carries a trial out. The error says why there is no result, or none to be used.
func (l *laboratory) run(ctx context.Context, t trial) (*metrics.Result, error) {
	plan := *l.plan
	plan.Driver = t.ceiling.Driver.Name
	plan.Load.Duration, plan.Load.Warmup.Duration = l.opts.Duration, l.opts.Duration/5
	if t.rate > 0 {
		plan.Load.Arrivals, plan.Load.Rate = workload.ArrivalsPoisson, workload.Rate{PerSecond: t.rate}
	}
	if err := driver.Check(t.ceiling.Driver, &plan.Producer); err != nil {
		return nil, err
	}
	opts := bench.Options{Plan: &plan, Payloads: l.payloads, Driver: t.ceiling.Driver, Topics: []string{"kbench-doctor"}}
	if t.ceiling.Sink {
		if l.sinkErr != nil {
			return nil, fmt.Errorf("the sink: %w", l.sinkErr)
		}
		opts.Bootstrap, opts.Died = l.sink.Bootstrap, l.sink.Done()
	}
	res, err := bench.Run(ctx, opts)
	if err == nil && res.Totals.Acked == 0 && len(res.Totals.Errors) == 0 {
		// On a crowded machine the sender may not get a processor within a short measurement: that is worth a second try.
		res, err = bench.Run(ctx, opts)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case res.Totals.Acked == 0:
		return nil, nothingAcked(res.Totals.Errors, l.opts.Duration)
	}
	return res, nil
}

// nothingAcked says why no record got through: the least of the errors' texts, so that it is the same every time.
func nothingAcked(errs map[string]uint64, duration time.Duration) error {
	if len(errs) == 0 {
		return fmt.Errorf("no record was sent within %v", duration)
	}
	return fmt.Errorf("no record was acknowledged: %s", slices.Min(slices.Collect(maps.Keys(errs))))
}

// lateness reads the generator's own lateness out of a result.
func lateness(res *metrics.Result) Lateness {
	g := res.Latency.GeneratorLateness
	return Lateness{P50NS: g.P50, P99NS: g.P99, P999NS: g.P999, MaxNS: g.Max}
}

// late says whether more than 0.1 % of the records were over 1 ms late: that invalidates a run.
func (l Lateness) late() bool { return l.P999NS > lateNS }

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
	f := Finding{Check: "pacing", Severity: OK, Why: "records that the generator hands over late are not the load that was asked for; over 0.1 % of them over 1 ms late make a run invalid", Values: map[string]float64{}}
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
		texts = append(texts, fmt.Sprintf("at %s late by %s at the median, %s at p99, %s at p99.9", records(rate), times(float64(p.P50NS)), times(float64(p.P99NS)), times(float64(p.P999NS))))
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

// most is the measured ceiling of an option; 0: there is none.
func (l *laboratory) most(c Ceiling) float64 {
	for _, r := range l.report.Ceilings {
		if r.Driver == c.Driver.Name {
			return r.RecordsPerSecond
		}
	}
	return 0
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
		f.Measured = fmt.Sprintf("%s asked for is over the ceiling of %s; vouched for %s", records(asked), records(ceiling.RecordsPerSecond), records(v.RecordsPerSecond))
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
