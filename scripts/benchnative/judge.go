package main

import (
	"math"
	"math/rand/v2"
	"slices"

	"kbench/metrics/stat"
)

// level is the confidence of intervals.
const level = 0.95

// verdict is how a check ended.
type verdict struct {
	check    check
	pairs    []float64 // ratios of neighbours in time, or the metric itself
	estimate stat.Estimate
	ran      bool   // there are measurements of what is checked
	reached  string // yes, no; with "?" where the interval reaches over the bound; "" where nothing is asked or measured
}

// order is in which order a block's contenders (by index) are measured: in each round all of them in random order, and then in
// the reverse order, so that what drifts meets all alike. Half a round is one pair of any two.
func order(contenders, rounds int, rng *rand.Rand) (halves [][]int) {
	for range rounds {
		there := rng.Perm(contenders)
		back := slices.Clone(there)
		slices.Reverse(back)
		halves = append(halves, there, back)
	}
	return halves
}

// measurement is one contender, measured once.
type measurement struct {
	Half      int                `json:"half"` // of a round, from 0
	Contender string             `json:"contender"`
	Values    map[string]float64 `json:"values"`
	Sample    *sample            `json:"sample,omitempty"` // of a child process
	Run       *runResult         `json:"run,omitempty"`    // of kbench run
}

// judge holds a check against a block's measurements.
func judge(c check, ms []measurement) verdict {
	v := verdict{check: c}
	halves := map[int][2]float64{}
	for _, m := range ms {
		x, ok := m.Values[c.metric]
		if !ok {
			continue
		}
		v.ran = v.ran || m.Contender == c.of
		pair := halves[m.Half]
		if m.Contender == c.of {
			pair[0] = x
		}
		if m.Contender == c.against {
			pair[1] = x
		}
		if c.against == "" && m.Contender == c.of {
			v.pairs = append(v.pairs, x)
		}
		halves[m.Half] = pair
	}
	if c.against == "" {
		v.estimate = stat.HodgesLehmann(v.pairs, level)
	} else {
		v.estimate, v.pairs = ratio(halves)
	}
	v.reached = c.verdict(v.estimate)
	return v
}

// ratio estimates the ratio of the first to the second of each half: the logarithms' Hodges-Lehmann estimate, whose interval
// is the exact one of Wilcoxon's signed-rank test.
func ratio(halves map[int][2]float64) (e stat.Estimate, ratios []float64) {
	var logs []float64
	for i := range halves {
		if p := halves[i]; p[0] > 0 && p[1] > 0 {
			ratios = append(ratios, p[0]/p[1])
			logs = append(logs, math.Log(p[0]/p[1]))
		}
	}
	slices.Sort(ratios)
	e = stat.HodgesLehmann(logs, level)
	e.Value = math.Exp(e.Value)
	e.Interval = stat.Interval{Low: math.Exp(e.Interval.Low), High: math.Exp(e.Interval.High)}
	return e, ratios
}

// verdict says whether an estimate keeps the bound.
func (c *check) verdict(e stat.Estimate) string {
	if c.bound == 0 || math.IsNaN(e.Value) {
		return ""
	}
	keeps := func(x float64) bool {
		if c.atMost {
			return x <= c.bound
		}
		return x >= c.bound
	}
	word := "no"
	if keeps(e.Value) {
		word = "yes"
	}
	if keeps(e.Interval.Low) != keeps(e.Interval.High) {
		word += "?"
	}
	return word
}
