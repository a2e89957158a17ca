package native_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// The APIs that a producer without security asks.
var oddAPIs = [...]kmsg.Key{kmsg.Produce, kmsg.Metadata, kmsg.InitProducerID, kmsg.ApiVersions}

// What the first argument of FuzzAnswers consists of.
const (
	oddRaw        = 1 << (iota + 2) // after oddAPIs' index
	oddHold                         // see oddBroker.hold
	oddIdempotent                   // enable.idempotence
)

// newOddBroker is the broker that the arguments of FuzzAnswers describe.
func newOddBroker(what, version, times uint8, answer []byte) *oddBroker {
	v := int16(version)
	b := &oddBroker{api: int16(oddAPIs[what%4]), answer: answer, raw: what&oddRaw != 0, hold: what&oddHold != 0,
		highest: map[kmsg.Key]int16{kmsg.Produce: 3 + v%11, kmsg.Metadata: 12 - v/11%9, kmsg.InitProducerID: 4 - v/99%5, kmsg.ApiVersions: 3}}
	if b.highest[kmsg.Produce] == 13 {
		b.highest[kmsg.Metadata] = max(b.highest[kmsg.Metadata], 10) // topics have ids
	}
	b.left.Store(1 + int32(times%3))
	return b
}

// FuzzAnswers answers a producer's requests with any bytes: as the body of a response, or as all that comes. The producer may
// refuse to open; otherwise each record ends exactly once, whatever the broker said, and everything returns.
func FuzzAnswers(f *testing.F) {
	message := "why"
	produced := kmsg.NewPtrProduceResponse()
	for _, name := range []string{"a", "b"} {
		p := kmsg.NewProduceResponseTopicPartition()
		p.ErrorCode, p.ErrorMessage = 6, &message
		p.ErrorRecords = []kmsg.ProduceResponseTopicPartitionErrorRecord{{RelativeOffset: 1, ErrorMessage: &message}}
		p.CurrentLeader.LeaderID, p.CurrentLeader.LeaderEpoch = 1, 3
		produced.Topics = append(produced.Topics, kmsg.ProduceResponseTopic{Topic: name, TopicID: topicID(name),
			Partitions: []kmsg.ProduceResponseTopicPartition{p}})
	}
	for _, code := range []int16{0, 6, 10, 45, 47, 59, 87} {
		for i := range produced.Topics {
			produced.Topics[i].Partitions[0].ErrorCode = code
		}
		for _, produced.Version = range []int16{3, 9, 13} {
			f.Add(uint8(oddIdempotent), uint8(produced.Version-3), uint8(0), produced.AppendTo(nil))
		}
	}
	for i, key := range oddAPIs {
		for _, version := range []uint8{10, 21, 43} {
			what := uint8(i | oddIdempotent)
			b := newOddBroker(what, version, 0, nil)
			req := key.Request()
			if m, ok := req.(*kmsg.MetadataRequest); ok {
				m.Topics = []kmsg.MetadataRequestTopic{{Topic: kmsg.StringPtr("a")}, {Topic: kmsg.StringPtr("b")}}
			}
			resp := b.good(req)
			resp.SetVersion(b.highest[key])
			f.Add(what, version, uint8(1), resp.AppendTo(nil))
		}
	}
	for i := range oddAPIs {
		f.Add(uint8(i|oddRaw), uint8(11), uint8(0), []byte{})
		f.Add(uint8(i|oddRaw|oddHold), uint8(12), uint8(2), []byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		f.Add(uint8(i|oddRaw), uint8(13), uint8(1), []byte{0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, what, version, times uint8, answer []byte) {
		_ = checkOddBroker(t, newOddBroker(what, version, times, answer), what&oddIdempotent != 0)
	})
}

// checkOddBroker sends some records. The error is why they failed.
func checkOddBroker(t *testing.T, b *oddBroker, idempotent bool) error {
	t.Helper()
	defer deadlock().Stop()
	defer b.wg.Wait()
	var e endings
	cfg := oddConfig(b, e.ack)
	cfg.EnableIdempotence = idempotent
	p, err := native.New(context.Background(), cfg)
	if err != nil {
		return err
	}
	for _, r := range e.records() {
		if err := p.Produce(context.Background(), []native.Record{r}); err != nil {
			t.Logf("record %d: %v", r.Slot, err) // it has its acknowledgement all the same
		}
	}
	if err := p.Flush(context.Background()); err != nil {
		t.Errorf("flush: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	return e.check(t)
}

// The APIs that a transactional producer asks.
var oddTxnAPIs = [...]kmsg.Key{kmsg.FindCoordinator, kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit,
	kmsg.EndTxn, kmsg.ApiVersions, kmsg.Produce}

// What the first argument of FuzzTransactions consists of.
const (
	oddTxnRaw   = 1 << (iota + 3) // after oddTxnAPIs' index
	oddTxnHold                    // see oddBroker.hold
	oddTxnV2                      // transaction.version 2
	oddTxnAbort                   // not commit
	oddTxnOld                     // the versions before tagged fields
)

func newOddTxnBroker(what, times uint8, answer []byte) *oddBroker {
	b := &oddBroker{api: int16(oddTxnAPIs[what%8]), answer: answer, raw: what&oddTxnRaw != 0, hold: what&oddTxnHold != 0,
		v2: what&(oddTxnV2|oddTxnOld) == oddTxnV2,
		highest: map[kmsg.Key]int16{kmsg.Produce: 12, kmsg.Metadata: 12, kmsg.InitProducerID: 5, kmsg.ApiVersions: 3, kmsg.FindCoordinator: 5,
			kmsg.AddPartitionsToTxn: 3, kmsg.AddOffsetsToTxn: 4, kmsg.TxnOffsetCommit: 5, kmsg.EndTxn: 5}}
	if what&oddTxnOld != 0 {
		b.highest = map[kmsg.Key]int16{kmsg.Produce: 7, kmsg.Metadata: 8, kmsg.InitProducerID: 1, kmsg.ApiVersions: 2, kmsg.FindCoordinator: 2,
			kmsg.AddPartitionsToTxn: 2, kmsg.AddOffsetsToTxn: 2, kmsg.TxnOffsetCommit: 2, kmsg.EndTxn: 2}
	}
	b.left.Store(1 + int32(times%3))
	return b
}

// FuzzTransactions is FuzzAnswers for what a transactional producer asks coordinators.
func FuzzTransactions(f *testing.F) {
	for i, key := range oddTxnAPIs {
		for _, how := range []int{0, oddTxnV2, oddTxnAbort, oddTxnOld} {
			what := uint8(i | how)
			b := newOddTxnBroker(what, 0, nil)
			req := key.Request()
			req.SetVersion(b.highest[key])
			switch req := req.(type) {
			case *kmsg.FindCoordinatorRequest:
				req.CoordinatorKeys = []string{"t"}
			case *kmsg.AddPartitionsToTxnRequest:
				req.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: "a", Partitions: []int32{0}}}
			case *kmsg.TxnOffsetCommitRequest:
				req.Topics = []kmsg.TxnOffsetCommitRequestTopic{{Topic: "in", Partitions: []kmsg.TxnOffsetCommitRequestTopicPartition{{}}}}
			}
			resp := b.good(req)
			resp.SetVersion(b.highest[key])
			good := resp.AppendTo(nil)
			f.Add(what, uint8(0), good)
			for _, code := range []byte{15, 16, 47, 51, 90, 120} {
				odd := bytes.ReplaceAll(good, []byte{0, 0, 0, 0, 0, 0}, []byte{0, 0, 0, 0, 0, code}) // after the throttle time
				if !bytes.Equal(odd, good) {
					f.Add(what, uint8(1), odd)
				}
			}
		}
		f.Add(uint8(i|oddTxnRaw), uint8(0), []byte{})
		f.Add(uint8(i|oddTxnRaw|oddTxnHold|oddTxnV2), uint8(2), []byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	}
	f.Fuzz(func(t *testing.T, what, times uint8, answer []byte) {
		_ = transact(t, newOddTxnBroker(what, times, answer), what&oddTxnAbort == 0)
	})
}

// transact is a transaction of some records and an offset. What fails is aborted; what ends well can be followed by another.
// The error is what failed first.
func transact(t *testing.T, b *oddBroker, commit bool) (failed error) {
	t.Helper()
	defer deadlock().Stop()
	defer b.wg.Wait()
	var e endings
	cfg := oddConfig(b, e.ack)
	cfg.TransactionalID = "t"
	ctx := context.Background()
	p, err := native.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		err := p.Close()
		if lost := e.check(t); failed == nil {
			failed = errors.Join(err, lost)
		}
	}()
	begun := p.InitTransactions(ctx)
	if begun == nil {
		begun = p.BeginTransaction()
	}
	produced := p.Produce(ctx, e.records())
	if begun != nil {
		return begun
	}
	failed = errors.Join(produced, p.SendOffsetsToTransaction(ctx, []native.Offset{{Topic: "in", Offset: 5}}, native.GroupMetadata{Group: "g"}))
	if commit && failed == nil {
		failed = p.CommitTransaction(ctx)
		err = failed
	}
	if !commit || failed != nil {
		err = p.AbortTransaction(ctx)
	}
	if err == nil {
		if err := p.BeginTransaction(); err != nil {
			t.Errorf("the next transaction: %v", err)
		}
	}
	return errors.Join(failed, err)
}

// TestOddBrokerAnswersWell: where it gives no odd answer, everything succeeds.
func TestOddBrokerAnswersWell(t *testing.T) {
	for what := range 1 << 8 {
		b := newOddTxnBroker(uint8(what), 0, nil)
		b.left.Store(0)
		b.patient = true
		if err := transact(t, b, what&oddTxnAbort == 0); err != nil && (what&oddTxnAbort == 0 || !errors.Is(err, native.ErrTransactionAborted)) {
			t.Fatalf("transaction %b: %v", what, err)
		}
	}
	for version := range 1 << 8 {
		b := newOddBroker(0, uint8(version), 0, nil)
		b.left.Store(0)
		b.patient = true
		if err := checkOddBroker(t, b, version%2 == 0); err != nil {
			t.Fatalf("version %d: %v", version, err)
		}
	}
}
