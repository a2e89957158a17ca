package driver

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"kbench/workload"
)

// Check refuses a configuration that d can't carry out: every setting that was given explicitly must be one that d's
// capability table allows. What only a default asks for isn't refused: Differences flags it.
func Check(d Driver, cfg *workload.ProducerConfig) error {
	var errs []error
	for _, c := range d.Capabilities {
		if !cfg.Explicit(c.Setting) || c.allows(cfg) {
			continue
		}
		errs = append(errs, fmt.Errorf("driver %s can't carry out %s=%s: %s", d.Name, c.Setting, cfg.Get(c.Setting), c.allowed()))
	}
	return errors.Join(errs...)
}

// allows reports whether the configuration's value of the row's setting is carried out.
func (c Capability) allows(cfg *workload.ProducerConfig) bool {
	switch {
	case c.Support == Full || c.Support == Mapped:
		return true
	case c.Allows != nil:
		return c.Allows(cfg)
	}
	value := cfg.Get(c.Setting)
	return slices.ContainsFunc(c.Values, func(v string) bool { return sameValue(c.Setting, v, value) })
}

// allowed says what the row leaves open, for an error message.
func (c Capability) allowed() string {
	s := "it has no such setting"
	if len(c.Values) > 0 {
		quoted := slices.Clone(c.Values)
		for i, v := range quoted {
			if v == "" {
				quoted[i] = "(empty)"
			}
		}
		s = "allowed: " + strings.Join(quoted, ", ")
	}
	if c.How != "" {
		s += " (" + c.How + ")"
	}
	return s
}
