package native_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// slowListener reads 16 KiB every few ms while it is slow, from all of its connections in turn, so that writes stay in progress
// for long.
type slowListener struct {
	net.Listener
	link *slowLink
}

type slowLink struct {
	slow atomic.Bool
	turn sync.Mutex
}

func (l slowListener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err == nil {
		err = nc.(*net.TCPConn).SetReadBuffer(32 << 10)
	}
	return slowConn{nc, l.link}, err
}

type slowConn struct {
	net.Conn
	link *slowLink
}

func (c slowConn) Read(b []byte) (int, error) {
	if !c.link.slow.Load() {
		return c.Conn.Read(b)
	}
	n, err := c.Conn.Read(b[:min(len(b), 16<<10)])
	c.link.turn.Lock()
	time.Sleep(time.Duration(n) * 250 * time.Nanosecond) // 4 MB/s
	c.link.turn.Unlock()
	return n, err
}

// TestBufferOwnership lets batches expire while they are written to a slow socket, with freed buffers overwritten and used
// again at once (KAFKA-19012). What the broker then reads must be whole batches of the partition they came for.
func TestBufferOwnership(t *testing.T) {
	for name, set := range map[string]func(*native.Producer){"poisoned": (*native.Producer).Poison, "used again": func(*native.Producer) {}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if seen := expireInWrites(t, set); len(seen.wrong) > 0 {
				t.Errorf("%d of %d batches are wrong, the first: %s", len(seen.wrong), seen.batches, seen.wrong[0])
			}
		})
	}
}

// arrived is what a broker read of batches: a check of its own on the bytes as they came.
type arrived struct {
	mu      sync.Mutex
	topics  map[[16]byte]string
	batches int
	wrong   []string // what is wrong with each batch that isn't as it should be
}

// look checks the batches of a Produce request.
func (a *arrived) look(r *kmsg.ProduceRequest) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, rt := range r.Topics {
		for _, rp := range rt.Partitions {
			a.batches++
			if err := checkBatch(rp.Records, a.topics[rt.TopicID], rp.Partition); err != nil {
				a.wrong = append(a.wrong, err.Error())
			}
		}
	}
}

// expireInWrites produces to a slow socket, so that many batches expire while they are written, and returns what arrived. set
// changes the producer before. Each value names topic and partition that it is for, again and again.
func expireInWrites(t *testing.T, set func(*native.Producer)) *arrived {
	t.Helper()
	link := &slowLink{}
	c, l := cluster(t, kfake.NumBrokers(1), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		inner, err := net.Listen(network, address)
		return slowListener{inner, link}, err
	})), newLedger()
	seen := &arrived{topics: map[[16]byte]string{}}
	for _, name := range names {
		seen.topics[c.TopicInfo(name).TopicID] = name
	}
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		seen.look(r.(*kmsg.ProduceRequest))
		return nil, nil, false
	})
	cfg := config(c, l)
	// A batch waits for about as long as delivery.timeout.ms until it is its turn. Its request then has request.timeout.ms to
	// arrive as a whole: what is cut off in the middle shows nothing.
	cfg.SendBuffer, cfg.BatchSize, cfg.Linger, cfg.BufferMemory, cfg.MaxRequestSize = 16<<10, 50_000, 0, 40*50_000, 300_000
	cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.MaxBlock = 400*time.Millisecond, 400*time.Millisecond, time.Second
	cfg.Connections = 3
	p := open(t, cfg)
	set(p)
	link.slow.Store(true)
	n := 0
	for end := time.Now().Add(1200 * time.Millisecond); time.Now().Before(end); n += 10 {
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
	link.slow.Store(false)
	produce(t, p, nil)
	l.check(t, n, true)
	seen.mu.Lock()
	defer seen.mu.Unlock()
	inWrite := 0
	for slot := range n {
		if e, _ := l.get(uint32(slot)); errors.Is(e.err, native.ErrDeliveryTimeout) && strings.Contains(e.err.Error(), "no answer") {
			inWrite++
		}
	}
	if inWrite == 0 || seen.batches == 0 {
		t.Errorf("%d records expired in a request, %d batches arrived: nothing was tested", inWrite, seen.batches)
	}
	return seen
}

// checkBatch checks a batch's CRC and that each value names the topic and partition that it came for. It reads as far as it
// can, so that it can say what a batch with a wrong CRC has in it.
func checkBatch(raw []byte, topic string, partition int32) error {
	var b kmsg.RecordBatch
	if err := b.ReadFrom(raw); err != nil {
		return err
	}
	var errs []error
	if crc := crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)); uint32(b.CRC) != crc {
		errs = append(errs, fmt.Errorf("CRC %08x, want %08x", uint32(b.CRC), crc))
	}
	want := fmt.Appendf(nil, "%s-%d.", topic, partition)
	rest := b.Records
	for range b.NumRecords {
		length, n := binary.Varint(rest)
		var rec kmsg.Record
		if n <= 0 || length < 0 || int(length) > len(rest)-n || rec.ReadFrom(rest[:n+int(length)]) != nil {
			errs = append(errs, errors.New("not a record"))
			break
		}
		rest = rest[n+int(length):]
		if len(bytes.ReplaceAll(rec.Value, want, nil)) > 0 {
			errs = append(errs, fmt.Errorf("a value starts with %.20q", rec.Value))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("for %s-%d: %w", topic, partition, errors.Join(errs...))
	}
	return nil
}
