package native_test

import (
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// hostPort takes an address apart.
func hostPort(t *testing.T, addr string) (string, int32) {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return host, int32(n)
}

// staleMetadata has a cluster tell for ever that broker 0 is alone and leads everything, since the epoch given.
func staleMetadata(t *testing.T, c *kfake.Cluster, epoch int32) {
	t.Helper()
	ids := map[string][16]byte{}
	for _, name := range names {
		ids[name] = c.TopicInfo(name).TopicID
	}
	host, port := hostPort(t, c.ListenAddrs()[0])
	c.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.MetadataResponse)
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = 0, host, port
		resp.Brokers = append(resp.Brokers, b)
		for _, name := range names {
			rt := kmsg.NewMetadataResponseTopic()
			rt.Topic, rt.TopicID = kmsg.StringPtr(name), ids[name]
			for id := range int32(3) {
				rp := kmsg.NewMetadataResponseTopicPartition()
				rp.Partition, rp.Leader, rp.LeaderEpoch = id, 0, epoch
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
}

// refusal is an answer to a Produce request whose partitions are all led by broker 1 at addr since the epoch given.
func refusal(req *kmsg.ProduceRequest, host string, port, epoch int32) *kmsg.ProduceResponse {
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	for _, rt := range req.Topics {
		st := kmsg.NewProduceResponseTopic()
		st.Topic, st.TopicID = rt.Topic, rt.TopicID
		for _, rp := range rt.Partitions {
			sp := kmsg.NewProduceResponseTopicPartition()
			sp.Partition, sp.ErrorCode, sp.BaseOffset = rp.Partition, kerr.NotLeaderForPartition.Code, -1
			sp.CurrentLeader.LeaderID, sp.CurrentLeader.LeaderEpoch = 1, epoch
			st.Partitions = append(st.Partitions, sp)
		}
		resp.Topics = append(resp.Topics, st)
	}
	b := kmsg.NewProduceResponseBroker()
	b.NodeID, b.Host, b.Port = 1, host, port
	resp.Brokers = append(resp.Brokers, b)
	return resp
}

// TestLeaderUnknown has a broker name a leader that no metadata tell of, and where it is: the records go there at once, and
// metadata of an older epoch don't bring them back (KIP-951).
func TestLeaderUnknown(t *testing.T) {
	c, l := cluster(t), newLedger()
	for _, name := range names {
		for id := range int32(3) {
			if err := c.MoveTopicPartition(name, id, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	staleMetadata(t, c, 5)
	host, port := hostPort(t, c.ListenAddrs()[1])
	var refused, taken atomic.Int64
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if c.CurrentNode() == 1 {
			taken.Add(1)
			return nil, nil, false
		}
		refused.Add(1)
		return refusal(r.(*kmsg.ProduceRequest), host, port, 6), nil, true
	})
	cfg := config(c, l)
	cfg.Bootstrap, cfg.MetadataMaxAge = cfg.Bootstrap[:1], 10*time.Millisecond
	p := open(t, cfg)
	produce(t, p, records(0, 300))
	first := refused.Load()
	time.Sleep(50 * time.Millisecond) // metadata come again
	produce(t, p, records(300, 300))
	l.check(t, 600, false)
	if taken.Load() == 0 || first == 0 || refused.Load() != first {
		t.Errorf("%d requests taken, %d refused, and %d more later", taken.Load(), first, refused.Load()-first)
	}
}

// TestLeaderOlder has a broker refuse records by an epoch that is over: where it says that they belong is of no account.
func TestLeaderOlder(t *testing.T) {
	c, l := cluster(t), newLedger()
	for _, name := range names {
		for id := range int32(3) {
			if err := c.MoveTopicPartition(name, id, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	staleMetadata(t, c, 5)
	astray, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer astray.Close()
	var went atomic.Int64
	go func() {
		for {
			nc, err := astray.Accept()
			if err != nil {
				return
			}
			went.Add(1)
			nc.Close()
		}
	}()
	host, port := hostPort(t, astray.Addr().String())
	left := 5
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if left == 0 {
			return nil, nil, false
		}
		left--
		return refusal(r.(*kmsg.ProduceRequest), host, port, int32(4+left%2)), nil, true // older, or the same
	})
	cfg := config(c, l)
	cfg.Bootstrap = cfg.Bootstrap[:1]
	p := open(t, cfg)
	for i := range 10 {
		produce(t, p, records(i*10, 10))
	}
	l.check(t, 100, false)
	if went.Load() > 0 {
		t.Errorf("%d connections to a leader of an older epoch", went.Load())
	}
	if s := p.Stats(); s.Retries == 0 {
		t.Error("no batch was sent again")
	}
}
