package driver

import (
	"encoding/binary"
	"net"
	"sync"

	"kbench/native/hist"
	"kbench/workload"
)

// WireMeter counts the produce requests that a client writes, by looking at the bytes themselves: the same yardstick for
// every client, however much each tells about itself. It costs a lock and a walk over the batch headers per request, and a
// lock and a clock reading per answer.
type WireMeter struct {
	batchSize int  // batch.size
	codec     bool // batches are compressed
	noAnswers bool // acks=0

	mu      sync.Mutex
	stats   Stats
	seen    wireDistributions
	written map[string]map[int32]*recentBatches // topic (name, or the 16 bytes of its id) → partition
}

// wireDistributions is what of Distributions can be seen on the wire.
type wireDistributions struct {
	batchFill, batchRecords                      hist.Histogram
	requestBatches, requestRecords, requestBytes hist.Histogram
	flight, broker                               hist.Histogram
}

// recentBatches remembers the last idempotent batches of a partition by epoch and first sequence: one that is written
// again is a retry.
type recentBatches struct {
	keys [16]uint64
	next int
}

// NewWireMeter returns a meter at zero for a client with these settings. Retries and ProduceVersion are unknown until a
// request tells.
func NewWireMeter(cfg *workload.ProducerConfig) *WireMeter {
	m := &WireMeter{batchSize: max(1, cfg.BatchSize), codec: cfg.CompressionType != "none", noAnswers: cfg.Acks == 0,
		stats: UnknownStats(), written: map[string]map[int32]*recentBatches{}}
	s := &m.stats
	s.Requests, s.WireBytes, s.Batches, s.CompressedBytes, s.Connections = 0, 0, 0, 0, 0
	return m
}

// Stats returns the counters: Requests, WireBytes, Batches, CompressedBytes, Retries (of idempotent batches),
// ProduceVersion, Connections; the others are −1.
func (m *WireMeter) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// Distributions returns what the wire shows: batches and requests as they were written, retries included, and their answers.
// BatchFill is there without compression only. The histograms are the caller's.
func (m *WireMeter) Distributions() *Distributions {
	s := new(wireDistributions)
	m.mu.Lock()
	*s = m.seen
	m.mu.Unlock()
	d := &Distributions{BatchRecords: &s.batchRecords, RequestBatches: &s.requestBatches, RequestRecords: &s.requestRecords,
		RequestBytes: &s.requestBytes, FlightNS: &s.flight, BrokerNS: &s.broker}
	if !m.codec {
		d.BatchFill = &s.batchFill
	}
	return d
}

// Conn wraps a connection of which every Write is one whole request, as kgo and sarama do it, and counts it.
func (m *WireMeter) Conn(c net.Conn) net.Conn {
	m.mu.Lock()
	m.stats.Connections++
	m.mu.Unlock()
	return &meteredConn{Conn: c, meter: m}
}

// Sizes and places in a v2 record batch.
const (
	batchLengthAt   = 8
	batchPIDAt      = 43
	batchEpochAt    = 51
	batchSequenceAt = 53
	batchRecordsAt  = 57
)

const firstFlexibleProduce = 9

// observe counts req if it is a produce request of version 3 or later.
func (m *WireMeter) observe(req []byte) {
	r := reader{b: req}
	if size := r.int32(); int(size) != len(req)-4 || r.int16() != 0 {
		return
	}
	version := r.int16()
	if version < 3 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	batches := m.stats.Batches
	m.stats.Requests++
	m.stats.WireBytes += int64(len(req))
	m.stats.ProduceVersion = max(m.stats.ProduceVersion, int64(version))
	flexible := version >= firstFlexibleProduce
	r.int32()  // correlation id
	r.string() // client id
	r.tags(flexible)
	r.anyString(flexible) // transactional id
	r.int16()             // acks
	r.int32()             // time-out
	records := int64(0)
	for range r.arrayLen(flexible) {
		var topic []byte
		if version >= 13 {
			topic = r.take(16)
		} else {
			topic = r.anyString(flexible)
		}
		for range r.arrayLen(flexible) {
			partition := r.int32()
			records += m.batches(topic, partition, r.anyBytes(flexible))
			r.tags(flexible)
		}
		r.tags(flexible)
		if r.bad {
			return
		}
	}
	m.seen.requestBytes.Record(int64(len(req)))
	m.seen.requestBatches.Record(m.stats.Batches - batches)
	m.seen.requestRecords.Record(records)
}

// batches walks the record batches of one partition and returns the number of their records.
func (m *WireMeter) batches(topic []byte, partition int32, b []byte) (records int64) {
	for len(b) >= BatchOverhead {
		n := int(int32(binary.BigEndian.Uint32(b[batchLengthAt:]))) + batchLengthAt + 4
		if n < BatchOverhead || n > len(b) {
			return records
		}
		m.stats.Batches++
		m.stats.CompressedBytes += int64(n - BatchOverhead)
		count := int64(int32(binary.BigEndian.Uint32(b[batchRecordsAt:])))
		records += max(0, count)
		m.seen.batchRecords.Record(count)
		m.seen.batchFill.Record(int64(n) * 1000 / int64(m.batchSize))
		if pid := int64(binary.BigEndian.Uint64(b[batchPIDAt:])); pid >= 0 {
			m.stats.Retries = max(m.stats.Retries, 0)
			epoch := uint64(binary.BigEndian.Uint16(b[batchEpochAt:]))
			seq := uint64(binary.BigEndian.Uint32(b[batchSequenceAt:]))
			// The top bit tells a key from an empty place.
			if m.recent(topic, partition).seen(1<<63 | epoch<<32 | seq) {
				m.stats.Retries++
			}
		}
		b = b[n:]
	}
	return records
}

func (m *WireMeter) recent(topic []byte, partition int32) *recentBatches {
	parts := m.written[string(topic)]
	if parts == nil {
		parts = map[int32]*recentBatches{}
		m.written[string(topic)] = parts
	}
	r := parts[partition]
	if r == nil {
		r = new(recentBatches)
		parts[partition] = r
	}
	return r
}

func (r *recentBatches) seen(key uint64) bool {
	for _, k := range r.keys {
		if k == key {
			return true
		}
	}
	r.keys[r.next] = key
	r.next = (r.next + 1) % len(r.keys)
	return false
}
