package franz

import (
	"math/rand/v2"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/driver"
	"kbench/workload"
)

// newPartitioner returns kgo's partitioner for the settings, with explicit partitions let through.
func newPartitioner(cfg *driver.Config) kgo.Partitioner {
	p := &cfg.Producer
	switch p.Partitioner {
	case workload.PartitionerRoundRobin:
		return explicitFirst{kgo.RoundRobinPartitioner()}
	case workload.PartitionerRandom:
		return explicitFirst{random{seed: cfg.Seed}}
	}
	return explicitFirst{kgo.UniformBytesPartitioner(p.BatchSize, p.PartitionerAdaptive, !p.PartitionerIgnoreKeys, nil)}
}

// explicitFirst sends a record to its Partition when that is ≥ 0 and leaves the others to the partitioner inside.
type explicitFirst struct{ inner kgo.Partitioner }

// ForTopic implements kgo.Partitioner.
func (e explicitFirst) ForTopic(topic string) kgo.TopicPartitioner {
	tp := e.inner.ForTopic(topic)
	if backup, ok := tp.(kgo.TopicBackupPartitioner); ok {
		return explicitBackup{backup}
	}
	return explicitTopic{tp}
}

type explicitTopic struct{ kgo.TopicPartitioner }

// RequiresConsistency implements kgo.TopicPartitioner: an explicit partition counts among all, reachable or not.
func (e explicitTopic) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || e.TopicPartitioner.RequiresConsistency(r)
}

// Partition implements kgo.TopicPartitioner.
func (e explicitTopic) Partition(r *kgo.Record, n int) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return e.TopicPartitioner.Partition(r, n)
}

type explicitBackup struct{ kgo.TopicBackupPartitioner }

// RequiresConsistency implements kgo.TopicPartitioner.
func (e explicitBackup) RequiresConsistency(r *kgo.Record) bool {
	return r.Partition >= 0 || e.TopicBackupPartitioner.RequiresConsistency(r)
}

// PartitionByBackup implements kgo.TopicBackupPartitioner.
func (e explicitBackup) PartitionByBackup(r *kgo.Record, n int, backup kgo.TopicBackupIter) int {
	if r.Partition >= 0 {
		return int(r.Partition)
	}
	return e.TopicBackupPartitioner.PartitionByBackup(r, n, backup)
}

// random chooses every record's partition anew, keys ignored.
type random struct{ seed uint64 }

// ForTopic implements kgo.Partitioner.
func (r random) ForTopic(string) kgo.TopicPartitioner {
	return randomTopic{rand.New(rand.NewPCG(r.seed, 0))}
}

type randomTopic struct{ rng *rand.Rand }

// RequiresConsistency implements kgo.TopicPartitioner.
func (randomTopic) RequiresConsistency(*kgo.Record) bool { return false }

// Partition implements kgo.TopicPartitioner.
func (r randomTopic) Partition(_ *kgo.Record, n int) int { return r.rng.IntN(n) }
