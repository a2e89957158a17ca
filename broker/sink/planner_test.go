package sink_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kbench/broker/sink"
)

// TestDepartures computes departures from arrivals, without a clock. Times in µs.
func TestDepartures(t *testing.T) {
	type request struct {
		at      int64
		records int
	}
	each := func(records int, at ...int64) (requests []request) {
		for _, a := range at {
			requests = append(requests, request{a, records})
		}
		return requests
	}
	tests := []struct {
		name     string
		texts    []string
		requests []request
		want     []int64
	}{
		{"none", []string{"none"}, each(1, 0, 10, 20), []int64{0, 10, 20}},
		{"constant", []string{"constant:5us"}, each(7, 0, 1, 20), []int64{5, 6, 25}},
		{"one server", []string{"md1:10us"}, each(3, 0, 1, 2, 50, 51), []int64{10, 20, 30, 60, 70}},
		{"one server, per record", []string{"md1:10us,per=record"}, []request{{0, 1}, {1, 2}, {2, 3}, {100, 1}, {200, 0}}, []int64{10, 30, 60, 110, 200}},
		{"two servers", []string{"mgk:servers=2,service=constant,time=10us"}, each(1, 0, 1, 2, 3, 50), []int64{10, 11, 20, 21, 60}},
		{"cap", []string{"cap:100000/s"}, []request{{0, 5}, {0, 1}, {10, 1}, {100, 2}}, []int64{50, 60, 70, 120}},
		{"cap, then latency", []string{"constant:3us", "cap:100000/s"}, []request{{0, 5}, {0, 1}, {100, 2}}, []int64{53, 63, 123}},
		{"cap, then queue", []string{"cap:100000/s", "md1:25us"}, each(1, 0, 0, 0, 100), []int64{35, 60, 85, 135}},
		{"stall of delays", []string{"constant:5us", "stall:at=10us,for=20us"}, each(1, 0, 4, 5, 6, 20, 25, 26, 40), []int64{5, 9, 30, 30, 30, 30, 31, 45}},
		{"stall of nothing else", []string{"stall:at=10us,for=20us"}, each(1, 0, 9, 10, 29, 30), []int64{0, 9, 30, 30, 30}},
		{"stall of a server", []string{"md1:10us", "stall:at=15us,for=20us"}, each(1, 0, 1, 2, 3, 100), []int64{10, 40, 50, 60, 110}},
		{"stall of an idle server", []string{"md1:10us", "stall:at=15us,for=20us"}, each(1, 0, 20), []int64{10, 45}},
		{"stall of the cap", []string{"cap:100000/s", "stall:at=15us,for=20us"}, each(1, 0, 1, 2, 3), []int64{10, 40, 50, 60}},
		{"stalls again and again", []string{"md1:10us", "stall:at=5us,for=5us,every=10us"}, each(1, 0, 0, 0), []int64{20, 40, 60}},
		{"two kinds of stalls", []string{"md1:10us", "stall:at=5us,for=5us,every=10us", "stall:at=8us,for=20us"}, each(1, 0, 0), []int64{40, 60}},
		{"many periods, then another stall", []string{"md1:1ms", "stall:at=5us,for=5us,every=10us", "stall:at=1ms,for=3us", "stall:at=1999us,for=2us"},
			each(1, 0), []int64{2004}},
		{"overlapping stalls", []string{"stall:at=10us,for=10us", "stall:at=15us,for=10us"}, each(1, 0, 12, 16, 30), []int64{0, 25, 25, 30}},
		{"drift", []string{"drift:from=10us,to=20us,over=100us"}, each(1, 0, 50, 100, 200), []int64{10, 65, 120, 220}},
		{"drift besides", []string{"constant:1us", "drift:from=10us,to=0s,over=100us"}, each(1, 0, 50, 100), []int64{11, 56, 101}},
		{"a fault holds nothing", []string{"error:6", "throttle:1s"}, each(1, 0, 5), []int64{0, 5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const origin = 1_000_000_000_123 // nothing counts from 0
			depart := hold(t, tt.texts...).Departures(1)
			var got []int64
			for _, r := range tt.requests {
				got = append(got, depart(origin+r.at*1000, r.records)-origin)
			}
			want := make([]int64, len(tt.want))
			for i, w := range tt.want {
				want[i] = w * 1000
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("departures in ns (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCapKeepsItsRate lets fractions of nanoseconds add up: a million records at three a µs.
func TestCapKeepsItsRate(t *testing.T) {
	depart := hold(t, "cap:3000000/s").Departures(1)
	last := int64(0)
	for range 1_000_000 {
		last = depart(0, 1)
	}
	if want := int64(333_333_333); last < want-1 || last > want+1 {
		t.Errorf("a million records take %d ns, want %d", last, want)
	}
}

// TestDeparturesStayWithinBounds sends what no client does.
func TestDeparturesStayWithinBounds(t *testing.T) {
	for _, text := range []string{"md1:1h,per=record", "mm1:1h,per=record", "cap:0.000001/s", "md1:1h,per=record + stall:at=1ns,for=1ns,every=2ns",
		"md1:1h + stall:at=1ns,for=1ns,every=2ns + stall:at=59m,for=1ns + stall:at=60m,for=1h",
		"cap:0.001/s + md1:1h + drift:from=1h,to=1h,over=1h"} {
		depart, last := hold(t, text).Departures(1), int64(0)
		for i := range int64(20) {
			at := depart(i, math.MaxInt32)
			if at < last || at > 367*24*3600*1e9 {
				t.Fatalf("%s: departure %d after %d", text, at, last)
			}
			last = at
		}
	}
}

// TestDrawsFollowTheirDistributions holds the quantiles of many draws against the distribution functions.
func TestDrawsFollowTheirDistributions(t *testing.T) {
	const n, ms = 200_000, 1e6
	normal := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	tests := []struct {
		text string
		mean float64                  // ms
		cdf  func(ms float64) float64 // probability of at most so much
	}{
		{"uniform:from=1ms,to=3ms", 2, func(x float64) float64 { return (x - 1) / 2 }},
		{"normal:mean=5ms,sd=1ms", 5, func(x float64) float64 { return normal(x - 5) }},
		{"normal:mean=0s,sd=1ms", math.Sqrt(2 / math.Pi), func(x float64) float64 { return 2*normal(x) - 1 }}, // half-normal
		{"lognormal:median=2ms,sigma=0.5", 2 * math.Exp(0.125), func(x float64) float64 { return normal(math.Log(x/2) / 0.5) }},
		{"exponential:mean=5ms", 5, func(x float64) float64 { return 1 - math.Exp(-x/5) }},
		{"mm1:mean=5ms", 5, func(x float64) float64 { return 1 - math.Exp(-x/5) }},
		{"mgk:servers=3,service=uniform,from=1ms,to=3ms", 2, func(x float64) float64 { return (x - 1) / 2 }},
	}
	for _, tt := range tests {
		draws := hold(t, tt.text).Draws(42)
		all, sum, sum2 := make([]float64, n), 0.0, 0.0
		for i := range all {
			x := float64(draws()) / ms
			all[i], sum, sum2 = x, sum+x, sum2+x*x
		}
		mean := sum / n
		if sd := math.Sqrt((sum2/n - mean*mean) / n); math.Abs(mean-tt.mean) > 4*sd {
			t.Errorf("%s: mean %v ms, want %v ± %v", tt.text, mean, tt.mean, 4*sd)
		}
		slices.Sort(all)
		for _, q := range []float64{0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999} {
			got, bound := tt.cdf(all[int(q*n)]), 4*math.Sqrt(q*(1-q)/n)
			if math.Abs(got-q) > bound {
				t.Errorf("%s: %v of the distribution lies below its draws' quantile %v; allowed is ± %v", tt.text, got, q, bound)
			}
		}
		if rho, _ := hold(t, tt.text).Utilisation(100); rho != 0 && math.Abs(rho*10/tt.mean*hold3(tt.text)-1) > 1e-12 {
			t.Errorf("%s: ρ %v", tt.text, rho)
		}
	}
}

// hold3 is how many servers a text of the test above has.
func hold3(text string) float64 {
	if text[:3] == "mgk" {
		return 3
	}
	return 1
}

func TestBimodalDraws(t *testing.T) {
	draws, slow := hold(t, "bimodal:fast=1ms,slow=20ms,slow-share=0.05").Draws(9), 0
	for range 100_000 {
		switch d := draws(); d {
		case 20 * time.Millisecond:
			slow++
		case time.Millisecond:
		default:
			t.Fatalf("drew %v", d)
		}
	}
	if slow < 5000-276 || slow > 5000+276 { // 4 standard deviations
		t.Errorf("%d of 100,000 are slow, want 5,000", slow)
	}
}

// TestDrawsAreReproducible also keeps them the same from version to version: logs are held against them.
func TestDrawsAreReproducible(t *testing.T) {
	h := hold(t, "lognormal:median=2ms,sigma=0.5")
	a, b, c := h.Draws(1), h.Draws(1), h.Draws(2)
	differ := 0
	for range 1000 {
		x := a()
		if x != b() {
			t.Fatal("the same seed draws differently")
		}
		if x != c() {
			differ++
		}
	}
	if differ < 990 {
		t.Errorf("another seed draws only %d of 1,000 differently", differ)
	}
	first := h.Draws(1)
	got := []time.Duration{first(), first(), first()}
	if diff := cmp.Diff(firstDraws, got); diff != "" {
		t.Errorf("first draws of seed 1 (-want +got):\n%s", diff)
	}
	for _, none := range []*sink.Hold{nil, hold(t), hold(t, "cap:1/s")} {
		if d := none.Draws(1)(); d != 0 {
			t.Errorf("%s draws %v", none, d)
		}
	}
}

var firstDraws = []time.Duration{8008025, 1061217, 3461363}

func TestUtilisation(t *testing.T) {
	tests := []struct {
		texts []string
		rate  float64
		rho   float64
		ok    bool
	}{
		{nil, 1000, 0, true},
		{[]string{"constant:1h"}, 1000, 0, true},
		{[]string{"mm1:1ms,per=record"}, 500, 0.5, true},
		{[]string{"mm1:1ms"}, 500, 0.5, false},
		{[]string{"mm1:1ms"}, 2000, 2, false},
		{[]string{"mgk:servers=4,service=constant,time=2ms,per=record"}, 1000, 0.5, true},
		{[]string{"cap:2000/s"}, 1000, 0.5, true},
		{[]string{"cap:2000/s", "mm1:100us,per=record"}, 1000, 0.5, true},
		{[]string{"cap:2000/s", "mm1:1ms,per=record"}, 800, 0.8, true},
		{[]string{"cap:2000/s", "mm1:1ms"}, 800, 0.8, false},
		{[]string{"cap:500/s", "mm1:1ms"}, 800, 1.6, true}, // the cap is exceeded whatever batches do
		{[]string{"cap:2000/s", "stall:at=0s,for=1s,every=4s"}, 1200, 0.8, true},
		{[]string{"cap:2000/s", "stall:at=0s,for=1s"}, 1200, 0.6, true},
	}
	for _, tt := range tests {
		rho, ok := hold(t, tt.texts...).Utilisation(tt.rate)
		if math.Abs(rho-tt.rho) > 1e-12 || ok != tt.ok {
			t.Errorf("%v at %v/s: %v, %v; want %v, %v", tt.texts, tt.rate, rho, ok, tt.rho, tt.ok)
		}
	}
	if rho, ok := (*sink.Hold)(nil).Utilisation(1); rho != 0 || !ok {
		t.Errorf("a nil hold: %v, %v", rho, ok)
	}
}

// TestQueueTheory compares long queues with their formulas: the mean response of M/M/1 is s/(1−ρ), of M/D/1
// s·(1 + ρ/(2(1−ρ))); of M/M/1 the quantile q is −ln(1−q)·s/(1−ρ). The bounds come from batches, because successive
// responses are correlated.
func TestQueueTheory(t *testing.T) {
	for _, rho := range []float64{0.5, 0.8} {
		const batches, n, s = 40, 50_000, 1e6 // s in ns
		p90 := -math.Log(1-0.9) * s / (1 - rho)
		arrivals := hold(t, "exponential:1ms").Draws(77)
		mm1, md1 := hold(t, "mm1:1ms").Departures(5), hold(t, "md1:1ms").Departures(5)
		at := 0.0
		var means, constants, above [batches]float64
		for b := range batches {
			for range n {
				at += float64(arrivals()) / rho
				response := float64(mm1(int64(at), 1) - int64(at))
				means[b] += response / n
				constants[b] += float64(md1(int64(at), 1)-int64(at)) / n
				if response > p90 {
					above[b] += 1.0 / n
				}
			}
		}
		for _, c := range []struct {
			name string
			got  [batches]float64
			want float64
		}{
			{"M/M/1 mean", means, s / (1 - rho)},
			{"M/D/1 mean", constants, s * (1 + rho/(2*(1-rho)))},
			{"M/M/1 share above p90", above, 0.1},
		} {
			sum, sum2 := 0.0, 0.0
			for _, x := range c.got {
				sum, sum2 = sum+x, sum2+x*x
			}
			mean := sum / batches
			if bound := 4 * math.Sqrt((sum2/batches-mean*mean)/batches); math.Abs(mean-c.want) > bound || bound > c.want/10 {
				t.Errorf("ρ %v: %s %v, want %v ± %v", rho, c.name, mean, c.want, bound)
			}
		}
	}
}
