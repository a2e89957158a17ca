package native_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// oddBroker is a broker at the other end of pipes that answers well but for the first few requests of one API.
type oddBroker struct {
	api    int16        // the requests that get the odd answer
	left   atomic.Int32 // how many of them still do
	answer []byte
	raw    bool // the answer has no length and no correlation id but those that are in it, and the connection ends after it …
	hold   bool // … unless hold

	produce, metadata, initID int16 // highest versions that it speaks

	wg sync.WaitGroup
}

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
		produce: 3 + v%11, metadata: 12 - v/11%9, initID: 4 - v/99%5}
	if b.produce == 13 {
		b.metadata = max(b.metadata, 10) // topics have ids
	}
	b.left.Store(1 + int32(times%3))
	return b
}

// highest is the highest version of each API.
func (b *oddBroker) highest() map[kmsg.Key]int16 {
	return map[kmsg.Key]int16{kmsg.Produce: b.produce, kmsg.Metadata: b.metadata, kmsg.InitProducerID: b.initID, kmsg.ApiVersions: 3}
}

func (b *oddBroker) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	b.wg.Go(func() { b.serve(server) })
	return client, nil
}

// serve reads on while it writes, as a socket's buffers would let it: a pipe has none.
func (b *oddBroker) serve(nc net.Conn) {
	type reply struct {
		bytes []byte
		last  bool
	}
	out := make(chan reply, 1000)
	b.wg.Go(func() {
		defer nc.Close()
		for r := range out {
			if _, err := nc.Write(r.bytes); err != nil || r.last {
				return
			}
		}
	})
	defer close(out)
	for {
		var length [4]byte
		if _, err := io.ReadFull(nc, length[:]); err != nil {
			return
		}
		request := make([]byte, binary.BigEndian.Uint32(length[:]))
		if _, err := io.ReadFull(nc, request); err != nil {
			return
		}
		bytes, last := b.respond(request)
		select {
		case out <- reply{bytes, last}:
		default:
			return // so many requests wait for one that reads
		}
	}
}

// respond is the answer to a request, and whether the connection ends with it.
func (b *oddBroker) respond(request []byte) (answer []byte, last bool) {
	key, version := int16(binary.BigEndian.Uint16(request)), int16(binary.BigEndian.Uint16(request[2:]))
	req := kmsg.RequestForKey(key)
	req.SetVersion(version)
	answer = append(make([]byte, 4), request[4:8]...)
	if req.IsFlexible() && key != int16(kmsg.ApiVersions) {
		answer = append(answer, 0)
	}
	if key == b.api && b.left.Add(-1) >= 0 {
		if b.raw {
			return b.answer, !b.hold
		}
		answer = append(answer, b.answer...)
	} else {
		body := request[8:]
		if n := int16(binary.BigEndian.Uint16(body)); n > 0 { // the client's id
			body = body[n:]
		}
		if body = body[2:]; req.IsFlexible() {
			body = body[1:]
		}
		if err := req.ReadFrom(body); err != nil {
			panic(err) // what the producer asked
		}
		answer = b.good(req).AppendTo(answer)
	}
	binary.BigEndian.PutUint32(answer, uint32(len(answer)-4))
	return answer, false
}

// topicID is the id of every topic, by its one letter.
func topicID(name string) (id [16]byte) {
	id[0] = name[0]
	return id
}

// good is what Kafka would answer.
func (b *oddBroker) good(req kmsg.Request) kmsg.Response {
	resp := req.ResponseKind()
	switch resp := resp.(type) {
	case *kmsg.ApiVersionsResponse:
		for key, highest := range b.highest() {
			resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: int16(key), MaxVersion: highest})
		}
	case *kmsg.MetadataResponse:
		resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1, Host: "127.0.0.1", Port: 1}}
		for _, t := range req.(*kmsg.MetadataRequest).Topics {
			p := kmsg.MetadataResponseTopicPartition{Leader: 1, Replicas: []int32{1}, ISR: []int32{1}}
			resp.Topics = append(resp.Topics, kmsg.MetadataResponseTopic{Topic: t.Topic, TopicID: topicID(*t.Topic), Partitions: []kmsg.MetadataResponseTopicPartition{p}})
		}
	case *kmsg.InitProducerIDResponse:
		resp.ProducerID = 7
	case *kmsg.ProduceResponse:
		for _, t := range req.(*kmsg.ProduceRequest).Topics {
			rt := kmsg.ProduceResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
			for _, p := range t.Partitions {
				rp := kmsg.NewProduceResponseTopicPartition()
				rp.Partition = p.Partition
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
	}
	return resp
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
		produced.Topics = append(produced.Topics, kmsg.ProduceResponseTopic{Topic: name, TopicID: topicID(name), Partitions: []kmsg.ProduceResponseTopicPartition{p}})
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
			resp.SetVersion(b.highest()[key])
			f.Add(what, version, uint8(1), resp.AppendTo(nil))
		}
	}
	for i := range oddAPIs {
		f.Add(uint8(i|oddRaw), uint8(11), uint8(0), []byte{})
		f.Add(uint8(i|oddRaw|oddHold), uint8(12), uint8(2), []byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
		f.Add(uint8(i|oddRaw), uint8(13), uint8(1), []byte{0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 2, 0, 0, 0, 0, 0})
	}
	f.Fuzz(func(t *testing.T, what, version, times uint8, answer []byte) {
		checkOddBroker(t, newOddBroker(what, version, times, answer), what&oddIdempotent != 0)
	})
}

// checkOddBroker sends some records.
func checkOddBroker(t *testing.T, b *oddBroker, idempotent bool) {
	t.Helper()
	defer time.AfterFunc(30*time.Second, func() { panic("it hangs") }).Stop()
	defer b.wg.Wait()
	const n = 6
	var mu sync.Mutex
	acked := [n]int{}
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.EnableIdempotence = []string{"127.0.0.1:1"}, []string{"a", "b"}, idempotent
	cfg.Linger, cfg.BatchSize, cfg.MaxBlock = 0, 200, 100*time.Millisecond
	cfg.RequestTimeout, cfg.DeliveryTimeout = 30*time.Millisecond, 60*time.Millisecond
	cfg.RetryBackoff, cfg.RetryBackoffMax = time.Millisecond, 2*time.Millisecond
	cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = time.Millisecond, 2*time.Millisecond
	cfg.SetDialer(b.dial)
	cfg.OnAck = func(a native.Ack) {
		mu.Lock()
		defer mu.Unlock()
		for _, slot := range a.Slots {
			acked[slot]++
		}
	}
	p, err := native.New(context.Background(), cfg)
	if err != nil {
		return
	}
	for i := range n {
		r := native.Record{Slot: uint32(i), Topic: int32(i % 3 % 2), Partition: int32(i%2) - 1, Value: make([]byte, 100)}
		if err := p.Produce(context.Background(), []native.Record{r}); err != nil {
			t.Logf("record %d: %v", i, err) // it has its acknowledgement all the same
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := p.Flush(ctx); err != nil {
		t.Errorf("flush: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	for slot, times := range acked {
		if times != 1 {
			t.Errorf("record %d ended %d times", slot, times)
		}
	}
}
