package native_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// refuseFuture makes a fake cluster refuse batches with records from the future as Kafka does: with a list of the records.
func refuseFuture(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.ProduceRequest)
		resp := req.ResponseKind().(*kmsg.ProduceResponse)
		refused := false
		for _, rt := range req.Topics {
			st := kmsg.NewProduceResponseTopic()
			st.Topic, st.TopicID = rt.Topic, rt.TopicID
			for _, rp := range rt.Partitions {
				sp := kmsg.NewProduceResponseTopicPartition()
				sp.Partition, sp.BaseOffset = rp.Partition, -1
				for _, i := range futures(rp.Records) {
					re := kmsg.NewProduceResponseTopicPartitionErrorRecord()
					re.RelativeOffset, re.ErrorMessage = i, kmsg.StringPtr("Timestamp of message is out of range.")
					sp.ErrorRecords = append(sp.ErrorRecords, re)
					sp.ErrorCode, refused = kerr.InvalidTimestamp.Code, true
				}
				st.Partitions = append(st.Partitions, sp)
			}
			resp.Topics = append(resp.Topics, st)
		}
		return resp, nil, refused
	})
}

// futures lists the records of an uncompressed batch that are from the future.
func futures(raw []byte) (bad []int32) {
	var b kmsg.RecordBatch
	if b.ReadFrom(raw) != nil {
		return nil
	}
	rest := b.Records
	for i := range b.NumRecords {
		length, n := binary.Varint(rest)
		var rec kmsg.Record
		if rec.ReadFrom(rest[:n+int(length)]) != nil {
			return nil
		}
		rest = rest[n+int(length):]
		if b.FirstTimestamp+rec.TimestampDelta64 > time.Now().Add(time.Hour).UnixMilli() {
			bad = append(bad, i)
		}
	}
	return bad
}

// TestRecordErrors sends batches with records that the broker refuses: each of these ends with its own error, the others of
// the batch with one that says that they are innocent, and the next batch is written.
func TestRecordErrors(t *testing.T) {
	future := time.Now().Add(48 * time.Hour).UnixMilli()
	for name, tc := range map[string]struct {
		bad  []int
		code int16
	}{
		"one":           {[]int{3}, kerr.InvalidTimestamp.Code},
		"first":         {[]int{0}, kerr.InvalidTimestamp.Code},
		"several":       {[]int{2, 3, 9}, kerr.InvalidRecord.Code},
		"first to last": {[]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, kerr.InvalidRecord.Code},
	} {
		t.Run(name, func(t *testing.T) {
			var addrs, topics []string
			if os.Getenv(bootstrapEnv) != "" {
				addrs, topics = ownTopics(t)
			} else {
				c := cluster(t)
				refuseFuture(c)
				addrs, topics = c.ListenAddrs(), names
			}
			l := newLedger()
			cfg := native.DefaultConfig()
			cfg.Bootstrap, cfg.Topics, cfg.OnAck, cfg.Linger = addrs, topics, l.ack, time.Second
			p := open(t, cfg)
			recs := make([]native.Record, 10)
			for i := range recs {
				recs[i] = native.Record{Slot: uint32(i), Partition: 1, Value: []byte("v")}
			}
			for _, i := range tc.bad {
				recs[i].TimestampMS = future
			}
			produce(t, p, recs)
			l.check(t, len(recs), true)
			bad := map[uint32]bool{}
			for _, i := range tc.bad {
				bad[uint32(i)] = true
			}
			for s := range uint32(10) {
				e, _ := l.get(s)
				var ke *native.Error
				switch {
				case !errors.As(e.err, &ke):
					t.Errorf("record %d: %v, which is no error of the broker", s, e.err)
				case bad[s] && (errors.Is(e.err, native.ErrBatchRejected) || ke.Code != tc.code || ke.Message == ""):
					t.Errorf("bad record %d: %v, want code %d and what is wrong", s, e.err, tc.code)
				case !bad[s] && (!errors.Is(e.err, native.ErrBatchRejected) || ke.Code != kerr.InvalidTimestamp.Code):
					t.Errorf("innocent record %d: %v", s, e.err)
				case e.offset != -1 || e.partition != 1:
					t.Errorf("record %d failed at partition %d, offset %d", s, e.partition, e.offset)
				}
			}
			if err := p.Produce(context.Background(), []native.Record{{Slot: 10, Partition: 1}}); err != nil {
				t.Fatal(err)
			}
			produce(t, p, nil)
			if e, _ := l.get(10); e.err != nil || e.offset != 0 {
				t.Errorf("the next record is at offset %d, error %v", e.offset, e.err)
			}
		})
	}
}
