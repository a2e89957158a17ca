package workload

import (
	"fmt"
	"strconv"
	"strings"
)

// profilePaths lists every path of a profile, parts divided by "/" because names may contain dots. "*" is the number of
// a topic, from 0, or left out for all of them; "#" is a number; "+" is a free name that takes the whole rest.
func profilePaths() []string {
	return []string{
		"name", "about", "seed", "driver",
		"topics", "topics/*", "topics/*/name", "topics/*/partitions", "topics/*/replication.factor", "topics/*/config", "topics/*/config/+",
		"records", "records/key", "records/key/distribution", "records/key/cardinality", "records/key/s",
		"records/key/hot.keys", "records/key/hot.share", "records/key/size",
		"records/value", "records/value/file", "records/value/compressibility", "records/value/size", "records/value/size/fixed",
		"records/value/size/uniform", "records/value/size/uniform/min", "records/value/size/uniform/max",
		"records/value/size/lognormal", "records/value/size/lognormal/median", "records/value/size/lognormal/sigma",
		"records/value/size/lognormal/min", "records/value/size/lognormal/max", "records/value/size/weighted",
		"records/headers", "records/headers/+",
		"load", "load/arrivals", "load/rate", "load/process", "load/repeat", "load/in.flight", "load/producers", "load/send",
		"load/warmup", "load/duration", "load/records",
		"load/ramp", "load/ramp/from", "load/ramp/to", "load/ramp/over",
		"load/steps", "load/steps/#", "load/steps/#/rate", "load/steps/#/duration",
		"load/burst", "load/burst/base", "load/burst/rate", "load/burst/every", "load/burst/for",
		"load/trace", "load/trace/file", "load/trace/factor",
		"sweep", "sweep/+", "objectives", "objectives/+",
	}
}

// matchPath follows a path along a pattern and returns its steps, nil if it doesn't fit.
func matchPath(pattern, path string) []string {
	part, more, hasMore := strings.Cut(pattern, "/")
	rest, ok := "", false
	switch part {
	case "+":
		if path == "" {
			return nil
		}
		return []string{path}
	case "*", "#":
		index, tail, _ := strings.Cut(path, ".")
		if _, err := strconv.ParseUint(index, 10, 31); err == nil {
			part, rest, ok = index, tail, true
		} else if part == "*" && hasMore && path != "" {
			rest, ok = path, true
		}
	default:
		rest, ok = cutKey(path, part)
	}
	switch {
	case !ok || hasMore == (rest == ""):
		return nil
	case !hasMore:
		return []string{part}
	}
	steps := matchPath(more, rest)
	if steps == nil {
		return nil
	}
	return append([]string{part}, steps...)
}

// pathSteps returns the steps to a field of a profile, nil for an unknown path.
func pathSteps(path string) []string {
	for _, pattern := range profilePaths() {
		if steps := matchPath(pattern, path); steps != nil {
			return steps
		}
	}
	return nil
}

// displayPaths are the paths as people write them, for suggestions.
func displayPaths() []string {
	var all []string
	for _, pattern := range profilePaths() {
		if !strings.ContainsAny(pattern[len(pattern)-1:], "+*#") {
			all = append(all, strings.NewReplacer("/*/", ".", "#", "0", "/", ".").Replace(pattern))
		}
	}
	for _, name := range settingNames(func(u SettingUse) bool { return u == SettingCarried }) {
		all = append(all, "producer."+name)
	}
	return all
}

// Override sets one field over what the profile says, as --set path=value does: any path of a profile such as
// records.value.size, topics.0.partitions, topics.partitions (all topics) or producer.linger.ms. The value is a text, or
// a YAML list or map in one line. source names the flag (--set, --rate) or the variable (KBENCH_RATE) in errors.
// What the new value contradicts in the profile gives way: a file replaces a size, a rate replaces arrivals max. So do
// values of KBENCH_ variables to those of flags; two flags that contradict each other are an error of Plan.
func (p *Profile) Override(source, path, value string) error {
	rank := rankFlag
	if strings.HasPrefix(source, "KBENCH_") {
		rank = rankEnv
	}
	if err := p.override(origin{name: source, rank: rank}, path, value); err != nil {
		return err
	}
	return nil
}

// override sets one field and checks it by itself. The profile stays as it was if there is an error.
func (p *Profile) override(at origin, path, value string) error {
	path = strings.TrimSpace(path)
	if name, ok := strings.CutPrefix(path, "producer."); ok {
		return p.setProducer(name, value, at.name, path)
	}
	steps := pathSteps(path)
	if steps == nil {
		return &fieldError{at: at.name, path: path, msg: "not a field of a profile", near: Nearest(path, displayPaths())}
	}
	v, err := parseOverride(at, path, value)
	if err != nil {
		return err
	}
	changed := p.Clone()
	if steps[0] == "objectives" && len(steps) > 1 { // in the other spelling, it would stand there twice
		changed.root.get("objectives").respell(steps[1])
	}
	if err := changed.root.assign(steps, v, p.fallbackName()); err != nil {
		err.at, err.path = at.name, path
		return err
	}
	changed.giveWay(path, v, at.rank)
	if _, problems := changed.decode(); len(problems) > 0 {
		return problems.distinct()
	}
	p.root = changed.root
	return nil
}

// atPath names the field in errors about the YAML of its value.
func atPath(err error, path string) error {
	list, ok := err.(problems)
	if e, single := err.(*fieldError); single {
		list, ok = problems{e}, true
	}
	if !ok {
		return err
	}
	for _, e := range list {
		e.path = path
	}
	return list
}

// parseOverride reads the value of an override: YAML if it is a list or a map or quoted, else the text itself.
func parseOverride(at origin, path, value string) (*node, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return nil, &fieldError{at: at.name, path: path, msg: "no value"}
	}
	if strings.ContainsAny(value[:1], `{["'`) {
		n, err := parseYAML(at, []byte(value))
		if err != nil {
			return nil, atPath(err, path)
		}
		return n, nil
	}
	return &node{kind: scalarNode, text: value, at: at}, nil
}

// assign puts v at the end of the steps, making the maps on the way. Short forms become the map they stand for.
func (n *node) assign(steps []string, v *node, topic string) *fieldError {
	if len(steps) == 0 {
		*n = *v
		return nil
	}
	if steps[0] == "*" {
		if n.kind == nullNode {
			n.kind, n.items = listNode, []*node{{kind: scalarNode, text: topicName(topic), at: v.at}}
		}
		for _, item := range n.items {
			if err := item.assign(steps[1:], v.clone(), topic); err != nil {
				return err
			}
		}
		return nil
	}
	if n.kind == listNode {
		i, err := strconv.Atoi(steps[0])
		if err != nil || i >= len(n.items) {
			return &fieldError{msg: fmt.Sprintf("no such entry: the last one is %d, counted from 0", len(n.items)-1)}
		}
		return n.items[i].assign(steps[1:], v, topic)
	}
	n.expand(steps[0], v.at)
	if n.kind != mapNode {
		return &fieldError{msg: fmt.Sprintf("%s stands there (%q): give the whole field instead", n.kindName(), shorten(n.flow()))}
	}
	next := n.get(steps[0])
	if next == nil {
		next = &node{at: v.at}
		if len(steps) > 1 && steps[1] != "*" {
			next.kind = mapNode
		}
		n.put(steps[0], next)
	}
	return next.assign(steps[1:], v, topic)
}

// respell gives an objective that stands there the spelling name, if it is the same one in another.
func (n *node) respell(name string) {
	if n == nil {
		return
	}
	for i := range n.fields {
		if f := &n.fields[i]; canonicalMetric(f.key) == canonicalMetric(name) {
			f.key = name
		}
	}
}

// expand turns the short form of a key, value, size or topic into the map that it stands for, so that key can be set in it.
func (n *node) expand(key string, at origin) {
	if n.kind == nullNode {
		n.kind, n.at = mapNode, at
	}
	if n.kind != scalarNode {
		return
	}
	short := ""
	switch key {
	case SizeFixed, SizeUniform, SizeLognormal, SizeWeighted:
		if n.at.rank < at.rank { // the size that stands there gives way to the distribution
			*n = node{kind: mapNode, at: at}
		}
		return
	case "cardinality", "s", "hot.keys", "hot.share", "distribution":
		short = "distribution"
	case "file", "compressibility":
		short = "size"
		if _, err := parseSize(n.text); err != nil && key == "file" {
			short = "file" // of a trace
		}
	case "factor":
		short = "file"
	case "name", "partitions", "replication.factor", "config":
		short = "name"
	case "size":
		short = "distribution" // of a key; that of a value is replaced anyway
		if _, err := parseSize(n.text); err == nil {
			short = "size"
		}
	default:
		return
	}
	old := *n
	*n = node{kind: mapNode, at: old.at, fields: []nodeField{{key: short, at: old.at, value: &old}}}
}
