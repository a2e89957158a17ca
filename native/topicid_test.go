package native_test

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kbench/native"
)

// produced keeps what Produce requests looked like.
type produced struct {
	mu       sync.Mutex
	versions map[int16]int
	ids      map[[16]byte]int // topics by id
	byName   int              // topics by name
}

// watch notes every Produce request to c.
func watch(c *kfake.Cluster) *produced {
	w := &produced{versions: map[int16]int{}, ids: map[[16]byte]int{}}
	c.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.ProduceRequest)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.versions[req.Version]++
		for _, rt := range req.Topics {
			if rt.Topic == "" {
				w.ids[rt.TopicID]++
			} else {
				w.byName++
			}
		}
		return nil, nil, false
	})
	return w
}

// TestTopicIDs checks what topics are called by: their ids, where Produce 13 and they are known, else their names.
func TestTopicIDs(t *testing.T) {
	oldMetadata := kversion.Stable()
	oldMetadata.SetMaxKeyVersion(int16(kmsg.Metadata), 9)
	for name, tc := range map[string]struct {
		versions *kversion.Versions
		want     int16
	}{
		"4.1":                       {kversion.V4_1_0(), 13},
		"4.0":                       {kversion.V4_0_0(), 12},
		"3.9":                       {kversion.V3_9_0(), 11},
		"metadata without topic id": {oldMetadata, 12},
	} {
		t.Run(name, func(t *testing.T) {
			c, l := cluster(t, kfake.MaxVersions(tc.versions)), newLedger()
			w := watch(c)
			p := open(t, config(c, l))
			recs := records(0, 1000)
			produce(t, p, recs)
			l.check(t, len(recs), false)
			readBack(t, c.ListenAddrs(), l, recs)
			if len(w.versions) != 1 || w.versions[tc.want] == 0 {
				t.Errorf("versions of Produce %v, want only %d", w.versions, tc.want)
			}
			if s := p.Stats(); s.ProduceVersion != int64(tc.want) {
				t.Errorf("Stats tell of version %d, want %d", s.ProduceVersion, tc.want)
			}
			if byID := tc.want >= 13; byID != (w.byName == 0) || byID != (len(w.ids) == len(names)) {
				t.Errorf("%d topics by name, ids %v", w.byName, w.ids)
			}
			for _, topic := range names {
				if id := c.TopicInfo(topic).TopicID; tc.want >= 13 && w.ids[id] == 0 {
					t.Errorf("topic %s with id %x wasn't produced to by it: %v", topic, id, w.ids)
				}
			}
		})
	}
}

// TestTopicRecreated deletes a topic and makes it again while the producer lives: the brokers refuse the old id, and all that
// is sent afterwards arrives under the new one. The other topic isn't disturbed.
func TestTopicRecreated(t *testing.T) {
	for _, idempotent := range []bool{true, false} {
		t.Run(fmt.Sprint("idempotent ", idempotent), func(t *testing.T) {
			addrs, topics := ownTopics(t)
			l := newLedger()
			cfg := native.DefaultConfig()
			cfg.Bootstrap, cfg.Topics, cfg.OnAck = addrs, topics, l.ack
			cfg.EnableIdempotence = idempotent
			p := open(t, cfg)
			send := func(recs []native.Record) {
				t.Helper()
				if idempotent && os.Getenv(bootstrapEnv) == "" { // kfake keeps one epoch for all partitions
					for i := range recs {
						recs[i].Partition = 0
					}
				}
				if err := p.Produce(ctxFor(t), recs); err != nil {
					t.Fatal(err)
				}
			}
			before, after := records(0, 600), records(600, 600)
			send(before)
			produce(t, p, nil)
			l.check(t, len(before), false)
			recreate(t, addrs, topics[0], func() { send(after[:300]) })
			send(after[300:])
			produce(t, p, nil)
			l.check(t, len(before)+len(after), false)
			got := consumeTopics(t, addrs, topics, 300+600) // the other topic whole, and what came to the new one
			for i := range after {
				e, _ := l.get(after[i].Slot)
				r := got[where{topics[e.topic], e.partition, e.offset}]
				if r == nil {
					t.Fatalf("slot %d isn't where it was acknowledged: %+v", after[i].Slot, e)
				}
				if err := same(&after[i], r); err != nil {
					t.Fatalf("slot %d: %v", after[i].Slot, err)
				}
			}
		})
	}
}

// recreate deletes a topic, calls between and makes it again. Its id must be another one then.
func recreate(t *testing.T, addrs []string, topic string, between func()) {
	t.Helper()
	client := func() *kgo.Client {
		cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(cl.Close)
		return cl
	}
	id := func() kadm.TopicID {
		ts, err := kadm.NewClient(client()).ListTopics(ctxFor(t), topic) // a client that has nothing cached
		if err != nil {
			t.Fatal(err)
		}
		return ts[topic].ID
	}
	old, adm := id(), kadm.NewClient(client())
	if resp, err := adm.DeleteTopics(ctxFor(t), topic); err != nil || resp.Error() != nil {
		t.Fatal(err, resp)
	}
	forgotten(t, client(), topic)
	between()
	for { // until the controller lets it be made again
		_, err := adm.CreateTopic(ctxFor(t), 3, 1, nil, topic)
		if err == nil {
			break
		}
		if !errors.Is(err, kerr.TopicAlreadyExists) {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	awaitLeaders(t, client(), []string{topic})
	if fresh := id(); fresh == old || fresh == (kadm.TopicID{}) {
		t.Fatalf("the topic's id is %v, and was %v before it was deleted", fresh, old)
	}
}

// forgotten waits until no broker knows the topic: one that doesn't know yet that it is deleted still takes records for it,
// and acknowledges them.
func forgotten(t *testing.T, cl *kgo.Client, topic string) {
	t.Helper()
	brokers, err := kadm.NewClient(cl).ListBrokers(ctxFor(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range brokers {
		for {
			req, asked := kmsg.NewPtrMetadataRequest(), kmsg.NewMetadataRequestTopic()
			asked.Topic = &topic
			req.Topics = append(req.Topics, asked)
			resp, err := req.RequestWith(ctxFor(t), cl.Broker(int(b.NodeID)))
			if err != nil {
				t.Fatal(err)
			}
			if errors.Is(kerr.ErrorForCode(resp.Topics[0].ErrorCode), kerr.UnknownTopicOrPartition) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// TestMadeAgainSmaller makes a topic again with fewer partitions: records go to those that there are, by whatever partitioner,
// and to no other.
func TestMadeAgainSmaller(t *testing.T) {
	for _, partitioner := range []native.Partitioner{native.PartitionerDefault, native.PartitionerRoundRobin, native.PartitionerRandom} {
		t.Run(partitioner.String(), func(t *testing.T) {
			t.Parallel()
			c, l := cluster(t, kfake.NumBrokers(1)), newLedger()
			cfg := config(c, l)
			cfg.Partitioner, cfg.MetadataMaxAge, cfg.MaxBlock = partitioner, 20*time.Millisecond, 500*time.Millisecond
			cfg.RequestTimeout, cfg.DeliveryTimeout = time.Second, 2*time.Second
			p := open(t, cfg)
			produce(t, p, records(0, 30))
			cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...))
			must(t, err)
			defer cl.Close()
			_, err = kadm.NewClient(cl).DeleteTopics(ctxFor(t), "a")
			must(t, err)
			_, err = kadm.NewClient(cl).CreateTopics(ctxFor(t), 1, 1, nil, "a")
			must(t, err)
			sent := func(slot uint32) error { // what comes of a record for a partition that is gone
				produce(t, p, []native.Record{{Slot: slot, Partition: 2, Value: []byte("x")}})
				e, _ := l.get(slot)
				return e.err
			}
			first := uint32(30) // from here on it knows of the new topic
			for err := error(nil); !errors.Is(err, native.ErrUnknownPartition); first++ {
				if err = sent(first); first == 33 {
					t.Fatalf("a record for partition 2: %v", err)
				}
			}
			for i := range uint32(40) {
				r := native.Record{Slot: first + i, Partition: -1, Value: []byte("x")}
				if i < 20 && partitioner == native.PartitionerDefault {
					r.Key = fmt.Append(nil, i)
				}
				must(t, p.Produce(ctxFor(t), []native.Record{r}))
			}
			must(t, p.Flush(ctxFor(t)))
			for i := range uint32(40) {
				if e, _ := l.get(first + i); e.err != nil || e.partition != 0 {
					t.Fatalf("slot %d: partition %d, %v", first+i, e.partition, e.err)
				}
			}
		})
	}
}

// TestTopicIDRefused checks that brokers which don't know an id yet, or know another one, make the producer ask for metadata
// and send again.
func TestTopicIDRefused(t *testing.T) {
	for _, e := range []*kerr.Error{kerr.UnknownTopicID, kerr.InconsistentTopicID} {
		c, l := cluster(t), newLedger()
		p := open(t, config(c, l))
		asked := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Observe: true, Count: -1})
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 3})
		recs := onePartition(records(0, 100))
		produce(t, p, recs)
		l.check(t, len(recs), false)
		inOrder(t, l, len(recs))
		if asked.Hits() == 0 {
			t.Errorf("%s: no metadata was asked for", e.Message)
		}
	}
}
