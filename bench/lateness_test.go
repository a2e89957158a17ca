package bench

import (
	"math"
	"testing"
)

// TestLateStops counts stops, not records: what is handed over late together belongs together.
func TestLateStops(t *testing.T) {
	tests := []struct {
		name   string
		bursts [][2]uint64 // late records, and when in ms
		stops  uint64
		square float64
	}{
		{"none", [][2]uint64{{0, 1}, {0, 2}}, 0, 0},
		{"one burst", [][2]uint64{{3, 1}, {0, 2}}, 1, 9},
		{"several bursts of one stop", [][2]uint64{{3, 1}, {2, 1}, {0, 2}}, 1, 25},
		{"two stops", [][2]uint64{{3, 1}, {0, 2}, {4, 3}}, 2, 25},
		{"late for ever", [][2]uint64{{1, 0}, {1, 99}, {1, 100}, {1, 250}}, 3, 4 + 1 + 1},
	}
	for _, test := range tests {
		w := &worker{}
		for _, b := range test.bursts {
			w.stops.note(b[0], int64(b[1])*1e6)
		}
		records, stops := margin([]*worker{w})
		if want := lateConfidence * math.Sqrt(test.square); stops != test.stops || math.Abs(records-want) > 1e-9 {
			t.Errorf("%s: %d stops, margin %v; want %d, %v", test.name, stops, records, test.stops, want)
		}
	}
}

// TestMarginOfSenders: senders that stop together are one event each time, however many they are.
func TestMarginOfSenders(t *testing.T) {
	var senders []*worker
	for range 4 {
		w := &worker{}
		for at := range int64(10) {
			w.stops.note(5, at*2e6)
			w.stops.note(0, at*2e6+1e6)
		}
		senders = append(senders, w)
	}
	one, _ := margin(senders[:1])
	if all, stops := margin(senders); math.Abs(all-4*one) > 1e-9 || stops != 40 {
		t.Errorf("4 senders: margin %v of %d stops, one: %v", all, stops, one)
	}
}
