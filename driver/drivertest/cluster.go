package drivertest

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// BootstrapEnv names a real cluster (host:port,…) to run the suite against instead of a fake one. What needs faults
// injected into the broker isn't run there.
const BootstrapEnv = "KBENCH_TEST_BOOTSTRAP"

// cluster is what one test produces into.
type cluster struct {
	addrs []string
	topic string
	fake  *kfake.Cluster // nil for a real one
	gate  *gate          // of the fake one
}

const partitions = 4

// newCluster returns a cluster with one topic of the test's own.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	if real := os.Getenv(BootstrapEnv); real != "" {
		c := &cluster{addrs: strings.Split(real, ","), topic: fmt.Sprintf("kbench-drivertest-%d-%d", os.Getpid(), time.Now().UnixNano())}
		createTopic(t, c)
		return c
	}
	g := &gate{}
	g.opened.L = &g.mu
	fake, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.SeedTopics(partitions, topicName),
		kfake.ListenFn(g.listen),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.open()
		fake.Close()
	})
	return &cluster{addrs: fake.ListenAddrs(), topic: topicName, fake: fake, gate: g}
}

const topicName = "records"

// createTopic makes the topic on a real cluster and removes it at the end.
func createTopic(t *testing.T, c *cluster) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...))
	if err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = c.topic, partitions, 1
	req.Topics = append(req.Topics, rt)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, err := req.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("create topic %s: %v", c.topic, err)
	}
	t.Cleanup(func() {
		defer cl.Close()
		req := kmsg.NewPtrDeleteTopicsRequest()
		rt := kmsg.NewDeleteTopicsRequestTopic()
		rt.Topic = &c.topic
		req.Topics, req.TopicNames = append(req.Topics, rt), append(req.TopicNames, c.topic)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := req.RequestWith(ctx, cl); err != nil {
			t.Errorf("delete topic %s: %v", c.topic, err)
		}
	})
}

// read returns the topic's records by partition, in the order of their offsets, once there are want of them.
func (c *cluster) read(t *testing.T, want int) [][]*kgo.Record {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...), kgo.ConsumeTopics(c.topic), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.DisableClientMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out := make([][]*kgo.Record, partitions)
	for n := 0; n < want; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			t.Fatalf("read back %d of %d records: %v", n, want, err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			out[r.Partition] = append(out[r.Partition], r)
			n++
		})
	}
	return out
}

// gate is the fake cluster's network: while it is shut, nothing that clients write reaches the broker.
type gate struct {
	mu     sync.Mutex
	opened sync.Cond
	closed atomic.Bool
}

func (g *gate) shut() { g.closed.Store(true) }

func (g *gate) open() {
	g.mu.Lock()
	g.closed.Store(false)
	g.mu.Unlock()
	g.opened.Broadcast()
}

func (g *gate) listen(network, address string) (net.Listener, error) {
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	return &gatedListener{l, g}, nil
}

type gatedListener struct {
	net.Listener
	gate *gate
}

// Accept implements net.Listener.
func (l *gatedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &gatedConn{c, l.gate}, nil
}

type gatedConn struct {
	net.Conn
	gate *gate
}

// Read implements net.Conn: it waits in front of a shut gate with what it has read.
func (c *gatedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if !c.gate.closed.Load() {
		return n, err
	}
	c.gate.mu.Lock()
	for c.gate.closed.Load() {
		c.gate.opened.Wait()
	}
	c.gate.mu.Unlock()
	return n, err
}
