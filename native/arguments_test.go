package native_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// says fails the test unless an error is one and has all parts in its text.
func says(t *testing.T, what string, err, is error, parts ...string) {
	t.Helper()
	if !errors.Is(err, is) {
		t.Errorf("%s: %v isn't %q", what, err, is)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %q doesn't say %q", what, err, part)
		}
	}
}

// TestSettingsRefused: what contradicts Kafka's rules is one kind of error, and nothing is connected to.
func TestSettingsRefused(t *testing.T) {
	good := func() native.Config {
		cfg := native.DefaultConfig()
		cfg.Bootstrap, cfg.Topics, cfg.OnAck = []string{"x:1"}, []string{"a"}, func(native.Ack) {}
		cfg.Dialer = (&oddBroker{}).dial // it offers nothing
		return cfg
	}
	for _, tc := range []struct {
		set  func(*native.Config)
		says string // nothing: it passes
	}{
		{func(*native.Config) {}, ""},
		{func(c *native.Config) { c.ZstdLevel = 23 }, "compression.zstd.level: 23 is not -131072 to 22"},
		{func(c *native.Config) { c.ZstdLevel = -131073 }, "compression.zstd.level: -131073"},
		{func(c *native.Config) { c.ZstdLevel = 22 }, ""},
		{func(c *native.Config) { c.ZstdLevel = -131072 }, ""},
		{func(c *native.Config) { c.PartitionerAvailTimeout = -1 }, "partitioner.availability.timeout.ms: -1ns is negative"},
		{func(c *native.Config) { c.PartitionRules = []native.PartitionRule{{Partition: 1}} }, "PartitionRules"},
		{func(c *native.Config) { c.Bootstrap = nil }, "bootstrap.servers"},
		{func(c *native.Config) { c.Linger = math.MaxInt64 }, "linger.ms: 2562047h47m16.854775807s is more than 596h31m23.647s"},
		{func(c *native.Config) { c.RequestTimeout = math.MaxInt64 }, "request.timeout.ms: 2562047h47m16.854775807s is more than"},
		{func(c *native.Config) { c.DeliveryTimeout = math.MaxInt64 }, "delivery.timeout.ms: 2562047h47m16.854775807s is more than"},
		{func(c *native.Config) { c.Bootstrap = []string{" h:1"} }, `bootstrap.servers: " h:1" isn't host:port`},
		{func(c *native.Config) { c.SocketSetupTimeout = 0 }, "socket.connection.setup.timeout.ms: 0s isn't above 0"},
		{func(c *native.Config) { c.Connections = -1 }, "Connections: -1 is not 0 to 256"},
		{func(c *native.Config) { c.Connections = 257 }, "Connections: 257 is not 0 to 256"},
		{func(c *native.Config) { c.Connections = 256 }, ""},
		{func(c *native.Config) { *c = native.Config{} }, "DefaultConfig"},
		{func(c *native.Config) {
			*c = native.Config{Bootstrap: c.Bootstrap, Topics: c.Topics, OnAck: c.OnAck, Acks: -1}
		}, "DefaultConfig"},
	} {
		cfg := good()
		tc.set(&cfg)
		for _, open := range []func() error{
			func() error { _, err := native.New(context.Background(), cfg); return err },
			func() error { _, err := native.NewReplayer(context.Background(), cfg, nil); return err },
		} {
			if err := open(); tc.says != "" {
				says(t, tc.says, err, native.ErrConfig, tc.says)
			} else if err == nil || errors.Is(err, native.ErrConfig) {
				t.Errorf("%v, want what is wrong with the broker", err)
			}
		}
	}
	_, codec := native.ParseCompression("rar")
	_, partitioner := native.ParsePartitioner("sticky")
	_, recovery := native.ParseMetadataRecovery("never")
	for _, err := range []error{codec, partitioner, recovery} {
		says(t, "parsing", err, native.ErrConfig)
	}
}

// TestRecordArguments has records that can't be meant so among good ones: these alone fail, at once.
func TestRecordArguments(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.MaxBlock = time.Hour // not to be waited for
	p := open(t, cfg)
	recs := records(0, 300)
	bad := map[uint32][]string{}
	spoil := func(i int, set func(*native.Record), parts ...string) {
		set(&recs[i])
		bad[recs[i].Slot] = parts
	}
	for i := 100; i < 110; i++ { // alike, so that they are appended together if at all
		spoil(i, func(r *native.Record) { *r = native.Record{Slot: r.Slot, Partition: -2, Value: []byte("x")} }, "Record.Partition", "-2", "-1")
	}
	spoil(150, func(r *native.Record) { r.Partition, r.Key = -1<<31, []byte("k") }, "Record.Partition", "-2147483648")
	spoil(0, func(r *native.Record) { r.TimestampMS = -1 }, "Record.TimestampMS", "-1")
	spoil(299, func(r *native.Record) { r.TimestampMS = -1 << 63 }, "Record.TimestampMS")
	produce(t, p, recs)
	l.check(t, len(recs), true)
	for _, r := range recs {
		e, _ := l.get(r.Slot)
		if parts, ok := bad[r.Slot]; ok {
			says(t, "a record", e.err, native.ErrArgument, parts...)
		} else if e.err != nil {
			t.Errorf("slot %d: %v", r.Slot, e.err)
		}
	}

	l = newLedger()
	cfg.OnAck = l.ack
	for _, ms := range []int64{-1, 1} {
		_, err := native.NewReplayer(ctxFor(t), cfg, []native.Record{{}, {TimestampMS: ms}})
		says(t, "a template", err, native.ErrArgument, "record 1 of the template: Record.TimestampMS", fmt.Sprint(" ", ms, ":"))
	}
	rp, err := native.NewReplayer(ctxFor(t), cfg, []native.Record{{Value: []byte("x")}})
	must(t, err)
	defer rp.Close()
	must(t, rp.Replay(ctxFor(t), 0, -2, []uint32{0, 1}))
	must(t, rp.Produce(ctxFor(t), []native.Record{{Slot: 2, TimestampMS: 1, Partition: -1}, {Slot: 3, Partition: -1}}))
	must(t, rp.Replay(ctxFor(t), 0, -1, []uint32{4}))
	must(t, rp.Flush(ctxFor(t)))
	l.check(t, 5, true)
	for slot := range uint32(5) {
		if e, _ := l.get(slot); errors.Is(e.err, native.ErrArgument) != (slot < 3) {
			t.Errorf("replayed slot %d: %v", slot, e.err)
		}
	}
}

// TestOffsetArguments sends offsets that can't be meant so: the transaction goes on without them.
func TestOffsetArguments(t *testing.T) {
	c, l := cluster(t), newLedger()
	p := begin(t, transactional(c, l, "tx"))
	must(t, p.Produce(ctxFor(t), texts(0, 6, "x")))
	good, group := native.Offset{Topic: "a", Partition: 1, Offset: 7, LeaderEpoch: -1}, native.GroupMetadata{Group: "g"}
	for want, set := range map[string]func(*native.Offset, *native.GroupMetadata){
		"GroupMetadata.Group":                             func(_ *native.Offset, g *native.GroupMetadata) { g.Group = "" },
		`GroupMetadata of group "g"`:                      func(_ *native.Offset, g *native.GroupMetadata) { g.Generation = 3 },
		`offset -1 for partition 1 of topic "a"`:          func(o *native.Offset, _ *native.GroupMetadata) { o.Offset = -1 },
		`partition -1 of topic "a"`:                       func(o *native.Offset, _ *native.GroupMetadata) { o.Partition = -1 },
		"the topic is empty":                              func(o *native.Offset, _ *native.GroupMetadata) { o.Topic = "" },
		"a topic or metadata of more than 32767":          func(o *native.Offset, _ *native.GroupMetadata) { o.Metadata = strings.Repeat("m", 40_000) },
		"GroupMetadata: ":                                 func(_ *native.Offset, g *native.GroupMetadata) { g.Group = strings.Repeat("g", 40_000) },
		`leader epoch -2 for partition 1 of topic "a" is`: func(o *native.Offset, _ *native.GroupMetadata) { o.LeaderEpoch = -2 },
	} {
		o, g := good, group
		set(&o, &g)
		parts := []string{want}
		if !strings.Contains(want, "Group") {
			parts = append(parts, "offsets[1]")
		}
		says(t, want, p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{good, o}, g), native.ErrArgument, parts...)
	}
	must(t, p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{good}, group))
	must(t, p.CommitTransaction(ctxFor(t)))
	l.check(t, 6, false)
	if got := groupOffsets(t, c.ListenAddrs(), "g"); got != "a1=7" {
		t.Errorf("the group's offsets are %s", got)
	}
}

// TestBrokersLimits: what is said where a broker allows less than was asked for.
func TestBrokersLimits(t *testing.T) {
	c, l := cluster(t), newLedger()
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.InvalidTransactionTimeout})
	err := open(t, transactional(c, newLedger(), "tx")).InitTransactions(ctxFor(t))
	says(t, "InitTransactions", err, native.ErrTransactionFatal, "transaction.timeout.ms = 60000", "transaction.max.timeout.ms")
	says(t, "InitTransactions", err, &native.Error{Code: 50})

	p := open(t, config(c, l))
	for slot, e := range []*kerr.Error{kerr.MessageTooLarge, kerr.InvalidTopicException} {
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e})
		produce(t, p, []native.Record{{Slot: uint32(slot), Partition: 0, Value: []byte("x")}})
	}
	l.check(t, 2, true)
	large, _ := l.get(0)
	says(t, "a large record", large.err, native.ErrMessageTooLarge, `max.message.bytes of topic "a"`, "MESSAGE_TOO_LARGE (10)")
	topic, _ := l.get(1)
	says(t, "a record for a topic of Kafka's own", topic.err, native.ErrInvalidTopic)

	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Err: kerr.InvalidTopicException, Count: -1})
	_, err = native.New(ctxFor(t), config(c, newLedger()))
	says(t, "New", err, native.ErrInvalidTopic, `topic "a"`, "letters")
}
