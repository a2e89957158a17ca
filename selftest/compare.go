package selftest

import (
	"math"
	"slices"
	"strconv"
)

// A view is how somebody reports a distribution: the q-quantile in ns. A check holds a view against the truth, so that its
// tests can feed it views that are wrong in known ways.
type view func(q float64) float64

// truth is the exact values of a distribution in ns, ascending.
type truth []int64

// newTruth sorts values, which it takes over.
func newTruth(values []int64) truth {
	slices.Sort(values)
	return values
}

// quantile is the smallest value such that at least q of all are at or below it; NaN where there is none.
func (t truth) quantile(q float64) float64 {
	if len(t) == 0 {
		return math.NaN()
	}
	return float64(t[max(1, int(math.Ceil(q*float64(len(t)))))-1])
}

// tolerance is a bound of |reported − truth|: share·truth + ns.
type tolerance struct{ share, ns float64 }

func (t tolerance) of(truth float64) float64 { return t.share*truth + t.ns }

// row holds one value against its truth.
func (t tolerance) row(what string, got, want float64) Row {
	return bounded(what, got, want, want-t.of(want), want+t.of(want), Nanoseconds)
}

// percent names a quantile: p50, p99.9.
func percent(q float64) string {
	return "p" + strconv.FormatFloat(math.Round(q*1e6)/1e4, 'f', -1, 64)
}

// reported are the percentiles that a result prints.
func reported() []float64 { return []float64{.5, .9, .95, .99, .999, .9999} }

// compare holds a view against the truth at some percentiles; name stands before each.
func compare(name string, t truth, v view, qs []float64, tol func(q float64) tolerance) []Row {
	rows := make([]Row, 0, len(qs))
	for _, q := range qs {
		rows = append(rows, tol(q).row(join(name, percent(q)), v(q), t.quantile(q)))
	}
	return rows
}

// compareAll holds a view against the truth at every percentile from 1 to 99, and 99.9, and returns a row for the worst:
// the one that uses up most of its tolerance.
func compareAll(name string, t truth, v view, tol func(q float64) tolerance) Row {
	qs := []float64{.999}
	for p := 1; p <= 99; p++ {
		qs = append(qs, float64(p)/100)
	}
	rows := compare(name, t, v, qs, tol)
	return slices.MaxFunc(rows, func(a, b Row) int {
		x, y := used(a), used(b)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}

// used is the part of its tolerance that a row's deviation takes up: above 1 it fails.
func used(r Row) float64 {
	room := (r.High - r.Low) / 2
	middle := (r.High + r.Low) / 2
	if d := math.Abs(r.Measured - middle); d > 0 {
		return d / room
	}
	return 0
}

// worst returns the time that uses up most of its tolerance, among those that count and have a truth to deviate from.
func worst(rows []Row) (Row, bool) {
	found := Row{State: Information}
	for _, r := range rows {
		if r.State != Information && r.State != Unable && r.Unit == Nanoseconds && r.Truth != 0 && (found.State == Information || used(r) > used(found)) {
			found = r
		}
	}
	return found, found.State != Information
}

func join(name, part string) string {
	if name == "" {
		return part
	}
	return name + ", " + part
}
