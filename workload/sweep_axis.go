package workload

import (
	"fmt"
	"slices"
	"strings"
)

// axisAliases are the short names of axes, and the profile paths they stand for.
var axisAliases = map[string]string{
	"rate":        "load.rate",
	"record.size": "records.value.size",
	"size":        "records.value.size",
	"partitions":  "topics.partitions",
	"producers":   "load.producers",
	"send":        "load.send",
	"arrivals":    "load.arrivals",
}

// AxisNames lists the names that are worth completing after --vary: short names and producer settings. Besides them
// topic.<setting> and every path of --set are axes.
func AxisNames() []string {
	names := []string{"driver"}
	for alias := range axisAliases {
		names = append(names, alias)
	}
	for _, row := range settingRows {
		if row.Use == SettingCarried && row.Name != "bootstrap.servers" && !SecuritySetting(row.Name) {
			names = append(names, row.Name)
		}
	}
	slices.Sort(names)
	return names
}

// axisPath returns the profile path that an axis changes.
func axisPath(name string) (string, *fieldError) {
	if path, ok := axisAliases[name]; ok {
		return path, nil
	}
	if setting, ok := strings.CutPrefix(name, "topic."); ok {
		if !knownTopicSetting(setting) {
			return "", &fieldError{path: name, msg: "not a topic setting", near: Nearest(setting, TopicSettings())}
		}
		return "topics.config." + setting, nil
	}
	path := name
	if row := findSetting(name); row != nil {
		path = "producer." + canonicalSetting(name)
	}
	switch top, _, _ := strings.Cut(path, "."); {
	case path == "producer.bootstrap.servers", SecuritySetting(strings.TrimPrefix(path, "producer.")), top == "sweep", top == "objectives", path == "name", path == "about":
		return "", &fieldError{path: name, msg: "can't be an axis of a sweep"}
	case strings.HasPrefix(path, "producer.") && findSetting(strings.TrimPrefix(path, "producer.")) != nil, pathSteps(path) != nil:
		return path, nil
	}
	near := Nearest(name, AxisNames())
	if near == "" {
		near = Nearest(name, displayPaths())
	}
	return "", &fieldError{path: name, msg: "not an axis", near: near,
		allowed: "a producer setting, topic.<setting>, driver, rate, record.size, partitions, producers, or a path of --set"}
}

// ParseVary reads an axis as --vary takes it: "linger.ms=0,5,20". Commas within brackets or quotes don't divide:
// "records.value.size=100,{uniform: {min: 100, max: 2KiB}}". The name is checked by Cells.
func ParseVary(text string) (Axis, error) {
	name, list, ok := strings.Cut(text, "=")
	axis := Axis{Name: strings.TrimSpace(name)}
	if !ok || axis.Name == "" || strings.TrimSpace(list) == "" {
		return Axis{}, fmt.Errorf("--vary %q: allowed name=value,value,…, such as linger.ms=0,5,20", shorten(text))
	}
	for _, value := range splitList(list) {
		value = strings.TrimSpace(value)
		if value == "" {
			return Axis{}, fmt.Errorf("--vary %s: an empty value in %q", axis.Name, shorten(list))
		}
		if slices.Contains(axis.Values, value) {
			return Axis{}, fmt.Errorf("--vary %s: %q is given twice", axis.Name, value)
		}
		axis.Values = append(axis.Values, value)
	}
	return axis, nil
}

// splitList divides at the commas outside of brackets and quotes.
func splitList(list string) []string {
	var parts []string
	depth, quote, start := 0, rune(0), 0
	for i, c := range list {
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',' && depth <= 0:
			parts = append(parts, list[start:i])
			start = i + 1
		}
	}
	return append(parts, list[start:])
}

// sweepAxis is an axis with its path, and where each value was written.
type sweepAxis struct {
	Axis
	path string
	at   []string
}

// resolveAxes finds the paths of the axes and checks names and values, each by itself.
func (p *Profile) resolveAxes(axes []Axis, own bool) ([]sweepAxis, problems) {
	var all []sweepAxis
	var errs problems
	for _, axis := range axes {
		a := sweepAxis{Axis: axis}
		at := "--vary"
		if own {
			at = p.Where("sweep." + axis.Name)
		}
		path, err := axisPath(axis.Name)
		if err != nil {
			err.at = at
			errs = append(errs, err)
			continue
		}
		a.path = path
		if i := slices.IndexFunc(all, func(b sweepAxis) bool { return b.path == path }); i >= 0 {
			errs = append(errs, &fieldError{at: at, path: axis.Name, msg: "the same axis as " + all[i].Name})
			continue
		}
		if len(axis.Values) == 0 {
			errs = append(errs, &fieldError{at: at, path: axis.Name, msg: "an axis without values"})
		}
		for i, value := range axis.Values {
			place := fmt.Sprintf("--vary %s=%s", axis.Name, Hide(axis.Name, value))
			if own {
				place = p.Where(fmt.Sprintf("sweep.%s.%d", axis.Name, i))
			}
			a.at = append(a.at, place)
		}
		errs = append(errs, p.checkAxis(a)...)
		all = append(all, a)
	}
	return all, errs
}

// checkAxis tries each value alone. What only contradicts other fields passes: another axis may change them.
func (p *Profile) checkAxis(a sweepAxis) problems {
	var errs problems
	seen := map[string]string{}
	for i, value := range a.Values {
		plan, found := p.vary([]sweepAxis{a}, []int{i})
		if found = lasting(found); len(found) > 0 {
			errs = append(errs, found...)
			continue
		}
		text, err := plan.MarshalJSON()
		if err != nil {
			continue
		}
		if first, ok := seen[string(text)]; ok {
			errs = append(errs, &fieldError{at: a.at[i], path: a.Name, msg: fmt.Sprintf("%s is the same as %s", value, first)})
		}
		seen[string(text)] = value
	}
	return errs
}

// vary resolves the profile with the choice-th value of each axis.
func (p *Profile) vary(axes []sweepAxis, choice []int) (Plan, problems) {
	c := p.Clone()
	for i, a := range axes {
		at := origin{name: a.at[choice[i]], rank: rankAxis}
		if err := c.override(at, a.path, a.Values[choice[i]]); err != nil {
			switch err := err.(type) {
			case problems:
				return Plan{}, err
			case *fieldError:
				return Plan{}, problems{err}
			default:
				return Plan{}, problems{{at: at.name, path: a.Name, msg: err.Error()}}
			}
		}
	}
	plan, errs := c.resolve()
	plan.Sweep = nil
	return plan, errs.distinct()
}

// checkSweep checks the profile's own sweep block.
func (p *Profile) checkSweep(plan Plan) error {
	_, errs := p.resolveAxes(plan.Sweep, true)
	return errs.orNil()
}
