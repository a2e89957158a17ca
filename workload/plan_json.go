package workload

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
)

// object is a JSON object whose fields keep their order.
type object []member

type member struct {
	name  string
	value any
}

// add appends a field.
func (o *object) add(name string, value any) { *o = append(*o, member{name, value}) }

// MarshalJSON writes the fields in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// MarshalJSON writes the plan in the shape and with the names of a profile, every default filled in, so that it can be
// read back by ParseProfile. producer holds the settings that were given, producer.defaults those that weren't.
func (p Plan) MarshalJSON() ([]byte, error) {
	var o object
	o.add("name", p.Profile)
	if p.About != "" {
		o.add("about", p.About)
	}
	o.add("seed", p.Seed)
	topics := []object{}
	for _, t := range p.Topics {
		topics = append(topics, t.object())
	}
	o.add("topics", topics)
	o.add("records", p.Records.object())
	o.add("load", p.Load.object())
	given, defaults := object{}, object{}
	for _, kv := range p.Producer.All() {
		if p.Producer.Explicit(kv.Name) {
			given.add(kv.Name, Hide(kv.Name, kv.Value))
		} else if kv.Value != "" {
			defaults.add(kv.Name, Hide(kv.Name, kv.Value))
		}
	}
	o.add("producer", given)
	o.add("producer.defaults", defaults)
	o.add("driver", p.Driver)
	if len(p.Sweep) > 0 {
		sweep := object{}
		for _, axis := range p.Sweep {
			sweep.add(axis.Name, axis.Values)
		}
		o.add("sweep", sweep)
	}
	if len(p.Objectives) > 0 {
		objectives := object{}
		for _, obj := range p.Objectives {
			objectives.add(obj.Metric, obj.bound())
		}
		o.add("objectives", objectives)
	}
	return json.Marshal(o)
}

func (t Topic) object() object {
	o := object{{"name", t.Name}, {"partitions", t.Partitions}, {"replication.factor", t.ReplicationFactor}}
	if len(t.Config) > 0 {
		config := object{}
		for _, name := range slices.Sorted(maps.Keys(t.Config)) {
			config.add(name, t.Config[name])
		}
		o.add("config", config)
	}
	return o
}

func (r RecordSpec) object() object {
	o := object{{"key", r.Key.object()}, {"value", r.Value.object()}}
	if len(r.Headers) > 0 {
		headers := object{}
		for _, h := range r.Headers {
			if h.Random {
				headers.add(h.Key, object{{"random", h.Size}})
			} else {
				headers.add(h.Key, object{{"value", h.Value}})
			}
		}
		o.add("headers", headers)
	}
	return o
}

func (k KeySpec) object() object {
	o := object{{"distribution", k.Distribution}}
	for _, field := range keyFields(k.Distribution) {
		switch field {
		case "cardinality":
			o.add(field, k.Cardinality)
		case "size":
			o.add(field, k.Size)
		case "s":
			o.add(field, k.S)
		case "hot.keys":
			o.add(field, k.HotKeys)
		case "hot.share":
			o.add(field, k.HotShare)
		}
	}
	return o
}

func (v ValueSpec) object() object {
	if v.File != "" {
		return object{{"file", v.File}}
	}
	s := v.Size
	var size any = s.Bytes
	switch s.Distribution {
	case SizeUniform:
		size = object{{SizeUniform, object{{"min", s.Min}, {"max", s.Max}}}}
	case SizeLognormal:
		size = object{{SizeLognormal, object{{"median", s.Median}, {"sigma", s.Sigma}, {"min", s.Min}, {"max", s.Max}}}}
	case SizeWeighted:
		weights := object{}
		for _, w := range s.Weights {
			weights.add(strconv.Itoa(w.Bytes), w.Weight)
		}
		size = object{{SizeWeighted, weights}}
	}
	return object{{"size", size}, {"compressibility", v.Compressibility}}
}

func (l Load) object() object {
	o := object{{"arrivals", l.Arrivals}}
	if l.Rate.PerSecond > 0 {
		o.add("rate", l.Rate.String())
	}
	o = append(o, l.curveObject()...)
	if l.Arrivals == ArrivalsTrace {
		o.add("trace", object{{"file", l.Trace.File}, {"factor", l.Trace.Factor}})
	}
	if l.InFlight > 0 {
		o.add("in.flight", l.InFlight)
	}
	o.add("producers", l.Producers)
	o.add("send", l.Send)
	if l.Warmup.Auto {
		o.add("warmup", "auto")
	} else {
		o.add("warmup", l.Warmup.Duration.String())
	}
	o.add("duration", l.Duration.String())
	if l.Records > 0 {
		o.add("records", l.Records)
	}
	return o
}

// curveObject is what a profile says of a load that changes, without the name of a trace's file.
func (l Load) curveObject() object {
	var o object
	switch l.Arrivals {
	case ArrivalsRamp:
		o.add("ramp", object{{"from", l.Ramp.From.String()}, {"to", l.Ramp.To.String()}, {"over", l.Ramp.Over.String()}})
	case ArrivalsSteps:
		steps := []object{}
		for _, s := range l.Steps {
			steps = append(steps, object{{"rate", s.Rate.String()}, {"duration", s.Duration.String()}})
		}
		o.add("steps", steps)
	case ArrivalsBurst:
		base := l.Burst.Base.String()
		if l.Burst.Base.PerSecond == 0 {
			base = noRate
		}
		o.add("burst", object{{"base", base}, {"rate", l.Burst.Rate.String()},
			{"every", l.Burst.Every.String()}, {"for", l.Burst.For.String()}})
	}
	if l.Process != "" {
		o.add("process", l.Process)
	}
	if l.Repeat {
		o.add("repeat", true)
	}
	return o
}

// bound is the objective's value as in a profile.
func (o Objective) bound() any {
	if o.Latency() {
		return o.Max.String()
	}
	return o.Count
}
