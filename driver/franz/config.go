package franz

import (
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/driver"
	"kbench/workload"
)

// Bounds of kgo's own options, as its config.go checks them.
const (
	idempotentInFlight = 5
	minBatch           = 512
	maxLinger          = time.Minute
	minOverhead        = 100 * time.Millisecond
	maxOverhead        = 15 * time.Minute
	minDelivery        = time.Second
	minMetadataAge     = 10 * time.Millisecond
	maxMetadataAge     = time.Hour
	// requestSlack is more than a produce request adds to its one batch: header, client id (≤ 256), topic (≤ 249).
	requestSlack = 1024
)

// options translates the settings. What kgo bounds more tightly than Kafka is moved to the bound: the configuration read
// back shows it.
func options(cfg *driver.Config, dialer *driver.Dialer) ([]kgo.Opt, error) {
	p := &cfg.Producer
	codec, err := compression(p)
	if err != nil {
		return nil, err
	}
	timeout, overhead := requestTimeouts(p.RequestTimeout)
	batch := batchBytes(cfg)
	opts := []kgo.Opt{
		kgo.SeedBrokers(cfg.Bootstrap...),
		kgo.Dialer(dialer.DialContext),
		kgo.ClientID(p.ClientID),
		kgo.DisableClientMetrics(),
		kgo.ProducerLinger(min(p.Linger, maxLinger)),
		kgo.ProducerBatchMaxBytes(int32(batch)),
		kgo.BrokerMaxWriteBytes(int32(max(p.MaxRequestSize, batch+requestSlack))),
		kgo.ProducerBatchCompression(codec),
		kgo.RecordPartitioner(newPartitioner(cfg)),
		// Slots bound the records in flight. kgo counts a record until after its promise, when the harness may already have
		// used the slot again, so its own bound stands a little higher and never blocks.
		kgo.MaxBufferedRecords(2*cfg.Slots + 1024),
		kgo.MaxBufferedBytes(int(p.BufferMemory)),
		kgo.RecordRetries(int(p.Retries)),
		kgo.RequestRetries(int(p.Retries)),
		kgo.RecordDeliveryTimeout(max(p.DeliveryTimeout, minDelivery)),
		kgo.ProduceRequestTimeout(timeout),
		kgo.RequestTimeoutOverhead(overhead),
		kgo.RetryBackoffFn(driver.Backoff(p.RetryBackoff, p.RetryBackoffMax)),
		kgo.MetadataMaxAge(clamp(p.MetadataMaxAge, minMetadataAge, maxMetadataAge)),
		// Kafka's client asks again for metadata after retry.backoff.ms; kgo's own 5 s would be added to every change of leader.
		kgo.MetadataMinAge(clamp(min(p.RetryBackoff, p.MetadataMaxAge), minMetadataAge, maxMetadataAge)),
		kgo.ConnIdleTimeout(clamp(p.ConnectionsMaxIdle, minOverhead, maxOverhead)),
	}
	if mechanism := dialer.Security.SASL; mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return append(opts, ackOptions(p)...), nil
}

// ackOptions sets acks, idempotence and requests in flight, which kgo checks against each other.
func ackOptions(p *workload.ProducerConfig) []kgo.Opt {
	acks := kgo.AllISRAcks()
	switch p.Acks {
	case 0:
		acks = kgo.NoAck()
	case 1:
		acks = kgo.LeaderAck()
	}
	opts := []kgo.Opt{kgo.RequiredAcks(acks)}
	if p.EnableIdempotence {
		// Without this, kgo keeps a record that was sent once for as long as no answer comes, whatever
		// delivery.timeout.ms says. Kafka's client fails it and bumps the epoch, as kgo does with this option.
		return append(opts, kgo.AllowIdempotentProduceCancellation())
	}
	return append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(p.MaxInFlight))
}

// batchBytes is kgo's bound of a batch. Kafka's batch.size is soft: a larger record gets a batch to itself. kgo's is hard,
// so it must leave room for the run's largest record.
func batchBytes(cfg *driver.Config) int {
	n := cfg.Producer.BatchSize
	if cfg.MaxRecordBytes > 0 {
		r := workload.Record{Value: nil}
		n = max(n, min(driver.SizeBound(&r)+cfg.MaxRecordBytes+recordSlack, cfg.Producer.MaxRequestSize))
	}
	return clamp(n, minBatch, 1<<30)
}

// recordSlack covers the varints of a record's key, value and headers that SizeBound of an empty record doesn't count.
const recordSlack = 256

// requestTimeouts splits request.timeout.ms: kgo gives a request up after the time-out that it tells the broker plus an
// overhead, which is also the time-out of every other request.
func requestTimeouts(d time.Duration) (timeout, overhead time.Duration) {
	d = clamp(d, 2*minOverhead, maxOverhead)
	overhead = min(d/2, 10*time.Second)
	return d - overhead, overhead
}

// compression translates compression.type and its level.
func compression(p *workload.ProducerConfig) (kgo.CompressionCodec, error) {
	switch p.CompressionType {
	case "none":
		return kgo.NoCompression(), nil
	case "gzip":
		return kgo.GzipCompression().WithLevel(p.GzipLevel), nil
	case "snappy":
		return kgo.SnappyCompression(), nil
	case "lz4":
		return kgo.Lz4Compression().WithLevel(lz4Level(p.LZ4Level)), nil
	case "zstd":
		return kgo.ZstdCompression().WithLevel(int(zstd.EncoderLevelFromZstd(p.ZstdLevel))), nil
	}
	return kgo.CompressionCodec{}, fmt.Errorf("compression.type %q: franz-go has none, gzip, snappy, lz4, zstd", p.CompressionType)
}

// lz4Level translates Kafka's level to pierrec/lz4's. Kafka's 9, the default, is lz4-java's fast compressor; every other
// level its high compressor (org.apache.kafka.common.compress.Lz4Compression). pierrec's Level1 is 1<<9.
func lz4Level(level int) int {
	if level < 1 || level > 8 {
		return 0
	}
	return 1 << (8 + level)
}

func clamp[T int | int64 | time.Duration](v, lo, hi T) T { return max(lo, min(v, hi)) }
