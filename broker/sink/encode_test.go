package sink_test

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"net"
	"testing"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/broker/sink"
)

// start runs a sink for a test and says where it is. What it logs fails the test, unless the options say otherwise.
func start(tb testing.TB, opts sink.Options) (*sink.Server, string) {
	tb.Helper()
	if opts.Log == nil {
		opts.Log = func(err error) { tb.Error(err) }
	}
	s, err := sink.Listen("127.0.0.1:0", opts)
	if err != nil {
		tb.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
		if err := <-served; err != nil {
			tb.Error(err)
		}
	})
	return s, s.Addr().String()
}

// dial connects to a sink for the length of a test.
func dial(tb testing.TB, addr string) net.Conn {
	tb.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { nc.Close() })
	return nc
}

// encode is a whole request as it goes over the wire.
func encode(req kmsg.Request, correlation int32) []byte {
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, req, correlation)
}

// frame reads one answer: correlation id and the rest.
func frame(tb testing.TB, r io.Reader) (int32, []byte) {
	tb.Helper()
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		tb.Fatalf("no answer: %v", err)
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:])-4)
	if _, err := io.ReadFull(r, body); err != nil {
		tb.Fatalf("answer cut short: %v", err)
	}
	return int32(binary.BigEndian.Uint32(head[4:])), body
}

// decode decodes the body of an answer to req with kmsg, and wants every byte used.
func decode[R kmsg.Response](tb testing.TB, req kmsg.Request, body []byte) R {
	tb.Helper()
	resp := req.ResponseKind()
	if resp.IsFlexible() && req.Key() != 18 {
		b := kbin.Reader{Src: body}
		kmsg.SkipTags(&b)
		body = b.Src
	}
	if err := resp.ReadFrom(body); err != nil {
		tb.Fatalf("%s v%d: %v", kmsg.NameForKey(req.Key()), req.GetVersion(), err)
	}
	if again := resp.AppendTo(nil); string(again) != string(body) {
		tb.Fatalf("%s v%d: answer\n%x\nis encoded by kmsg as\n%x", kmsg.NameForKey(req.Key()), req.GetVersion(), body, again)
	}
	return resp.(R)
}

// ask sends one request and decodes the answer.
func ask[R kmsg.Response](tb testing.TB, nc net.Conn, req kmsg.Request) R {
	tb.Helper()
	const correlation = 0x01020304
	if _, err := nc.Write(encode(req, correlation)); err != nil {
		tb.Fatal(err)
	}
	got, body := frame(tb, nc)
	if got != correlation {
		tb.Fatalf("correlation id %x, want %x", got, correlation)
	}
	return decode[R](tb, req, body)
}

// batch is a record batch of n records with values of size bytes.
func batch(n, size int) []byte {
	value := make([]byte, size)
	var records []byte
	for i := range n {
		r := kmsg.Record{OffsetDelta: int32(i), Value: value}
		r.Length = int32(len(r.AppendTo(nil))) - 1 // less the one byte of a zero length
		records = r.AppendTo(records)
	}
	b := kmsg.RecordBatch{
		Length:               int32(61 - 12 + len(records)),
		PartitionLeaderEpoch: -1,
		Magic:                2,
		LastOffsetDelta:      int32(n - 1),
		ProducerID:           -1,
		ProducerEpoch:        -1,
		FirstSequence:        -1,
		NumRecords:           int32(n),
		Records:              records,
	}
	return sum(b.AppendTo(nil))
}

// sum sets the CRC of a batch.
func sum(b []byte) []byte {
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// part is one partition of a Produce request.
type part struct {
	topic   string
	id      [16]byte // for v13
	index   int32
	records []byte
}

// produce is a Produce request; neighbouring parts of one topic share an entry.
func produce(version, acks int16, parts ...part) *kmsg.ProduceRequest {
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.TimeoutMillis = version, acks, 1000
	for _, p := range parts {
		if n := len(req.Topics); n == 0 || req.Topics[n-1].Topic != p.topic {
			rt := kmsg.NewProduceRequestTopic()
			rt.Topic, rt.TopicID = p.topic, p.id
			req.Topics = append(req.Topics, rt)
		}
		rp := kmsg.NewProduceRequestTopicPartition()
		rp.Partition, rp.Records = p.index, p.records
		t := &req.Topics[len(req.Topics)-1]
		t.Partitions = append(t.Partitions, rp)
	}
	return req
}
