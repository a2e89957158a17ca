package workload

import (
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

func mustSchedule(t testing.TB, load Load, opts ScheduleOptions) Schedule {
	t.Helper()
	s, err := NewSchedule(load, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func constantLoad(perSecond float64) Load {
	return Load{Arrivals: ArrivalsConstant, Rate: Rate{PerSecond: perSecond}}
}

func TestConstantAt(t *testing.T) {
	const never = time.Duration(math.MaxInt64)
	tests := []struct {
		rate          float64
		shard, shards int
		n             uint64
		want          time.Duration
	}{
		{1, 0, 1, 0, 0},
		{1, 0, 1, 7, 7 * time.Second},
		{3, 0, 1, 1, 333_333_333},
		{3, 0, 1, 2, 666_666_667},
		{3, 0, 1, 3, time.Second},
		{0.3, 0, 1, 1, 3_333_333_333},
		{0.3, 0, 1, 3, 10 * time.Second},
		{0.1, 0, 1, 1, 10 * time.Second},
		{1.5e6, 0, 1, 1, 667},
		{1.5e6, 0, 1, 2, 1333},
		{1.5e6, 0, 1, 3, 2000},
		{1e9, 0, 1, 5, 5},
		{4e9, 0, 1, 4, 1}, // several a nanosecond
		{1000, 0, 4, 0, 0},
		{1000, 1, 4, 0, time.Millisecond},
		{1000, 3, 4, 2, 11 * time.Millisecond},
		{1.5e6, 2, 3, 333_333_333, 666_666_667_333}, // k = 1,000,000,001
		// No drift: after 10⁹ and 10¹³ records, to the nanosecond.
		{1.5e6, 0, 1, 1_000_000_000, 666_666_666_667},
		{1.5e6, 0, 1, 1_500_000_000, 1000 * time.Second},
		{1.5e6, 0, 1, 10_000_000_000_000, 6_666_666_666_666_667},
		{3e5, 0, 1, 3_000_000_000_000, 10_000_000 * time.Second},
		{1.7e7, 0, 1, 1_700_000_000_000, 100_000 * time.Second},
		// Beyond a Duration.
		{0.3, 0, 1, 10_000_000_000_000, never},
		{1, 0, 1, math.MaxUint64, never},
		{1e9, 0, 1, math.MaxInt64, never},
		{1e9, 0, 1, math.MaxInt64 + 1, never},
		{1e-300, 0, 1, 0, 0},
		{1e-300, 0, 1, 1, never},
		{1, 1, 2, math.MaxUint64, never},
	}
	for _, tt := range tests {
		s := mustSchedule(t, constantLoad(tt.rate), ScheduleOptions{Shard: tt.shard, Shards: tt.shards})
		if got := s.At(tt.n); got != tt.want {
			t.Errorf("%v/s, shard %d of %d: At(%d) = %d, want %d", tt.rate, tt.shard, tt.shards, tt.n, got, tt.want)
		}
	}
}

// TestConstantExact compares with rational arithmetic: ⌊k·10⁹/rate + ½⌋, for rates that have no short form either.
func TestConstantExact(t *testing.T) {
	r := newRNG(3, 0, 0)
	for _, rate := range []float64{0.3, 7, 49_999.999, 1e6 / 7, math.Pi * 1e5, 1.5e6, 2_999_999.7} {
		s := mustSchedule(t, constantLoad(rate), ScheduleOptions{Shards: 1})
		for range 2000 {
			k := r.next() >> (24 + r.next()%40)
			exact := new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).SetUint64(k), big.NewInt(1e9)), big.NewInt(1))
			exact.Quo(exact, decimal(rate))
			exact.Add(exact, big.NewRat(1, 2))
			want := new(big.Int).Quo(exact.Num(), exact.Denom())
			if !want.IsInt64() {
				want.SetInt64(math.MaxInt64)
			}
			if got := s.At(k); got != time.Duration(want.Int64()) {
				t.Fatalf("%v/s: At(%d) = %d, want %s", rate, k, got, want)
			}
		}
	}
}

// TestConstantShards checks that the shards together are the whole.
func TestConstantShards(t *testing.T) {
	whole := mustSchedule(t, constantLoad(12345.6), ScheduleOptions{Shards: 1})
	for _, shards := range []int{2, 3, 7} {
		for shard := range shards {
			part := mustSchedule(t, constantLoad(12345.6), ScheduleOptions{Shard: shard, Shards: shards})
			for n := range uint64(1000) {
				if got, want := part.At(n), whole.At(n*uint64(shards)+uint64(shard)); got != want {
					t.Fatalf("shard %d of %d: At(%d) = %d, want %d", shard, shards, n, got, want)
				}
			}
		}
	}
}

func TestByteRates(t *testing.T) {
	load := Load{Arrivals: ArrivalsConstant, Rate: Rate{PerSecond: 20 << 20, Bytes: true}}
	s := mustSchedule(t, load, ScheduleOptions{Shards: 1, RecordBytes: 1024})
	if got, want := s.At(20*1024), time.Second; got != want {
		t.Errorf("20 MiB/s of 1 KiB: record 20,480 at %v, want %v", got, want)
	}
	load.Arrivals = ArrivalsPoisson
	p := mustSchedule(t, load, ScheduleOptions{Shards: 2, RecordBytes: 1024}).(*Poisson)
	if got, want := p.mean, 2e9/20480; got != want {
		t.Errorf("poisson: mean gap of one of two shards %v, want %v", got, want)
	}
}

func TestMeanGap(t *testing.T) {
	for _, arrivals := range []string{ArrivalsConstant, ArrivalsPoisson} {
		load := Load{Arrivals: arrivals, Rate: Rate{PerSecond: 3000}}
		s := mustSchedule(t, load, ScheduleOptions{Shards: 4}).(interface{ MeanGap() time.Duration })
		if got, want := s.MeanGap(), time.Duration(1_333_333); got != want {
			t.Errorf("%s: %v, want %v", arrivals, got, want)
		}
	}
	slow := mustSchedule(t, constantLoad(1e-300), ScheduleOptions{Shards: 1}).(*Constant)
	if got, want := slow.MeanGap(), time.Duration(math.MaxInt64); got != want {
		t.Errorf("hardly ever: %v, want %v", got, want)
	}
}

func TestNoSchedule(t *testing.T) {
	for _, arrivals := range []string{ArrivalsClosed, ArrivalsMax} {
		s, err := NewSchedule(Load{Arrivals: arrivals}, ScheduleOptions{Shards: 1})
		if s != nil || err != nil {
			t.Errorf("%s: %v, %v, want no schedule", arrivals, s, err)
		}
	}
}

func TestScheduleErrors(t *testing.T) {
	tests := []struct {
		load Load
		opts ScheduleOptions
		want string
	}{
		{constantLoad(0), ScheduleOptions{Shards: 1}, "load.rate: 0 per second"},
		{constantLoad(-1), ScheduleOptions{Shards: 1}, "load.rate: -1 per second"},
		{constantLoad(math.NaN()), ScheduleOptions{Shards: 1}, "load.rate: NaN per second"},
		{constantLoad(math.Inf(1)), ScheduleOptions{Shards: 1}, "load.rate: +Inf per second"},
		{Load{Arrivals: ArrivalsPoisson}, ScheduleOptions{Shards: 1}, "load.rate: 0 per second"},
		{Load{Arrivals: "poison", Rate: Rate{PerSecond: 1}}, ScheduleOptions{Shards: 1}, `"poison" isn't one of constant, poisson`},
		{constantLoad(1), ScheduleOptions{}, "shard 0 of 0"},
		{constantLoad(1), ScheduleOptions{Shard: 2, Shards: 2}, "shard 2 of 2"},
		{constantLoad(1), ScheduleOptions{Shard: -1, Shards: 2}, "shard -1 of 2"},
		{Load{Arrivals: ArrivalsConstant, Rate: Rate{PerSecond: 1, Bytes: true}}, ScheduleOptions{Shards: 1}, "load.rate: 1 bytes per second need records"},
	}
	for _, tt := range tests {
		_, err := NewSchedule(tt.load, tt.opts)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v %+v: error %v, want one with %q", tt.load, tt.opts, err, tt.want)
		}
	}
}

func BenchmarkAt(b *testing.B) {
	loads := map[string]Load{"trace": replayLoad(&Trace{times: make([]int64, 1<<20)}, 1), "trace ×2": forever(replayLoad(&Trace{times: make([]int64, 1<<20)}, 2))}
	for _, arrivals := range []string{ArrivalsConstant, ArrivalsPoisson} {
		loads[arrivals] = Load{Arrivals: arrivals, Rate: Rate{PerSecond: 1e5}}
	}
	for _, process := range processes() {
		for name, load := range map[string]Load{"up": rampLoad(1e4, 1e6, time.Hour), "down": rampLoad(1e6, 1e4, time.Hour),
			"steps": stepsLoad(true, step(1e5, time.Second), step(1e6, time.Second)), "burst": burstLoad(1e4, 1e6, time.Second, 100*time.Millisecond)} {
			load.Process = process
			loads[name+" "+process] = load
		}
	}
	for _, name := range slices.Sorted(maps.Keys(loads)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			s := mustSchedule(b, loads[name], ScheduleOptions{Shard: 1, Shards: 2})
			n, last := uint64(0), time.Duration(0)
			for b.Loop() {
				last = s.At(n)
				n++
			}
			if last < 0 {
				b.Fatal(last)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/record")
		})
	}
}
