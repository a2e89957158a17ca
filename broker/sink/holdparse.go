package sink

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"kbench/words"
)

// joiner stands between models in one text.
const joiner = " + "

// Bounds of what a model's parameters may be.
const (
	maxSigma   = 4
	maxServers = 1000
	maxRate    = 1e12
)

// ParseHold reads models as they are given on the command line: "none", or each a name with its parameters as in
// "lognormal:median=2ms,sigma=0.5". One text may hold several, joined by " + ", as Hold's String writes them.
func ParseHold(texts []string) (*Hold, error) {
	h := &Hold{}
	given := map[string]string{}
	var main string // the latency or queue model
	var all []string
	for _, text := range texts {
		all = append(all, strings.Split(text, joiner)...)
	}
	for _, text := range all {
		if text == noHold {
			if len(all) > 1 {
				return nil, fmt.Errorf("%q together with other models; it holds nothing, so it stands alone", text)
			}
			return h, nil
		}
		m, v, err := parseModel(text)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", text, err)
		}
		if earlier := given[m.name]; earlier != "" && m.name != "stall" {
			return nil, fmt.Errorf("%q: there is %q already; of %s only one is allowed", text, earlier, m.name)
		}
		if given[m.name] = text; m.class != classOther {
			if main != "" {
				return nil, fmt.Errorf("%q: there is %q already; of latency and queue models only one is allowed", text, main)
			}
			main = text
		}
		if m.times != nil {
			h.latency = m.times(v)
		} else {
			m.add(h, v)
		}
		h.parts = append(h.parts, v.canonical())
	}
	if err := h.stalls.check(); err != nil {
		return nil, err
	}
	return h, nil
}

// check refuses what might leave no time between the stalls.
func (s stalls) check() error {
	periodic := 0
	for _, w := range s {
		if w.every > 0 {
			periodic++
		}
	}
	if periodic > 1 {
		return fmt.Errorf("%d stalls with every=; only one is allowed, else they might leave no time between them", periodic)
	}
	return nil
}

// values are the parameters of one model as given.
type values struct {
	model   model
	service *model // mgk's
	list    []value
}

// value is one parameter with what it was set to.
type value struct {
	parameter
	number float64 // ns for times
	text   string  // canonical
}

func (v *values) find(name string) *value {
	for i := range v.list {
		if v.list[i].name == name {
			return &v.list[i]
		}
	}
	return nil
}

// number is a parameter's value; 0 where it is absent.
func (v *values) number(name string) float64 {
	if p := v.find(name); p != nil {
		return p.number
	}
	return 0
}

func (v *values) perRecord() bool { return v.number("per") == 1 }

// canonical is the model as text, with every parameter in its order.
func (v *values) canonical() string {
	items := make([]string, len(v.list))
	for i, p := range v.list {
		items[i] = p.name + "=" + p.text
	}
	return v.model.name + ":" + strings.Join(items, ",")
}

// parseModel reads one model.
func parseModel(text string) (model, *values, error) {
	name, rest, _ := strings.Cut(text, ":")
	m, err := findModel(name, models(), noHold)
	if err != nil {
		return m, nil, err
	}
	given, err := m.split(rest)
	if err != nil {
		return m, nil, err
	}
	v := &values{model: m}
	service, ok := given["service"]
	if m.name == "mgk" && !ok {
		return m, nil, m.missing("service") // before the parameters that only belong to one
	}
	if m.name == "mgk" {
		s, err := findService(service)
		if err != nil {
			return m, nil, fmt.Errorf("service: %w", err)
		}
		v.service = &s
		m.parameters = slices.Concat(m.parameters[:2], s.parameters, m.parameters[2:])
		v.model = m
	}
	for _, item := range strings.Split(rest, ",") {
		if name, _, ok := strings.Cut(item, "="); ok && !slices.Contains(m.names(), name) {
			return m, nil, fmt.Errorf("%w; the form is %s", unknownName("parameter", name, m.names()), m.syntax())
		}
	}
	for _, p := range m.parameters {
		if err := v.take(p, given); err != nil {
			return m, nil, err
		}
	}
	return m, v, v.check()
}

// findService finds mgk's distribution. Its parameters don't stand in it, as those of a model do, but beside it.
func findService(text string) (model, error) {
	name, first, nested := strings.Cut(text, ":")
	s, err := findModel(name, distributions())
	if err != nil || !nested {
		return s, err
	}
	if !strings.Contains(first, "=") {
		first = s.parameters[0].name + "=" + first
	}
	return s, fmt.Errorf("its parameters follow it as further ones of mgk: write service=%s,%s instead of service=%s", name, first, text)
}

// missing is the error for a parameter that isn't given.
func (m model) missing(name string) error {
	return fmt.Errorf("%s is missing; the form is %s", name, m.syntax())
}

// split takes parameters apart: by name, what each is given as.
func (m model) split(rest string) (map[string]string, error) {
	given := map[string]string{}
	if rest == "" {
		return given, nil
	}
	for i, item := range strings.Split(rest, ",") {
		name, text, ok := strings.Cut(item, "=")
		if !ok && i == 0 {
			name, text = m.parameters[0].name, item
		} else if !ok {
			return nil, fmt.Errorf("%q: want name=value; the form is %s", item, m.syntax())
		}
		if _, twice := given[name]; twice {
			return nil, fmt.Errorf("%s is given twice", name)
		}
		given[name] = text
	}
	return given, nil
}

// take reads one parameter.
func (v *values) take(p parameter, given map[string]string) error {
	text, ok := given[p.name]
	if !ok {
		switch p.fallback {
		case absent:
			return nil
		case "":
			return v.model.missing(p.name)
		}
		text = p.fallback
	}
	number, canonical, err := p.kind.parse(text)
	if err != nil {
		return fmt.Errorf("%s=%s: %w", p.name, text, err)
	}
	v.list = append(v.list, value{p, number, canonical})
	return nil
}

// check refuses values that contradict each other.
func (v *values) check() error {
	before := func(a, b string) error {
		x, y := v.find(a), v.find(b)
		if x == nil || y == nil || x.number < y.number {
			return nil
		}
		return fmt.Errorf("%s=%s isn't less than %s=%s", a, x.text, b, y.text)
	}
	switch name := v.model.name; {
	case name == "stall":
		return before("for", "every")
	case name == "uniform", v.service != nil && v.service.name == "uniform":
		return before("from", "to")
	case name == "bimodal", v.service != nil && v.service.name == "bimodal":
		return before("fast", "slow")
	case v.service != nil && v.service.name == "constant" && v.number("time") == 0:
		return fmt.Errorf("time=0s: a service time is more than 0")
	}
	return nil
}

// findModel looks a name up; others are names to tell that are none of these models.
func findModel(name string, among []model, others ...string) (model, error) {
	names := others
	for _, m := range among {
		if m.name == name {
			return m, nil
		}
		names = append(names, m.name)
	}
	return model{}, unknownName("model", name, names)
}

// distributions are the models that can be a service time.
func distributions() []model {
	return slices.DeleteFunc(models(), func(m model) bool { return m.times == nil })
}

func (m model) names() []string {
	names := make([]string, len(m.parameters))
	for i, p := range m.parameters {
		names[i] = p.name
	}
	return names
}

// parse reads a value and gives it back as text that reads the same.
func (k kind) parse(text string) (number float64, canonical string, err error) {
	switch k {
	case kindTime, kindLength:
		return parseTime(text, k == kindLength)
	case kindSigma:
		return parseNumber(text, maxSigma)
	case kindShare:
		return parseNumber(text, 1)
	case kindRate:
		return parseRate(text)
	case kindServers:
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxServers {
			return 0, "", fmt.Errorf("want a whole number from 1 to %d", maxServers)
		}
		return float64(n), strconv.Itoa(n), nil
	case kindError:
		code, name, err := parseError(text)
		return float64(code), name, err
	case kindPer:
		i := slices.Index([]string{"request", "record"}, text)
		if i < 0 {
			return 0, "", fmt.Errorf("allowed are request and record")
		}
		return float64(i), text, nil
	}
	return 0, text, nil // kindService: looked up already
}

// parseTime reads a duration.
func parseTime(text string, positive bool) (float64, string, error) {
	d, err := time.ParseDuration(text)
	switch {
	case positive && (err != nil || d <= 0 || d > longestHold):
		return 0, "", fmt.Errorf("want a time such as 5ms or 1.5s, more than 0 and at most 1h")
	case err != nil || d < 0 || d > longestHold:
		return 0, "", fmt.Errorf("want a time such as 5ms or 1.5s, from 0s to 1h")
	}
	return float64(d), d.String(), nil
}

// parseNumber reads a number above 0.
func parseNumber(text string, most float64) (float64, string, error) {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f > 0 && f <= most) { // NaN fails too
		return 0, "", fmt.Errorf("want a number more than 0 and at most %g", most)
	}
	return f, strconv.FormatFloat(f, 'g', -1, 64), nil
}

// parseRate reads records a second.
func parseRate(text string) (float64, string, error) {
	f, _, err := parseNumber(strings.TrimSuffix(text, "/s"), maxRate)
	if err != nil {
		return 0, "", fmt.Errorf("want records a second such as 200000/s, more than 0 and at most %g", float64(maxRate))
	}
	return f, strconv.FormatFloat(f, 'f', -1, 64) + "/s", nil
}

// maxCode is more than any of Kafka's error codes.
const maxCode = 1000

// parseError reads a Kafka error, by number or by name.
func parseError(text string) (int16, string, error) {
	n, err := strconv.ParseInt(text, 10, 16)
	var names []string
	for code := int16(1); code <= maxCode; code++ {
		e := kerr.TypedErrorForCode(code)
		if e == nil {
			continue
		}
		aliases := []string{e.Message}
		if code == errNotLeader {
			aliases = []string{"NOT_LEADER_OR_FOLLOWER", e.Message} // Kafka's present name, and that of the table
		}
		isNamed := slices.ContainsFunc(aliases, func(name string) bool { return strings.EqualFold(name, text) })
		if isNamed || err == nil && int64(code) == n {
			return code, aliases[0], nil
		}
		names = append(names, aliases...)
	}
	if near := nearest(strings.ToUpper(text), names); near != "" && err != nil {
		return 0, "", fmt.Errorf("no such error of Kafka (did you mean %s?)", near)
	}
	return 0, "", errors.New("no such error of Kafka; want its number or its name, such as 6 or NOT_LEADER_OR_FOLLOWER")
}

// unknownName is the error for a name that isn't among those known.
func unknownName(what, name string, known []string) error {
	are := "are"
	if len(known) == 1 {
		are = "is"
	}
	near := ""
	if n := nearest(name, known); n != "" {
		near = " (did you mean " + n + "?)"
	}
	return fmt.Errorf("unknown %s %q%s; allowed %s %s", what, name, near, are, strings.Join(known, ", "))
}

// maxName is more than the longest name has.
const maxName = 64

// nearest is the name that begins like s or differs from it by a slip of the finger; else "".
func nearest(s string, names []string) string {
	if len(s) > 2*maxName {
		return ""
	}
	best, bestDistance := "", 1+len(s)/3
	for _, name := range names {
		d := words.Distance(s, name)
		if len(s) > 2 && strings.HasPrefix(name, s) {
			d = 0
		}
		if d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = name, d
		}
	}
	return best
}
