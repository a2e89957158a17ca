package driver

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kbench/native/hist"
)

// known are counters of which only two are known.
func known(requests, retries, version int64) Stats {
	s := UnknownStats()
	s.Requests, s.Retries, s.ProduceVersion = requests, retries, version
	return s
}

func TestStatsAddAndSince(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want Stats
	}{
		{"since", known(10, 3, 9).Since(known(4, 3, 9)), known(6, 0, 9)},
		{"since, known only now", known(10, 3, 9).Since(known(4, -1, -1)), known(6, 3, 9)},
		{"since, not known any more", known(10, -1, 9).Since(known(4, 3, 9)), known(6, -1, 9)},
		{"add", added(known(10, 3, 9), known(4, 1, 12)), known(14, 4, 12)},
		{"add an unknown", added(known(10, 3, 9), known(4, -1, -1)), known(14, -1, 9)},
		{"add to an unknown", added(known(10, -1, 9), known(4, 2, 9)), known(14, -1, 9)},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func added(s, o Stats) Stats {
	s.Add(o)
	return s
}

// histogram counts values.
func histogram(values ...int64) *hist.Histogram {
	h := new(hist.Histogram)
	for _, v := range values {
		h.Record(v)
	}
	return h
}

// TestDistributionsAddAndSince: what one of two doesn't tell isn't told of both, and neither is changed but the one added to.
func TestDistributionsAddAndSince(t *testing.T) {
	early := &Distributions{FlightNS: histogram(1, 2), LingerNS: histogram(5), QueueNS: histogram(1)}
	late := &Distributions{FlightNS: histogram(1, 2, 20, 30), LingerNS: histogram(5), DeliveryNS: histogram(1)}
	since := late.Since(early)
	if f := since.FlightNS; f.Count != 2 || f.Sum != 50 || f.Quantile(0) != 20 {
		t.Errorf("flights since: %d, %d in all, from %d on", f.Count, f.Sum, f.Quantile(0))
	}
	if since.LingerNS.Count != 0 || since.QueueNS != nil || since.DeliveryNS != nil || since.BatchFill != nil {
		t.Errorf("since: %+v", since)
	}
	early.Add(late)
	if f := early.FlightNS; f.Count != 6 || f.Sum != 56 || late.FlightNS.Count != 4 {
		t.Errorf("flights of both: %d, %d in all; of one %d", f.Count, f.Sum, late.FlightNS.Count)
	}
	if early.LingerNS.Count != 2 || early.QueueNS != nil || early.DeliveryNS != nil || late.DeliveryNS.Count != 1 {
		t.Errorf("both: %+v", early)
	}
}
