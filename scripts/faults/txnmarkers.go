package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A broker that was killed may, once it is back, end a transaction in its own books and never write that into the log: then
// __transaction_state has PrepareAbort and CompleteAbort of an epoch with a partition, or PrepareCommit and CompleteCommit, and
// the partition has no marker of that epoch. The records stay open there, and the end of the producer's next transaction is
// theirs as well. No producer can do anything about it, nor cause it, so what comes of it is counted by itself. Seen with a
// single node of 4.3.1.

// marker is the end of a transaction in a partition.
type marker struct {
	topic     string
	partition int32
	producer  int64
	epoch     int16
	commit    bool
}

// omissions are ends of transactions that the coordinator completed without a marker in the log.
type omissions struct {
	markers []marker
	records map[recordKey]*kgo.Record // all that is in the topics, whatever consumers see
}

// recordKey is a record's producer and number.
type recordKey struct {
	run uint64
	seq uint32
}

// left says whether one of them was to end r's transaction so. The coordinator uses the epoch of the records, or the next.
func (o *omissions) left(r *kgo.Record, commit bool) bool {
	if o == nil || r == nil {
		return false
	}
	return slices.ContainsFunc(o.markers, func(m marker) bool {
		return m.topic == r.Topic && m.partition == r.Partition && m.producer == r.ProducerID && m.commit == commit &&
			(m.epoch == r.ProducerEpoch || m.epoch == r.ProducerEpoch+1)
	})
}

// hidden is a record that consumers don't see, or nil.
func (o *omissions) hidden(run uint64, slot int) *kgo.Record {
	if o == nil {
		return nil
	}
	return o.records[recordKey{run, uint32(slot)}]
}

// offsets says whether one of them was to end pending offsets of a group.
func (o *omissions) offsets() bool {
	return o != nil && slices.ContainsFunc(o.markers, func(m marker) bool { return m.topic == offsetsTopic })
}

// Topics of Kafka's own.
const (
	stateTopic   = "__transaction_state"
	offsetsTopic = "__consumer_offsets"
)

// findOmissions compares what the coordinator has of a transactional.id with the markers in the topics.
func findOmissions(ctx context.Context, bootstrap []string, id string, topics []string) (*omissions, error) {
	state, err := readAll(ctx, bootstrap, stateTopic)
	if err != nil {
		return nil, err
	}
	completed, err := completedEnds(state, id)
	if err != nil {
		return nil, err
	}
	out := &omissions{records: map[recordKey]*kgo.Record{}}
	written := map[marker]bool{}
	for _, topic := range append([]string{offsetsTopic}, topics...) {
		recs, err := readRaw(ctx, bootstrap, topic)
		if err != nil {
			return nil, err
		}
		for _, r := range recs {
			if r.Attrs.IsControl() && len(r.Key) == 4 { // version and type, 1: commit
				written[marker{topic, r.Partition, r.ProducerID, r.ProducerEpoch, binary.BigEndian.Uint16(r.Key[2:]) == 1}] = true
			} else if v, err := parseValue(r.Value, topic); err == nil {
				out.records[recordKey{v.run, v.seq}] = r
			}
		}
	}
	for _, m := range completed {
		if !written[m] {
			out.markers = append(out.markers, m)
		}
	}
	return out, nil
}

// completedEnds are the markers that were written, as the coordinator's log has it.
func completedEnds(state []*kgo.Record, id string) ([]marker, error) {
	states, err := statesOf(state, id)
	if err != nil {
		return nil, err
	}
	var out, prepared []marker
	for _, v := range states {
		if v.State == kmsg.TransactionStateCompleteAbort || v.State == kmsg.TransactionStateCompleteCommit {
			out = append(out, prepared...)
		}
		prepared = prepared[:0]
		if v.State == kmsg.TransactionStatePrepareAbort || v.State == kmsg.TransactionStatePrepareCommit {
			for _, topic := range v.Topics {
				for _, p := range topic.Partitions {
					prepared = append(prepared, marker{topic.Topic, p, v.ProducerID, v.ProducerEpoch, v.State == kmsg.TransactionStatePrepareCommit})
				}
			}
		}
	}
	return out, nil
}

// txnState is a record of __transaction_state.
type txnState struct {
	kmsg.TxnMetadataValue
	leaderEpoch int32 // in which it was written: another one is another coordinator, or the same started again
}

// statesOf are those of a transactional.id, in their order.
func statesOf(state []*kgo.Record, id string) ([]txnState, error) {
	var out []txnState
	for _, r := range state {
		var key kmsg.TxnMetadataKey
		if err := key.ReadFrom(r.Key); err != nil {
			return nil, fmt.Errorf("%s: %w", stateTopic, err)
		}
		if key.TransactionalID != id || len(r.Value) == 0 {
			continue
		}
		v := txnState{leaderEpoch: r.LeaderEpoch}
		if err := v.ReadFrom(r.Value); err != nil {
			return nil, fmt.Errorf("%s: %w", stateTopic, err)
		}
		out = append(out, v)
	}
	return out, nil
}

// readRaw reads all that is in a topic, markers included.
func readRaw(ctx context.Context, bootstrap []string, topic string) ([]*kgo.Record, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...), kgo.DisableClientMetrics(), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	return readToEnd(ctx, cl, topic)
}
