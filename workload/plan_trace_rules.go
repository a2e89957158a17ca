package workload

import (
	"fmt"
	"time"
)

// trace reads the plan's trace, unless it was read, and holds it against the rest of the load. A duration that wasn't
// given becomes the trace's.
func (r *planRules) trace() {
	l := &r.plan.Load
	const path = "load.trace.file"
	if l.Trace.Data == nil {
		if l.Trace.File == "" || !r.file(path, l.Trace.File) {
			return
		}
		data, err := ReadTrace(l.Trace.File)
		if err != nil {
			r.errs = append(r.errs, &fieldError{path: path, msg: err.Error()})
			return
		}
		l.Trace.Data = data
	}
	replay, err := newReplay(*l)
	if err != nil {
		return // the factor, which is checked by itself
	}
	data := l.Trace.Data
	length := replay.scale(uint64(data.Length()))
	name := fmt.Sprintf("the %v of %s", length, l.Trace.File)
	rest := length - l.Warmup.Duration
	if l.Duration == wholeTrace {
		l.Duration = rest
		if l.Repeat && rest <= 0 {
			l.Duration = length
		}
	}
	if data.Sized() && r.plan.Records.Value.File != "" {
		r.clash(path, "%s has sizes, which contradict records.value.file: the file's lines are the values", l.Trace.File)
	}
	switch {
	case l.Repeat:
	case rest <= 0:
		r.clash("load.warmup", "%v takes all %s: a warm-up is the start of the trace", l.Warmup.Duration, name)
		l.Duration = max(l.Duration, time.Second) // said once
	case l.Records == 0 && l.Duration > rest:
		r.clash("load.duration", "%v is longer than %s: allowed up to %v, or load.repeat: true", l.Duration, name, rest)
	case l.Records > uint64(data.Records()):
		r.clash("load.records", "%d is more than the %d of %s: allowed up to them, or load.repeat: true", l.Records, data.Records(), l.Trace.File)
	}
}

// sized is what the records are with the sizes of a trace, as far as the largest one counts, and the path of what says so.
func (p *Plan) sized() (records RecordSpec, path string) {
	records = p.Records
	if t := p.Load.Trace.Data; p.Load.Arrivals == ArrivalsTrace && t != nil && t.Sized() && records.Value.File == "" {
		records.Value.Size = SizeSpec{Distribution: SizeFixed, Bytes: t.largest}
		return records, "load.trace.file"
	}
	return records, ""
}

// largestLine says where a trace's largest size stands.
func (t TraceSpec) largestLine() string { return fmt.Sprintf("%s:%d", t.File, t.Data.largestLine) }
