package workload

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kbench/words"
)

// Bounds of a load.
const (
	maxSteps = 1000
	// shortestCycle bounds how often a rate changes: what is shorter, no client could show.
	shortestCycle = time.Millisecond
)

func (r *planRules) load() {
	l := &r.plan.Load
	r.within("load.producers", l.Producers, 1, maxProducers)
	if !slices.Contains(sendModes(), l.Send) {
		r.bad("load.send", l.Send, strings.Join(sendModes(), ", "))
	}
	if l.Arrivals == ArrivalsTrace {
		r.trace()
	}
	if l.Duration != wholeTrace && (l.Duration <= 0 || l.Duration > longest) {
		r.bad("load.duration", l.Duration, "above 0s, up to 720h")
	}
	if l.Warmup.Duration < 0 || l.Warmup.Duration > longest {
		r.bad("load.warmup", l.Warmup.Duration, "auto, or 0s to 720h")
	}
	if l.Warmup.Auto && !l.Stationary() {
		r.clash("load.warmup", "auto contradicts arrivals %s: a load that changes never settles; give a length such as 5s, or leave it out for none", l.Arrivals)
	}
}

// arrivals checks that the fields of the load go together.
func (r *planRules) arrivals() {
	l := r.plan.Load
	rated := l.Rate != Rate{}
	if rated {
		r.rate("load.rate", l.Rate)
	}
	switch l.Arrivals {
	case ArrivalsConstant, ArrivalsPoisson:
		if !rated {
			r.clash("load.arrivals", "%s needs a rate, but load.rate is missing: allowed %s", l.Arrivals, rateForms)
		}
	case ArrivalsRamp, ArrivalsSteps, ArrivalsBurst, ArrivalsTrace:
		if rated {
			r.clash("load.rate", "%s contradicts arrivals %s, whose rates stand in load.%s: leave it out", l.Rate, l.Arrivals, l.Arrivals)
		}
	case ArrivalsClosed, ArrivalsMax:
		if rated {
			r.clash("load.rate", "%s contradicts arrivals %s, which has no rate of its own: leave one of them out", l.Rate, l.Arrivals)
		}
	default:
		r.bad("load.arrivals", l.Arrivals, strings.Join(arrivals(), ", "))
		return
	}
	r.foreign()
	switch l.Arrivals {
	case ArrivalsRamp:
		r.ramp(l.Ramp)
	case ArrivalsSteps:
		r.steps(l.Steps)
	case ArrivalsBurst:
		r.burst(l)
	case ArrivalsTrace:
		r.replay(l.Trace)
	}
	r.inFlight(l)
}

// foreign finds fields that go with other arrivals.
func (r *planRules) foreign() {
	l := r.plan.Load
	for _, f := range []struct {
		block string
		given bool
	}{{ArrivalsRamp, l.Ramp != Ramp{}}, {ArrivalsSteps, len(l.Steps) > 0}, {ArrivalsBurst, l.Burst != Burst{}}, {ArrivalsTrace, l.Trace != TraceSpec{}}} {
		if f.given && f.block != l.Arrivals {
			r.clash("load."+f.block, "goes with arrivals %s, which contradicts arrivals %s: leave one of them out", f.block, l.Arrivals)
		}
	}
	curve := slices.Contains([]string{ArrivalsRamp, ArrivalsSteps, ArrivalsBurst}, l.Arrivals)
	switch {
	case l.Process != "" && !curve:
		r.clash("load.process", "%s contradicts arrivals %s: it goes with ramp, steps and burst", l.Process, l.Arrivals)
	case curve && !slices.Contains(processes(), l.Process):
		r.bad("load.process", l.Process, strings.Join(processes(), ", "))
	}
	if l.Repeat && l.Arrivals != ArrivalsSteps && l.Arrivals != ArrivalsTrace {
		r.clash("load.repeat", "true contradicts arrivals %s: it goes with steps and trace", l.Arrivals)
	}
}

// rate checks a rate above 0.
func (r *planRules) rate(path string, rate Rate) {
	if e := rate.check(badValue(rate.String(), "")); e != nil {
		if path != "load.rate" {
			e.allowed = strings.TrimSuffix(e.allowed, ", or "+rateMaxLiteral)
		}
		e.path = path
		r.errs = append(r.errs, e)
	}
}

// needed checks a field that arrivals must have; false: it isn't there.
func (r *planRules) needed(path string, given bool, example string) bool {
	if given {
		return true
	}
	block, field, _ := strings.Cut(strings.TrimPrefix(path, "load."), ".")
	if n := len(r.errs); n > 0 && r.errs[n-1].path == "load."+block {
		return false // one is enough
	}
	r.clash("load."+block, "%s is missing, such as %s", field, example)
	return false
}

// length checks a part's duration.
func (r *planRules) length(path string, d, least time.Duration) {
	if d < least || d > longest {
		low := "above 0s"
		if least > 1 {
			low = least.String()
		}
		r.bad(path, d, low+" to 720h")
	}
}

func (r *planRules) ramp(ramp Ramp) {
	if ramp == (Ramp{}) || ramp.From == (Rate{}) && ramp.To == (Rate{}) {
		r.clash("load.arrivals", "ramp needs rates, but load.ramp is missing, such as %s", rampForm)
		return
	}
	if r.needed("load.ramp.from", ramp.From != Rate{}, rampForm) {
		r.rate("load.ramp.from", ramp.From)
	}
	if r.needed("load.ramp.to", ramp.To != Rate{}, rampForm) {
		r.rate("load.ramp.to", ramp.To)
	}
	switch {
	case ramp.Over == 0 && r.plan.Load.Duration == unlimited:
		r.clash("load.ramp", "over is missing: load.records alone doesn't say how long the ramp takes, such as %s", rampForm)
	case ramp.Over != r.plan.Load.Duration: // which is checked by itself
		r.length("load.ramp.over", ramp.Over, 1)
	}
}

func (r *planRules) steps(steps []Step) {
	if len(steps) == 0 {
		r.clash("load.arrivals", "steps needs rates, but load.steps is missing, such as %s", stepsForm)
		return
	}
	if len(steps) > maxSteps {
		r.clash("load.steps", "%d are too many: allowed %d", len(steps), maxSteps)
		return
	}
	for i, s := range steps {
		path := "load.steps." + strconv.Itoa(i)
		r.rate(path+".rate", s.Rate)
		r.length(path+".duration", s.Duration, shortestCycle)
	}
}

func (r *planRules) burst(l Load) {
	b := l.Burst
	if b == (Burst{}) {
		r.clash("load.arrivals", "burst needs rates and times, but load.burst is missing, such as %s", burstForm)
		return
	}
	if b.Base != (Rate{}) {
		r.rate("load.burst.base", b.Base)
	}
	if r.needed("load.burst.rate", b.Rate != Rate{}, burstForm) {
		r.rate("load.burst.rate", b.Rate)
	}
	every, length := r.needed("load.burst.every", b.Every != 0, burstForm), r.needed("load.burst.for", b.For != 0, burstForm)
	if every {
		r.length("load.burst.every", b.Every, shortestCycle)
	}
	if length {
		r.length("load.burst.for", b.For, 1)
	}
	if every && length && b.For >= b.Every {
		r.clash("load.burst.for", "%v isn't less than load.burst.every %v: nothing would be left between the bursts", b.For, b.Every)
	}
	if b.Base == (Rate{}) && l.Warmup.Duration > 0 {
		r.clash("load.warmup", "%v contradicts load.burst.base 0: the warm-up has the base rate, and would send nothing", l.Warmup.Duration)
	}
	if every && l.Duration > 0 && l.Duration <= b.Every {
		r.clash("load.duration", "%v holds no burst: the first one begins after load.burst.every %v", l.Duration, b.Every)
	}
}

func (r *planRules) replay(t TraceSpec) {
	switch {
	case t == TraceSpec{}:
		r.clash("load.arrivals", "trace needs a file, but load.trace is missing, such as %s", traceForm)
		return
	case t.Data == nil:
		r.needed("load.trace.file", t.File != "", traceForm)
	}
	if f := t.Factor; !(f >= minFactor && f <= maxFactor) {
		r.bad("load.trace.factor", f, "0.000001 to 1000000; 2 is twice as fast")
	}
}

// inFlight checks what closed arrivals need.
func (r *planRules) inFlight(l Load) {
	if l.Arrivals != ArrivalsClosed {
		if l.InFlight != 0 {
			r.clash("load.in.flight", "%d contradicts arrivals %s: only closed has a fixed number in flight", l.InFlight, l.Arrivals)
		}
		return
	}
	switch {
	case l.Send == SendFireAndForget:
		r.clash("load.send", "fire-and-forget contradicts arrivals closed, which wait for acknowledgements")
	case l.Send == SendSync && l.InFlight != l.Producers:
		r.clash("load.in.flight", "%d contradicts send sync: %s with one record in flight each", l.InFlight, words.Count(l.Producers, "producer"))
	case l.InFlight == 0:
		r.clash("load.arrivals", "closed needs a number of records in flight, but load.in.flight is missing, such as 100")
	case l.InFlight < l.Producers || l.InFlight > maxInFlight:
		r.bad("load.in.flight", l.InFlight, fmt.Sprintf("%d (one a producer) to %d", l.Producers, maxInFlight))
	}
}
