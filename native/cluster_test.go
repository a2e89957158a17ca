package native_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// bootstrapEnv names a real cluster (host:port,…) to run TestCluster against instead of the fake one.
const bootstrapEnv = "KBENCH_TEST_BOOTSTRAP"

// ownTopics returns a cluster, real if there is one, with two topics of the test's own, of three partitions each.
func ownTopics(t *testing.T) (addrs, topics []string) {
	t.Helper()
	bootstrap := os.Getenv(bootstrapEnv)
	if bootstrap == "" {
		return cluster(t).ListenAddrs(), names
	}
	addrs = strings.Split(bootstrap, ",")
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...))
	if err != nil {
		t.Fatal(err)
	}
	create, remove := kmsg.NewPtrCreateTopicsRequest(), kmsg.NewPtrDeleteTopicsRequest()
	create.TimeoutMillis, remove.TimeoutMillis = 10000, 10000
	for _, letter := range names {
		topics = append(topics, fmt.Sprintf("kbench-native-test-%d-%d-%s", os.Getpid(), time.Now().UnixNano(), letter))
		ct, dt := kmsg.NewCreateTopicsRequestTopic(), kmsg.NewDeleteTopicsRequestTopic()
		ct.Topic, ct.NumPartitions, ct.ReplicationFactor = topics[len(topics)-1], 3, 1
		// Brokers before 4.0 would take records from any future (KIP-1030).
		ct.Configs = append(ct.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: "message.timestamp.after.max.ms", Value: kmsg.StringPtr("3600000")})
		dt.Topic = &ct.Topic
		create.Topics = append(create.Topics, ct)
		remove.Topics, remove.TopicNames = append(remove.Topics, dt), append(remove.TopicNames, ct.Topic)
	}
	resp, err := create.RequestWith(ctxFor(t), cl)
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range resp.Topics {
		if err := kerr.ErrorForCode(rt.ErrorCode); err != nil {
			t.Fatal(err)
		}
	}
	awaitLeaders(t, cl, topics)
	t.Cleanup(func() {
		defer cl.Close()
		if _, err := remove.RequestWith(ctxFor(t), cl); err != nil {
			t.Error(err)
		}
	})
	return addrs, topics
}

// awaitLeaders waits until the leaders themselves know of the topics. Metadata names them before; until then they refuse
// what is produced, and with acks=0 nobody hears of it.
func awaitLeaders(t *testing.T, cl *kgo.Client, topics []string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		ends, err := kadm.NewClient(cl).ListEndOffsets(ctxFor(t), topics...)
		if err == nil {
			err = ends.Error()
		}
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// TestCluster sends records of every kind with every codec and mode, and reads each back from its offset.
func TestCluster(t *testing.T) {
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		for _, m := range []struct {
			acks       int16
			idempotent bool
			inFlight   int
		}{{-1, true, 5}, {-1, false, 1}, {1, false, 5}, {0, false, 5}} {
			t.Run(fmt.Sprintf("%s acks=%d idempotent=%v in flight %d", codec, m.acks, m.idempotent, m.inFlight), func(t *testing.T) {
				addrs, topics := ownTopics(t)
				l := newLedger()
				cfg := native.DefaultConfig()
				cfg.Bootstrap, cfg.Topics, cfg.OnAck = addrs, topics, l.ack
				cfg.Acks, cfg.EnableIdempotence, cfg.MaxInFlight = m.acks, m.idempotent, m.inFlight
				cfg.Compression, _ = native.ParseCompression(codec)
				p := open(t, cfg)
				recs := records(0, 2000)
				produce(t, p, recs)
				l.check(t, len(recs), false)
				if m.acks == 0 {
					consumeTopics(t, addrs, topics, len(recs))
					return
				}
				readBackTopics(t, addrs, topics, l, recs)
				if m.idempotent || m.inFlight == 1 {
					inOrder(t, l, len(recs))
				}
			})
		}
	}
}
