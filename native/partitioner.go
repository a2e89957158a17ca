package native

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
)

// Partitioner says how a record without an explicit partition gets one.
type Partitioner uint8

// Partitioners.
const (
	// PartitionerDefault is Kafka's built-in one: murmur2 of the key; without a key, uniform sticky and adaptive (KIP-480, KIP-794).
	PartitionerDefault Partitioner = iota
	// PartitionerRoundRobin takes the partitions in turn, keys ignored (RoundRobinPartitioner).
	PartitionerRoundRobin
	// PartitionerRandom takes a random partition for each record, keys ignored.
	PartitionerRandom
	// PartitionerTable sends a key to the partition of the longest prefix of it in Config.PartitionRules, and records without
	// key, or whose key has no rule, where PartitionerDefault does.
	PartitionerTable
)

var partitionerNames = [...]string{"default", "roundrobin", "random", "table"}

// String is the partitioner's name.
func (p Partitioner) String() string {
	if int(p) < len(partitionerNames) {
		return partitionerNames[p]
	}
	return fmt.Sprintf("Partitioner(%d)", uint8(p))
}

// murmur2 is the hash of Kafka's Utils.murmur2.
func murmur2(b []byte) uint32 {
	const (
		seed = 0x9747b28c
		m    = 0x5bd1e995
		r    = 24
	)
	h := seed ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h = h*m ^ k
	}
	switch len(b) {
	case 3:
		h ^= uint32(b[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(b[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(b[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	return h ^ h>>15
}

// keyPartition is toPositive(murmur2(key)) % n.
func keyPartition(key []byte, n int) int { return int(murmur2(key)&0x7fffffff) % n }

// sticky is the state of a topic's partitioner. Guarded by Producer.mu.
type sticky struct {
	part  *partition // nil: choose
	bytes int        // appended since it was chosen

	turn int // round robin

	// What adaptive choice goes by, rebuilt every so often: the partitions that may be chosen and the running sums of
	// their weights.
	choices []*partition
	sums    []int
	left    int // choices until the next rebuild
}

// route chooses the partition of a record, or nil if there is none for it. size is roughly what it will take.
func (pr *Producer) route(t *topic, r *Record) *partition {
	partitions := t.current()
	n := len(partitions)
	if r.Partition != -1 {
		if uint(r.Partition) >= uint(n) {
			return nil
		}
		return partitions[r.Partition]
	}
	if n == 0 {
		return nil
	}
	switch {
	case pr.cfg.Partitioner == PartitionerRoundRobin:
		return t.nextInTurn()
	case pr.cfg.Partitioner == PartitionerRandom:
		return partitions[pr.rng.IntN(n)]
	case r.Key != nil && !pr.cfg.PartitionerIgnoreKeys:
		if len(pr.table) > 0 {
			if i, ok := pr.table.lookup(r.Key); ok {
				if int(i) >= n {
					return nil
				}
				return partitions[i]
			}
		}
		return partitions[keyPartition(r.Key, n)]
	}
	s := &t.sticky
	if s.part == nil || s.bytes >= pr.cfg.BatchSize && s.part.open == nil || s.bytes >= 2*pr.cfg.BatchSize {
		pr.unstick(t)
	}
	return s.part
}

// nextInTurn is the next partition with a leader, or simply the next if none has one.
func (t *topic) nextInTurn() *partition {
	s, partitions := &t.sticky, t.current()
	n := len(partitions)
	for range n {
		s.turn = (s.turn + 1) % n
		if p := partitions[s.turn]; p.node != nil {
			return p
		}
	}
	s.turn = (s.turn + 1) % n
	return partitions[s.turn]
}

// unstick chooses another sticky partition.
func (pr *Producer) unstick(t *topic) {
	s := &t.sticky
	s.left--
	if s.left < 0 || len(s.sums) == 0 {
		pr.weigh(t)
	}
	s.bytes = 0
	x := pr.rng.IntN(s.sums[len(s.sums)-1])
	s.part = s.choices[sort.SearchInts(s.sums, x+1)]
}

// weigh rebuilds the table that sticky choices are drawn from: partitions with a leader, each weighing
// longest queue + 1 − its own queue (KIP-794); all equal if not adaptive. It looks at every partition, so it is done once
// for every 16th of them that were chosen.
func (pr *Producer) weigh(t *topic) {
	s := &t.sticky
	s.choices, s.sums = s.choices[:0], s.sums[:0]
	s.left = len(t.current()) / 16
	now, longest := int64(0), 0
	if pr.cfg.PartitionerAvailTimeout > 0 {
		now = pr.now()
	}
	for _, p := range t.current() {
		if p.node == nil || now > 0 && p.node.stalled(now, int64(pr.cfg.PartitionerAvailTimeout)) {
			continue
		}
		s.choices = append(s.choices, p)
		longest = max(longest, p.backlog())
	}
	if len(s.choices) == 0 {
		s.choices = append(s.choices, t.current()...)
	}
	sum := 0
	for _, p := range s.choices {
		w := 1
		if pr.cfg.PartitionerAdaptive {
			w = max(1, longest+1-p.backlog())
		}
		sum += w
		s.sums = append(s.sums, sum)
	}
}

// backlog is the number of batches that wait to be sent.
func (p *partition) backlog() int {
	n := len(p.queue) + p.retries
	if p.open != nil {
		n++
	}
	return n
}

// forget makes the next choice see a change of partitions or leaders.
func (s *sticky) forget() { s.sums, s.part, s.bytes = s.sums[:0], nil, 0 }

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15)) }

// ParsePartitioner turns a name into a partitioner.
func ParsePartitioner(name string) (Partitioner, error) {
	for i, n := range partitionerNames {
		if n == name {
			return Partitioner(i), nil
		}
	}
	return 0, badSetting("partitioner: %q is none of %s", name, strings.Join(partitionerNames[:], ", "))
}
