package workload

import (
	"math"
	"slices"
	"testing"
	"time"
)

func poisson(t testing.TB, rate float64, opts ScheduleOptions) *Poisson {
	t.Helper()
	return mustSchedule(t, Load{Arrivals: ArrivalsPoisson, Rate: Rate{PerSecond: rate}}, opts).(*Poisson)
}

// gapsOf returns the gaps between due times in units of their expected mean, in order of size.
func gapsOf(due []time.Duration, mean float64) []float64 {
	gaps := make([]float64, len(due))
	last := time.Duration(0)
	for i, d := range due {
		gaps[i] = float64(d-last) / mean
		last = d
	}
	slices.Sort(gaps)
	return gaps
}

// andersonDarling is A² of sorted values against an exponential distribution of mean 1. Above 3.857 the hypothesis is
// refused at the 1 % level (distribution fully known: Stephens 1974, case 0).
func andersonDarling(sorted []float64) float64 {
	n, sum := len(sorted), 0.0
	for i, x := range sorted {
		y := sorted[n-1-i]
		x, y = max(x, 1e-12), max(y, 1e-12)
		sum += float64(2*i+1) * (math.Log(-math.Expm1(-x)) - y)
	}
	return -float64(n) - sum/float64(n)
}

func collect(s Schedule, n int) []time.Duration {
	due := make([]time.Duration, n)
	for i := range due {
		due[i] = s.At(uint64(i))
	}
	return due
}

func TestPoissonIsExponential(t *testing.T) {
	const n = 200_000
	for _, seed := range []uint64{1, 2, 3} {
		for _, shards := range []int{1, 3} {
			p := poisson(t, 1000, ScheduleOptions{Seed: seed, Shard: shards - 1, Shards: shards})
			mean := 1e6 * float64(shards)
			gaps := gapsOf(collect(p, n), mean)
			checkExponential(t, gaps, seed)
		}
	}
}

// TestPoissonSuperposition checks that the shards together are a Poisson process of the whole rate.
func TestPoissonSuperposition(t *testing.T) {
	const shards, each = 4, 50_000
	var all []time.Duration
	end := time.Duration(math.MaxInt64)
	for shard := range shards {
		due := collect(poisson(t, 1e4, ScheduleOptions{Seed: 5, Shard: shard, Shards: shards}), each)
		all = append(all, due...)
		end = min(end, due[each-1])
	}
	slices.Sort(all)
	all = all[:slices.Index(all, end)+1] // until the first shard ends
	checkExponential(t, gapsOf(all, 1e5), 5)
	// Consecutive gaps don't depend on each other: the lag-1 correlation is within 4/√n of 0.
	sum, square := 0.0, 0.0
	for i := 2; i < len(all); i++ {
		a, b := float64(all[i-1]-all[i-2])/1e5-1, float64(all[i]-all[i-1])/1e5-1
		sum += a * b
		square += a * a
	}
	if r := sum / square; math.Abs(r) > 4/math.Sqrt(float64(len(all))) {
		t.Errorf("correlation of consecutive gaps %.4f, want about 0", r)
	}
}

// checkExponential checks mean, variance, tail and shape. The seeds are fixed, so it passes always or never; the bounds
// are at four standard deviations.
func checkExponential(t *testing.T, gaps []float64, seed uint64) {
	t.Helper()
	n := float64(len(gaps))
	sum, square := 0.0, 0.0
	for _, g := range gaps {
		sum += g
		square += (g - 1) * (g - 1)
	}
	if mean := sum / n; math.Abs(mean-1) > 4/math.Sqrt(n) {
		t.Errorf("seed %d: mean %.5f, want 1", seed, mean)
	}
	if variance := square / n; math.Abs(variance-1) > 4*math.Sqrt(8/n) { // fourth central moment 9: variance 8/n
		t.Errorf("seed %d: variance %.5f, want 1", seed, variance)
	}
	if a := andersonDarling(gaps); !(a < 3.857) {
		t.Errorf("seed %d: A² = %.3f, want below 3.857", seed, a)
	}
}

// TestAndersonDarlingRefuses shows that the check can fail: with gaps that are rounded to a hundredth of their mean,
// and with a rate that is 2 % off.
func TestAndersonDarlingRefuses(t *testing.T) {
	gaps := gapsOf(collect(poisson(t, 1000, ScheduleOptions{Seed: 1, Shards: 1}), 200_000), 1e6)
	off := slices.Clone(gaps)
	for i := range off {
		off[i] *= 1.02
		gaps[i] = math.Round(gaps[i]*100) / 100
	}
	for name, x := range map[string][]float64{"rounded": gaps, "2 % off": off} {
		if a := andersonDarling(x); a < 3.857 {
			t.Errorf("%s: A² = %.3f isn't refused", name, a)
		}
	}
}

// TestPoissonDoesNotDrift compares the integer time with the exact sum of the gaps, kept in two floats (Neumaier).
func TestPoissonDoesNotDrift(t *testing.T) {
	p := poisson(t, 1e6/3, ScheduleOptions{Seed: 8, Shards: 1})
	r := p.start
	sum, rest := 0.0, 0.0
	for n := range uint64(2_000_000) {
		gap := exponential(r.next()) * p.mean
		next := sum + gap
		if sum >= gap {
			rest += sum - next + gap
		} else {
			rest += gap - next + sum
		}
		sum = next
		if got := float64(p.At(n)); math.Abs(got-(sum+rest)) > 1.001 || got > sum+rest+1e-6 {
			t.Fatalf("At(%d) = %v, want %v rounded down", n, got, sum+rest)
		}
	}
}

// TestPoissonAtIsPure checks that the order of calls doesn't matter.
func TestPoissonAtIsPure(t *testing.T) {
	opts := ScheduleOptions{Seed: 8, Shard: 2, Shards: 5}
	want := collect(poisson(t, 5e4, opts), 1000)
	p := poisson(t, 5e4, opts)
	for _, n := range []uint64{7, 7, 6, 999, 0, 1, 500, 3, 3, 4} {
		if got := p.At(n); got != want[n] {
			t.Errorf("At(%d) = %d, want %d", n, got, want[n])
		}
	}
	if other := poisson(t, 5e4, ScheduleOptions{Seed: 9, Shard: 2, Shards: 5}); other.At(0) == want[0] {
		t.Error("another seed gives the same schedule")
	}
	if other := poisson(t, 5e4, ScheduleOptions{Seed: 8, Shard: 1, Shards: 5}); other.At(0) == want[0] {
		t.Error("another shard has the same schedule")
	}
}

func TestPoissonSaturates(t *testing.T) {
	p := poisson(t, 1e-300, ScheduleOptions{Seed: 1, Shards: 3})
	last := time.Duration(0)
	for n := range uint64(1000) {
		at := p.At(n)
		if at < last {
			t.Fatalf("At(%d) = %d comes before %d", n, at, last)
		}
		last = at
	}
	if want := time.Duration(math.MaxInt64); last != want {
		t.Errorf("after 1000 gaps of years: %d, want %d", last, want)
	}
}

// TestPoissonGolden pins the schedule of one seed: results name seeds, so it must not change between versions.
func TestPoissonGolden(t *testing.T) {
	p := poisson(t, 1000, ScheduleOptions{Seed: 42, Shards: 1})
	got := [4]time.Duration{p.At(0), p.At(1), p.At(2), p.At(99_999)}
	want := [4]time.Duration{1_597_267, 1_824_119, 2_261_982, 100_044_171_879}
	if got != want {
		t.Errorf("seed 42: %d, want %d", got, want)
	}
}
