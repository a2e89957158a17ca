package native

import (
	"cmp"
	"fmt"
	"slices"
)

// PartitionRule sends records whose key begins with Prefix to Partition, of whatever topic.
type PartitionRule struct {
	Prefix    string // "" fits every key, but no null key
	Partition int32
}

// partitionTable finds the rule with the longest prefix of a key: rules by the length of their prefix, the longest first.
type partitionTable []rulesOfLength

type rulesOfLength struct {
	length     int
	partitions map[string]int32 // by prefix
}

// newPartitionTable makes a table of rules that checkRules found good.
func newPartitionTable(rules []PartitionRule) partitionTable {
	var t partitionTable
	for _, r := range rules {
		i := slices.IndexFunc(t, func(l rulesOfLength) bool { return l.length == len(r.Prefix) })
		if i < 0 {
			i = len(t)
			t = append(t, rulesOfLength{len(r.Prefix), map[string]int32{}})
		}
		t[i].partitions[r.Prefix] = r.Partition
	}
	slices.SortFunc(t, func(a, b rulesOfLength) int { return cmp.Compare(b.length, a.length) })
	return t
}

// lookup is the partition for a key, if a rule fits.
func (t partitionTable) lookup(key []byte) (int32, bool) {
	for i := range t {
		if l := &t[i]; len(key) >= l.length {
			if p, ok := l.partitions[string(key[:l.length])]; ok {
				return p, true
			}
		}
	}
	return 0, false
}

// checkRules reports what is wrong with Config.PartitionRules.
func (c *Config) checkRules() error {
	switch {
	case c.Partitioner == PartitionerTable && len(c.PartitionRules) == 0:
		return fmt.Errorf("partitioner: table needs PartitionRules")
	case c.Partitioner != PartitionerTable && len(c.PartitionRules) > 0:
		return fmt.Errorf("PartitionRules: without effect with partitioner %s, only with table", c.Partitioner)
	}
	seen := map[string]int32{}
	for i, r := range c.PartitionRules {
		if r.Partition < 0 {
			return fmt.Errorf("PartitionRules[%d], prefix %q: partition %d is negative", i, r.Prefix, r.Partition)
		}
		if other, ok := seen[r.Prefix]; ok {
			return fmt.Errorf("PartitionRules[%d], prefix %q: partition %d, but an earlier rule sends it to %d", i, r.Prefix, r.Partition, other)
		}
		seen[r.Prefix] = r.Partition
	}
	return nil
}
