package workload

import (
	"math"
	"slices"
	"strings"
	"time"
)

// Durations of a load that doesn't give one.
const (
	defaultDuration = 30 * time.Second
	unlimited       = 24 * time.Hour // bounded by load.records alone
	wholeTrace      = -1             // a trace: up to its end, once it was read
)

// arrivals lists the ways records arrive.
func arrivals() []string {
	return []string{ArrivalsConstant, ArrivalsPoisson, ArrivalsRamp, ArrivalsSteps, ArrivalsBurst, ArrivalsTrace, ArrivalsClosed, ArrivalsMax}
}

// loadBlocks lists the arrivals that have a field of their name.
func loadBlocks() []string {
	return []string{ArrivalsRamp, ArrivalsSteps, ArrivalsBurst, ArrivalsTrace}
}

// sendModes lists the values of load.send.
func sendModes() []string { return []string{SendAsync, SendSync, SendFireAndForget} }

// load reads when records are due:
//
//	load: {arrivals: poisson, rate: 50000/s, duration: 30s}   # or rate: 100MiB/s; constant alike
//	load: {rate: 5000/s}                                      # constant
//	load: {arrivals: closed, in.flight: 100}                  # 100 records in flight, whatever the rate
//	load: {arrivals: max}                                     # as fast as the client takes them; also rate: max
//	load: {producers: 4, send: sync, warmup: 5s, records: 1000000}
//
// and those that change, see ramp, steps, burst and trace; arrivals may be left out where such a field is there. The
// first three come evenly (process: constant) or at random (process: poisson):
//
//	load: {arrivals: ramp, ramp: {from: 1000/s, to: 50000/s}, process: poisson}
//
// producers is 1, send async, warmup auto and duration 30s by default; with records alone, the run ends after them. A
// load that changes has no warm-up unless one is given: nothing in it would settle.
func (d *decoder) load(n *node) Load {
	l := Load{Producers: 1, Send: SendAsync, Warmup: Warmup{Auto: true}, Duration: defaultDuration}
	m := d.mapping(n, "load", "arrivals", "rate", "process", "ramp", "steps", "burst", "trace", "repeat", "in.flight", "producers",
		"send", "warmup", "duration", "records")
	d.choice(m.get("arrivals"), "load.arrivals", arrivals(), &l.Arrivals)
	d.choice(m.get("process"), "load.process", processes(), &l.Process)
	if text, ok := d.scalar(m.get("rate"), "load.rate"); ok {
		rate, err := parseRate(text)
		if err != nil {
			d.fail(m.get("rate"), "load.rate", err)
		}
		l.Rate = rate
	}
	l.Ramp = d.ramp(m.get("ramp"))
	l.Steps = d.steps(m.get("steps"))
	l.Burst = d.burst(m.get("burst"))
	l.Trace = d.trace(m.get("trace"))
	d.boolean(m.get("repeat"), "load.repeat", &l.Repeat)
	d.integer(m.get("in.flight"), "load.in.flight", &l.InFlight)
	d.integer(m.get("producers"), "load.producers", &l.Producers)
	d.choice(m.get("send"), "load.send", sendModes(), &l.Send)
	if l.Arrivals == "" {
		l.Arrivals = d.guessArrivals(m, l)
	}
	if l.Process == "" && slices.Contains([]string{ArrivalsRamp, ArrivalsSteps, ArrivalsBurst}, l.Arrivals) {
		l.Process = ArrivalsConstant
	}
	d.bounds(m, &l)
	if l.Arrivals == ArrivalsClosed && l.Send == SendSync && m.get("in.flight") == nil {
		l.InFlight = l.Producers // sync means one each
	}
	return l
}

// bounds reads how long the load and its warm-up last.
func (d *decoder) bounds(m *node, l *Load) {
	switch w := m.get("warmup"); {
	case w == nil:
		l.Warmup.Auto = l.Stationary()
	case w.text != "auto":
		l.Warmup.Auto = false
		d.duration(w, "load.warmup", &l.Warmup.Duration)
	}
	switch {
	case l.Arrivals == ArrivalsRamp && l.Ramp.Over > 0:
		l.Duration = l.Ramp.Over
	case l.Arrivals == ArrivalsSteps && len(l.Steps) > 0:
		l.Duration = 0
		for _, s := range l.Steps {
			l.Duration += min(max(0, s.Duration), math.MaxInt64-l.Duration)
		}
	case l.Arrivals == ArrivalsTrace:
		l.Duration = wholeTrace
	}
	if r := m.get("records"); r != nil {
		l.Records = d.unsigned(r, "load.records", 1, math.MaxInt64)
		l.Duration = unlimited
	}
	d.duration(m.get("duration"), "load.duration", &l.Duration)
	if l.Arrivals == ArrivalsRamp && m.get("ramp").get("over") == nil && (l.Records == 0 || m.get("duration") != nil) {
		l.Ramp.Over = l.Duration
	}
}

// guessArrivals says how records arrive if the profile doesn't: as a field for it says, at a rate evenly, else as fast
// as they go.
func (d *decoder) guessArrivals(m *node, l Load) string {
	for _, block := range loadBlocks() {
		if m.get(block) != nil {
			return block
		}
	}
	switch {
	case l.Rate.PerSecond > 0:
		return ArrivalsConstant
	case m.get("in.flight") != nil:
		return ArrivalsClosed
	}
	return ArrivalsMax
}

// duration reads a duration with its unit.
func (d *decoder) duration(n *node, path string, to *time.Duration) {
	s, ok := d.scalar(n, path)
	if !ok {
		return
	}
	v, err := parseDuration(s)
	if err != nil {
		if path == "load.warmup" {
			err.allowed = "auto, or " + err.allowed
		}
		d.fail(n, path, err)
		return
	}
	*to = v
}

// boolean reads true or false.
func (d *decoder) boolean(n *node, path string, to *bool) {
	s, ok := d.scalar(n, path)
	if !ok {
		return
	}
	if lower := strings.ToLower(s); lower == "true" || lower == "false" {
		*to = lower == "true"
		return
	}
	d.fail(n, path, badValue(s, "true, false"))
}

// checkPresence finds what contradicts a field that the Plan no longer shows: a rate of max beside arrivals that have
// another one.
func (p *Profile) checkPresence(plan Plan) problems {
	rate, _, ok := p.root.locate("load.rate")
	if ok && rate.text == rateMaxLiteral && plan.Load.Arrivals != ArrivalsMax {
		return problems{{path: "load.rate", msg: "max contradicts arrivals " + plan.Load.Arrivals, clash: true}}
	}
	return nil
}
