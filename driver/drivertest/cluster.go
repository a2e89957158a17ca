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
	addrs  []string
	topics []string
	fake   *kfake.Cluster // nil for a real one
	gate   *gate          // of the fake one
}

// partitions is how many each topic has.
const partitions = 4

// newCluster returns a cluster with one topic of the test's own.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	if real := os.Getenv(BootstrapEnv); real != "" {
		name := fmt.Sprintf("kbench-drivertest-%d-%d", os.Getpid(), time.Now().UnixNano())
		c := &cluster{addrs: strings.Split(real, ","), topics: []string{name + "-a", name + "-b"}}
		c.createTopics(t)
		return c
	}
	return newFake(t)
}

// newFake returns a fake cluster of one broker, also where BootstrapEnv names a real one.
func newFake(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{topics: []string{"records", "others"}}
	g := &gate{}
	g.opened.L = &g.mu
	fake, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.SeedTopics(partitions, c.topics...),
		kfake.ListenFn(g.listen),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.open()
		fake.Close()
	})
	c.addrs, c.fake, c.gate = fake.ListenAddrs(), fake, g
	return c
}

// createTopics makes the topics on a real cluster and removes them at the end.
func (c *cluster) createTopics(t *testing.T) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...))
	if err != nil {
		t.Fatal(err)
	}
	create, remove := kmsg.NewPtrCreateTopicsRequest(), kmsg.NewPtrDeleteTopicsRequest()
	for i := range c.topics {
		ct, dt := kmsg.NewCreateTopicsRequestTopic(), kmsg.NewDeleteTopicsRequestTopic()
		ct.Topic, ct.NumPartitions, ct.ReplicationFactor = c.topics[i], partitions, 1
		dt.Topic = &c.topics[i]
		create.Topics = append(create.Topics, ct)
		remove.Topics, remove.TopicNames = append(remove.Topics, dt), append(remove.TopicNames, c.topics[i])
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, err := create.RequestWith(ctx, cl)
	if err != nil {
		t.Fatalf("create topics: %v", err)
	}
	for _, rt := range resp.Topics {
		if err := kerr.ErrorForCode(rt.ErrorCode); err != nil {
			t.Fatalf("create topic %s: %v", rt.Topic, err)
		}
	}
	c.awaitLeaders(ctx, t, cl)
	t.Cleanup(func() {
		defer cl.Close()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := remove.RequestWith(ctx, cl); err != nil {
			t.Errorf("delete topics: %v", err)
		}
	})
}

// awaitLeaders waits until the leaders know that they are: metadata tells of a new topic earlier, and a record sent with
// acks=0 in between is lost.
func (c *cluster) awaitLeaders(ctx context.Context, t *testing.T, cl *kgo.Client) {
	t.Helper()
	req := kmsg.NewPtrListOffsetsRequest()
	for _, name := range c.topics {
		rt := kmsg.NewListOffsetsRequestTopic()
		rt.Topic = name
		for p := range int32(partitions) {
			rp := kmsg.NewListOffsetsRequestTopicPartition()
			rp.Partition, rp.Timestamp = p, -1
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	for {
		resp, err := req.RequestWith(ctx, cl)
		if err == nil && allLed(resp) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("topics %v have no leaders: %v", c.topics, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func allLed(resp *kmsg.ListOffsetsResponse) bool {
	n := 0
	for _, rt := range resp.Topics {
		for _, rp := range rt.Partitions {
			if rp.ErrorCode != 0 {
				return false
			}
			n++
		}
	}
	return n > 0
}

// read returns a topic's records by partition, in the order of their offsets, once there are want of them.
func (c *cluster) read(t *testing.T, topic string, want int) [][]*kgo.Record {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.addrs...), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(100*time.Millisecond),
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
