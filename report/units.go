package report

import (
	"math"
	"strconv"

	"github.com/dustin/go-humanize"
)

// absent stands where there is no number: unknown, unsupported, not measured.
const absent = "–"

// unit is a scale for times: one for a whole table, so that its numbers can be compared by eye.
type unit struct {
	name string
	ns   float64 // nanoseconds in one
}

// unitFor is the unit that shows a typical time ns with digits before the point, or few zeros behind it.
func unitFor(ns float64) unit {
	switch {
	case ns < 1e3:
		return unit{"ns", 1}
	case ns < 1e5:
		return unit{"µs", 1e3}
	case ns < 1e10:
		return unit{"ms", 1e6}
	}
	return unit{"s", 1e9}
}

// show is the time in the unit, without its name.
func (u unit) show(ns float64) string { return digits(ns / u.ns) }

// duration is a time with the unit that suits it alone.
func duration(ns float64) string {
	u := unit{"s", 1e9}
	switch a := math.Abs(ns); {
	case a < 1e3:
		u = unit{"ns", 1}
	case a < 1e6:
		u = unit{"µs", 1e3}
	case a < 1e9:
		u = unit{"ms", 1e6}
	}
	return u.show(ns) + " " + u.name
}

// digits shows three significant digits, all digits of what is 1,000 or more, and nothing finer than 0.001.
func digits(v float64) string {
	a := math.Abs(v)
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return absent
	case a == 0:
		return "0"
	case a < 0.001 && v > 0:
		return "<0.001"
	case a >= 999.5:
		return humanize.Comma(int64(math.Round(v)))
	}
	// The exponent after rounding to three digits: 9.996 is 10.0, not 10.00.
	e := strconv.FormatFloat(a, 'e', 2, 64)
	exp, err := strconv.Atoi(e[5:]) // d.dde±xx
	if err != nil {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	return strconv.FormatFloat(v, 'f', max(0, 2-exp), 64)
}

// count is a whole number with thousands apart.
func count(n uint64) string {
	if n > math.MaxInt64 {
		return strconv.FormatUint(n, 10)
	}
	return humanize.Comma(int64(n))
}

// known is a whole number, or absent where it is −1.
func known(n int64) string {
	if n < 0 {
		return absent
	}
	return humanize.Comma(n)
}

// positive is a ratio, or absent where it is unknown (−1, 0 or not a number).
func positive(v float64) string {
	if !(v > 0) {
		return absent
	}
	return digits(v)
}

// mebi is bytes in MiB, without the unit.
func mebi(bytes float64) string { return digits(bytes / (1 << 20)) }

// plural is "1 broker" or "3 brokers".
func plural(n uint64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + one + "s"
}
