package workload

import (
	"path/filepath"
	"slices"
	"strings"
)

// Profile is a workload as written, with the overrides made since; Plan resolves it.
//
//	name: orders
//	about: Order events keyed by customer.
//	seed: 1                                # same seed, same schedule, keys and bytes
//	topics: [{name: orders, partitions: 12, replication.factor: 1, config: {min.insync.replicas: 1}}]
//	records: {key: {distribution: zipf, cardinality: 100000, s: 1.1}, value: {size: 1KiB, compressibility: 0.5}}
//	load: {arrivals: poisson, rate: 50000/s, producers: 4, send: async, warmup: auto, duration: 30s}
//	producer: {acks: all, linger.ms: 5}    # any producer setting of Kafka
//	driver: native
//	sweep: {linger.ms: [0, 5, 20]}
//	objectives: {response.p99: 20ms, failed: 0}
//
// Every field may be left out. The decode functions describe the forms of each part.
type Profile struct {
	file     string // as given to ParseProfile
	root     *node
	settings []givenSetting
	traces   map[string]*Trace // those read so far, by name; shared with clones
}

// givenSetting is a producer setting from outside the file: -X, --command-config, the environment.
type givenSetting struct {
	name, value, origin string
	path                string // under which errors name it
}

// ParseProfile reads a profile. name is its file, for errors and for relative paths in it. Errors give file, line and
// column; several are joined, one a line. What contradicts each other is found by Plan, after the overrides.
func ParseProfile(name string, src []byte) (*Profile, error) {
	at := origin{name: name, line: 1, col: 1, rank: rankProfile}
	root, err := parseYAML(at, src)
	if err != nil {
		return nil, err
	}
	p := &Profile{file: name, root: root, traces: map[string]*Trace{}}
	if _, problems := p.decode(); len(problems) > 0 {
		return nil, problems
	}
	return p, nil
}

// Clone returns a copy that can be changed on its own.
func (p *Profile) Clone() *Profile {
	c := *p
	c.root, c.settings = p.root.clone(), slices.Clone(p.settings)
	return &c
}

// SetProducer gives a producer setting that doesn't stand in the profile, over what does. origin names where it comes
// from in errors: "-X", "client.properties:3". A later call wins over an earlier one.
func (p *Profile) SetProducer(name, value, origin string) error {
	return p.setProducer(name, value, origin, name)
}

// setProducer is SetProducer with the path under which errors name the setting.
func (p *Profile) setProducer(name, value, origin, path string) error {
	c := DefaultProducerConfig()
	if err := c.assign(name, value); err != nil {
		err.at, err.path = origin, path
		return err
	}
	p.settings = append(p.settings, givenSetting{name, value, origin, path})
	return nil
}

// Where tells where a field was written, "orders.yaml:12:5" or a flag; "" if it is a default. Path is as in Override.
func (p *Profile) Where(path string) string {
	if setting, ok := strings.CutPrefix(path, "producer."); ok {
		if given := p.given(setting); given != nil {
			return given.origin
		}
	}
	if n, at, whole := p.root.locate(path); whole && n != nil {
		return at.String()
	}
	return ""
}

// given returns the last value of a setting that SetProducer gave, nil if there is none.
func (p *Profile) given(name string) *givenSetting {
	for i, s := range slices.Backward(p.settings) {
		if canonicalSetting(s.name) == canonicalSetting(name) {
			return &p.settings[i]
		}
	}
	return nil
}

// canonicalSetting follows an alias.
func canonicalSetting(name string) string {
	if row := findSetting(name); row != nil && row.Alias != "" {
		return row.Alias
	}
	return name
}

// Axes returns the profile's own sweep block, in the order written.
func (p *Profile) Axes() []Axis {
	plan, _ := p.decode()
	return plan.Sweep
}

// Plan resolves the profile: fills in the defaults and checks every rule between fields. The errors name where the
// field was written, or what it would have contradicted.
func (p *Profile) Plan() (Plan, error) {
	plan, problems := p.resolve()
	if len(problems) > 0 {
		return Plan{}, problems.distinct()
	}
	if err := p.checkSweep(plan); err != nil {
		return Plan{}, err
	}
	return plan, nil
}

// resolve is Plan without the check of the sweep block.
func (p *Profile) resolve() (Plan, problems) {
	plan, errs := p.decode()
	if len(errs) == 0 {
		errs = append(errs, p.checkPresence(plan)...)
	}
	if len(errs) == 0 {
		trace := &plan.Load.Trace // a sweep asks for the plans of many cells
		trace.Data = p.traces[trace.File]
		if errs = plan.problems(); trace.Data != nil {
			p.traces[trace.File] = trace.Data
		}
	}
	for _, e := range errs {
		if e.at == "" {
			p.blame(e)
		}
	}
	return plan, errs
}

// blame gives an error the place of its field and the value as written there.
func (p *Profile) blame(e *fieldError) {
	if setting, ok := strings.CutPrefix(e.path, "producer."); ok {
		if given := p.given(setting); given != nil {
			e.at, e.path = given.origin, given.path
			return
		}
	}
	n, at, whole := p.root.locate(e.path)
	e.at = at.String()
	if whole && e.quote && n.kind == scalarNode {
		e.value = n.text
	}
}

// fallbackName is the name of a profile that doesn't say: its file's, without folder and ending.
func (p *Profile) fallbackName() string {
	base := filepath.Base(p.file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}
