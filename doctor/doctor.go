// Package doctor finds out whether this machine is fit to generate load, and for what rate it can vouch. It prints nothing.
//
// It looks at what the system says of itself (CPUs, governor, control groups, memory, sockets …), samples a second without
// load of its own, and then measures the generator: how late it wakes, what it can hand over at most, and how exactly it
// keeps a rate. Every finding says what was found, why it matters and what to do about it.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"kbench/broker"
	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// Options say what to find out.
type Options struct {
	// RecordBytes is the size of a record's value, at least 1.
	RecordBytes int64
	// Rate is the rate that the machine is to be fit for; zero: as much as it can.
	Rate workload.Rate
	// Duration is the length of each measurement under load.
	Duration time.Duration
	// Ceilings are the drivers whose highest rate is measured, in this order.
	Ceilings []Ceiling
	// CPUs are those that this process is pinned to once the sink has started; none: it isn't.
	CPUs []int
	// TargetCPUs are those that the sink is pinned to; none: those of this process when Run is called.
	TargetCPUs []int
	// TempDir is the folder whose space is looked at; "": the system's for temporary files.
	TempDir string
	// Progress is told what is measured next, from Run's goroutine; nil: nobody is.
	Progress func(what string)
}

// Ceiling is one driver whose highest rate is to be known.
type Ceiling struct {
	Driver driver.Driver
	// Sink says that the driver needs a broker: it gets a sink of its own on this machine.
	Sink bool
}

// DefaultOptions are records of 1 KiB and measurements of a second each, for no rate in particular, without ceilings.
func DefaultOptions() Options {
	return Options{RecordBytes: 1024, Duration: time.Second}
}

// Bounds of Options.Duration.
const (
	minDuration = 100 * time.Millisecond
	maxDuration = time.Minute
)

// Check refuses options that no machine could be looked at with.
func (o *Options) Check() error {
	return errors.Join(CheckRecordBytes(o.RecordBytes), CheckDuration(o.Duration), broker.CheckCPUs(o.CPUs), broker.CheckCPUs(o.TargetCPUs))
}

// CheckDuration refuses what is too short to measure anything, and what nobody would wait for.
func CheckDuration(d time.Duration) error {
	if d < minDuration || d > maxDuration {
		return fmt.Errorf("%v: allowed are %v to %v", d, minDuration, maxDuration)
	}
	return nil
}

// perSecond is the rate asked in records/s; 0: none.
func (o *Options) perSecond() float64 {
	if o.Rate.Bytes {
		return o.Rate.PerSecond / float64(o.RecordBytes)
	}
	return o.Rate.PerSecond
}

// Run examines this machine. Cancelling ctx ends it early: the report then has what was found until then and says so. What
// can't be found out is a finding, not an error.
func Run(ctx context.Context, o Options) (*Report, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.TempDir == "" {
		o.TempDir = os.TempDir()
	}
	if o.Progress == nil {
		o.Progress = func(string) {}
	}
	r := &Report{SchemaVersion: SchemaVersion, Host: metrics.Fingerprint(), RecordBytes: o.RecordBytes, RateAsked: o.perSecond(),
		Findings: []Finding{}, Ceilings: []CeilingResult{}, Pacing: []Pacing{}}
	// What this process had before it is pinned: the findings are about the machine, not about --cpus.
	m := thisMachine()
	m.keepCPUs()
	r.add(m.standing(o.TempDir)...)
	quiet, ok := m.quietSecond(ctx, &o)
	if ok {
		r.add(m.otherLoad(quiet), m.swapping(quiet))
		o.Progress("the clock and how late naps wake")
		r.add(m.clock(), naps(ctx))
		l := &laboratory{opts: &o, report: r}
		if err := l.measure(ctx); err != nil {
			return nil, err
		}
		// Under load: an idle machine has nothing to be stolen.
		loaded := window{quiet.before, m.sample()}
		r.add(m.steal(loaded), m.quota(loaded))
	}
	r.Interrupted = ctx.Err() != nil
	r.finish()
	return r, nil
}

// standing are the findings about what doesn't change from moment to moment.
func (m *machine) standing(temp string) []Finding {
	return []Finding{m.system(), m.cores(), m.siblings(), m.governor(), m.memory(), m.hugePages(), m.socketBuffers(), m.backlog(),
		m.openFiles(), m.ports(), m.diskSpace(temp), m.java()}
}
