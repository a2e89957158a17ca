package bench

import (
	"math"
	"time"

	"kbench/metrics/stat"
)

// The realised arrivals of a Poisson load are tested against the model on a sample of consecutive gaps: in stretches,
// spread over the measured part, because the generator may be late now and on time a second later.
const (
	gapsTested   = 4096 // of all producers together
	gapStretches = 16
	gapsNeeded   = 100 // below that, the test sees nothing
	// gapResolution is what the pacer can't tell apart: records due within one turn of its loop go out together.
	gapResolution = 100 // ns
)

// gapSample collects the gaps between the moments at which the generator was ready to hand records over, in ns. That moment
// is when they were handed over, less the time for which the client held them up: its back-pressure isn't the
// generator's error, but records that a late generator hands over at once have gaps of 0. The sender uses it.
type gapSample struct {
	gaps    []int64 // never grows beyond its capacity
	stretch int     // gaps in a stretch
	left    int     // gaps still to come in this one
	last    int64   // ready time of the last record; below 0: none yet
	step    int64   // from the start of one stretch to that of the next, in ns
	next    int64   // when the next one may start
}

func newGapSample(producers int, duration time.Duration) *gapSample {
	stretch := max(gapsTested/gapStretches/producers, 2)
	step := int64(duration) / gapStretches
	if step == 0 {
		step = int64(time.Second) // a bound on records: how long they take isn't known
	}
	return &gapSample{gaps: make([]int64, 0, stretch*gapStretches), stretch: stretch, step: step}
}

// note takes in records that were due at the given times and handed over together; idle is when the sender was free.
func (g *gapSample) note(due []int64, handed, idle int64) {
	if g.left == 0 {
		if handed < g.next || len(g.gaps) == cap(g.gaps) {
			return
		}
		g.left, g.last, g.next = g.stretch, -1, max(g.next, handed)+g.step
	}
	for _, d := range due {
		ready := handed - max(0, min(idle, handed)-d)
		if g.last >= 0 {
			g.gaps = append(g.gaps, ready-g.last)
			if g.left--; g.left == 0 {
				return
			}
		}
		g.last = ready
	}
}

// exponentialP is the p-value of the Anderson–Darling test that the gaps are exponential with that mean; −1: too few. Gaps
// of 0 are spread over the resolution: the test would take a single one for impossible, where only too many are.
func exponentialP(gaps []int64, mean time.Duration) float64 {
	if len(gaps) < gapsNeeded || mean <= 0 {
		return -1
	}
	zeros := 0
	for _, g := range gaps {
		if g <= 0 {
			zeros++
		}
	}
	sample, seen := make([]float64, len(gaps)), 0
	for i, g := range gaps {
		sample[i] = float64(g)
		if g <= 0 {
			sample[i] = (float64(seen) + 0.5) / float64(zeros) * gapResolution
			seen++
		}
	}
	_, p := stat.AndersonDarlingExponential(sample, float64(mean))
	if math.IsNaN(p) {
		return -1
	}
	return p
}

// arrivalsP tests the gaps of all producers together; each has an equal share of the rate.
func (r *run) arrivalsP() float64 {
	var gaps []int64
	mean := time.Duration(0)
	for _, w := range r.workers {
		if w.gaps != nil {
			gaps = append(gaps, w.gaps.gaps...)
			mean = w.schedule.(interface{ MeanGap() time.Duration }).MeanGap()
		}
	}
	return exponentialP(gaps, mean)
}
