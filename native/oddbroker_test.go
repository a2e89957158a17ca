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

	highest map[kmsg.Key]int16 // version of each API that it speaks
	v2      bool               // transaction.version 2 (KIP-890)
	patient bool               // producers on it wait for as long as it takes

	wg sync.WaitGroup
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
		for key, highest := range b.highest {
			resp.ApiKeys = append(resp.ApiKeys, kmsg.ApiVersionsResponseApiKey{ApiKey: int16(key), MaxVersion: highest})
		}
		if b.v2 {
			resp.FinalizedFeaturesEpoch = 1
			resp.FinalizedFeatures = []kmsg.ApiVersionsResponseFinalizedFeature{{Name: "transaction.version", MaxVersionLevel: 2, MinVersionLevel: 2}}
		}
	case *kmsg.MetadataResponse:
		resp.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1, Host: "127.0.0.1", Port: 1}}
		for _, t := range req.(*kmsg.MetadataRequest).Topics {
			p := kmsg.MetadataResponseTopicPartition{Leader: 1, Replicas: []int32{1}, ISR: []int32{1}}
			resp.Topics = append(resp.Topics, kmsg.MetadataResponseTopic{Topic: t.Topic, TopicID: topicID(*t.Topic),
				Partitions: []kmsg.MetadataResponseTopicPartition{p}})
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
	case *kmsg.FindCoordinatorResponse:
		resp.NodeID, resp.Host, resp.Port = 1, "127.0.0.1", 1
		for _, key := range req.(*kmsg.FindCoordinatorRequest).CoordinatorKeys {
			resp.Coordinators = append(resp.Coordinators, kmsg.FindCoordinatorResponseCoordinator{Key: key, NodeID: 1, Host: "127.0.0.1", Port: 1})
		}
	case *kmsg.AddPartitionsToTxnResponse:
		for _, t := range req.(*kmsg.AddPartitionsToTxnRequest).Topics {
			rt := kmsg.AddPartitionsToTxnResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				rt.Partitions = append(rt.Partitions, kmsg.AddPartitionsToTxnResponseTopicPartition{Partition: p})
			}
			resp.Topics = append(resp.Topics, rt)
		}
	case *kmsg.TxnOffsetCommitResponse:
		for _, t := range req.(*kmsg.TxnOffsetCommitRequest).Topics {
			rt := kmsg.TxnOffsetCommitResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				rt.Partitions = append(rt.Partitions, kmsg.TxnOffsetCommitResponseTopicPartition{Partition: p.Partition})
			}
			resp.Topics = append(resp.Topics, rt)
		}
	case *kmsg.EndTxnResponse:
		resp.ProducerID, resp.ProducerEpoch = 7, 1
	}
	return resp
}

// deadlock panics, with the stacks of all goroutines, if what it watches takes absurdly long.
func deadlock() *time.Timer { return time.AfterFunc(time.Minute, func() { panic("it hangs") }) }

// oddConfig is a producer's on b, for records to topics a and b, that gives up early.
func oddConfig(b *oddBroker, ack native.AckFunc) native.Config {
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics = []string{"127.0.0.1:1"}, []string{"a", "b"}
	cfg.Linger, cfg.BatchSize, cfg.MaxBlock = 0, 200, 100*time.Millisecond
	cfg.RequestTimeout, cfg.DeliveryTimeout = 30*time.Millisecond, 60*time.Millisecond
	cfg.RetryBackoff, cfg.RetryBackoffMax = time.Millisecond, 2*time.Millisecond
	cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = time.Millisecond, 2*time.Millisecond
	if b.patient {
		cfg.MaxBlock, cfg.RequestTimeout, cfg.DeliveryTimeout = time.Minute, time.Minute, 2*time.Minute
	}
	cfg.Dialer = b.dial
	cfg.OnAck = ack
	return cfg
}

// endings are how often each of six records ended, and the first error of one.
type endings struct {
	mu    sync.Mutex
	times [6]int
	err   error
}

func (e *endings) ack(a native.Ack) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, slot := range a.Slots {
		e.times[slot]++
	}
	if e.err == nil {
		e.err = a.Err
	}
}

// records are six for three partitions, and without one.
func (e *endings) records() []native.Record {
	var list []native.Record
	for i := range e.times {
		list = append(list, native.Record{Slot: uint32(i), Topic: int32(i % 3 % 2), Partition: int32(i%2) - 1, Value: make([]byte, 100)})
	}
	return list
}

// check fails unless every record ended once. It returns the first error of a record.
func (e *endings) check(t *testing.T) error {
	t.Helper()
	for slot, times := range e.times {
		if times != 1 {
			t.Errorf("record %d ended %d times", slot, times)
		}
	}
	return e.err
}
