package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native/wire"
)

var txn = wire.Txn{TransactionalID: "transfer-7", ProducerID: 1 << 40, Epoch: 300}

func TestTransactionRequests(t *testing.T) {
	for v := int16(0); v <= 5; v++ {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.Version, req.TransactionalID, req.TransactionTimeoutMillis = v, &txn.TransactionalID, 60000
		req.ProducerID, req.ProducerEpoch = txn.ProducerID, txn.Epoch
		got := wire.AppendInitProducer(nil, v, wire.InitProducer{
			TransactionalID: txn.TransactionalID, TimeoutMS: 60000, ProducerID: txn.ProducerID, Epoch: txn.Epoch})
		equal(t, "init producer id", got, req.AppendTo(nil))
	}
	for v := int16(1); v <= 5; v++ {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.Version, req.CoordinatorType, req.CoordinatorKey, req.CoordinatorKeys = v, 1, "k", []string{"k"}
		equal(t, "find coordinator", wire.AppendFindCoordinator(nil, v, wire.CoordinatorTransaction, "k"), req.AppendTo(nil))
	}
	for v := int16(0); v <= 3; v++ {
		req := kmsg.NewPtrAddPartitionsToTxnRequest()
		req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch = v, txn.TransactionalID, txn.ProducerID, txn.Epoch
		for _, topic := range []string{"a", "bb"} {
			rt := kmsg.NewAddPartitionsToTxnRequestTopic()
			rt.Topic, rt.Partitions = topic, []int32{0, 7}
			req.Topics = append(req.Topics, rt)
		}
		got := wire.AppendAddPartitionsToTxn(nil, v, txn, []wire.TxnPartition{{"a", 0}, {"a", 7}, {"bb", 0}, {"bb", 7}})
		equal(t, "add partitions", got, req.AppendTo(nil))
	}
	for v := int16(0); v <= 4; v++ {
		req := kmsg.NewPtrAddOffsetsToTxnRequest()
		req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = v, txn.TransactionalID, txn.ProducerID, txn.Epoch, "g"
		equal(t, "add offsets", wire.AppendAddOffsetsToTxn(nil, v, txn, "g"), req.AppendTo(nil))
	}
	for v := int16(0); v <= 5; v++ {
		req := kmsg.NewPtrEndTxnRequest()
		req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = v, txn.TransactionalID, txn.ProducerID, txn.Epoch, true
		equal(t, "end", wire.AppendEndTxn(nil, v, txn, true), req.AppendTo(nil))
	}
}

func TestTxnOffsetCommitRequest(t *testing.T) {
	for v := int16(0); v <= 5; v++ {
		for _, instance := range []string{"", "static-1"} {
			req := kmsg.NewPtrTxnOffsetCommitRequest()
			req.Version, req.TransactionalID, req.ProducerID, req.ProducerEpoch = v, txn.TransactionalID, txn.ProducerID, txn.Epoch
			req.Group, req.Generation, req.MemberID = "g", 4, "m-1"
			if instance != "" {
				req.InstanceID = &instance
			}
			var offsets []wire.TxnOffset
			for _, topic := range []string{"a", "bb"} {
				rt := kmsg.NewTxnOffsetCommitRequestTopic()
				rt.Topic = topic
				for p := range int32(2) {
					rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
					rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p, int64(p)<<33, 6, kmsg.StringPtr("note")
					rt.Partitions = append(rt.Partitions, rp)
					offsets = append(offsets, wire.TxnOffset{
						TxnPartition: wire.TxnPartition{Topic: topic, Partition: p}, Offset: rp.Offset, LeaderEpoch: 6, Metadata: "note"})
				}
				req.Topics = append(req.Topics, rt)
			}
			got := wire.AppendTxnOffsetCommit(nil, v, wire.TxnOffsetCommit{Txn: txn, Group: "g", Generation: 4, Member: "m-1", Instance: instance}, offsets)
			equal(t, "offset commit", got, req.AppendTo(nil))
		}
	}
}

// read decodes a response of an API and checks that nothing is left of it.
func read[T any](t *testing.T, resp kmsg.Response, want T, decode func(r *wire.Reader, version int16) (T, error)) {
	t.Helper()
	key, v := resp.Key(), resp.GetVersion()
	if resp.IsFlexible() != wire.Flexible(key, v) {
		t.Errorf("key %d version %d: flexible %v", key, v, resp.IsFlexible())
	}
	r := wire.NewReader(resp.AppendTo(nil), wire.Flexible(key, v))
	got, err := decode(&r, v)
	if d := cmp.Diff(want, got); d != "" || err != nil || r.Len() != 0 {
		t.Errorf("key %d version %d: error %v, %d bytes left, -want +got\n%s", key, v, err, r.Len(), d)
	}
}

func findCoordinatorResponse(v int16) *kmsg.FindCoordinatorResponse {
	resp := kmsg.NewPtrFindCoordinatorResponse()
	resp.Version, resp.ThrottleMillis = v, 9
	resp.ErrorCode, resp.ErrorMessage, resp.NodeID, resp.Host, resp.Port = 15, kmsg.StringPtr("wait"), 3, "h", 9092
	c := kmsg.NewFindCoordinatorResponseCoordinator()
	c.Key, c.ErrorCode, c.ErrorMessage, c.NodeID, c.Host, c.Port = "k", 15, kmsg.StringPtr("wait"), 3, "h", 9092
	resp.Coordinators = append(resp.Coordinators, c)
	return resp
}

func TestTransactionResponses(t *testing.T) {
	for v := int16(1); v <= 5; v++ {
		read(t, findCoordinatorResponse(v), wire.Coordinator{Code: 15, Message: "wait", ID: 3, Host: "h", Port: 9092}, wire.DecodeFindCoordinator)
	}
	partitions := func(r *wire.Reader, _ int16) ([]wire.TxnPartitionResult, error) { return wire.DecodeTxnPartitions(r) }
	want := []wire.TxnPartitionResult{{Topic: []byte("a"), Partition: 1, Code: 3}, {Topic: []byte("bb"), Partition: 1, Code: 3}}
	for v := int16(0); v <= 5; v++ {
		add, commit := kmsg.NewPtrAddPartitionsToTxnResponse(), kmsg.NewPtrTxnOffsetCommitResponse()
		add.Version, commit.Version = v, v
		for _, topic := range []string{"a", "bb"} {
			at, ct := kmsg.NewAddPartitionsToTxnResponseTopic(), kmsg.NewTxnOffsetCommitResponseTopic()
			ap, cp := kmsg.NewAddPartitionsToTxnResponseTopicPartition(), kmsg.NewTxnOffsetCommitResponseTopicPartition()
			at.Topic, ct.Topic, ap.Partition, cp.Partition, ap.ErrorCode, cp.ErrorCode = topic, topic, 1, 1, 3, 3
			at.Partitions, ct.Partitions = append(at.Partitions, ap), append(ct.Partitions, cp)
			add.Topics, commit.Topics = append(add.Topics, at), append(commit.Topics, ct)
		}
		if v <= 3 {
			read(t, add, want, partitions)
		}
		read(t, commit, want, partitions)
	}
	for v := int16(0); v <= 4; v++ {
		resp := kmsg.NewPtrAddOffsetsToTxnResponse()
		resp.Version, resp.ErrorCode = v, 51
		read(t, resp, 51, func(r *wire.Reader, _ int16) (int16, error) { return wire.DecodeAddOffsetsToTxn(r) })
	}
	for v := int16(0); v <= 5; v++ {
		resp := kmsg.NewPtrEndTxnResponse()
		resp.Version, resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = v, 120, 77, 8
		want := wire.EndTxn{Code: 120, ProducerID: -1, Epoch: -1}
		if v >= 5 {
			want.ProducerID, want.Epoch = 77, 8
		}
		read(t, resp, want, wire.DecodeEndTxn)
	}
}

func featuresResponse() *kmsg.ApiVersionsResponse {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.Version, resp.FinalizedFeaturesEpoch = 3, 41
	for name, level := range map[string]int16{"metadata.version": 29, "transaction.version": 2} {
		f := kmsg.NewApiVersionsResponseFinalizedFeature()
		f.Name, f.MaxVersionLevel, f.MinVersionLevel = name, level, 1
		resp.FinalizedFeatures = append(resp.FinalizedFeatures, f)
	}
	s := kmsg.NewApiVersionsResponseSupportedFeature()
	s.Name, s.MinVersion, s.MaxVersion = "transaction.version", 0, 3
	resp.SupportedFeatures = append(resp.SupportedFeatures, s)
	return resp
}

func TestFeatures(t *testing.T) {
	features := func(r *wire.Reader, v int16) (wire.Features, error) {
		_, _, f, err := wire.DecodeFeatures(r, v)
		return f, err
	}
	read(t, featuresResponse(), wire.Features{Epoch: 41, TransactionVersion: 2}, features)
	for v := int16(0); v <= 3; v++ { // a broker that says nothing about them
		resp := kmsg.NewPtrApiVersionsResponse()
		resp.Version = v
		read(t, resp, wire.Features{Epoch: -1}, features)
	}
}

// TestSeveralCoordinators refuses an answer to more than was asked.
func TestSeveralCoordinators(t *testing.T) {
	for _, n := range []int{0, 2} {
		resp := findCoordinatorResponse(4)
		one := resp.Coordinators[0]
		resp.Coordinators = nil
		for range n {
			resp.Coordinators = append(resp.Coordinators, one)
		}
		r := wire.NewReader(resp.AppendTo(nil), true)
		if c, err := wire.DecodeFindCoordinator(&r, 4); err == nil {
			t.Errorf("%d coordinators pass as %+v", n, c)
		}
	}
}
