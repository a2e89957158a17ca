package sarama

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"kbench/driver"
	"kbench/native/auth"
	"kbench/workload"
)

const (
	// maxRetries bounds Producer.Retry.Max: sarama allocates 32 bytes for each of them per partition.
	maxRetries = 1000
	// recordOverhead is what sarama counts for a record beside its bytes (maximumRecordOverhead).
	recordOverhead = 36
	// recordSlack leaves room for the headers' own overhead when the largest record is known.
	recordSlack = 512
)

// newConfig translates the settings. What sarama bounds more tightly than Kafka is moved to the bound: the configuration
// read back shows it.
func newConfig(cfg *driver.Config, net *driver.Dialer, retry func(failures int) time.Duration) (*sarama.Config, error) {
	p := &cfg.Producer
	c := sarama.NewConfig()
	// Every request goes down to what the broker advertises, so the newest version that sarama knows is right for any
	// broker: Produce 10 from Kafka 3.7 on, instead of 9 at sarama's default.
	c.Version = sarama.MaxVersion
	c.ClientID = p.ClientID
	c.Net.Proxy.Enable, c.Net.Proxy.Dialer = true, net
	c.Net.DialTimeout = p.SocketSetupTimeout
	c.Net.ReadTimeout, c.Net.WriteTimeout = p.RequestTimeout, p.RequestTimeout
	c.Net.MaxOpenRequests = p.MaxInFlight

	backoff := func(failures, _ int) time.Duration { return retry(failures) }
	c.Metadata.Full = false
	c.Metadata.AllowAutoTopicCreation = false
	c.Metadata.RefreshFrequency = p.MetadataMaxAge
	c.Metadata.Timeout = max(p.MaxBlock, time.Second)
	c.Metadata.Retry.BackoffFunc = backoff

	c.Producer.RequiredAcks = sarama.RequiredAcks(p.Acks)
	c.Producer.Timeout = p.RequestTimeout
	c.Producer.Idempotent = p.EnableIdempotence
	if p.EnableIdempotence {
		c.Net.MaxOpenRequests = 1 // sarama refuses anything else
	}
	c.Producer.Return.Successes, c.Producer.Return.Errors = true, true
	c.Producer.Retry.Max = retries(p)
	c.Producer.Retry.BackoffFunc = backoff
	c.Producer.Retry.Backoff = p.RetryBackoff
	c.Producer.MaxMessageBytes = messageBytes(cfg)
	if c.Producer.Flush.Frequency = p.Linger; p.Linger > 0 {
		// Without a frequency, a byte threshold would hold records back for ever.
		c.Producer.Flush.Bytes = p.MaxRequestSize
	}
	c.Producer.Partitioner = newPartitioner(cfg)
	if err := authenticate(c, &p.Security, net.Security.SASL); err != nil {
		return nil, err
	}
	return c, compression(c, p)
}

// messageBytes is sarama's bound of a batch, which is also its bound of a record: see franz for the same trouble.
func messageBytes(cfg *driver.Config) int {
	n := cfg.Producer.BatchSize
	if cfg.MaxRecordBytes > 0 {
		n = max(n, min(cfg.MaxRecordBytes+recordOverhead+recordSlack, cfg.Producer.MaxRequestSize))
	}
	return min(n, int(sarama.MaxRequestSize)-1)
}

// retries is the number of retries: what was asked, or as many as there is time for within delivery.timeout.ms when each
// fails at once.
func retries(p *workload.ProducerConfig) int {
	if p.Retries <= maxRetries {
		return int(p.Retries)
	}
	n, spent := 0, time.Duration(0)
	for pause := p.RetryBackoff; n < maxRetries && spent < p.DeliveryTimeout; n++ {
		spent += max(pause, time.Millisecond)
		pause = min(2*pause, p.RetryBackoffMax)
	}
	return max(n, 1)
}

// compression translates compression.type and its level.
func compression(c *sarama.Config, p *workload.ProducerConfig) error {
	switch p.CompressionType {
	case "none":
		c.Producer.Compression = sarama.CompressionNone
	case "gzip":
		c.Producer.Compression = sarama.CompressionGZIP
		if p.GzipLevel > 0 {
			c.Producer.CompressionLevel = p.GzipLevel
		}
	case "snappy":
		c.Producer.Compression = sarama.CompressionSnappy
	case "lz4":
		c.Producer.Compression = sarama.CompressionLZ4
	case "zstd":
		c.Producer.Compression = sarama.CompressionZSTD
		c.Producer.CompressionLevel = p.ZstdLevel
	default:
		return fmt.Errorf("compression.type %q: sarama has none, gzip, snappy, lz4, zstd", p.CompressionType)
	}
	return nil
}

// effective reads the configuration back from the client.
func effective(c *sarama.Config, bootstrap string, cfg *driver.Config, security auth.Config) map[string]string {
	asked := &cfg.Producer
	e := driver.Effective{}
	e.Text("bootstrap.servers", bootstrap)
	e.Text("client.id", c.ClientID)
	e.Acks(int16(c.Producer.RequiredAcks))
	e.Bool("enable.idempotence", c.Producer.Idempotent)
	e.Int("max.in.flight.requests.per.connection", int64(c.Net.MaxOpenRequests))
	e.Int("retries", int64(c.Producer.Retry.Max))
	e.Millis("linger.ms", c.Producer.Flush.Frequency)
	e.Int("batch.size", int64(c.Producer.MaxMessageBytes))
	e.Text("compression.type", c.Producer.Compression.String())
	e.Millis("request.timeout.ms", c.Net.ReadTimeout)
	e.Millis("metadata.max.age.ms", c.Metadata.RefreshFrequency)
	e.Text("compression.gzip.level", asked.Get("compression.gzip.level"))
	e.Text("compression.zstd.level", asked.Get("compression.zstd.level"))
	e.Int("compression.lz4.level", 9)
	e.Bool("partitioner.adaptive.partitioning.enable", false)
	// The client has these as functions or not at all: the adapter carries them out.
	for _, name := range []string{"partitioner", "partitioner.ignore.keys", "max.block.ms", "max.request.size",
		"retry.backoff.ms", "retry.backoff.max.ms", "send.buffer.bytes", "receive.buffer.bytes",
		"socket.connection.setup.timeout.ms", "socket.connection.setup.timeout.max.ms"} {
		e.Text(name, asked.Get(name))
	}
	e.Security(asked, security)
	e.Text("metadata.recovery.strategy", workload.RecoveryRebootstrap)
	e.Text("reconnect.backoff.ms", asked.Get("retry.backoff.ms"))
	e.Text("reconnect.backoff.max.ms", asked.Get("retry.backoff.max.ms"))
	return e
}
