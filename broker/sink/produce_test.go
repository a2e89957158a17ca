package sink_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/broker/sink"
)

// topicID asks for a topic's id.
func topicID(t *testing.T, nc io.ReadWriter, name string) [16]byte {
	t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 12
	rt := kmsg.NewMetadataRequestTopic()
	rt.Topic = &name
	req.Topics = append(req.Topics, rt)
	if _, err := nc.Write(encode(req, 1)); err != nil {
		t.Fatal(err)
	}
	_, body := frame(t, nc)
	resp := decode[*kmsg.MetadataResponse](t, req, body)
	return resp.Topics[0].TopicID
}

// reply is what a test wants to see of one partition of an answer.
type reply struct {
	Topic  string
	Index  int32
	Code   int16
	Offset int64
}

func replies(resp *kmsg.ProduceResponse, names map[[16]byte]string) []reply {
	var got []reply
	for _, rt := range resp.Topics {
		name := rt.Topic
		if resp.Version >= 13 {
			name = names[rt.TopicID]
		}
		for _, rp := range rt.Partitions {
			got = append(got, reply{name, rp.Partition, rp.ErrorCode, rp.BaseOffset})
		}
	}
	return got
}

func TestProduceEveryVersion(t *testing.T) {
	for version := int16(3); version <= 13; version++ {
		s, addr := start(t, sink.Options{CheckCRC: true})
		nc := dial(t, addr)
		a, b := topicID(t, nc, "a"), topicID(t, nc, "b")
		names := map[[16]byte]string{a: "a", b: "b"}
		one, many := batch(1, 10), batch(70, 100)
		two := append(bytes.Clone(one), many...)
		req := produce(version, -1, part{"a", a, 0, one}, part{"a", a, 11, many}, part{"b", b, 3, two})
		want := []reply{{"a", 0, 0, 0}, {"a", 11, 0, 0}, {"b", 3, 0, 0}}
		if diff := cmp.Diff(want, replies(ask[*kmsg.ProduceResponse](t, nc, req), names)); diff != "" {
			t.Errorf("v%d: first answer (-want +got):\n%s", version, diff)
		}
		want = []reply{{"a", 0, 0, 1}, {"a", 11, 0, 70}, {"b", 3, 0, 71}}
		if diff := cmp.Diff(want, replies(ask[*kmsg.ProduceResponse](t, nc, req), names)); diff != "" {
			t.Errorf("v%d: second answer (-want +got):\n%s", version, diff)
		}
		got := s.Stats()
		wantStats := sink.Stats{Connections: 1, Requests: 4, ProduceRequests: 2, Batches: 8, Records: 2 * 142,
			Bytes: uint64(2 * (len(one) + len(many) + len(two)))}
		if diff := cmp.Diff(wantStats, got); diff != "" {
			t.Errorf("v%d: stats (-want +got):\n%s", version, diff)
		}
	}
}

func TestProduceOldVersionsAreRefused(t *testing.T) {
	for version := range int16(3) {
		s, addr := start(t, sink.Options{})
		req := produce(version, 1, part{topic: "a", index: 0, records: batch(5, 10)})
		got := replies(ask[*kmsg.ProduceResponse](t, dial(t, addr), req), nil)
		if diff := cmp.Diff([]reply{{"a", 0, 35, -1}}, got); diff != "" {
			t.Errorf("v%d (-want +got):\n%s", version, diff)
		}
		if n := s.Stats().Records; n != 0 {
			t.Errorf("v%d: %d records counted", version, n)
		}
	}
}

// put returns a copy of b with bytes at an offset replaced.
func put(b []byte, at int, with ...byte) []byte {
	b = bytes.Clone(b)
	copy(b[at:], with)
	return b
}

func TestProduceRefusesOnePartitionAlone(t *testing.T) {
	good := batch(5, 10)
	large := batch(1, 2000)
	huge := batch(3, 20_000) // more than is read at a time
	tests := []struct {
		name    string
		topic   string
		index   int32
		records []byte
		check   bool
		want    int16
	}{
		{"partition beyond the last", "a", 12, good, false, 3},
		{"negative partition", "a", -1, good, false, 3},
		{"no legal name", "a/b", 0, good, false, 17},
		{"empty name", "", 0, good, false, 17},
		{"null records", "a", 0, nil, false, 87},
		{"half a header", "a", 0, good[:60], false, 2},
		{"batch longer than the records", "a", 0, good[:len(good)-1], false, 2},
		{"batch and a bit", "a", 0, append(bytes.Clone(good), 1, 2, 3), false, 2},
		{"negative batch length", "a", 0, put(good, 8, 0xff, 0xff, 0xff, 0xff), false, 2},
		{"batch shorter than its header", "a", 0, put(good, 8, 0, 0, 0, 48), false, 2},
		{"magic 1", "a", 0, put(good, 16, 1), false, 2},
		{"no records in it", "a", 0, put(good, 57, 0, 0, 0, 0), false, 87},
		{"negative count", "a", 0, put(good, 57, 0x80, 0, 0, 0), false, 87},
		{"count and last offset differ", "a", 0, put(good, 57, 0, 0, 0, 4), false, 87},
		{"over the limit", "a", 0, large, false, 10},
		{"CRC wrong", "small", 0, put(good, 17, 0, 0, 0, 0), true, 2},
		{"last byte wrong", "small", 0, put(good, len(good)-1, 99), true, 2},
		{"last byte of a long batch wrong", "large", 0, put(huge, len(huge)-1, 99), true, 2},
		{"CRC wrong, unchecked", "small", 0, put(good, 17, 0, 0, 0, 0), false, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, addr := start(t, sink.Options{CheckCRC: tt.check, MaxMessageBytes: 1500})
			nc := dial(t, addr)
			create(t, nc, "large", 1, "100000")
			req := produce(8, -1, part{topic: "before", index: 1, records: good},
				part{topic: tt.topic, index: tt.index, records: tt.records}, part{topic: "after", index: 2, records: good})
			offset, records := int64(-1), uint64(10)
			if tt.want == 0 {
				offset, records = 0, 15
			}
			want := []reply{{"before", 1, 0, 0}, {tt.topic, tt.index, tt.want, offset}, {"after", 2, 0, 0}}
			if diff := cmp.Diff(want, replies(ask[*kmsg.ProduceResponse](t, nc, req), nil)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got := s.Stats().Records; got != records {
				t.Errorf("%d records counted, want %d", got, records)
			}
		})
	}
}

func TestProduceUnknownTopicID(t *testing.T) {
	_, addr := start(t, sink.Options{})
	nc := dial(t, addr)
	req := produce(13, -1, part{topic: "?", id: [16]byte{1, 2, 3}, index: 0, records: batch(1, 1)})
	got := replies(ask[*kmsg.ProduceResponse](t, nc, req), map[[16]byte]string{{1, 2, 3}: "?"})
	if diff := cmp.Diff([]reply{{"?", 0, 100, -1}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestProduceAcks(t *testing.T) {
	_, addr := start(t, sink.Options{})
	for _, tt := range []struct{ acks, want int16 }{{1, 0}, {-1, 0}, {2, 21}, {-2, 21}} {
		req := produce(9, tt.acks, part{topic: "a", index: 0, records: batch(5, 10)})
		resp := ask[*kmsg.ProduceResponse](t, dial(t, addr), req)
		if got := resp.Topics[0].Partitions[0].ErrorCode; got != tt.want {
			t.Errorf("acks=%d: error code %d, want %d", tt.acks, got, tt.want)
		}
	}
}

// TestProduceWithoutAnswer sends acks=0 requests between two that are answered: only those two are.
func TestProduceWithoutAnswer(t *testing.T) {
	s, addr := start(t, sink.Options{})
	nc := dial(t, addr)
	var sent []byte
	for i, acks := range []int16{1, 0, 0, 1} {
		sent = append(sent, encode(produce(9, acks, part{topic: "a", index: 0, records: batch(5, 10)}), int32(i))...)
	}
	if _, err := nc.Write(sent); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int32{0, 3} {
		if got, _ := frame(t, nc); got != want {
			t.Errorf("answer to request %d, want %d", got, want)
		}
	}
	if got := s.Stats().Records; got != 20 {
		t.Errorf("%d records counted, want 20", got)
	}
}

// collect keeps what a sink logs.
type collect struct {
	mu   sync.Mutex
	errs []error
}

func (c *collect) log(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.errs = append(c.errs, err)
}

// text waits for the first error.
func (c *collect) text(t *testing.T) string {
	t.Helper()
	for range 1000 {
		c.mu.Lock()
		err := errors.Join(c.errs...)
		c.mu.Unlock()
		if err != nil {
			return err.Error()
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("nothing was logged")
	return ""
}

// TestBrokenRequestsEndTheConnection sends requests that can't be answered, after one that can.
func TestBrokenRequestsEndTheConnection(t *testing.T) {
	fine := encode(produce(9, -1, part{topic: "a", index: 0, records: batch(5, 10)}), 1)
	old := encode(produce(8, -1, part{topic: "a", index: 0, records: batch(5, 10)}), 1)
	length := func(b []byte, d int) []byte {
		b = bytes.Clone(b)
		binary.BigEndian.PutUint32(b, uint32(int(binary.BigEndian.Uint32(b))+d))
		return b
	}
	tests := []struct {
		name string
		sent []byte
		want string
	}{
		{"length negative", []byte{0xff, 0xff, 0xff, 0xff}, "a request of -1 bytes"},
		{"length over the limit", []byte{0x7f, 0, 0, 0}, "allowed are 10 to 104857600"},
		{"an HTTP request", []byte("GET / HTTP/1.1\r\n\r\n"), "a request of 1195725856 bytes"},
		{"length too small for the fields", length(fine, -1), "reaches beyond the request's end"},
		{"length too large for the fields", append(length(fine, 3), 0, 0, 0), "3 bytes more"},
		{"Produce v14", put(fine, 6, 0, 14), "Produce v14: unsupported version 14; allowed are 0 to 13"},
		{"negative version", put(fine, 6, 0xff, 0xff), "Produce v-1: unsupported version"},
		{"JoinGroup", put(fine, 4, 0, 11), "JoinGroup v9: the sink doesn't answer this API"},
		{"unheard of", put(fine, 4, 0x7f, 0), "API 32512 v9"},
		{"Metadata v99", put(fine, 4, 0, 3, 0, 99), "Metadata v99: unsupported version 99; allowed are 0 to 13"},
		{"ListOffsets with the fields of Produce", put(old, 4, 0, 2, 0, 1), "ListOffsets v1: malformed request"},
		{"acks=0 and no such partition", encode(produce(9, 0, part{topic: "a", index: 99, records: batch(1, 1)}), 1),
			"acks=0 and UNKNOWN_TOPIC_OR_PARTITION (3)"},
		{"cut off", fine[:len(fine)-7], "unexpected EOF"},
		{"cut off in the length", []byte{0, 0}, "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log collect
			s, addr := start(t, sink.Options{Log: log.log})
			nc := dial(t, addr)
			if _, err := nc.Write(append(bytes.Clone(fine), tt.sent...)); err != nil {
				t.Fatal(err)
			}
			closeWrite(t, nc)
			if got, _ := frame(t, nc); got != 1 {
				t.Errorf("correlation id %d, want 1", got)
			}
			if rest, err := io.ReadAll(nc); len(rest) > 0 {
				t.Errorf("then came %x, %v", rest, err)
			}
			if got := log.text(t); !strings.Contains(got, tt.want) {
				t.Errorf("logged %q, want %q in it", got, tt.want)
			}
			if got := s.Stats().Records; got != 5 {
				t.Errorf("%d records counted, want the 5 of the first request", got)
			}
		})
	}
}

func closeWrite(t *testing.T, nc any) {
	t.Helper()
	if err := nc.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
}

// TestAnswersWaitForNothing sends one request and the first half of another: the first answer comes all the same.
func TestAnswersWaitForNothing(t *testing.T) {
	_, addr := start(t, sink.Options{})
	nc := dial(t, addr)
	req := encode(produce(9, -1, part{topic: "a", index: 0, records: batch(100, 1000)}), 7)
	half := len(req) / 2
	for range 3 {
		if _, err := nc.Write(append(bytes.Clone(req), req[:half]...)); err != nil {
			t.Fatal(err)
		}
		frame(t, nc)
		if _, err := nc.Write(req[half:]); err != nil {
			t.Fatal(err)
		}
		frame(t, nc)
	}
}

// TestByteByByte sends requests in the smallest pieces.
func TestByteByByte(t *testing.T) {
	s, addr := start(t, sink.Options{CheckCRC: true})
	nc := dial(t, addr)
	for _, version := range []int16{3, 9} {
		for _, b := range encode(produce(version, -1, part{topic: "a", index: 0, records: batch(3, 10)}), 7) {
			if _, err := nc.Write([]byte{b}); err != nil {
				t.Fatal(err)
			}
		}
		frame(t, nc)
	}
	if got := s.Stats().Records; got != 6 {
		t.Errorf("%d records, want 6", got)
	}
}
