package selftest

import (
	"fmt"
	"math"
)

// nsText is a time in ns with the unit that suits it, three digits.
func nsText(ns float64) string {
	for _, u := range []struct {
		name string
		ns   float64
	}{{"ns", 1}, {"µs", 1e3}, {"ms", 1e6}} {
		if math.Abs(ns) < 999.5*u.ns {
			return fmt.Sprintf("%.3g %s", ns/u.ns, u.name)
		}
	}
	return fmt.Sprintf("%.4g s", ns/1e9)
}

// Text writes a row's value in its unit.
func (u Unit) Text(v float64) string {
	switch u {
	case Nanoseconds:
		return nsText(v)
	case Share:
		return fmt.Sprintf("%.3g %%", 100*v)
	}
	return fmt.Sprintf("%.6g", v)
}
