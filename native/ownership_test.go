package native_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// slowListener reads 4 KiB every few ms while it is slow, so that writes stay in progress for long.
type slowListener struct {
	net.Listener
	slow *atomic.Bool
}

func (l slowListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		err = nc.(*net.TCPConn).SetReadBuffer(4096)
	}
	return slowConn{nc, l.slow}, err
}

type slowConn struct {
	net.Conn
	slow *atomic.Bool
}

func (c slowConn) Read(b []byte) (int, error) {
	if c.slow.Load() {
		time.Sleep(4 * time.Millisecond)
		b = b[:min(len(b), 4096)]
	}
	return c.Conn.Read(b)
}

// TestBufferOwnership lets batches expire while they are written to a slow socket, with freed buffers overwritten and used
// again at once (KAFKA-19012). What the broker then reads must be whole batches of the partition they came for.
func TestBufferOwnership(t *testing.T) {
	var slow atomic.Bool
	c, l := cluster(t, kfake.NumBrokers(1), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		inner, err := net.Listen(network, address)
		return slowListener{inner, &slow}, err
	})), newLedger()
	topics := map[[16]byte]string{}
	var mu sync.Mutex
	var wrong []string
	batches := 0
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		mu.Lock()
		defer mu.Unlock()
		c.KeepControl()
		for _, rt := range r.(*kmsg.ProduceRequest).Topics {
			for _, rp := range rt.Partitions {
				batches++
				if err := checkBatch(rp.Records, topics[rt.TopicID], rp.Partition); err != nil {
					wrong = append(wrong, err.Error())
				}
			}
		}
		return nil, nil, false
	})
	for _, name := range names {
		topics[c.TopicInfo(name).TopicID] = name
	}
	cfg := config(c, l)
	cfg.SendBuffer, cfg.BatchSize, cfg.Linger, cfg.BufferMemory = 4096, 100_000, 0, 10*100_000
	cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.MaxBlock = 400*time.Millisecond, 400*time.Millisecond, time.Second
	p := open(t, cfg)
	p.Poison()
	slow.Store(true)
	n := 0
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); n += 10 {
		recs := make([]native.Record, 10)
		for i := range recs {
			topic, partition := int32((n+i)%2), int32((n+i)%3)
			v := bytes.Repeat(fmt.Appendf(nil, "%s-%d.", names[topic], partition), 2400)
			recs[i] = native.Record{Slot: uint32(n + i), Topic: topic, Partition: partition, Value: v}
		}
		if err := p.Produce(context.Background(), recs); err != nil {
			t.Fatal(err)
		}
	}
	slow.Store(false)
	produce(t, p, nil)
	l.check(t, n, true)
	mu.Lock()
	defer mu.Unlock()
	if len(wrong) > 0 {
		t.Errorf("%d of %d batches are wrong, the first: %s", len(wrong), batches, wrong[0])
	}
	expired := 0
	for s := range n {
		if e, _ := l.get(uint32(s)); e.err != nil {
			expired++
		}
	}
	if expired == 0 || batches == 0 {
		t.Errorf("%d records expired, %d batches seen: nothing was tested", expired, batches)
	}
}

// checkBatch checks a batch's CRC and that each value names the topic and partition that it came for.
func checkBatch(raw []byte, topic string, partition int32) error {
	var b kmsg.RecordBatch
	if err := b.ReadFrom(raw); err != nil {
		return err
	}
	if crc := crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)); uint32(b.CRC) != crc {
		return fmt.Errorf("%s-%d: CRC %08x, want %08x", topic, partition, uint32(b.CRC), crc)
	}
	want := fmt.Appendf(nil, "%s-%d.", topic, partition)
	rest := b.Records
	for range b.NumRecords {
		length, n := binary.Varint(rest)
		var rec kmsg.Record
		if err := rec.ReadFrom(rest[:n+int(length)]); err != nil {
			return err
		}
		rest = rest[n+int(length):]
		if len(bytes.ReplaceAll(rec.Value, want, nil)) > 0 {
			return fmt.Errorf("%s-%d: a value starts with %.20q", topic, partition, rec.Value)
		}
	}
	return nil
}
