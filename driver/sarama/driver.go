// Package sarama measures sarama (github.com/IBM/sarama), its AsyncProducer: an adapter and nothing more.
package sarama

import (
	"kbench/driver"
	"kbench/workload"
)

const module = "github.com/IBM/sarama"

// Driver describes sarama.
func Driver() driver.Driver {
	return driver.Driver{
		Name:         "sarama",
		Client:       module,
		Version:      driver.ModuleVersion(module),
		About:        "sarama, the oldest pure Go client, through its AsyncProducer",
		Capabilities: capabilities(),
		Open:         open,
	}
}

// capabilities is the table of what sarama doesn't carry out exactly as Kafka's own client.
func capabilities() []driver.Capability {
	const noTransactions = "this adapter sends no transactions"
	return []driver.Capability{
		{Setting: "max.in.flight.requests.per.connection", Support: driver.Limited, Values: []string{"1 with enable.idempotence", "any without"},
			How:    "Net.MaxOpenRequests, which idempotence forces to 1; a partition never has more than one batch in flight",
			Allows: func(c *workload.ProducerConfig) bool { return !c.EnableIdempotence || c.MaxInFlight == 1 }},
		{Setting: "retries", Support: driver.Limited, Values: []string{"0 to 1000"},
			How:    "Producer.Retry.Max; sarama allocates for each of them, so more become as many as fit between the first send and delivery.timeout.ms",
			Allows: func(c *workload.ProducerConfig) bool { return c.Retries <= maxRetries }},
		{Setting: "delivery.timeout.ms", Support: driver.Unsupported, How: "sarama bounds the number of retries, not their time"},
		{Setting: "linger.ms", Support: driver.Mapped, How: "Flush.Frequency; sarama has no flush, so a flush waits for it too"},
		{Setting: "batch.size", Support: driver.Mapped, How: "Producer.MaxMessageBytes, a hard bound that counts up to 36 bytes a record too many: raised to the run's largest record where that is larger"},
		{Setting: "max.request.size", Support: driver.Mapped, How: "records are checked by the adapter; requests by Flush.Bytes, with linger.ms above 0"},
		{Setting: "buffer.memory", Support: driver.Unsupported, How: "sarama has no such bound: the records in flight are what bounds it"},
		{Setting: "max.block.ms", Support: driver.Mapped, How: "the adapter bounds the wait for sarama's Input channel"},
		{Setting: "request.timeout.ms", Support: driver.Mapped, How: "Producer.Timeout, Net.ReadTimeout and Net.WriteTimeout"},
		{Setting: "retry.backoff.ms", Support: driver.Mapped, How: "Retry.BackoffFunc with Kafka's formula"},
		{Setting: "retry.backoff.max.ms", Support: driver.Mapped, How: "Retry.BackoffFunc with Kafka's formula"},
		{Setting: "reconnect.backoff.ms", Support: driver.Unsupported, Values: []string{"as retry.backoff.ms"}, How: "sarama connects again when it retries",
			Allows: func(c *workload.ProducerConfig) bool { return c.ReconnectBackoff == c.RetryBackoff }},
		{Setting: "reconnect.backoff.max.ms", Support: driver.Unsupported, Values: []string{"as retry.backoff.max.ms"}, How: "sarama connects again when it retries",
			Allows: func(c *workload.ProducerConfig) bool { return c.ReconnectBackoffMax == c.RetryBackoffMax }},
		{Setting: "compression.lz4.level", Support: driver.Limited, Values: []string{"9"}, How: "the fast compressor, as Kafka's 9 is"},
		{Setting: "compression.zstd.level", Support: driver.Mapped, How: "klauspost/compress knows four levels: below 3, 3 to 5, 6 to 9, 10 and more"},
		{Setting: "partitioner", Support: driver.Mapped, How: "NewMurmur2Partitioner for keys, NewRoundRobinPartitioner; the uniform sticky one (sarama has none), random and explicit partitions by the adapter"},
		{Setting: "partitioner.adaptive.partitioning.enable", Support: driver.Limited, Values: []string{"false"}, How: "sarama doesn't tell a partitioner how full the queues are"},
		{Setting: "partitioner.availability.timeout.ms", Support: driver.Unsupported, Values: []string{"0"}},
		{Setting: "connections.max.idle.ms", Support: driver.Unsupported, How: "sarama never closes an idle connection"},
		{Setting: "metadata.recovery.strategy", Support: driver.Limited, Values: []string{workload.RecoveryRebootstrap}, How: "sarama goes back to the bootstrap servers when it has no other broker left"},
		{Setting: "metadata.recovery.rebootstrap.trigger.ms", Support: driver.Unsupported, Values: []string{"300000"}, How: "sarama goes back to the bootstrap servers when it has no other broker left, whatever the time"},
		{Setting: "client.rack", Support: driver.Unsupported, Values: []string{""}},
		{Setting: "transactional.id", Support: driver.Unsupported, Values: []string{""}, How: noTransactions},
		{Setting: "transaction.timeout.ms", Support: driver.Unsupported, Values: []string{"any: without effect"}, How: noTransactions,
			Allows: func(*workload.ProducerConfig) bool { return true }},
	}
}
