package selftest

import (
	"context"
	"testing"
)

func TestHistogramPasses(t *testing.T) {
	o, err := runHistogram(context.Background(), &Env{Size: Quick})
	if err != nil || o.State != Pass || len(o.Rows) != 7*3*6+6 {
		t.Errorf("%v, %s %s, %d rows", err, o.State, o.Reason, len(o.Rows))
	}
	t.Log(o.Measured)
}

// TestHistogramMutant: a histogram that reports the upper end of a bucket, as HdrHistogram's own percentiles do, fails.
func TestHistogramMutant(t *testing.T) {
	for _, d := range distributions() {
		values := sample(d, 20e6, 100_000, 1)
		hdr := record(values).HDR()
		upper := func(q float64) float64 { return float64(hdr.ValueAtPercentile(100 * q)) }
		exact := newTruth(values)
		tol := func(float64) tolerance { return tolerance{share: histogramShare} }
		rows := compare("", exact, upper, reported(), tol)
		if compareAll("", exact, upper, tol).State != Fail {
			t.Errorf("%s: the bucket's upper end passes: %+v", d.name, rows)
		}
		if compareAll("", exact, histogramView(values), tol).State != Pass {
			t.Errorf("%s: the bucket's middle fails", d.name)
		}
	}
}
