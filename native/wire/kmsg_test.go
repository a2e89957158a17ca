package wire_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native/wire"
)

// equal compares an encoding with franz-go's.
func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %x\nwant %x", what, got, want)
	}
}

func TestRequestHeader(t *testing.T) {
	for _, tc := range []struct {
		key, version int16
		req          kmsg.Request
	}{{wire.KeyProduce, 8, &kmsg.ProduceRequest{}}, {wire.KeyProduce, 9, &kmsg.ProduceRequest{}},
		{wire.KeyMetadata, 12, &kmsg.MetadataRequest{}}, {wire.KeyAPIVersions, 3, &kmsg.ApiVersionsRequest{}},
		{wire.KeyAPIVersions, 0, &kmsg.ApiVersionsRequest{}}, {wire.KeyInitProducerID, 1, &kmsg.InitProducerIDRequest{}}} {
		tc.req.SetVersion(tc.version)
		f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("me"))
		want := f.AppendRequest(nil, tc.req, 77)
		got := wire.AppendRequestHeader(nil, tc.key, tc.version, 77, "me")
		equal(t, "header", got, want[4:4+len(got)])
		if tc.req.IsFlexible() != wire.Flexible(tc.key, tc.version) {
			t.Errorf("key %d version %d: flexible %v", tc.key, tc.version, tc.req.IsFlexible())
		}
	}
}

func TestProduceRequest(t *testing.T) {
	batches := map[string][][]byte{"a": {{1, 2, 3}, bytes.Repeat([]byte{7}, 200)}, "bb": {{}}}
	for v := int16(3); v <= 13; v++ {
		req := kmsg.NewPtrProduceRequest()
		req.Version, req.Acks, req.TimeoutMillis = v, -1, 1500
		head := wire.ProduceHead{Acks: -1, TimeoutMS: 1500, Topics: 2}
		if v%2 == 0 {
			head.TransactionalID = "tx"
			req.TransactionID = &head.TransactionalID
		}
		got := wire.AppendProduceHead(nil, v, head)
		flex := wire.Flexible(wire.KeyProduce, v)
		for _, topic := range []string{"a", "bb"} {
			rt := kmsg.NewProduceRequestTopic()
			rt.Topic, rt.TopicID = topic, topicID(topic)
			got = wire.AppendProduceTopic(got, v, wire.ProduceTopic{Name: topic, ID: topicID(topic)}, len(batches[topic]))
			for i, b := range batches[topic] {
				rp := kmsg.NewProduceRequestTopicPartition()
				rp.Partition, rp.Records = int32(i), b
				rt.Partitions = append(rt.Partitions, rp)
				got = wire.AppendProducePartition(got, v, int32(i), len(b))
				got = append(got, b...)
				got = wire.AppendNoTags(got, flex)
			}
			req.Topics = append(req.Topics, rt)
			got = wire.AppendNoTags(got, flex)
		}
		got = wire.AppendNoTags(got, flex)
		equal(t, "produce", got, req.AppendTo(nil))
	}
}

// topicID is an id for a topic of that name.
func topicID(name string) [16]byte { return [16]byte{0xf0, name[0], 15: byte(len(name))} }

func TestOtherRequests(t *testing.T) {
	for v := int16(4); v <= 13; v++ {
		req := kmsg.NewPtrMetadataRequest()
		req.Version, req.AllowAutoTopicCreation = v, true
		for _, name := range []string{"a", "long-topic-name"} {
			rt := kmsg.NewMetadataRequestTopic()
			rt.Topic = kmsg.StringPtr(name)
			req.Topics = append(req.Topics, rt)
		}
		equal(t, "metadata", wire.AppendMetadata(nil, v, []string{"a", "long-topic-name"}, true), req.AppendTo(nil))
	}
	for v := int16(0); v <= 5; v++ {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.Version, req.TransactionTimeoutMillis = v, -1
		equal(t, "init producer id", wire.AppendInitProducerID(nil, v), req.AppendTo(nil))
	}
	for v := int16(0); v <= 3; v++ {
		req := kmsg.NewPtrApiVersionsRequest()
		req.Version, req.ClientSoftwareName, req.ClientSoftwareVersion = v, "x", "1.2"
		equal(t, "api versions", wire.AppendAPIVersions(nil, v, "x", "1.2"), req.AppendTo(nil))
	}
}

func TestProduceResponse(t *testing.T) {
	for v := int16(3); v <= 13; v++ {
		resp := kmsg.NewPtrProduceResponse()
		resp.Version, resp.ThrottleMillis = v, 250
		want := []wire.ProduceResult{}
		for i, topic := range []string{"a", "b"} {
			rt := kmsg.NewProduceResponseTopic()
			rt.Topic, rt.TopicID = topic, topicID(topic)
			for p := range int32(3) {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition, rp.BaseOffset, rp.LogAppendTime, rp.LogStartOffset = p, int64(i*1000)+int64(p), -1, 5
				w := wire.ProduceResult{Topic: []byte(topic), Partition: p, BaseOffset: rp.BaseOffset, LogAppendMS: -1, LogStart: -1, Leader: -1, LeaderEpoch: -1}
				if v >= 13 {
					w.Topic, w.TopicID = nil, topicID(topic)
				}
				if v >= 5 {
					w.LogStart = 5
				}
				if p == 1 {
					rp.ErrorCode, w.Code = 6, 6
					rp.CurrentLeader.LeaderID, rp.CurrentLeader.LeaderEpoch = 3, 9
					rp.ErrorMessage = kmsg.StringPtr("moved")
					if v >= 8 {
						w.Message = []byte("moved")
					}
					if v >= 10 {
						w.Leader, w.LeaderEpoch = 3, 9
					}
				}
				if p == 2 {
					rp.ErrorCode, w.Code = 87, 87
					re := kmsg.NewProduceResponseTopicPartitionErrorRecord()
					re.RelativeOffset, re.ErrorMessage = 4, kmsg.StringPtr("bad timestamp")
					silent := kmsg.NewProduceResponseTopicPartitionErrorRecord()
					silent.RelativeOffset = 9
					rp.ErrorRecords = append(rp.ErrorRecords, re, silent)
					if v >= 8 {
						w.Records = []wire.RecordError{{Index: 4, Message: []byte("bad timestamp")}, {Index: 9}}
					}
				}
				want = append(want, w)
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		if v >= 10 {
			b := kmsg.NewProduceResponseBroker()
			b.NodeID, b.Host, b.Port, b.Rack = 3, "localhost", 9092, kmsg.StringPtr("r1")
			other := kmsg.NewProduceResponseBroker()
			other.NodeID, other.Host, other.Port = 4, "other", 9093
			resp.Brokers = append(resp.Brokers, b, other)
		}
		r := wire.NewReader(resp.AppendTo(nil), wire.Flexible(wire.KeyProduce, v))
		got := wire.ProduceResponse{Results: make([]wire.ProduceResult, 2, 4), Endpoints: []wire.Broker{{ID: 9}}} // of the one before
		if err := wire.DecodeProduce(&r, v, &got); err != nil || got.ThrottleMS != 250 || r.Len() != 0 {
			t.Errorf("v%d: throttle %d, %d bytes left, error %v", v, got.ThrottleMS, r.Len(), err)
		}
		if d := cmp.Diff(want, got.Results); d != "" {
			t.Errorf("v%d: -want +got\n%s", v, d)
		}
		endpoints := []wire.Broker{}
		if v >= 10 {
			endpoints = append(endpoints, wire.Broker{ID: 3, Host: "localhost", Port: 9092, Rack: "r1"}, wire.Broker{ID: 4, Host: "other", Port: 9093})
		}
		if d := cmp.Diff(endpoints, got.Endpoints); d != "" {
			t.Errorf("v%d: endpoints -want +got\n%s", v, d)
		}
	}
}

func metadataResponse(v int16) *kmsg.MetadataResponse {
	resp := kmsg.NewPtrMetadataResponse()
	resp.Version, resp.ThrottleMillis, resp.ClusterID, resp.ControllerID = v, 3, kmsg.StringPtr("c"), 1
	resp.ErrorCode = 129
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID, b.Host, b.Port, b.Rack = 1, "h", 9092, kmsg.StringPtr("r")
	resp.Brokers = append(resp.Brokers, b)
	rt := kmsg.NewMetadataResponseTopic()
	rt.Topic, rt.TopicID = kmsg.StringPtr("t"), [16]byte{1, 2}
	rp := kmsg.NewMetadataResponseTopicPartition()
	rp.Partition, rp.Leader, rp.LeaderEpoch, rp.Replicas, rp.ISR, rp.OfflineReplicas = 4, 1, 8, []int32{1, 2}, []int32{1}, []int32{2}
	rt.Partitions = append(rt.Partitions, rp)
	resp.Topics = append(resp.Topics, rt)
	return resp
}

func TestMetadataResponse(t *testing.T) {
	for v := int16(4); v <= 13; v++ {
		want := wire.Metadata{ThrottleMS: 3, Brokers: []wire.Broker{{ID: 1, Host: "h", Port: 9092, Rack: "r"}}, ClusterID: "c",
			Topics: []wire.TopicMeta{{Name: "t", TopicID: [16]byte{1, 2}, Partitions: []wire.PartitionMeta{{ID: 4, Leader: 1, LeaderEpoch: 8}}}}}
		if v < 10 {
			want.Topics[0].TopicID = [16]byte{}
		}
		if v >= 13 {
			want.Code = 129
		}
		if v < 7 {
			want.Topics[0].Partitions[0].LeaderEpoch = -1
		}
		r := wire.NewReader(metadataResponse(v).AppendTo(nil), wire.Flexible(wire.KeyMetadata, v))
		got, err := wire.DecodeMetadata(&r, v)
		if err != nil || r.Len() != 0 {
			t.Errorf("v%d: %d bytes left, error %v", v, r.Len(), err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("v%d: -want +got\n%s", v, d)
		}
	}
}

func TestOtherResponses(t *testing.T) {
	for v := int16(0); v <= 5; v++ {
		resp := kmsg.NewPtrInitProducerIDResponse()
		resp.Version, resp.ThrottleMillis, resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = v, 1, 2, 1<<40, 7
		r := wire.NewReader(resp.AppendTo(nil), wire.Flexible(wire.KeyInitProducerID, v))
		got, err := wire.DecodeInitProducerID(&r)
		if want := (wire.InitProducerID{ThrottleMS: 1, Code: 2, ProducerID: 1 << 40, Epoch: 7}); err != nil || got != want || r.Len() != 0 {
			t.Errorf("v%d: %+v, error %v, %d bytes left", v, got, err, r.Len())
		}
	}
	for v := int16(0); v <= 3; v++ {
		resp := kmsg.NewPtrApiVersionsResponse()
		resp.Version = v
		for k := range int16(3) {
			a := kmsg.NewApiVersionsResponseApiKey()
			a.ApiKey, a.MinVersion, a.MaxVersion = k, k+1, k+5
			resp.ApiKeys = append(resp.ApiKeys, a)
		}
		r := wire.NewReader(resp.AppendTo(nil), wire.Flexible(wire.KeyAPIVersions, v))
		code, got, err := wire.DecodeAPIVersions(&r, v)
		want := []wire.VersionRange{{Key: 0, Min: 1, Max: 5}, {Key: 1, Min: 2, Max: 6}, {Key: 2, Min: 3, Max: 7}}
		if d := cmp.Diff(want, got); code != 0 || err != nil || d != "" {
			t.Errorf("v%d: code %d, error %v\n%s", v, code, err, d)
		}
	}
}

// TestBatch compares a whole batch with franz-go's encoder of each part.
func TestBatch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	var records []byte
	buf := make([]byte, wire.BatchHeaderSize)
	for i := range 300 {
		key, value := random(i%70), random(i*3%9000)
		if i%7 == 0 {
			key = nil
		}
		if i%11 == 0 {
			value = nil
		}
		var hs []wire.RecordHeader
		kr := kmsg.Record{TimestampDelta64: int64(i * i), OffsetDelta: int32(i), Key: key, Value: value}
		for j := range i % 4 {
			h := wire.RecordHeader{Key: string(random(j * 40)), Value: random(j * 30)}
			if j == 2 {
				h.Value = nil
			}
			hs = append(hs, h)
			kr.Headers = append(kr.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
		}
		headers := wire.HeadersSize(hs)
		body := wire.RecordBodySize(int64(i*i), i, key, value, headers)
		before := len(buf)
		buf = wire.AppendRecord(buf, body, int64(i*i), i, key, value, hs)
		if got := len(buf) - before; got != body+wire.VarintLen(int64(body)) {
			t.Fatalf("record %d: %d bytes, announced %d", i, got, body+wire.VarintLen(int64(body)))
		}
		kr.Length = int32(body)
		records = kr.AppendTo(records)
	}
	equal(t, "records", buf[wire.BatchHeaderSize:], records)

	h := wire.BatchHeader{Attributes: 4, Count: 300, BaseTime: 1700000000000, MaxTime: 1700000090000,
		ProducerID: 1 << 50, Epoch: 12, Sequence: math.MaxInt32}
	wire.PutBatchHeader(buf, h, wire.NewBlock(len(records), wire.CRC32C(0, records)))
	kb := kmsg.RecordBatch{PartitionLeaderEpoch: -1, Magic: 2, Attributes: 4, LastOffsetDelta: 299, FirstTimestamp: h.BaseTime,
		MaxTimestamp: h.MaxTime, ProducerID: h.ProducerID, ProducerEpoch: 12, FirstSequence: math.MaxInt32, NumRecords: 300,
		Records: records, Length: int32(len(buf) - 12)}
	raw := kb.AppendTo(nil)
	kb.CRC = int32(crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	equal(t, "batch", buf, kb.AppendTo(nil))
}

func TestCombine(t *testing.T) {
	b := make([]byte, 3<<20)
	for i := range b {
		b[i] = byte(i * i >> 3)
	}
	for _, cut := range []int{0, 1, 40, 41, 100, 4095, 1 << 20, len(b)} {
		for _, end := range []int{cut, min(cut+1, len(b)), min(cut+40, len(b)), len(b)} {
			got := wire.CombineCRC32C(wire.CRC32C(0, b[:cut]), wire.CRC32C(0, b[cut:end]), end-cut)
			if want := wire.CRC32C(0, b[:end]); got != want {
				t.Errorf("%d + %d bytes: %08x, want %08x", cut, end-cut, got, want)
			}
		}
	}
}

func TestVarints(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 63, 64, -64, -65, 8191, 8192, math.MaxInt32, math.MinInt32, math.MaxInt64, math.MinInt64} {
		b := wire.AppendVarint(nil, v)
		want := binary.AppendVarint(nil, v)
		equal(t, "varint", b, want)
		if wire.VarintLen(v) != len(b) {
			t.Errorf("VarintLen(%d) = %d, want %d", v, wire.VarintLen(v), len(b))
		}
		r := wire.NewReader(b, false)
		if got := r.Varint(); got != v || r.Err() != nil {
			t.Errorf("%d came back as %d, %v", v, got, r.Err())
		}
	}
	for _, v := range []uint32{0, 1, 127, 128, 1<<14 - 1, 1 << 14, math.MaxUint32} {
		b := wire.AppendUvarint(nil, v)
		equal(t, "uvarint", b, binary.AppendUvarint(nil, uint64(v)))
		r := wire.NewReader(b, false)
		if got := r.Uvarint(); got != v || r.Err() != nil || wire.UvarintLen(v) != len(b) {
			t.Errorf("%d came back as %d, %v; length %d", v, got, r.Err(), wire.UvarintLen(v))
		}
	}
}
