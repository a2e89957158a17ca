package workload

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// decoder turns the tree of a profile into a Plan and collects what is wrong with single fields.
// Rules between fields and ranges are Plan's (see Plan.Validate).
type decoder struct {
	file string
	errs problems
}

// decode makes a Plan with every default that doesn't depend on other fields.
func (p *Profile) decode() (Plan, problems) {
	d := &decoder{file: p.file}
	plan := Plan{Profile: p.fallbackName(), Seed: 1, Driver: "native", Producer: DefaultProducerConfig()}
	m := d.mapping(p.root, "", "name", "about", "seed", "topics", "records", "load", "producer", "producer.defaults",
		"driver", "sweep", "objectives")
	d.text(m.get("name"), "name", &plan.Profile)
	d.text(m.get("about"), "about", &plan.About)
	if n := m.get("seed"); n != nil {
		plan.Seed = d.unsigned(n, "seed", 0, math.MaxUint64)
	}
	d.text(m.get("driver"), "driver", &plan.Driver)
	plan.Topics = d.topics(m.get("topics"), plan.Profile)
	plan.Records = d.records(m.get("records"))
	plan.Load = d.load(m.get("load"))
	d.producer(m.get("producer.defaults"), "producer.defaults", &plan.Producer)
	plan.Producer.forgetExplicit() // defaults written out stay defaults
	d.producer(m.get("producer"), "producer", &plan.Producer)
	for _, s := range p.settings {
		if err := plan.Producer.assign(s.name, s.value); err != nil {
			err.at, err.path = s.origin, s.path
			d.errs = append(d.errs, err)
		}
	}
	plan.Sweep = d.sweep(m.get("sweep"))
	plan.Objectives = d.objectives(m.get("objectives"))
	return plan, d.errs
}

// fail records an error of the node n at path.
func (d *decoder) fail(n *node, path string, e *fieldError) {
	e.at, e.path = n.at.String(), path
	d.errs = append(d.errs, e)
}

// failf records an error with a text of its own.
func (d *decoder) failf(n *node, path, format string, args ...any) {
	d.fail(n, path, &fieldError{msg: fmt.Sprintf(format, args...)})
}

// mapping checks that n, if given, is a map with no other keys than the known ones, and returns it, else nil.
func (d *decoder) mapping(n *node, path string, known ...string) *node {
	if n == nil {
		return nil
	}
	if n.kind != mapNode {
		d.failf(n, path, "%s where a map is expected: allowed %s", n.kindName(), strings.Join(known, ", "))
		return nil
	}
	for _, f := range n.fields {
		if !slices.Contains(known, f.key) {
			d.errs = append(d.errs, &fieldError{at: f.at.String(), path: join(path, f.key), msg: "unknown key",
				allowed: strings.Join(known, ", "), near: Nearest(f.key, known)})
		} else if f.value.kind == nullNode {
			d.errs = append(d.errs, &fieldError{at: f.at.String(), path: join(path, f.key), msg: "no value"})
		}
	}
	return n
}

// entries checks that n, if given, is a map of free names and returns its fields that have a value.
func (d *decoder) entries(n *node, path, example string) []nodeField {
	if n == nil || n.kind == nullNode {
		return nil
	}
	if n.kind != mapNode {
		d.failf(n, path, "%s where a map is expected, such as %s", n.kindName(), example)
		return nil
	}
	var fields []nodeField
	for _, f := range n.fields {
		if f.value.kind == nullNode {
			d.errs = append(d.errs, &fieldError{at: f.at.String(), path: join(path, f.key), msg: "no value"})
			continue
		}
		fields = append(fields, f)
	}
	return fields
}

// join adds a key to a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// scalar returns the text of n; false if n isn't given or isn't a single value, the latter being an error.
func (d *decoder) scalar(n *node, path string) (string, bool) {
	if n == nil || n.kind == nullNode { // mapping has reported the latter
		return "", false
	}
	if n.kind != scalarNode {
		d.failf(n, path, "%s where a single value is expected", n.kindName())
		return "", false
	}
	return n.text, true
}

// text reads a text that must not be empty.
func (d *decoder) text(n *node, path string, to *string) {
	s, ok := d.scalar(n, path)
	if !ok {
		return
	}
	if strings.TrimSpace(s) == "" {
		d.failf(n, path, "empty text")
		return
	}
	*to = s
}

// choice reads one of a few words.
func (d *decoder) choice(n *node, path string, choices []string, to *string) {
	s, ok := d.scalar(n, path)
	if !ok {
		return
	}
	if !slices.Contains(choices, s) {
		d.fail(n, path, badChoice(s, choices))
		return
	}
	*to = s
}

// integer reads a whole number of any size that an int holds; Plan checks the range.
func (d *decoder) integer(n *node, path string, to *int) {
	s, ok := d.scalar(n, path)
	if !ok {
		return
	}
	i, err := strconv.Atoi(s)
	if err != nil {
		d.fail(n, path, badValue(s, "a whole number"))
		return
	}
	*to = i
}

// unsigned reads a whole number from least to most.
func (d *decoder) unsigned(n *node, path string, least, most uint64) uint64 {
	s, ok := d.scalar(n, path)
	if !ok {
		return 0
	}
	u, err := strconv.ParseUint(s, 10, 64)
	if err != nil || u < least || u > most {
		d.fail(n, path, badValue(s, fmt.Sprintf("a whole number from %d to %d", least, most)))
	}
	return u
}

// number reads a finite decimal number; Plan checks the range.
func (d *decoder) number(n *node, path string, to *float64) {
	s, ok := d.scalar(n, path)
	if !ok {
		return
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(s, "xX_") {
		d.fail(n, path, badValue(s, "a number such as 0.5"))
		return
	}
	*to = f
}

// size reads a size in bytes.
func (d *decoder) size(n *node, path string, to *int) {
	s, ok := d.scalar(n, path)
	if !ok {
		return
	}
	bytes, err := parseSize(s)
	if err != nil {
		d.fail(n, path, err)
		return
	}
	*to = int(bytes)
}

// producer reads producer settings into c.
func (d *decoder) producer(n *node, path string, c *ProducerConfig) {
	seen := map[string]nodeField{}
	for _, f := range d.entries(n, path, "{acks: all, linger.ms: 5}") {
		full := join(path, f.key)
		s, ok := d.scalar(f.value, full)
		if !ok {
			continue
		}
		if first, ok := seen[canonicalSetting(f.key)]; ok {
			d.failf(f.value, full, "the same setting as %s, given at %s", first.key, first.at)
			continue
		}
		seen[canonicalSetting(f.key)] = f
		if err := c.assign(f.key, s); err != nil {
			d.fail(f.value, full, err)
		}
	}
}

// sweep reads the axes: {linger.ms: [0, 5, 20], driver: [native, franz]}. Names are those of --vary.
func (d *decoder) sweep(n *node) []Axis {
	var axes []Axis
	for _, f := range d.entries(n, "sweep", "{linger.ms: [0, 5, 20]}") {
		path := join("sweep", f.key)
		if f.value.kind != listNode || len(f.value.items) == 0 {
			d.failf(f.value, path, "%s where a list of values is expected, such as [0, 5, 20]", f.value.kindName())
			continue
		}
		axis := Axis{Name: f.key}
		for _, item := range f.value.items {
			if item.kind == nullNode {
				d.failf(item, path, "an empty value in the list")
				continue
			}
			if slices.Contains(axis.Values, item.flow()) {
				d.failf(item, path, "%q is in the list twice", item.flow())
				continue
			}
			axis.Values = append(axis.Values, item.flow())
		}
		axes = append(axes, axis)
	}
	return axes
}
