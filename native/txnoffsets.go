package native

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"kbench/native/wire"
)

// GroupMetadata says which consumer of which group offsets are of (KIP-447), so that those of a consumer that lost its
// partitions are refused.
type GroupMetadata struct {
	// Group is the group's id.
	Group string
	// Generation is the consumer's generation, or member epoch; it is 0 or less where Member is empty.
	Generation int32
	// Member is the consumer's member id; empty if it has none: its partitions were assigned by hand.
	Member string
	// Instance is its group.instance.id; empty if it has none.
	Instance string
}

// Offset is the offset of the record to be read next in a partition of any topic.
type Offset struct {
	// Topic is the topic's name: not an index into Config.Topics, it needn't be one of these.
	Topic string
	// Partition is the partition's number.
	Partition int32
	// Offset is one more than that of the last record read.
	Offset int64
	// LeaderEpoch is that of the last record read; −1: unknown.
	LeaderEpoch int32
	// Metadata is what the consumer wants to keep with it: up to offset.metadata.max.bytes of the broker, 4096 by default.
	// Where it is more, the transaction has to be aborted.
	Metadata string
}

// check reports what can't be an offset. Source: OffsetAndMetadata, for the offset; a topic or partition that can't exist would
// be tried again and again.
func (o *Offset) check() error {
	switch {
	case o.Topic == "":
		return fmt.Errorf("%w: the topic is empty", ErrArgument)
	case o.Partition < 0:
		return fmt.Errorf("%w: partition %d of topic %q is negative", ErrArgument, o.Partition, o.Topic)
	case o.Offset < 0:
		return fmt.Errorf("%w: offset %d for partition %d of topic %q is negative", ErrArgument, o.Offset, o.Partition, o.Topic)
	case max(len(o.Topic), len(o.Metadata)) > maxString:
		return fmt.Errorf("%w: a topic or metadata of more than %d bytes", ErrArgument, maxString)
	case o.LeaderEpoch < -1:
		return fmt.Errorf("%w: leader epoch %d for partition %d of topic %q is below -1, which stands for none",
			ErrArgument, o.LeaderEpoch, o.Partition, o.Topic)
	}
	return nil
}

// SendOffsetsToTransaction commits offsets of a consumer group together with the transaction's records: read by the group once
// the transaction is committed, never if it is aborted. It keeps nothing of offsets. Those of a topic or partition that
// doesn't exist are tried for as long as the transaction lasts, since it may be new: the error is ErrTransactionPending, which
// wraps ErrUnknownTopic then.
func (pr *Producer) SendOffsetsToTransaction(ctx context.Context, offsets []Offset, group GroupMetadata) error {
	x := pr.txn
	switch {
	case x == nil:
		return ErrNotTransactional
	case group.Group == "":
		return fmt.Errorf("GroupMetadata.Group: %w: it is empty, want the group's id", ErrArgument)
	case max(len(group.Group), len(group.Member), len(group.Instance)) > maxString:
		return fmt.Errorf("GroupMetadata: %w: a text of more than %d bytes", ErrArgument, maxString)
	case group.Member == "" && group.Generation > 0: // KafkaProducer.throwIfInvalidGroupMetadata
		return fmt.Errorf("GroupMetadata of group %q: %w: generation %d without a member id", group.Group, ErrArgument, group.Generation)
	case len(offsets) == 0:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	for i := range offsets {
		if err := offsets[i].check(); err != nil {
			return fmt.Errorf("offsets[%d]: %w", i, err)
		}
	}
	c := newOffsetsCall(offsets, group)
	pr.mu.Lock()
	err := x.idle("SendOffsetsToTransaction")
	if err == nil && x.state != txnOpen {
		err = x.outOfTurn("SendOffsetsToTransaction")
	}
	if err == nil {
		c = x.enqueue(c)
	}
	pr.mu.Unlock()
	if err != nil {
		return err
	}
	return pr.awaitTransaction(ctx, &c.txnCall)
}

// enqueue puts a call at the end of the queue. The same one that is there already is waited for again.
func (x *transactions) enqueue(c *offsetsCall) *offsetsCall {
	for _, other := range x.offsets {
		if other.group == c.group && slices.Equal(other.all, c.all) {
			return other
		}
	}
	c.v2 = x.v2
	x.offsets = append(x.offsets, c)
	x.started = x.started || x.v2 // the group's coordinator adds it (KIP-890)
	x.kick()
	return c
}

// offsetsCall is a call of SendOffsetsToTransaction.
type offsetsCall struct {
	txnCall
	group GroupMetadata
	v2    bool             // the transaction's protocol
	all   []wire.TxnOffset // by topic
	left  []wire.TxnOffset // not committed yet
	added bool             // AddOffsetsToTxn is done
	// unsure: the coordinator may count the group in, but hasn't said so: see doubtful.
	unsure bool
}

func newOffsetsCall(offsets []Offset, group GroupMetadata) *offsetsCall {
	if group.Member == "" {
		group.Generation = -1
	}
	c := &offsetsCall{txnCall: txnCall{op: "SendOffsetsToTransaction", done: make(chan struct{})}, group: group}
	for _, o := range offsets {
		c.all = append(c.all, wire.TxnOffset{TxnPartition: wire.TxnPartition{Topic: o.Topic, Partition: o.Partition},
			Offset: o.Offset, LeaderEpoch: o.LeaderEpoch, Metadata: o.Metadata})
	}
	slices.SortStableFunc(c.all, func(a, b wire.TxnOffset) int { return cmp.Compare(a.Topic, b.Topic) })
	c.left = slices.Clone(c.all)
	return c
}
