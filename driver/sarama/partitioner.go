package sarama

import (
	"math/rand/v2"

	"github.com/IBM/sarama"

	"kbench/driver"
	"kbench/workload"
)

// newPartitioner returns the partitioner for the settings, with explicit partitions let through.
func newPartitioner(cfg *driver.Config) sarama.PartitionerConstructor {
	p := &cfg.Producer
	seed, batch := cfg.Seed, p.BatchSize
	switch p.Partitioner {
	case workload.PartitionerRoundRobin:
		return func(topic string) sarama.Partitioner {
			return &partitioner{unkeyed: sarama.NewRoundRobinPartitioner(topic)}
		}
	case workload.PartitionerRandom:
		return func(string) sarama.Partitioner {
			return &partitioner{unkeyed: &sticky{rng: rand.New(rand.NewPCG(seed, 0))}}
		}
	}
	keys := !p.PartitionerIgnoreKeys
	return func(topic string) sarama.Partitioner {
		pt := &partitioner{unkeyed: &sticky{rng: rand.New(rand.NewPCG(seed, 0)), limit: batch}}
		if keys {
			pt.keyed = sarama.NewMurmur2Partitioner(topic)
		}
		return pt
	}
}

// partitioner sends a record to its explicit partition, else by its key, else as unkeyed says.
type partitioner struct {
	keyed   sarama.Partitioner // nil: keys are ignored
	unkeyed sarama.Partitioner
}

// Partition implements sarama.Partitioner.
func (p *partitioner) Partition(m *sarama.ProducerMessage, n int32) (int32, error) {
	switch {
	case m.Partition >= 0:
		return m.Partition, nil
	case p.keyed != nil && m.Key != nil:
		return p.keyed.Partition(m, n)
	}
	return p.unkeyed.Partition(m, n)
}

// RequiresConsistency implements sarama.Partitioner.
func (p *partitioner) RequiresConsistency() bool { return true }

// MessageRequiresConsistency implements sarama.DynamicConsistencyPartitioner: only a free choice may leave out
// partitions that can't be reached.
func (p *partitioner) MessageRequiresConsistency(m *sarama.ProducerMessage) bool {
	return m.Partition >= 0 || p.keyed != nil && m.Key != nil
}

// sticky is the uniform sticky choice of KIP-794 without its adaptive part: it stays on a partition until limit bytes were
// given to it, then takes any one at random. Sarama tells a partitioner nothing about batches, so that a batch may end
// earlier isn't seen. Limit 0 chooses anew each time.
type sticky struct {
	rng   *rand.Rand
	limit int

	given int   // bytes since the last choice
	on    int32 // partition stuck to
	stuck bool
}

// Partition implements sarama.Partitioner.
func (s *sticky) Partition(m *sarama.ProducerMessage, n int32) (int32, error) {
	size := m.ByteSize(2)
	if s.given += size; !s.stuck || s.given > s.limit || s.on >= n {
		s.given = size
		s.on, s.stuck = s.rng.Int32N(n), s.limit > 0
	}
	return s.on, nil
}

// RequiresConsistency implements sarama.Partitioner.
func (s *sticky) RequiresConsistency() bool { return false }

var (
	_ sarama.DynamicConsistencyPartitioner = (*partitioner)(nil)
	_ sarama.Partitioner                   = (*sticky)(nil)
)
