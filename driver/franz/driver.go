// Package franz measures franz-go (github.com/twmb/franz-go/pkg/kgo): an adapter and nothing more.
package franz

import (
	"kbench/driver"
	"kbench/workload"
)

const module = "github.com/twmb/franz-go"

// Driver describes franz-go.
func Driver() driver.Driver {
	return driver.Driver{
		Name:         "franz",
		Client:       module,
		Version:      driver.ModuleVersion(module),
		About:        "franz-go, the pure Go client",
		Capabilities: capabilities(),
		Open:         open,
	}
}

// capabilities is the table of what franz-go doesn't carry out exactly as Kafka's own client.
func capabilities() []driver.Capability {
	return []driver.Capability{
		{Setting: "max.in.flight.requests.per.connection", Support: driver.Limited, Values: []string{"5 with enable.idempotence", "any without"},
			How: "an idempotent franz-go always has 5 requests in flight per broker, and 1 until a broker's first answer",
			Allows: func(c *workload.ProducerConfig) bool {
				return !c.EnableIdempotence || c.MaxInFlight == idempotentInFlight
			}},
		{Setting: "batch.size", Support: driver.Limited, Values: []string{"512 to 1073741824"},
			How:    "a hard bound in franz-go (ProducerBatchMaxBytes): raised to the run's largest record where that is larger",
			Allows: func(c *workload.ProducerConfig) bool { return c.BatchSize >= minBatch && c.BatchSize <= 1<<30 }},
		{Setting: "max.request.size", Support: driver.Mapped, How: "records are checked by the adapter; requests by BrokerMaxWriteBytes, which can't be below a batch"},
		{Setting: "linger.ms", Support: driver.Limited, Values: []string{"0 to 60000"}, How: "ProducerLinger",
			Allows: func(c *workload.ProducerConfig) bool { return c.Linger <= maxLinger }},
		{Setting: "buffer.memory", Support: driver.Mapped, How: "MaxBufferedBytes, which counts keys, values and headers but no batch overhead"},
		{Setting: "request.timeout.ms", Support: driver.Limited, Values: []string{"200 to 900000"},
			How: "ProduceRequestTimeout + RequestTimeoutOverhead",
			Allows: func(c *workload.ProducerConfig) bool {
				return c.RequestTimeout >= 2*minOverhead && c.RequestTimeout <= maxOverhead
			}},
		{Setting: "delivery.timeout.ms", Support: driver.Limited, Values: []string{"1000 and more"},
			How:    "RecordDeliveryTimeout, looked at when a request is written or answered",
			Allows: func(c *workload.ProducerConfig) bool { return c.DeliveryTimeout >= minDelivery }},
		{Setting: "retry.backoff.ms", Support: driver.Mapped, How: "RetryBackoffFn with Kafka's formula, and MetadataMinAge"},
		{Setting: "retry.backoff.max.ms", Support: driver.Mapped, How: "RetryBackoffFn with Kafka's formula"},
		{Setting: "reconnect.backoff.ms", Support: driver.Unsupported, Values: []string{"as retry.backoff.ms"}, How: "franz-go waits retry.backoff.ms before it dials again",
			Allows: func(c *workload.ProducerConfig) bool { return c.ReconnectBackoff == c.RetryBackoff }},
		{Setting: "reconnect.backoff.max.ms", Support: driver.Unsupported, Values: []string{"as retry.backoff.max.ms"}, How: "franz-go waits up to retry.backoff.max.ms before it dials again",
			Allows: func(c *workload.ProducerConfig) bool { return c.ReconnectBackoffMax == c.RetryBackoffMax }},
		{Setting: "compression.lz4.level", Support: driver.Limited, Values: []string{"1 to 9"}, How: "pierrec/lz4: 9 is the fast compressor, as in Kafka; 1 to 8 its high-compression levels",
			Allows: func(c *workload.ProducerConfig) bool { return c.LZ4Level >= 1 && c.LZ4Level <= 9 }},
		{Setting: "compression.zstd.level", Support: driver.Mapped, How: "klauspost/compress knows four levels: below 3, 3 to 5, 6 to 9, 10 and more"},
		{Setting: "partitioner", Support: driver.Mapped, How: "UniformBytesPartitioner(batch.size) or RoundRobinPartitioner; random and explicit partitions by the adapter"},
		{Setting: "partitioner.availability.timeout.ms", Support: driver.Unsupported, Values: []string{"0"}},
		{Setting: "connections.max.idle.ms", Support: driver.Limited, Values: []string{"100 to 900000"}, How: "ConnIdleTimeout",
			Allows: func(c *workload.ProducerConfig) bool {
				return c.ConnectionsMaxIdle >= minOverhead && c.ConnectionsMaxIdle <= maxOverhead
			}},
		{Setting: "metadata.max.age.ms", Support: driver.Limited, Values: []string{"10 to 3600000"}, How: "MetadataMaxAge",
			Allows: func(c *workload.ProducerConfig) bool {
				return c.MetadataMaxAge >= minMetadataAge && c.MetadataMaxAge <= maxMetadataAge
			}},
		{Setting: "metadata.recovery.strategy", Support: driver.Limited, Values: []string{workload.RecoveryRebootstrap}, How: "franz-go asks the seed brokers in turn with those it knows"},
		{Setting: "metadata.recovery.rebootstrap.trigger.ms", Support: driver.Unsupported, Values: []string{"300000"}, How: "franz-go asks the seed brokers in turn with those it knows, whatever the time"},
		{Setting: "client.rack", Support: driver.Unsupported, Values: []string{""}},
		{Setting: "transactional.id", Support: driver.Unsupported, Values: []string{""}, How: "this adapter sends no transactions"},
		{Setting: "transaction.timeout.ms", Support: driver.Unsupported, Values: []string{"any: without effect"}, How: "this adapter sends no transactions",
			Allows: func(*workload.ProducerConfig) bool { return true }},
	}
}
