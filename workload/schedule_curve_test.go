package workload

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// Loads that change, as the tests below use them: 1,000 to 3,000/s, two steps, bursts.
func rampLoad(from, to float64, over time.Duration) Load {
	return Load{Arrivals: ArrivalsRamp, Process: ArrivalsConstant, Duration: over,
		Ramp: Ramp{From: Rate{PerSecond: from}, To: Rate{PerSecond: to}, Over: over}}
}

func stepsLoad(repeat bool, steps ...Step) Load {
	return Load{Arrivals: ArrivalsSteps, Process: ArrivalsConstant, Steps: steps, Repeat: repeat}
}

func step(rate float64, d time.Duration) Step { return Step{Rate{PerSecond: rate}, d} }

func burstLoad(base, rate float64, every, length time.Duration) Load {
	return Load{Arrivals: ArrivalsBurst, Process: ArrivalsConstant,
		Burst: Burst{Base: Rate{PerSecond: base}, Rate: Rate{PerSecond: rate}, Every: every, For: length}}
}

func poissonly(l Load) Load { l.Process = ArrivalsPoisson; return l }
func warmed(l Load, d time.Duration) Load {
	l.Warmup.Duration = d
	return l
}

// changing lists loads of every shape, at thousands of records a second.
func changing() map[string]Load {
	return map[string]Load{
		"up":       rampLoad(1000, 9000, 4*time.Second),
		"down":     rampLoad(9000, 0.01, 4*time.Second),
		"level":    rampLoad(2000, 2000, 4*time.Second),
		"hours":    rampLoad(0.5, 2, 5*time.Hour+time.Nanosecond),
		"steps":    stepsLoad(false, step(1000, time.Second), step(7000, 1500*time.Millisecond), step(0.3, time.Second), step(3000, time.Second)),
		"cycle":    stepsLoad(true, step(1000, 10*time.Millisecond), step(1e5/7, 15*time.Millisecond)),
		"burst":    burstLoad(500, 9000, time.Second, 100*time.Millisecond),
		"silence":  burstLoad(0, 9000, time.Second, 100*time.Millisecond),
		"flicker":  burstLoad(0.1, 7, time.Millisecond, time.Microsecond),
		"warm":     warmed(rampLoad(1000, 9000, 4*time.Second), 1500*time.Millisecond),
		"warm all": warmed(stepsLoad(true, step(1000, time.Second), step(5000, 3*time.Second)), time.Second/3),
	}
}

func TestCurveAt(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	const never = time.Duration(math.MaxInt64)
	type at map[uint64]time.Duration
	for _, tt := range []struct {
		name string
		load Load
		want at
	}{
		// t + t²/2 records after t s: record k at √(1 + 2k) − 1.
		{"up", rampLoad(1, 3, 2*s), at{0: 0, 1: 732_050_808, 2: 1_236_067_977, 3: 1_645_751_311, 4: 2 * s, 5: 2_333_333_333, 7: 3 * s, 3_000_000_001: 1_000_000_001 * s}},
		// 3t − t²/2: record k at 3 − √(9 − 2k).
		{"down", rampLoad(3, 1, 2*s), at{0: 0, 1: 354_248_689, 2: 763_932_023, 3: 1_267_949_192, 4: 2 * s, 5: 3 * s}},
		{"steps", stepsLoad(false, step(2, s), step(4, s)), at{0: 0, 1: 500 * ms, 2: s, 3: 1250 * ms, 6: 2 * s, 10: 3 * s}},
		{"again", stepsLoad(true, step(2, s), step(4, s)), at{5: 1750 * ms, 6: 2 * s, 7: 2500 * ms, 8: 3 * s, 9: 3250 * ms, 6_000_000: 2_000_000 * s}},
		{"warm-up", warmed(stepsLoad(false, step(2, s), step(4, s)), 3*s), at{6: 3 * s, 8: 4 * s, 9: 4250 * ms}},
		{"burst", burstLoad(1, 10, 5*s, s), at{4: 4 * s, 5: 5 * s, 6: 5100 * ms, 14: 5900 * ms, 15: 6 * s, 16: 7 * s, 19: 10 * s, 20: 10_100 * ms, 14_000_005: 5_000_005 * s}},
		// Record 10 comes after the burst, so it begins the next one.
		{"silence", burstLoad(0, 10, 5*s, s), at{0: 5 * s, 9: 5900 * ms, 10: 10 * s, 29: 15_900 * ms, 30: 20 * s}},
		{"uneven", burstLoad(0, 1, 5*s, 1500*ms), at{0: 5 * s, 1: 6 * s, 2: 10*s + 500*ms, 3: 15 * s}},
		{"saturates", stepsLoad(true, step(1, s)), at{math.MaxInt64: never, math.MaxUint64: never, 9_223_372_036: 9_223_372_036 * s, 9_223_372_037: never}},
		{"bytes", Load{Arrivals: ArrivalsRamp, Process: ArrivalsConstant, Ramp: Ramp{From: Rate{100, true}, To: Rate{300, true}, Over: 2 * s}}, at{2: 1_236_067_977}},
	} {
		sched := mustSchedule(t, tt.load, ScheduleOptions{Shards: 1, RecordBytes: 100})
		for n, want := range tt.want { // in any order
			if got := sched.At(n); got != want {
				t.Errorf("%s: At(%d) = %d, want %d", tt.name, n, got, want)
			}
		}
	}
}

// TestRampExact solves the quadratic with 300 bits.
func TestRampExact(t *testing.T) {
	r := newRNG(3, 0, 0)
	num := func(f float64) *big.Float { return new(big.Float).SetPrec(300).SetRat(decimal(f)) }
	for _, l := range []Load{rampLoad(1000, 50_000, 30*time.Second), rampLoad(50_000, 1000, 30*time.Second), rampLoad(1e9, 1.0/3600, time.Hour),
		rampLoad(1.0/3600, 1e9, 59*time.Minute), rampLoad(0.3, 1e6/7, 720*time.Hour), rampLoad(1e6/7, 0.3, 100*time.Hour), rampLoad(1e6, 1e6+0.001, time.Hour)} {
		s := mustSchedule(t, l, ScheduleOptions{Shards: 1})
		from, over := num(l.Ramp.From.PerSecond), num(l.Ramp.Over.Seconds())
		slope := new(big.Float).Sub(num(l.Ramp.To.PerSecond), from)
		slope.Quo(slope, over)
		total := (l.Ramp.From.PerSecond + l.Ramp.To.PerSecond) / 2 * l.Ramp.Over.Seconds()
		for range 500 {
			k := uint64(total * math.Pow(r.unit(), 9) * 0.999)
			if r.below(2) == 0 { // near the end
				k = uint64(total) - 1 - k
			}
			// (−from + √(from² + 2·slope·k))·10⁹/slope
			root := new(big.Float).Mul(from, from)
			root.Add(root, new(big.Float).Mul(new(big.Float).Mul(num(2), slope), new(big.Float).SetPrec(300).SetUint64(k)))
			want := root.Sqrt(root).Sub(root, from)
			want.Quo(want.Mul(want, num(1e9)), slope)
			diff, _ := want.Sub(want, num(float64(s.At(k)))).Float64()
			if math.Abs(diff) > 0.51 {
				t.Fatalf("%v: At(%d) = %d, %v ns off", l.Ramp, k, s.At(k), diff)
			}
		}
	}
}

// TestCurveShards checks that the shards together are the whole.
func TestCurveShards(t *testing.T) {
	for name, load := range changing() {
		whole := mustSchedule(t, load, ScheduleOptions{Shards: 1})
		for _, shards := range []int{2, 7} {
			for shard := range shards {
				part := mustSchedule(t, load, ScheduleOptions{Shard: shard, Shards: shards})
				for n := range uint64(2000) {
					if got, want := part.At(n), whole.At(n*uint64(shards)+uint64(shard)); got != want {
						t.Fatalf("%s, shard %d of %d: At(%d) = %d, want %d", name, shard, shards, n, got, want)
					}
				}
			}
		}
	}
}

// TestCurveAtIsPure checks that the order of calls doesn't matter, that times never decrease, and that jumps over many
// cycles lead where single steps do.
func TestCurveAtIsPure(t *testing.T) {
	r := newRNG(1, 0, 0)
	for name, load := range changing() {
		for _, load := range []Load{load, poissonly(load)} {
			opts := ScheduleOptions{Seed: 8, Shard: 1, Shards: 3}
			want := collect(mustSchedule(t, load, opts), 20_000)
			if !slices.IsSorted(want) {
				t.Errorf("%s %s: times decrease", name, load.Process)
			}
			s := mustSchedule(t, load, opts)
			for range 200 {
				n := r.below(len(want))
				if got := s.At(uint64(n)); got != want[n] {
					t.Fatalf("%s %s: At(%d) = %d, want %d", name, load.Process, n, got, want[n])
				}
			}
		}
	}
}

// TestCurveCounts holds what is due against the integral of the rate, in every tenth of the first seconds.
func TestCurveCounts(t *testing.T) {
	for name, load := range changing() {
		if name == "hours" || name == "flicker" {
			continue // few records
		}
		due := load.due(0)
		for _, process := range processes() {
			load.Process = process
			var all []time.Duration
			for shard := range 3 {
				s := mustSchedule(t, load, ScheduleOptions{Seed: 3, Shard: shard, Shards: 3})
				for n := uint64(0); s.At(n) < 6*time.Second && n < 50_000; n++ {
					all = append(all, s.At(n))
				}
			}
			slices.Sort(all)
			chi, bins := 0.0, 0
			for i := range 60 {
				from, to := time.Duration(i)*100*time.Millisecond, time.Duration(i+1)*100*time.Millisecond
				a, _ := slices.BinarySearch(all, from)
				b, _ := slices.BinarySearch(all, to)
				got, want := float64(b-a), due(to)-due(from)
				if process == ArrivalsConstant && math.Abs(got-want) >= 1.001 {
					t.Errorf("%s: %v records from %v to %v, want %v", name, got, from, to, want)
				}
				if want >= 20 {
					chi += (got - want) * (got - want) / want
					bins++
				}
			}
			// χ² of that many bins has a standard deviation of √(2·bins); the seed is fixed.
			if process == ArrivalsPoisson && math.Abs(chi-float64(bins)) > 4*math.Sqrt(2*float64(bins)) {
				t.Errorf("%s: χ² = %.1f with %d bins", name, chi, bins)
			}
		}
	}
}

// TestCurvePoissonIsPoisson carries the points back to the axis of the integral, where their gaps have to be exponential,
// of each shard and of all together.
func TestCurvePoissonIsPoisson(t *testing.T) {
	for name, load := range changing() {
		if name == "flicker" || name == "silence" || name == "hours" {
			continue // the ns of short bursts or long gaps are too coarse to carry them back
		}
		due := load.due(0)
		const shards = 3
		var all []float64
		end := math.Inf(1)
		for shard := range shards {
			s := mustSchedule(t, poissonly(load), ScheduleOptions{Seed: 5, Shard: shard, Shards: shards})
			var x, gaps []float64
			for n := range uint64(20_000) {
				x = append(x, due(s.At(n)))
				if n > 0 {
					gaps = append(gaps, (x[n]-x[n-1])/shards)
				}
			}
			slices.Sort(gaps)
			if a := andersonDarling(gaps); !(a < 3.857) {
				t.Errorf("%s, shard %d: A² = %.3f, want below 3.857", name, shard, a)
			}
			all, end = append(all, x...), min(end, x[len(x)-1])
		}
		slices.Sort(all)
		var gaps []float64
		for i := 1; i < len(all) && all[i] <= end; i++ {
			gaps = append(gaps, all[i]-all[i-1])
		}
		slices.Sort(gaps)
		if a := andersonDarling(gaps); !(a < 3.857) {
			t.Errorf("%s, all shards: A² = %.3f, want below 3.857", name, a)
		}
		for i := range gaps { // and the test can fail
			gaps[i] *= 1.03
		}
		if a := andersonDarling(gaps); a < 3.857 {
			t.Errorf("%s: A² = %.3f of a rate that is 3 %% off isn't refused", name, a)
		}
	}
}

// TestCurveLevelIsPoisson: at a level rate the points are those of the plain Poisson schedule, but for rounding.
func TestCurveLevelIsPoisson(t *testing.T) {
	opts := ScheduleOptions{Seed: 8, Shard: 1, Shards: 2}
	plain, level := poisson(t, 2000, opts), mustSchedule(t, poissonly(rampLoad(2000, 2000, time.Minute)), opts)
	for n := range uint64(100_000) {
		if got, want := level.At(n), plain.At(n); got < want || got > want+1 {
			t.Fatalf("At(%d) = %d, want %d or 1 more", n, got, want)
		}
	}
}

// TestCurveGolden pins the schedules of one seed: results name seeds, so they must not change between versions.
func TestCurveGolden(t *testing.T) {
	got := ""
	for _, name := range []string{"up", "down", "cycle", "burst"} {
		s := mustSchedule(t, poissonly(changing()[name]), ScheduleOptions{Seed: 42, Shards: 1})
		got += fmt.Sprintln(name, int64(s.At(0)), int64(s.At(1)), int64(s.At(9999)))
	}
	const want = "up 1594724 1820805 2701760890\n" +
		"down 177478 202685 1333545104\n" +
		"cycle 1597267 1824120 1118589096\n" +
		"burst 3194534 3648240 8005696978\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

func TestCurveErrors(t *testing.T) {
	odd := poissonly(rampLoad(1, 2, time.Second))
	odd.Process = "gauss"
	for _, tt := range []struct {
		load Load
		want string
	}{
		{rampLoad(0, 5, time.Second), "load.ramp.from: 0 per second isn't a rate"},
		{rampLoad(5, math.NaN(), time.Second), "load.ramp.to: NaN per second isn't a rate"},
		{rampLoad(5, 6, -1), "load.ramp.over: -1ns isn't a length"},
		{stepsLoad(false), "load.steps: there is none"},
		{stepsLoad(false, step(1, time.Second), step(0, time.Second)), "load.steps.1.rate: 0 per second"},
		{burstLoad(-1, 5, 2*time.Second, time.Second), "load.burst.base: -1 per second"},
		{burstLoad(0, 5, time.Second, time.Second), "load.burst: 1s of every 1s"},
		{burstLoad(0, 5, time.Second, 0), "load.burst: 0s of every 1s"},
		{odd, `load.process: "gauss" isn't one of constant, poisson`},
		{Load{Arrivals: ArrivalsTrace}, "load.trace: no trace was read"},
		{Load{Arrivals: ArrivalsRamp, Process: ArrivalsConstant, Ramp: Ramp{From: Rate{1 << 40, true}, To: Rate{1 << 40, true}, Over: 1}}, "more than 1000000000 records of 1 bytes"},
	} {
		if _, err := NewSchedule(tt.load, ScheduleOptions{Shards: 1, RecordBytes: 1}); !strings.Contains(errorText(err), tt.want) {
			t.Errorf("%+v: error %v, want one with %q", tt.load, err, tt.want)
		}
	}
}
