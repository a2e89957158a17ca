package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kbench/metrics/stat"
)

func TestOrder(t *testing.T) {
	halves := order(3, 4, rand.New(rand.NewPCG(1, 2)))
	if len(halves) != 8 {
		t.Fatalf("%d halves of 4 rounds, want 8", len(halves))
	}
	different := false
	for i := 0; i < len(halves); i += 2 {
		there, back := halves[i], slices.Clone(halves[i+1])
		slices.Reverse(back)
		if !slices.Equal(there, back) {
			t.Errorf("round %d: %v isn't the reverse of %v", i/2, halves[i+1], there)
		}
		different = different || !slices.Equal(there, halves[0])
		slices.Sort(back)
		if !slices.Equal(back, []int{0, 1, 2}) {
			t.Errorf("round %d: %v doesn't have every contender once", i/2, there)
		}
	}
	if !different {
		t.Error("every round has the same order")
	}
}

// pairs makes measurements of a and b in halves of rounds.
func pairs(metric string, values ...[2]float64) (ms []measurement) {
	for i, v := range values {
		ms = append(ms, measurement{Half: i, Contender: "a", Values: map[string]float64{metric: v[0]}},
			measurement{Half: i, Contender: "b", Values: map[string]float64{metric: v[1]}})
	}
	return ms
}

func TestJudge(t *testing.T) {
	// Both drift by a factor of 8, and their ratio stays at 3 within 10 %.
	steady := pairs("m", [2]float64{300, 100}, [2]float64{660, 200}, [2]float64{1080, 400}, [2]float64{2400, 800}, [2]float64{1220, 400}, [2]float64{590, 200})
	const low, high = 2.7, 3.3
	tests := []struct {
		name    string
		check   check
		ms      []measurement
		value   float64
		n       int
		reached string
	}{
		{"at least, reached", atLeast("", "", "m", "a", "b", 2.5), steady, 3, 6, "yes"},
		{"at least, missed", atLeast("", "", "m", "a", "b", 3.5), steady, 3, 6, "no"},
		{"at least, perhaps", atLeast("", "", "m", "a", "b", 2.9), steady, 3, 6, "yes?"},
		{"at least, perhaps not", atLeast("", "", "m", "a", "b", 3.1), steady, 3, 6, "no?"},
		{"at most, reached", atMost("", "", "m", "a", "b", 3.5), steady, 3, 6, "yes"},
		{"at most, missed", atMost("", "", "m", "a", "b", 2.5), steady, 3, 6, "no"},
		{"nothing asked", atLeast("", "", "m", "a", "b", 0), steady, 3, 6, ""},
		{"one alone", atMost("", "", "m", "b", "", 1000), pairs("m", [2]float64{1, 200}, [2]float64{1, 200}, [2]float64{1, 200}, [2]float64{1, 200}, [2]float64{1, 200}, [2]float64{1, 200}), 200, 6, "yes"},
		{"one alone, zeros", atMost("", "", "m", "a", "", 0.5), pairs("m", [2]float64{0, 1}, [2]float64{0, 1}), 0, 2, "yes?"},
		{"a half without its other", atLeast("", "", "m", "a", "b", 2.5), steady[:11], 3, 5, "yes?"},
		{"another metric", atLeast("", "", "x", "a", "b", 2.5), steady, math.NaN(), 0, ""},
	}
	for _, tt := range tests {
		v := judge(tt.check, tt.ms)
		if math.IsNaN(tt.value) != math.IsNaN(v.estimate.Value) || math.Abs(v.estimate.Value-tt.value) > 0.05*tt.value {
			t.Errorf("%s: estimate %v, want %v", tt.name, v.estimate.Value, tt.value)
		}
		if len(v.pairs) != tt.n || v.reached != tt.reached || v.ran != (tt.n > 0) {
			t.Errorf("%s: n %d, reached %q, ran %v; want %d, %q", tt.name, len(v.pairs), v.reached, v.ran, tt.n, tt.reached)
		}
		if tt.n == 6 && tt.value == 3 && (v.estimate.Interval.Low < low || v.estimate.Interval.High > high || v.estimate.Confidence < level) {
			t.Errorf("%s: interval %v at %v, want within %v to %v", tt.name, v.estimate.Interval, v.estimate.Confidence, low, high)
		}
	}
}

func TestIntervalText(t *testing.T) {
	for _, tt := range []struct {
		i    stat.Interval
		want string
	}{
		{stat.Interval{Low: 1.234, High: 12.34}, "1.23 – 12.3"},
		{stat.Interval{Low: math.Inf(-1), High: math.Inf(1)}, tooFew},
		{stat.Interval{Low: 0, High: math.Inf(1)}, tooFew}, // of a ratio
		{stat.Interval{Low: math.NaN(), High: math.NaN()}, tooFew},
	} {
		if got := interval(tt.i); got != tt.want {
			t.Errorf("interval(%v) = %q, want %q", tt.i, got, tt.want)
		}
	}
}
