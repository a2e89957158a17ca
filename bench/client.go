package bench

import (
	"kbench/driver"
	"kbench/metrics"
	"kbench/native/hist"
)

// told is what the clients of a run said about themselves at one moment, added up.
type told struct {
	at            int64 // of the run's clock
	stats         *driver.Stats
	distributions *driver.Distributions // nil: they don't tell
}

// ask reads the clients' counters and distributions; all are of one driver and tell the same.
func (r *run) ask() told {
	t := told{at: r.clock.Now()}
	for _, s := range r.sessions {
		if s.Stats != nil {
			if st := s.Stats(); t.stats == nil {
				t.stats = &st
			} else {
				t.stats.Add(st)
			}
		}
		if s.Distributions != nil {
			if d := s.Distributions(); t.distributions == nil {
				t.distributions = d
			} else {
				t.distributions.Add(d)
			}
		}
	}
	return t
}

// client is what the clients told between two moments, or nil.
func client(from, to told) *metrics.Client {
	if from.stats == nil && from.distributions == nil {
		return nil
	}
	c := &metrics.Client{DurationNS: to.at - from.at}
	if from.stats != nil && to.stats != nil {
		c.Counters = counters(to.stats.Since(*from.stats))
	}
	if from.distributions != nil && to.distributions != nil {
		c.Distributions = distributions(to.distributions.Since(from.distributions))
	}
	return c
}

// counters leaves out what isn't known.
func counters(s driver.Stats) metrics.ClientCounters {
	known := func(n int64) *int64 {
		if n < 0 {
			return nil
		}
		return &n
	}
	return metrics.ClientCounters{
		Requests: known(s.Requests), WireBytes: known(s.WireBytes), Batches: known(s.Batches),
		UncompressedBytes: known(s.UncompressedBytes), CompressedBytes: known(s.CompressedBytes),
		Retries: known(s.Retries), ThrottleNS: known(s.ThrottleNS),
		BufferWaits: known(s.BufferWaits), BufferWaitNS: known(s.BufferWaitNS),
		BatchesSplit: known(s.BatchesSplit), BatchesExpired: known(s.BatchesExpired), Connections: known(s.Connections),
	}
}

// distributions summarises them, and leaves out what isn't told or never happened.
func distributions(d *driver.Distributions) metrics.ClientDistributions {
	return metrics.ClientDistributions{
		BatchFill: summary(d.BatchFill), BatchRecords: summary(d.BatchRecords),
		RequestBatches: summary(d.RequestBatches), RequestRecords: summary(d.RequestRecords), RequestBytes: summary(d.RequestBytes),
		Linger: summary(d.LingerNS), Queue: summary(d.QueueNS), Write: summary(d.WriteNS), Flight: summary(d.FlightNS),
		Broker: summary(d.BrokerNS), Delivery: summary(d.DeliveryNS), BufferWait: summary(d.BufferWaitNS),
	}
}

func summary(h *hist.Histogram) *metrics.Distribution {
	if h == nil || h.Count == 0 {
		return nil
	}
	d := &metrics.Distribution{Count: h.Count, Mean: h.Mean(), P50: h.Quantile(0.5), P90: h.Quantile(0.9),
		P99: h.Quantile(0.99), P999: h.Quantile(0.999), Max: h.Max}
	for b := range h.Buckets() {
		d.Buckets = append(d.Buckets, metrics.Bucket(b))
	}
	return d
}
