package native

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"kbench/native/wire"
)

// ErrBatchRejected is the end of a record that the broker had nothing against: it wasn't written because another record of its
// batch is invalid. The error wraps the broker's as well. It may be sent again.
var ErrBatchRejected = errors.New("not written, because another record of its batch is invalid")

// recordError is why one record of a refused batch isn't acceptable.
type recordError struct {
	index int32 // in the batch
	err   error
}

// codeInvalidRecord is INVALID_RECORD.
const codeInvalidRecord = 87

// refuseBatch fails a batch with the broker's answer. Where that names records (KIP-467), each of them gets its own error and
// the others one that wraps ErrBatchRejected: nothing is wrong with them, and they may be sent again. Source: Kafka's
// Sender.failBatch, also for the code: with one bad record it is the batch's; with several, which may be bad for different
// reasons, INVALID_RECORD.
func (pr *Producer) refuseBatch(b *batch, res wire.ProduceResult, done []*batch) []*batch {
	err := error(newError(res.Code, string(res.Message)))
	if res.Code == codeMessageTooLarge {
		err = fmt.Errorf("above max.message.bytes of topic %q: %w", b.part.topic.name, err)
	}
	b.bad = b.bad[:0]
	code := res.Code
	if len(res.Records) > 1 {
		code = codeInvalidRecord
	}
	for _, r := range res.Records {
		if r.Index < 0 || r.Index >= b.count {
			continue
		}
		message := r.Message
		if len(message) == 0 {
			message = res.Message
		}
		b.bad = append(b.bad, recordError{r.Index, newError(code, string(message))})
	}
	if len(b.bad) > 0 {
		byIndex := func(x, y recordError) int { return cmp.Compare(x.index, y.index) }
		slices.SortStableFunc(b.bad, byIndex)
		b.bad = slices.CompactFunc(b.bad, func(x, y recordError) bool { return x.index == y.index })
		err = fmt.Errorf("%w: %w", ErrBatchRejected, err)
	}
	if pr.txn != nil {
		return pr.refuseInTransaction(b, res.Code, err, done)
	}
	return pr.fail(b, err, done)
}

// acknowledgeBatch tells how a batch ended: at once, or in pieces where records of it have errors of their own.
func (pr *Producer) acknowledgeBatch(b *batch) {
	a := Ack{Topic: b.part.topic.index, Partition: b.part.id, BaseOffset: b.baseOffset, Err: b.err}
	for len(b.bad) > 0 {
		bad := b.bad[0]
		if i := int(bad.index); i > b.told {
			a.Slots = b.tell(i)
			pr.acknowledge(a)
		}
		b.bad = b.bad[1:]
		own := a
		own.Slots, own.Err = b.tell(int(bad.index)+1), bad.err
		pr.acknowledge(own)
	}
	if a.Slots = b.tell(len(b.slots)); len(a.Slots) > 0 {
		pr.acknowledge(a)
	}
}

// tell gives the slots up to one, from where it ended before: each is told once, also where a callback panics.
func (b *batch) tell(to int) []uint32 {
	from := b.told
	b.told = to
	return b.slots[from:to]
}
