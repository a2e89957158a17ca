package driver

import (
	"encoding/binary"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native/hist"
	"kbench/workload"
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

// testMeter is a meter with the default settings.
func testMeter() *WireMeter {
	cfg := workload.DefaultProducerConfig()
	return NewWireMeter(&cfg)
}

func TestWireMeterCounts(t *testing.T) {
	for version := int16(3); version <= 13; version++ {
		m := testMeter()
		req := produce(version, map[string][][]byte{
			"a": {batch(100, -1, -1, -1), append(batch(10, -1, -1, -1), batch(20, -1, -1, -1)...)},
			"b": {batch(1000, -1, -1, -1)},
		})
		m.observe(req)
		m.observe(req)
		want := Stats{Requests: 2, WireBytes: 2 * int64(len(req)), Batches: 8, CompressedBytes: 2 * 1130,
			UncompressedBytes: -1, Retries: -1, ThrottleNS: -1, ProduceVersion: int64(version),
			BufferWaits: -1, BufferWaitNS: -1, BatchesSplit: -1, BatchesExpired: -1}
		if diff := cmp.Diff(want, m.Stats()); diff != "" {
			t.Errorf("version %d (-want +got):\n%s", version, diff)
		}
		d := m.Distributions()
		for _, x := range []struct {
			name       string
			h          *hist.Histogram
			count, sum int64
		}{
			{"records in batches", d.BatchRecords, 8, 8},
			{"records in requests", d.RequestRecords, 2, 8},
			{"batches in requests", d.RequestBatches, 2, 8},
			{"bytes of requests", d.RequestBytes, 2, 2 * int64(len(req))},
			{"fills", d.BatchFill, 8, 2 * (9 + 4 + 4 + 64)}, // (61 + 100)·1000/16384 …
		} {
			if x.h.Count != x.count || x.h.Sum != x.sum {
				t.Errorf("version %d: %s: %d values, %d in all, want %d and %d", version, x.name, x.h.Count, x.h.Sum, x.count, x.sum)
			}
		}
	}
}

func TestWireMeterRetries(t *testing.T) {
	m := testMeter()
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
	m := testMeter()
	for _, b := range [][]byte{nil, {1}, good[:len(good)-1], good[1:], metadata} {
		m.observe(b)
	}
	if got := m.Stats().Requests; got != 0 {
		t.Errorf("%d requests counted, want 0", got)
	}
}

func TestWireMeterAllocatesNothing(t *testing.T) {
	m := testMeter()
	req := produce(9, map[string][][]byte{"topic": {batch(100, 1, 0, 0)}})
	m.observe(req)
	if n := testing.AllocsPerRun(100, func() { m.observe(req) }); n != 0 {
		t.Errorf("%v allocations per request, want 0", n)
	}
}

func TestMeteredConn(t *testing.T) {
	client, server := net.Pipe()
	go io.Copy(io.Discard, server)
	m := testMeter()
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

// TestMeteredAnswers reads answers to five requests in pieces of every size, with the answer to a metadata request between
// them. The first request is one of two in flight and the third lasts longest.
func TestMeteredAnswers(t *testing.T) {
	for piece := 1; piece < 40; piece++ {
		synctest.Test(t, func(t *testing.T) {
			client, server := net.Pipe()
			m := testMeter()
			c := m.Conn(client)
			go func() { _, _ = io.Copy(io.Discard, server) }()
			write := func(correlation int32, b []byte) {
				binary.BigEndian.PutUint32(b[8:], uint32(correlation))
				if _, err := c.Write(b); err != nil {
					t.Fatal(err)
				}
			}
			answer := func(correlations ...int32) {
				var b []byte
				for i, n := range correlations {
					b = binary.BigEndian.AppendUint32(b, uint32(4+10*i))
					b = binary.BigEndian.AppendUint32(b, uint32(n))
					b = append(b, make([]byte, 10*i)...)
				}
				go func() {
					for len(b) > 0 {
						n, _ := server.Write(b[:min(piece, len(b))])
						b = b[n:]
					}
				}()
				for left := len(b); left > 0; {
					n, err := c.Read(make([]byte, min(left, 16)))
					if err != nil {
						t.Fatal(err)
					}
					left -= n
				}
			}
			req := produce(9, map[string][][]byte{"a": {batch(100, 1, 0, 0)}})
			metadata := kmsg.NewRequestFormatter().AppendRequest(nil, kmsg.NewPtrMetadataRequest(), 1)
			write(1, req)
			time.Sleep(3 * time.Millisecond)
			write(2, req)
			write(3, metadata)
			time.Sleep(2 * time.Millisecond)
			answer(1, 2, 3) // after 5 and 2 ms
			write(4, req)
			time.Sleep(20 * time.Millisecond)
			answer(4)
			write(5, req) // never answered
			d := m.Distributions()
			if f := d.FlightNS; f.Count != 3 || f.Sum != int64(27*time.Millisecond) || f.Max != int64(20*time.Millisecond) {
				t.Errorf("pieces of %d: %d flights, %v in all, %v the longest", piece, f.Count, time.Duration(f.Sum), time.Duration(f.Max))
			}
			// Of the second, the first one's answer explains all.
			if b := d.BrokerNS; b.Count != 3 || b.Sum != int64(25*time.Millisecond) {
				t.Errorf("pieces of %d: %d times at the broker, %v in all", piece, b.Count, time.Duration(b.Sum))
			}
			if got := m.Stats().Connections; got != 1 {
				t.Errorf("%d connections", got)
			}
			server.Close()
		})
	}
}

// TestMeterWithoutAnswers: with acks=0 no answer comes, and none is waited for.
func TestMeterWithoutAnswers(t *testing.T) {
	client, server := net.Pipe()
	defer server.Close()
	cfg := workload.DefaultProducerConfig()
	cfg.Acks, cfg.CompressionType = 0, "zstd"
	m := NewWireMeter(&cfg)
	c := m.Conn(client).(*meteredConn)
	go func() { _, _ = io.Copy(io.Discard, server) }()
	if _, err := c.Write(produce(9, map[string][][]byte{"a": {batch(100, -1, -1, -1)}})); err != nil {
		t.Fatal(err)
	}
	if d := m.Distributions(); len(c.waiting) != 0 || d.RequestRecords.Sum != 1 || d.BatchFill != nil {
		t.Errorf("%d answers are waited for; distributions %+v", len(c.waiting), d)
	}
}

func FuzzMeteredAnswers(f *testing.F) {
	f.Add([]byte{0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 8, 1}, 3)
	f.Add([]byte{255, 255, 255, 255, 0, 0, 0, 7}, 1)
	f.Fuzz(func(t *testing.T, b []byte, piece int) {
		m := testMeter()
		c := &meteredConn{meter: m, waiting: []sentRequest{{correlation: 7}, {correlation: 8}}}
		piece = max(1, piece)
		for len(b) > 0 {
			n := min(piece, len(b))
			c.follow(b[:n])
			b = b[n:]
		}
		if n := int(m.Distributions().FlightNS.Count) + len(c.waiting); n > 2 {
			t.Errorf("%d answers and requests of 2", n)
		}
	})
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
		m := testMeter()
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
	m := testMeter()
	b.ReportAllocs()
	for b.Loop() {
		m.observe(req)
	}
}

// BenchmarkMeteredConn is what a request and its answer cost besides their system calls.
func BenchmarkMeteredConn(b *testing.B) {
	req := produce(9, map[string][][]byte{"topic": {batch(16000, 1, 0, 0)}})
	answer := make([]byte, 64)
	binary.BigEndian.PutUint32(answer, 60)
	binary.BigEndian.PutUint32(answer[4:], binary.BigEndian.Uint32(req[8:]))
	c := testMeter().Conn(instant{answer: answer})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(req); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Read(answer); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/request")
}

// instant is a connection on which everything is written and read at once.
type instant struct {
	net.Conn
	answer []byte
}

func (instant) Write(b []byte) (int, error)  { return len(b), nil }
func (i instant) Read(b []byte) (int, error) { return copy(b, i.answer), nil }
