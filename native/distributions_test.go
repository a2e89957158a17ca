package native_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

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
		{"connections, one for metadata", s.Connections, 2},
		{"batches split", s.BatchesSplit, 0},
		{"batches expired", s.BatchesExpired, 0},
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
