package franz

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/driver"
	"kbench/native/hist"
)

// stats counts what kgo's hooks tell about batches and throttling; the wire meter counts the rest.
type stats struct {
	wire         *driver.WireMeter
	batches      atomic.Int64
	uncompressed atomic.Int64
	compressed   atomic.Int64
	throttle     atomic.Int64
	batchSize    int64 // batch.size

	mu   sync.Mutex // kgo calls its hooks on goroutines of their own
	fill hist.Histogram
}

// OnProduceBatchWritten implements kgo.HookProduceBatchWritten.
func (s *stats) OnProduceBatchWritten(_ kgo.BrokerMetadata, _ string, _ int32, m kgo.ProduceBatchMetrics) {
	s.batches.Add(1)
	s.uncompressed.Add(int64(m.UncompressedBytes))
	s.compressed.Add(int64(m.CompressedBytes))
	s.mu.Lock()
	s.fill.Record(int64(m.UncompressedBytes+driver.BatchOverhead) * 1000 / s.batchSize)
	s.mu.Unlock()
}

// OnBrokerThrottle implements kgo.HookBrokerThrottle.
func (s *stats) OnBrokerThrottle(_ kgo.BrokerMetadata, d time.Duration, _ bool) {
	s.throttle.Add(int64(d))
}

// snapshot returns the counters. Batches and bytes are those of batches that were written successfully, requests and
// retries those of all writes.
func (s *stats) snapshot() driver.Stats {
	st := s.wire.Stats()
	st.Batches = s.batches.Load()
	st.UncompressedBytes = s.uncompressed.Load()
	st.CompressedBytes = s.compressed.Load()
	st.ThrottleNS = s.throttle.Load()
	return st
}

// distributions returns what the wire shows, and the fill of batches that were written successfully, which the wire shows
// without compression only.
func (s *stats) distributions() *driver.Distributions {
	d := s.wire.Distributions()
	fill := new(hist.Histogram)
	s.mu.Lock()
	*fill = s.fill
	s.mu.Unlock()
	d.BatchFill = fill
	return d
}

var (
	_ kgo.HookProduceBatchWritten = (*stats)(nil)
	_ kgo.HookBrokerThrottle      = (*stats)(nil)
)
