// Package native measures kbench's own producer core: an adapter and nothing more.
package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"kbench/driver"
	"kbench/native"
	"kbench/native/auth"
	"kbench/workload"
)

// Driver describes the native producer.
func Driver() driver.Driver {
	return driver.Driver{
		Name:         "native",
		Client:       "kbench/native",
		Version:      native.Version,
		About:        "kbench's own producer, the cheapest per record",
		Capabilities: capabilities(),
		Open:         open,
	}
}

// capabilities is the table of what isn't carried out exactly as in Kafka's own client.
func capabilities() []driver.Capability {
	return []driver.Capability{
		{Setting: "batch.size", Support: driver.Mapped, How: "bounds a batch before compression; Kafka's client bounds its estimate of the compressed size"},
		{Setting: "max.request.size", Support: driver.Mapped, How: "bounds a request before compression; Kafka's client bounds it after"},
		{Setting: "compression.lz4.level", Support: driver.Limited, Values: []string{"1 to 9"}, How: "pierrec/lz4: 9 is the fast compressor, as in Kafka; 1 to 8 its high-compression levels",
			Allows: func(c *workload.ProducerConfig) bool { return c.LZ4Level >= 1 && c.LZ4Level <= 9 }},
		{Setting: "compression.zstd.level", Support: driver.Mapped, How: "klauspost/compress knows four levels: below 3, 3 to 6, 7 to 9, 10 and more"},
		{Setting: "client.rack", Support: driver.Unsupported, Values: []string{""}},
		{Setting: "transactional.id", Support: driver.Unsupported, Values: []string{""}, How: "no transactions yet"},
		{Setting: "transaction.timeout.ms", Support: driver.Unsupported, Values: []string{"any: without effect"}, How: "no transactions yet",
			Allows: func(*workload.ProducerConfig) bool { return true }},
	}
}

// open connects a producer.
func open(ctx context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
	if err := driver.Check(Driver(), &cfg.Producer); err != nil {
		return driver.Session{}, err
	}
	nc, err := config(ctx, &cfg)
	if err != nil {
		return driver.Session{}, err
	}
	p := newProducer(&cfg.Producer, ack)
	nc.OnAck = p.acknowledge
	p.core, err = native.New(ctx, nc)
	if err != nil {
		return driver.Session{}, fmt.Errorf("native: %w", err)
	}
	return driver.Session{Producer: p, Effective: effective(p.core.Config(), &cfg.Producer), Stats: p.stats, Distributions: p.distributions}, nil
}

// config translates the settings.
func config(ctx context.Context, cfg *driver.Config) (native.Config, error) {
	p := &cfg.Producer
	compression, err := native.ParseCompression(p.CompressionType)
	if err != nil {
		return native.Config{}, err
	}
	partitioner, err := native.ParsePartitioner(p.Partitioner)
	if err != nil {
		return native.Config{}, err
	}
	recovery, err := native.ParseMetadataRecovery(p.MetadataRecovery)
	if err != nil {
		return native.Config{}, err
	}
	security, err := driver.Security(ctx, p)
	if err != nil {
		return native.Config{}, err
	}
	return native.Config{
		Dialer: tapped(cfg.Tap),
		TLS:    security.TLS, SASL: security.SASL,
		Bootstrap: cfg.Bootstrap, Topics: cfg.Topics, Seed: cfg.Seed,
		Acks: p.Acks, EnableIdempotence: p.EnableIdempotence, MaxInFlight: p.MaxInFlight, Retries: p.Retries,
		Linger: p.Linger, BatchSize: p.BatchSize,
		Compression: compression, GzipLevel: p.GzipLevel, LZ4Level: p.LZ4Level, ZstdLevel: p.ZstdLevel,
		BufferMemory: p.BufferMemory, MaxBlock: p.MaxBlock, MaxRequestSize: p.MaxRequestSize,
		RequestTimeout: p.RequestTimeout, DeliveryTimeout: p.DeliveryTimeout,
		RetryBackoff: p.RetryBackoff, RetryBackoffMax: p.RetryBackoffMax,
		ReconnectBackoff: p.ReconnectBackoff, ReconnectBackoffMax: p.ReconnectBackoffMax,
		MetadataMaxAge: p.MetadataMaxAge, MetadataRecovery: recovery, RebootstrapTrigger: p.RebootstrapTrigger,
		ConnectionsMaxIdle: p.ConnectionsMaxIdle, SocketSetupTimeout: p.SocketSetupTimeout, SocketSetupTimeoutMax: p.SocketSetupTimeoutMax,
		SendBuffer: p.SendBufferBytes, ReceiveBuffer: p.ReceiveBufferBytes, ClientID: p.ClientID,
		Partitioner: partitioner, PartitionerAdaptive: p.PartitionerAdaptive,
		PartitionerAvailTimeout: p.PartitionerAvailTmo, PartitionerIgnoreKeys: p.PartitionerIgnoreKeys,
	}, nil
}

// tapped connects with a tap on each connection; nil where there is no tap.
func tapped(tap func(net.Conn) net.Conn) func(ctx context.Context, network, address string) (net.Conn, error) {
	if tap == nil {
		return nil
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return tap(conn), nil
	}
}

// effective writes down the configuration that the producer says it has.
func effective(c native.Config, asked *workload.ProducerConfig) map[string]string {
	e := driver.Effective{}
	e.Text("bootstrap.servers", strings.Join(c.Bootstrap, ","))
	e.Text("client.id", c.ClientID)
	e.Acks(c.Acks)
	e.Bool("enable.idempotence", c.EnableIdempotence)
	e.Int("max.in.flight.requests.per.connection", int64(c.MaxInFlight))
	e.Int("retries", int64(c.Retries))
	e.Millis("linger.ms", c.Linger)
	e.Int("batch.size", int64(c.BatchSize))
	e.Text("compression.type", c.Compression.String())
	e.Int("compression.gzip.level", int64(c.GzipLevel))
	e.Int("compression.lz4.level", int64(c.LZ4Level))
	e.Int("compression.zstd.level", int64(c.ZstdLevel))
	e.Int("buffer.memory", c.BufferMemory)
	e.Millis("max.block.ms", c.MaxBlock)
	e.Int("max.request.size", int64(c.MaxRequestSize))
	e.Millis("request.timeout.ms", c.RequestTimeout)
	e.Millis("delivery.timeout.ms", c.DeliveryTimeout)
	e.Millis("retry.backoff.ms", c.RetryBackoff)
	e.Millis("retry.backoff.max.ms", c.RetryBackoffMax)
	e.Millis("reconnect.backoff.ms", c.ReconnectBackoff)
	e.Millis("reconnect.backoff.max.ms", c.ReconnectBackoffMax)
	e.Millis("metadata.max.age.ms", c.MetadataMaxAge)
	e.Text("metadata.recovery.strategy", c.MetadataRecovery.String())
	e.Millis("metadata.recovery.rebootstrap.trigger.ms", c.RebootstrapTrigger)
	e.Millis("connections.max.idle.ms", c.ConnectionsMaxIdle)
	e.Millis("socket.connection.setup.timeout.ms", c.SocketSetupTimeout)
	e.Millis("socket.connection.setup.timeout.max.ms", c.SocketSetupTimeoutMax)
	e.Int("send.buffer.bytes", int64(c.SendBuffer))
	e.Int("receive.buffer.bytes", int64(c.ReceiveBuffer))
	e.Text("partitioner", c.Partitioner.String())
	e.Bool("partitioner.adaptive.partitioning.enable", c.PartitionerAdaptive)
	e.Millis("partitioner.availability.timeout.ms", c.PartitionerAvailTimeout)
	e.Bool("partitioner.ignore.keys", c.PartitionerIgnoreKeys)
	e.Text("transactional.id", "")
	e.Security(asked, auth.Config{TLS: c.TLS, SASL: c.SASL})
	return e
}

// translate turns the core's errors into the harness's, with one text for each cause.
func (p *producer) translate(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, native.ErrBufferExhausted):
		return p.blocked
	case errors.Is(err, native.ErrRecordTooLarge):
		if strings.Contains(err.Error(), p.overRequest.Setting) {
			return p.overRequest
		}
		return p.overBuffer
	}
	return err
}
