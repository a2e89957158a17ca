package franz

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/driver"
	"kbench/native/auth"
	"kbench/workload"
)

// open connects a client.
func open(ctx context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
	dialer, meter, err := driver.Begin(ctx, Driver(), &cfg)
	if err != nil {
		return driver.Session{}, err
	}
	opts, err := options(&cfg, dialer)
	if err != nil {
		return driver.Session{}, err
	}
	st := &stats{wire: meter, batchSize: int64(max(1, cfg.Producer.BatchSize))}
	client, err := kgo.NewClient(append(opts, kgo.WithHooks(st))...)
	if err != nil {
		return driver.Session{}, fmt.Errorf("franz-go refuses the configuration: %w", err)
	}
	// The first record to a topic would wait for its metadata in a queue of its own.
	if err := client.Ping(ctx); err != nil {
		client.Close()
		return driver.Session{}, fmt.Errorf("no broker of %s answers: %w", strings.Join(cfg.Bootstrap, ", "), err)
	}
	return driver.Session{
		Producer:      newProducer(client, &cfg, ack),
		Effective:     effective(client, &cfg, dialer.Security),
		Stats:         st.snapshot,
		Distributions: st.distributions,
	}, nil
}

func newProducer(client *kgo.Client, cfg *driver.Config, ack driver.AckFunc) *producer {
	c := &cfg.Producer
	p := &producer{
		client:     client,
		ack:        ack,
		slots:      make([]slot, cfg.Slots),
		topics:     slices.Clone(cfg.Topics),
		acks0:      c.Acks == 0,
		maxRequest: driver.NewSizeLimit(c.MaxRequestSize),
		maxBuffer:  c.BufferMemory,
		maxBlock:   c.MaxBlock,
		overBuffer: &driver.TooLargeError{Setting: "buffer.memory", Limit: c.BufferMemory},
		tooLarge:   &driver.TooLargeError{Setting: "max.request.size", Limit: int64(c.MaxRequestSize)},
		blocked:    &driver.BlockedError{MaxBlockMS: c.MaxBlock.Milliseconds(), For: "buffer.memory"},
	}
	p.overBatch = &driver.TooLargeError{Setting: "batch.size", Limit: int64(client.OptValue(kgo.ProducerBatchMaxBytes).(int32)),
		Note: "franz-go doesn't send a record that is larger than a batch"}
	for i := range p.slots {
		p.slots[i].id = uint32(i)
	}
	p.promise = p.done
	return p
}

// effective reads the configuration back from the client.
func effective(cl *kgo.Client, cfg *driver.Config, security auth.Config) map[string]string {
	e := driver.Effective{}
	millis := func(name string, opt any) { e.Millis(name, cl.OptValue(opt).(time.Duration)) }
	e.Text("bootstrap.servers", strings.Join(cl.OptValue(kgo.SeedBrokers).([]string), ","))
	e.Text("client.id", cl.OptValue(kgo.ClientID).(string))
	e.Acks(acksValue(cl.OptValue(kgo.RequiredAcks).(kgo.Acks)))
	idempotent := !cl.OptValue(kgo.DisableIdempotentWrite).(bool)
	e.Bool("enable.idempotence", idempotent)
	inFlight := cl.OptValue(kgo.MaxProduceRequestsInflightPerBroker).(int)
	if idempotent {
		inFlight = idempotentInFlight // kgo's constant; the option has no effect
	}
	e.Int("max.in.flight.requests.per.connection", int64(inFlight))
	e.Int("retries", min(cl.OptValue(kgo.RecordRetries).(int64), math.MaxInt32))
	millis("linger.ms", kgo.ProducerLinger)
	e.Int("batch.size", int64(cl.OptValue(kgo.ProducerBatchMaxBytes).(int32)))
	e.Int("max.request.size", int64(min(cl.OptValue(kgo.BrokerMaxWriteBytes).(int32), int32(cfg.Producer.MaxRequestSize))))
	e.Int("buffer.memory", cl.OptValue(kgo.MaxBufferedBytes).(int64))
	millis("delivery.timeout.ms", kgo.RecordDeliveryTimeout)
	e.Millis("request.timeout.ms", cl.OptValue(kgo.ProduceRequestTimeout).(time.Duration)+cl.OptValue(kgo.RequestTimeoutOverhead).(time.Duration))
	millis("metadata.max.age.ms", kgo.MetadataMaxAge)
	millis("connections.max.idle.ms", kgo.ConnIdleTimeout)
	compressionInForce(e, cl, cfg)
	carriedByAdapter(e, cfg)
	e.Security(&cfg.Producer, security)
	return e
}

// carriedByAdapter adds what the adapter itself does with the configuration: the client has it as a function or not at all.
func carriedByAdapter(e driver.Effective, cfg *driver.Config) {
	c := &cfg.Producer
	for _, name := range []string{"partitioner", "partitioner.adaptive.partitioning.enable", "partitioner.ignore.keys",
		"max.block.ms", "retry.backoff.ms", "retry.backoff.max.ms", "send.buffer.bytes", "receive.buffer.bytes",
		"socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.max.ms"} {
		e.Text(name, c.Get(name))
	}
	e.Text("metadata.recovery.strategy", workload.RecoveryRebootstrap)
	e.Text("reconnect.backoff.ms", c.Get("retry.backoff.ms"))
	e.Text("reconnect.backoff.max.ms", c.Get("retry.backoff.max.ms"))
}

// acksValue finds out what kgo hides in its type.
func acksValue(a kgo.Acks) int16 {
	switch a {
	case kgo.NoAck():
		return 0
	case kgo.LeaderAck():
		return 1
	}
	return -1
}

// compressionInForce compares the client's codec with the ones that options can have chosen.
func compressionInForce(e driver.Effective, cl *kgo.Client, cfg *driver.Config) {
	got := cl.OptValue(kgo.ProducerBatchCompression).([]kgo.CompressionCodec)
	asked, err := compression(&cfg.Producer)
	if err != nil || len(got) != 1 || got[0] != asked {
		e.Text("compression.type", fmt.Sprint(got))
		return
	}
	e.Text("compression.type", cfg.Producer.CompressionType)
	e.Int("compression.gzip.level", int64(cfg.Producer.GzipLevel))
	e.Int("compression.zstd.level", int64(cfg.Producer.ZstdLevel))
	level := cfg.Producer.LZ4Level
	if lz4Level(level) == 0 {
		level = 9
	}
	e.Int("compression.lz4.level", int64(level))
}
