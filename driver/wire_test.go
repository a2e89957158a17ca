package driver

import (
	"encoding/binary"
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// batch is a v2 record batch of size bytes of records.
func batch(size int, pid int64, epoch int16, seq int32) []byte {
	b := kmsg.RecordBatch{Length: int32(49 + size), Magic: 2, ProducerID: pid, ProducerEpoch: epoch, FirstSequence: seq,
		NumRecords: 1, Records: make([]byte, size)}
	return b.AppendTo(nil)
}

// produce is a produce request with a batch list per partition.
func produce(version int16, topics map[string][][]byte) []byte {
	req := kmsg.NewPtrProduceRequest()
	req.Version = version
	req.Acks = -1
	for name, parts := range topics {
		t := kmsg.NewProduceRequestTopic()
		t.Topic = name
		copy(t.TopicID[:], name)
		for i, records := range parts {
			p := kmsg.NewProduceRequestTopicPartition()
			p.Partition, p.Records = int32(i), records
			t.Partitions = append(t.Partitions, p)
		}
		req.Topics = append(req.Topics, t)
	}
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("me")).AppendRequest(nil, req, 7)
}

func TestWireMeterCounts(t *testing.T) {
	for version := int16(3); version <= 13; version++ {
		m := NewWireMeter()
		req := produce(version, map[string][][]byte{
			"a": {batch(100, -1, -1, -1), append(batch(10, -1, -1, -1), batch(20, -1, -1, -1)...)},
			"b": {batch(1000, -1, -1, -1)},
		})
		m.observe(req)
		m.observe(req)
		want := Stats{Requests: 2, WireBytes: 2 * int64(len(req)), Batches: 8, CompressedBytes: 2 * 1130,
			UncompressedBytes: -1, Retries: -1, ThrottleNS: -1, ProduceVersion: int64(version)}
		if diff := cmp.Diff(want, m.Stats()); diff != "" {
			t.Errorf("version %d (-want +got):\n%s", version, diff)
		}
	}
}

func TestWireMeterRetries(t *testing.T) {
	m := NewWireMeter()
	send := func(topic string, pid int64, epoch int16, seq int32) {
		m.observe(produce(9, map[string][][]byte{topic: {batch(10, pid, epoch, seq)}}))
	}
	for seq := range int32(100) {
		send("a", 5, 0, seq)
		send("b", 5, 0, seq)
	}
	if got := m.Stats().Retries; got != 0 {
		t.Fatalf("retries after first sends: %d, want 0", got)
	}
	send("a", 5, 0, 97)
	send("a", 5, 1, 97) // another epoch: not the same batch
	send("b", 5, 0, 99)
	if got := m.Stats().Retries; got != 2 {
		t.Errorf("retries: %d, want 2", got)
	}
}

// TestWireMeterIgnores feeds what isn't a whole produce request.
func TestWireMeterIgnores(t *testing.T) {
	good := produce(9, map[string][][]byte{"a": {batch(100, 1, 0, 0)}})
	metadata := kmsg.NewRequestFormatter().AppendRequest(nil, kmsg.NewPtrMetadataRequest(), 1)
	m := NewWireMeter()
	for _, b := range [][]byte{nil, {1}, good[:len(good)-1], good[1:], metadata} {
		m.observe(b)
	}
	if got := m.Stats().Requests; got != 0 {
		t.Errorf("%d requests counted, want 0", got)
	}
}

func TestWireMeterAllocatesNothing(t *testing.T) {
	m := NewWireMeter()
	req := produce(9, map[string][][]byte{"topic": {batch(100, 1, 0, 0)}})
	m.observe(req)
	if n := testing.AllocsPerRun(100, func() { m.observe(req) }); n != 0 {
		t.Errorf("%v allocations per request, want 0", n)
	}
}

func TestMeteredConn(t *testing.T) {
	client, server := net.Pipe()
	go io.Copy(io.Discard, server)
	m := NewWireMeter()
	c := m.Conn(client)
	req := produce(9, map[string][][]byte{"a": {batch(100, 1, 0, 0)}})
	if n, err := c.Write(req); n != len(req) || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
	server.Close()
	if _, err := c.Write(req); err == nil {
		t.Fatal("write to a closed connection succeeds")
	}
	if got := m.Stats().Requests; got != 1 {
		t.Errorf("%d requests, want 1: a failed write isn't one", got)
	}
}

func FuzzWireMeter(f *testing.F) {
	for _, v := range []int16{3, 8, 9, 13} {
		f.Add(produce(v, map[string][][]byte{"a": {batch(10, 1, 0, 0)}}))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 8 { // let the length and the key pass, to get deeper
			binary.BigEndian.PutUint32(b, uint32(len(b)-4))
			b[4], b[5], b[6], b[7] = 0, 0, 0, 3+b[7]%11
		}
		m := NewWireMeter()
		m.observe(b)
		if st := m.Stats(); st.CompressedBytes > int64(len(b)) {
			t.Errorf("%d bytes of records in a request of %d", st.CompressedBytes, len(b))
		}
	})
}

func BenchmarkWireMeter(b *testing.B) {
	var parts [][]byte
	for range 12 {
		parts = append(parts, batch(16000, 1, 0, 0))
	}
	req := produce(9, map[string][][]byte{"topic": parts})
	m := NewWireMeter()
	b.ReportAllocs()
	for b.Loop() {
		m.observe(req)
	}
}
