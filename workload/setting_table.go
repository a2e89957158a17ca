package workload

import (
	"math"
	"slices"
	"time"
)

// Codecs lists the values of compression.type.
func Codecs() []string { return []string{"none", "gzip", "snappy", "lz4", "zstd"} }

// Partitioners lists the values of the setting partitioner.
func Partitioners() []string {
	return []string{PartitionerDefault, PartitionerRoundRobin, PartitionerRandom}
}

// from returns the range from least to the largest int of Kafka.
func from(least int64) intRange { return intRange{min: least, max: math.MaxInt32} }

// settingRows is the table behind Settings: never changed.
var settingRows = slices.Concat(carriedSettings(), securitySettings(), ignoredSettings(), refusedSettings())

func carriedSettings() []settingRow {
	type c = ProducerConfig
	type d = time.Duration
	minusOne := []int64{-1}
	return []settingRow{
		acksSetting(),
		boolSetting("enable.idempotence", "no duplicates and no reordering by retries", func(c *c) *bool { return &c.EnableIdempotence }),
		intSetting("max.in.flight.requests.per.connection", "produce requests without an answer, a broker", from(1), func(c *c) *int { return &c.MaxInFlight }),
		intSetting("retries", "times that a batch is sent again", from(0), func(c *c) *int32 { return &c.Retries }),
		msSetting("linger.ms", "time that a batch waits for more records", 0, func(c *c) *d { return &c.Linger }),
		sizeSetting("batch.size", "upper bound of a batch", from(1), func(c *c) *int { return &c.BatchSize }),
		choiceSetting("compression.type", "codec of the batches", Codecs(), func(c *c) *string { return &c.CompressionType }),
		intSetting("compression.gzip.level", "level of gzip", intRange{1, 9, minusOne}, func(c *c) *int { return &c.GzipLevel }),
		intSetting("compression.lz4.level", "level of lz4", intRange{min: 1, max: 17}, func(c *c) *int { return &c.LZ4Level }),
		intSetting("compression.zstd.level", "level of zstd", intRange{min: -131072, max: 22}, func(c *c) *int { return &c.ZstdLevel }),
		sizeSetting("buffer.memory", "memory for records not yet sent", intRange{min: 1, max: math.MaxInt64}, func(c *c) *int64 { return &c.BufferMemory }),
		msSetting("max.block.ms", "time that a send waits for metadata and memory", 0, func(c *c) *d { return &c.MaxBlock }),
		sizeSetting("max.request.size", "upper bound of a request and of a record", from(1), func(c *c) *int { return &c.MaxRequestSize }),
		msSetting("request.timeout.ms", "time that a request waits for its answer", 1, func(c *c) *d { return &c.RequestTimeout }),
		msSetting("delivery.timeout.ms", "time for a record from send to acknowledgement, retries included", 1, func(c *c) *d { return &c.DeliveryTimeout }),
		msSetting("retry.backoff.ms", "first pause before a retry", 0, func(c *c) *d { return &c.RetryBackoff }),
		msSetting("retry.backoff.max.ms", "longest pause before a retry", 0, func(c *c) *d { return &c.RetryBackoffMax }),
		msSetting("reconnect.backoff.ms", "first pause before connecting again", 0, func(c *c) *d { return &c.ReconnectBackoff }),
		msSetting("reconnect.backoff.max.ms", "longest pause before connecting again", 0, func(c *c) *d { return &c.ReconnectBackoffMax }),
		choiceSetting("partitioner", "which partition a record goes to (kbench's name for partitioner.class)", Partitioners(), func(c *c) *string { return &c.Partitioner }),
		partitionerClassSetting(),
		boolSetting("partitioner.adaptive.partitioning.enable", "fewer records without a key for slow brokers", func(c *c) *bool { return &c.PartitionerAdaptive }),
		msSetting("partitioner.availability.timeout.ms", "leave out partitions not drained for so long; 0: never", 0, func(c *c) *d { return &c.PartitionerAvailTmo }),
		boolSetting("partitioner.ignore.keys", "choose partitions as if records had no key", func(c *c) *bool { return &c.PartitionerIgnoreKeys }),
		textSetting("transactional.id", "name of the transactional producer; empty: no transactions", func(c *c) *string { return &c.TransactionalID }),
		msSetting("transaction.timeout.ms", "longest life of an open transaction", 1, func(c *c) *d { return &c.TransactionTimeout }),
		textSetting("client.id", "name under which brokers log and count the client", func(c *c) *string { return &c.ClientID }),
		textSetting("client.rack", "rack of the client", func(c *c) *string { return &c.ClientRack }),
		sizeSetting("send.buffer.bytes", "the socket's send buffer, -1: the system's default", intRange{0, math.MaxInt32, minusOne}, func(c *c) *int { return &c.SendBufferBytes }),
		sizeSetting("receive.buffer.bytes", "the socket's receive buffer, -1: the system's default", intRange{0, math.MaxInt32, minusOne}, func(c *c) *int { return &c.ReceiveBufferBytes }),
		msSetting("metadata.max.age.ms", "age at which metadata are fetched again", 1, func(c *c) *d { return &c.MetadataMaxAge }),
		recoverySetting(),
		msSetting("metadata.recovery.rebootstrap.trigger.ms", "time without metadata after which the bootstrap servers are asked again", 0, func(c *c) *d { return &c.RebootstrapTrigger }),
		msSetting("connections.max.idle.ms", "idle time after which a connection is closed", 1, func(c *c) *d { return &c.ConnectionsMaxIdle }),
		msSetting("socket.connection.setup.timeout.ms", "first time limit of connecting", 1, func(c *c) *d { return &c.SocketSetupTimeout }),
		msSetting("socket.connection.setup.timeout.max.ms", "longest time limit of connecting", 1, func(c *c) *d { return &c.SocketSetupTimeoutMax }),
		bootstrapSetting(),
	}
}
