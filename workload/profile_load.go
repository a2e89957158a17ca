package workload

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Defaults of topics and load.
const (
	defaultPartitions = 12
	defaultDuration   = 30 * time.Second
	// unlimited is the duration of a run that is bounded by load.records alone.
	unlimited = 24 * time.Hour
)

// topics reads the topics, by default one with the profile's name:
//
//	topics: [orders, payments]
//	topics:
//	  - {name: orders, partitions: 12, replication.factor: 3, config: {min.insync.replicas: 2, segment.bytes: 64MiB}}
func (d *decoder) topics(n *node, fallback string) []Topic {
	if n == nil || n.kind == nullNode {
		return []Topic{{Name: topicName(fallback), Partitions: defaultPartitions, ReplicationFactor: 1}}
	}
	if n.kind != listNode || len(n.items) == 0 {
		d.failf(n, "topics", "%s where a list of topics is expected, such as [{name: orders, partitions: 12}]", n.kindName())
		return nil
	}
	var topics []Topic
	for i, item := range n.items {
		path := fmt.Sprintf("topics.%d", i)
		t := Topic{Partitions: defaultPartitions, ReplicationFactor: 1}
		if len(n.items) == 1 {
			t.Name = topicName(fallback)
		}
		if item.kind == scalarNode {
			d.text(item, path, &t.Name)
			topics = append(topics, t)
			continue
		}
		m := d.mapping(item, path, "name", "partitions", "replication.factor", "config")
		d.text(m.get("name"), path+".name", &t.Name)
		if t.Name == "" && m != nil {
			d.failf(item, path, "name is missing")
		}
		t.Partitions = int32(d.bounded(m.get("partitions"), path+".partitions", defaultPartitions, maxPartitions))
		t.ReplicationFactor = int16(d.bounded(m.get("replication.factor"), path+".replication.factor", 1, math.MaxInt16))
		t.Config = d.topicConfig(m.get("config"), path+".config")
		topics = append(topics, t)
	}
	return topics
}

// bounded reads a whole number from 1 to most.
func (d *decoder) bounded(n *node, path string, fallback, most int) int {
	s, ok := d.scalar(n, path)
	if !ok {
		return fallback
	}
	i, err := strconv.Atoi(s)
	if err != nil || i < 1 || i > most {
		d.fail(n, path, badValue(s, fmt.Sprintf("1 to %d", most)))
		return fallback
	}
	return i
}

// topicName makes a topic's name of a profile's: other characters than Kafka allows become "-".
func topicName(profile string) string {
	name := strings.Map(func(r rune) rune {
		if validTopicRune(r) {
			return r
		}
		return '-'
	}, profile)
	return name[:min(len(name), maxTopicName)]
}

// topicConfig reads topic settings in Kafka's names; sizes and times may carry a unit.
func (d *decoder) topicConfig(n *node, path string) map[string]string {
	config := map[string]string{}
	for _, f := range d.entries(n, path, "{min.insync.replicas: 1}") {
		full := join(path, f.key)
		text, ok := d.scalar(f.value, full)
		if !ok {
			continue
		}
		if !knownTopicSetting(f.key) {
			d.errs = append(d.errs, &fieldError{at: f.at.String(), path: full, msg: "not a topic setting", near: Nearest(f.key, TopicSettings())})
			continue
		}
		text, err := topicSettingValue(f.key, text)
		if err != nil {
			d.fail(f.value, full, err)
			continue
		}
		config[f.key] = text
	}
	if len(config) == 0 {
		return nil
	}
	return config
}

// arrivals lists the ways records arrive; later ones are named in the product but not built.
func arrivals() (now, later []string) {
	return []string{ArrivalsConstant, ArrivalsPoisson, ArrivalsClosed, ArrivalsMax}, []string{"ramp", "steps", "burst", "trace"}
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
// producers is 1, send async, warmup auto and duration 30s by default; with records alone, the run ends after them.
func (d *decoder) load(n *node) Load {
	l := Load{Producers: 1, Send: SendAsync, Warmup: Warmup{Auto: true}, Duration: defaultDuration}
	m := d.mapping(n, "load", "arrivals", "rate", "in.flight", "producers", "send", "warmup", "duration", "records")
	now, later := arrivals()
	d.choice(m.get("arrivals"), "load.arrivals", now, later, &l.Arrivals)
	if text, ok := d.scalar(m.get("rate"), "load.rate"); ok {
		rate, err := parseRate(text)
		if err != nil {
			d.fail(m.get("rate"), "load.rate", err)
		}
		l.Rate = rate
	}
	d.integer(m.get("in.flight"), "load.in.flight", &l.InFlight)
	d.integer(m.get("producers"), "load.producers", &l.Producers)
	d.choice(m.get("send"), "load.send", sendModes(), nil, &l.Send)
	if w := m.get("warmup"); w != nil && w.text != "auto" {
		l.Warmup.Auto = false
		d.duration(w, "load.warmup", &l.Warmup.Duration)
	}
	if r := m.get("records"); r != nil {
		l.Records = d.unsigned(r, "load.records", math.MaxInt64)
		if l.Records == 0 {
			d.fail(r, "load.records", badValue(r.text, "1 and more"))
		}
		l.Duration = unlimited
	}
	d.duration(m.get("duration"), "load.duration", &l.Duration)
	if l.Arrivals == "" {
		l.Arrivals = d.guessArrivals(m, l)
	}
	if l.Arrivals == ArrivalsClosed && l.Send == SendSync && m.get("in.flight") == nil {
		l.InFlight = l.Producers // sync means one each
	}
	return l
}

// guessArrivals says how records arrive if the profile doesn't: at a rate evenly, else as fast as they go.
func (d *decoder) guessArrivals(m *node, l Load) string {
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

// checkPresence finds what contradicts a field that the Plan no longer shows: a rate of max beside a rated arrival.
func (p *Profile) checkPresence(plan Plan) problems {
	rate, _, ok := p.root.locate("load.rate")
	if ok && rate.text == rateMaxLiteral && slices.Contains([]string{ArrivalsConstant, ArrivalsPoisson, ArrivalsClosed}, plan.Load.Arrivals) {
		return problems{{path: "load.rate", msg: "max contradicts arrivals " + plan.Load.Arrivals, clash: true}}
	}
	return nil
}
