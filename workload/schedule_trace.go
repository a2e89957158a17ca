package workload

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"time"
)

// Bounds of a trace's factor.
const (
	minFactor = 1e-6
	maxFactor = 1e6
)

// replay is a trace at a speed.
type replay struct {
	times  []int64
	period int64 // ns of the trace until it begins again; 0: it doesn't
	factor float64
}

func newReplay(l Load) (replay, error) {
	if l.Trace.Data == nil || len(l.Trace.Data.times) == 0 {
		return replay{}, errors.New("load.trace: no trace was read")
	}
	if f := l.Trace.Factor; !(f >= minFactor && f <= maxFactor) {
		return replay{}, fmt.Errorf("load.trace.factor: %v isn't a speed: allowed %v to %v", f, minFactor, float64(maxFactor))
	}
	r := replay{times: l.Trace.Data.times, factor: l.Trace.Factor}
	if l.Repeat {
		r.period = int64(l.Trace.Data.Length())
	}
	return r, nil
}

// due is when record k of all shards is due; the largest Duration for none.
func (r *replay) due(k uint64) time.Duration {
	n := uint64(len(r.times))
	if k < n {
		return r.scale(uint64(r.times[k]))
	}
	if r.period == 0 {
		return math.MaxInt64
	}
	over, at := bits.Mul64(k/n, uint64(r.period))
	if over != 0 || at > math.MaxInt64-uint64(longestTrace) {
		return math.MaxInt64
	}
	return r.scale(at + uint64(r.times[k%n]))
}

// scale turns a time of the trace into one of the run, rounded to the nearest ns.
func (r *replay) scale(at uint64) time.Duration {
	if r.factor == 1 {
		return time.Duration(at)
	}
	ns := float64(at) / r.factor
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(ns))
}

// before is the number of records due before t.
func (r replay) before(t time.Duration) float64 {
	cycles := uint64(0)
	if r.period > 0 {
		// The last cycle that begins before t, or the one after it. No run has 2⁶⁰ records; so many can be told apart.
		most := float64((1 << 60) / len(r.times))
		cycles = uint64(min(float64(t)*r.factor/float64(r.period), most))
		for cycles > 0 && r.due(cycles*uint64(len(r.times))) > t {
			cycles--
		}
	}
	first := cycles * uint64(len(r.times))
	n, _ := slices.BinarySearchFunc(r.times, t, func(at int64, t time.Duration) int {
		if r.scale(cycles*uint64(r.period)+uint64(at)) < t {
			return -1
		}
		return 1
	})
	return float64(first) + float64(n)
}

// TraceReplay is a schedule of the times of a trace, divided by its factor: record k of all shards is the k-th of the
// trace, and shard s has the records k = n·shards + s. A trace that isn't repeated ends: what comes after its last record
// is due at the largest Duration.
type TraceReplay struct {
	shard, shards uint64
	replay        replay
}

// At says when record n of this shard is due.
func (s *TraceReplay) At(n uint64) time.Duration {
	over, k := bits.Mul64(n, s.shards)
	k, carry := bits.Add64(k, s.shard, 0)
	if over|carry != 0 {
		return math.MaxInt64
	}
	return s.replay.due(k)
}
