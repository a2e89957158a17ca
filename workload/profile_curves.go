package workload

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// processes lists how records come at a rate that changes.
func processes() []string { return []string{ArrivalsConstant, ArrivalsPoisson} }

// Examples of loads that change, for errors.
const (
	rampForm  = "{from: 1000/s, to: 50000/s, over: 30s}"
	stepsForm = "[{rate: 5000/s, duration: 10s}, {rate: 20000/s, duration: 10s}]"
	burstForm = "{base: 2000/s, rate: 20000/s, every: 10s, for: 1s}"
	traceForm = "{file: trace.csv, factor: 2}"
)

// ramp reads a rate that goes from one to another in a straight line:
//
//	ramp: {from: 1000/s, to: 50000/s, over: 30s}   # over: load.duration unless given, and that is over if it isn't given
//
// After over, the rate stays.
func (d *decoder) ramp(n *node) Ramp {
	const path = "load.ramp"
	var r Ramp
	m := d.block(n, path, rampForm, "from", "to", "over")
	d.rate(m.get("from"), path+".from", &r.From)
	d.rate(m.get("to"), path+".to", &r.To)
	d.positive(m.get("over"), path+".over", &r.Over)
	return r
}

// steps reads one rate after the other; load.duration is their sum unless given:
//
//	steps: [{rate: 5000/s, duration: 10s}, {rate: 20000/s, duration: 10s}]
//
// After the last one its rate stays or, with load.repeat: true, the first one begins again.
func (d *decoder) steps(n *node) []Step {
	const path = "load.steps"
	if n == nil || n.kind == nullNode {
		return nil
	}
	if n.kind != listNode || len(n.items) == 0 {
		d.failf(n, path, "%s where a list of steps is expected, such as %s", n.kindName(), stepsForm)
		return nil
	}
	var steps []Step
	for i, item := range n.items {
		at := fmt.Sprintf("%s.%d", path, i)
		var s Step
		if m := d.block(item, at, "{rate: 5000/s, duration: 10s}", "rate", "duration"); m != nil {
			for _, field := range []string{"rate", "duration"} {
				if m.get(field) == nil {
					d.failf(item, at, "%s is missing, such as {rate: 5000/s, duration: 10s}", field)
				}
			}
			d.rate(m.get("rate"), at+".rate", &s.Rate)
			d.positive(m.get("duration"), at+".duration", &s.Duration)
		}
		steps = append(steps, s)
	}
	return steps
}

// burst reads a base rate with bursts: every 10 s, the rate is 20,000/s for 1 s instead of 2,000/s. The first burst
// begins after 10 s. base is 0 unless given: nothing between the bursts.
//
//	burst: {base: 2000/s, rate: 20000/s, every: 10s, for: 1s}
func (d *decoder) burst(n *node) Burst {
	const path = "load.burst"
	var b Burst
	m := d.block(n, path, burstForm, "base", "rate", "every", "for")
	if base := m.get("base"); base == nil || !zeroRate(base.text) {
		d.rate(base, path+".base", &b.Base)
	}
	d.rate(m.get("rate"), path+".rate", &b.Rate)
	d.positive(m.get("every"), path+".every", &b.Every)
	d.positive(m.get("for"), path+".for", &b.For)
	return b
}

// trace reads where the times of records come from (ReadTrace describes the file), and how much faster to replay them:
//
//	trace: {file: trace.csv, factor: 2}   # relative to the profile's folder; twice as fast
//	trace: trace.csv
//
// The run ends with the trace unless load.duration is less; with load.repeat: true it may be more. Sizes in the trace
// take the place of records.value.size; keys, headers and compressibility are as always.
func (d *decoder) trace(n *node) TraceSpec {
	const path = "load.trace"
	if n == nil {
		return TraceSpec{}
	}
	spec := TraceSpec{Factor: 1}
	file := n
	if n.kind == scalarNode {
		d.text(n, path, &spec.File)
	} else {
		m := d.block(n, path, traceForm, "file", "factor")
		file = m.get("file")
		d.text(file, path+".file", &spec.File)
		d.number(m.get("factor"), path+".factor", &spec.Factor)
	}
	if spec.File != "" && file.at.rank == rankProfile && !filepath.IsAbs(spec.File) {
		spec.File = filepath.Join(filepath.Dir(d.file), spec.File)
	}
	return spec
}

// block reads a map, and shows what one looks like where there is none.
func (d *decoder) block(n *node, path, example string, known ...string) *node {
	if n != nil && n.kind != mapNode && n.kind != nullNode {
		d.failf(n, path, "%s where a map is expected, such as %s", n.kindName(), example)
		return nil
	}
	if n == nil || n.kind == nullNode {
		return nil
	}
	return d.mapping(n, path, known...)
}

// rate reads a rate above 0.
func (d *decoder) rate(n *node, path string, to *Rate) {
	text, ok := d.scalar(n, path)
	if !ok {
		return
	}
	rate, err := parseRate(text)
	if err == nil && rate.PerSecond == 0 {
		err = &fieldError{msg: "not a rate here:", value: text, quote: true, allowed: rateForms}
	}
	if err != nil {
		err.allowed = strings.TrimSuffix(err.allowed, ", or "+rateMaxLiteral)
		if err.near == rateMaxLiteral {
			err.near = ""
		}
		if path == "load.burst.base" {
			err.allowed = "0, or " + err.allowed
		}
		d.fail(n, path, err)
		return
	}
	*to = rate
}

// zeroRate tells whether text is a rate of 0, in records or bytes.
func zeroRate(text string) bool {
	amount, _, _ := strings.Cut(text, "/")
	n, err := parseBytes(strings.TrimSpace(amount))
	return err == nil && n.Sign() == 0
}

// positive reads a duration above 0.
func (d *decoder) positive(n *node, path string, to *time.Duration) {
	if d.duration(n, path, to); n != nil && n.kind == scalarNode && *to == 0 {
		if _, err := parseDuration(n.text); err == nil {
			d.fail(n, path, badValue(n.text, "above 0s, up to 720h"))
		}
	}
}
