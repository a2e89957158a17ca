package native_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// TestHistogram compares quantiles with those of the sorted values.
func TestHistogram(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h, early native.Histogram
	var values []int64
	for i := range 50_000 {
		v := int64(math.Exp(rng.Float64() * 30)) // 1 to 10^13
		if i < 100 {
			v = int64(i)
		}
		values = append(values, v)
		h.Record(v)
		if i == 9999 {
			early = h
		}
	}
	late := h.Since(&early)
	check := func(h *native.Histogram, values []int64) {
		t.Helper()
		values = slices.Sorted(slices.Values(values))
		sum := int64(0)
		for _, v := range values {
			sum += v
		}
		if h.Count != int64(len(values)) || h.Sum != sum || h.Mean() != float64(sum)/float64(len(values)) {
			t.Errorf("count %d, sum %d, mean %g of %d values with sum %d", h.Count, h.Sum, h.Mean(), len(values), sum)
		}
		for _, q := range []float64{0, 0.001, 0.01, 0.5, 0.9, 0.99, 0.9999, 1} {
			want := values[max(0, int(math.Ceil(q*float64(len(values))))-1)]
			if got := h.Quantile(q); math.Abs(float64(got-want)) > 0.032*float64(want) {
				t.Errorf("quantile %g is %d, want %d", q, got, want)
			}
		}
		n := int64(0)
		last := int64(-1)
		for b := range h.Buckets() {
			if b.Low <= last || b.High < b.Low || b.High-b.Low > b.Low/16 {
				t.Errorf("bucket %+v after one that ends with %d", b, last)
			}
			last, n = b.High, n+b.Count
		}
		if n != h.Count {
			t.Errorf("buckets hold %d values of %d", n, h.Count)
		}
	}
	check(&h, values)
	check(&early, values[:10_000])
	check(&late, values[10_000:])
	early.Add(&late)
	check(&early, values)

	var none native.Histogram
	if none.Quantile(0.5) != 0 || none.Mean() != 0 {
		t.Error("an empty histogram has quantiles")
	}
	none.Record(math.MaxInt64)
	none.Record(-5)
	if none.Count != 2 || none.Max != math.MaxInt64 || none.Quantile(0.1) != 0 {
		t.Errorf("extremes: %d values, maximum %d, lowest %d", none.Count, none.Max, none.Quantile(0.1))
	}
}

// TestDistributions holds what the producer counts against what was sent and what the broker did: it answers after 20 ms,
// one request at a time, and refuses three.
func TestDistributions(t *testing.T) {
	const hold, linger = 20 * time.Millisecond, 30 * time.Millisecond
	c, l := cluster(t, kfake.NumBrokers(1)), newLedger()
	refused := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: 3})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		time.Sleep(hold)
		return nil, nil, false
	})
	cfg := config(c, l)
	cfg.BatchSize, cfg.BufferMemory, cfg.Linger, cfg.MaxInFlight = 4000, 20_000, linger, 2
	p := open(t, cfg)
	recs := make([]native.Record, 1000)
	for i := range recs {
		recs[i] = native.Record{Slot: uint32(i), Partition: -1, Value: make([]byte, 100)}
	}
	if err := p.Produce(ctxFor(t), recs[:5]); err != nil { // little: it lingers
		t.Fatal(err)
	}
	middle := p.Distributions()
	for deadline := time.Now().Add(10 * time.Second); middle.BatchRecords.Count == 0; middle = p.Distributions() {
		if time.Now().After(deadline) {
			t.Fatal("five records linger for ever")
		}
		time.Sleep(time.Millisecond)
	}
	produce(t, p, recs[5:])
	l.check(t, len(recs), false)
	d, s := p.Distributions(), p.Stats()
	if refused.Hits() == 0 || s.Retries == 0 || s.BufferWaits == 0 {
		t.Fatalf("%d requests refused, %d retries, %d waits for memory: nothing was tested", refused.Hits(), s.Retries, s.BufferWaits)
	}
	for _, x := range []struct {
		name      string
		got, want int64
	}{
		{"records in batches", d.BatchRecords.Sum, int64(len(recs))},
		{"batches", d.BatchRecords.Count, s.Batches - s.Retries},
		{"fills", d.BatchFill.Count, d.BatchRecords.Count},
		{"open times", d.OpenNS.Count, d.BatchRecords.Count},
		{"queue times", d.QueueNS.Count, d.BatchRecords.Count},
		{"deliveries", d.DeliveryNS.Count, d.BatchRecords.Count},
		{"batches in requests", d.RequestBatches.Sum, s.Batches},
		{"requests", d.RequestBatches.Count, s.Requests},
		{"requests with records", d.RequestRecords.Count, s.Requests},
		{"bytes", d.RequestBytes.Sum, s.WireBytes},
		{"writes", d.WriteNS.Count, s.Requests},
		{"flights", d.FlightNS.Count, s.Requests},
		{"times at the broker", d.BrokerNS.Count, s.Requests},
		{"waits for memory", d.BufferWaitNS.Count, s.BufferWaits},
		{"time of waits for memory", d.BufferWaitNS.Sum, s.BufferWaitNS},
	} {
		if x.got != x.want {
			t.Errorf("%s: %d, want %d", x.name, x.got, x.want)
		}
	}
	if d.RequestRecords.Sum <= int64(len(recs)) {
		t.Errorf("%d records in requests, of %d with retries", d.RequestRecords.Sum, len(recs))
	}
	if got := d.BatchFill.Max; got < 800 || got > 1000 {
		t.Errorf("the fullest batch is full to %d thousandths", got)
	}
	for _, x := range []struct {
		name      string
		got, want int64
	}{ // what can only be longer
		{"first open time", middle.OpenNS.Quantile(0), int64(linger)},
		{"shortest flight", d.FlightNS.Quantile(0), int64(hold)},
		{"longest flight, behind another one", d.FlightNS.Max, 2 * int64(hold)},
		{"shortest time at the broker", d.BrokerNS.Quantile(0), int64(hold)},
		{"longest delivery", d.DeliveryNS.Max, 2 * int64(hold)},
		{"longest queue", d.QueueNS.Max, int64(hold)},
	} {
		if x.got < x.want*9/10 { // the bucket's width, and answers that the sleep began before
			t.Errorf("%s: %v, want at least %v", x.name, time.Duration(x.got), time.Duration(x.want))
		}
	}
	if since := d.Since(middle); since.BatchRecords.Sum+middle.BatchRecords.Sum != d.BatchRecords.Sum || since.OpenNS.Count == d.OpenNS.Count {
		t.Errorf("since the middle %d records, until then %d", since.BatchRecords.Sum, middle.BatchRecords.Sum)
	} else if since.Add(middle); since.OpenNS.Count != d.OpenNS.Count || since.BufferWaitNS.Sum != d.BufferWaitNS.Sum {
		t.Error("two parts don't add up")
	}
}
