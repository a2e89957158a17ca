package driver

import (
	"encoding/binary"
	"net"
	"sync"
)

// WireMeter counts the produce requests that a client writes, by looking at the bytes themselves: the same yardstick for
// every client, however much each tells about itself. It costs a lock and a walk over the batch headers per request.
type WireMeter struct {
	mu      sync.Mutex
	stats   Stats
	written map[string]map[int32]*recentBatches // topic (name, or the 16 bytes of its id) → partition
}

// recentBatches remembers the last idempotent batches of a partition by epoch and first sequence: one that is written
// again is a retry.
type recentBatches struct {
	keys [16]uint64
	next int
}

// NewWireMeter returns a meter at zero. Retries and ProduceVersion are unknown until a request tells.
func NewWireMeter() *WireMeter {
	return &WireMeter{
		stats:   Stats{UncompressedBytes: -1, Retries: -1, ThrottleNS: -1, ProduceVersion: -1},
		written: map[string]map[int32]*recentBatches{},
	}
}

// Stats returns the counters: Requests, WireBytes, Batches, CompressedBytes, Retries (of idempotent batches),
// ProduceVersion; the others are −1.
func (m *WireMeter) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

// Conn wraps a connection of which every Write is one whole request, as kgo and sarama do it.
func (m *WireMeter) Conn(c net.Conn) net.Conn { return &meteredConn{c, m} }

type meteredConn struct {
	net.Conn
	meter *WireMeter
}

// Write implements net.Conn.
func (c *meteredConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err == nil {
		c.meter.observe(b)
	}
	return n, err
}

// Sizes and places in a v2 record batch.
const (
	batchLengthAt   = 8
	batchPIDAt      = 43
	batchEpochAt    = 51
	batchSequenceAt = 53
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
	for range r.arrayLen(flexible) {
		var topic []byte
		if version >= 13 {
			topic = r.take(16)
		} else {
			topic = r.anyString(flexible)
		}
		for range r.arrayLen(flexible) {
			partition := r.int32()
			m.batches(topic, partition, r.anyBytes(flexible))
			r.tags(flexible)
		}
		r.tags(flexible)
		if r.bad {
			return
		}
	}
}

// batches walks the record batches of one partition.
func (m *WireMeter) batches(topic []byte, partition int32, b []byte) {
	for len(b) >= BatchOverhead {
		n := int(int32(binary.BigEndian.Uint32(b[batchLengthAt:]))) + batchLengthAt + 4
		if n < BatchOverhead || n > len(b) {
			return
		}
		m.stats.Batches++
		m.stats.CompressedBytes += int64(n - BatchOverhead)
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
