package drivertest

import (
	"net"
	"sync/atomic"
	"testing"

	"kbench/driver"
	"kbench/native/hist"
)

// stats checks that the counters are unknown or plausible.
func (s *suite) stats(t *testing.T) {
	c := newCluster(t)
	settings := map[string]string{"compression.type": "lz4", "linger.ms": "5"}
	h := open(t, s.d, s.config(t, c, settings))
	if h.session.Stats == nil {
		t.Fatal("no Stats")
	}
	recs := numbered(4000, 200)
	var bytes int64
	for i := range recs {
		bytes += int64(recs[i].Size())
	}
	h.mustSend(recs, 64)
	if h.session.Distributions != nil {
		h.session.Distributions() // while batches are under way
	}
	h.flush()
	h.allAcked(recs)
	if err := h.session.Producer.Close(); err != nil {
		t.Fatal(err)
	}
	st := h.session.Stats()
	check := func(name string, got, lo, hi int64) {
		if got != -1 && (got < lo || got > hi) {
			t.Errorf("%s is %d, want %d to %d", name, got, lo, hi)
		}
	}
	if st.Requests < 1 || st.WireBytes < 1 {
		t.Errorf("requests %d, wire bytes %d: want them counted", st.Requests, st.WireBytes)
	}
	check("requests", st.Requests, 1, int64(len(recs)))
	check("batches", st.Batches, st.Requests, int64(len(recs)))
	check("uncompressed bytes", st.UncompressedBytes, bytes, 2*bytes)
	check("compressed bytes", st.CompressedBytes, bytes/100, bytes*3/4)
	check("wire bytes", st.WireBytes, st.CompressedBytes, bytes)
	check("retries", st.Retries, 0, 0)
	check("throttle", st.ThrottleNS, 0, 0)
	check("produce version", st.ProduceVersion, 3, 13)
	check("batches split", st.BatchesSplit, 0, 0)
	check("batches expired", st.BatchesExpired, 0, 0)
	check("connections", st.Connections, 1, 100)
	if h.session.Distributions != nil {
		checkDistributions(t, h.session.Distributions(), &st, len(recs))
	}
}

// checkDistributions holds what is told about each batch and request against what was sent, once each.
func checkDistributions(t *testing.T, d *driver.Distributions, st *driver.Stats, records int) {
	t.Helper()
	sum := func(name string, h *hist.Histogram, want int64) {
		if h != nil && h.Sum != want {
			t.Errorf("%s: %d in all, want %d", name, h.Sum, want)
		}
	}
	sum("records in batches", d.BatchRecords, int64(records))
	sum("records in requests", d.RequestRecords, int64(records))
	sum("bytes of requests", d.RequestBytes, st.WireBytes)
	batches := int64(-1)
	if d.BatchRecords != nil {
		batches = d.BatchRecords.Count
		sum("batches in requests", d.RequestBatches, batches)
	}
	for _, x := range []struct {
		name string
		h    *hist.Histogram
		want int64
	}{
		{"batches that lingered", d.LingerNS, batches}, {"batches that queued", d.QueueNS, batches},
		{"batches delivered", d.DeliveryNS, batches}, {"requests' sizes", d.RequestBytes, st.Requests},
		{"requests' batches", d.RequestBatches, st.Requests}, {"requests' records", d.RequestRecords, st.Requests},
		{"writes", d.WriteNS, st.Requests}, {"flights", d.FlightNS, st.Requests}, {"times at the broker", d.BrokerNS, st.Requests},
	} {
		if x.h != nil && x.h.Count != x.want {
			t.Errorf("%s: %d, want %d", x.name, x.h.Count, x.want)
		}
	}
	if f := d.BatchFill; f != nil && (f.Count == 0 || f.Max == 0 || f.Max > 1000) {
		t.Errorf("%d batches, filled up to %d thousandths", f.Count, f.Max)
	}
}

// tapCounter counts what is read from a connection.
type tapCounter struct {
	net.Conn
	read *atomic.Int64
}

// Read implements net.Conn.
func (c *tapCounter) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.read.Add(int64(n))
	return n, err
}

// tap checks that the connections which records go over are tapped, and work as before.
func (s *suite) tap(t *testing.T) {
	c := newCluster(t)
	cfg := s.config(t, c, map[string]string{})
	var read atomic.Int64
	cfg.Tap = func(c net.Conn) net.Conn { return &tapCounter{c, &read} }
	h := open(t, s.d, cfg)
	before := read.Load()
	recs := numbered(100, 20)
	h.mustSend(recs, 10)
	h.flush()
	h.allAcked(recs)
	if read.Load() == before {
		t.Error("acknowledged, and no answer came in over a tapped connection")
	}
}
