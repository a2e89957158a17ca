package workload

import "time"

// ProducerConfig holds the producer settings in Kafka's meaning, whichever client carries them out.
// Field comments name the setting; see https://kafka.apache.org/documentation/#producerconfigs.
type ProducerConfig struct {
	Acks                  int16         // acks: −1 (all), 0, 1
	EnableIdempotence     bool          // enable.idempotence
	MaxInFlight           int           // max.in.flight.requests.per.connection
	Retries               int32         // retries
	Linger                time.Duration // linger.ms
	BatchSize             int           // batch.size, bytes
	CompressionType       string        // compression.type: none, gzip, snappy, lz4, zstd
	GzipLevel             int           // compression.gzip.level
	LZ4Level              int           // compression.lz4.level
	ZstdLevel             int           // compression.zstd.level
	BufferMemory          int64         // buffer.memory, bytes
	MaxBlock              time.Duration // max.block.ms
	MaxRequestSize        int           // max.request.size, bytes
	RequestTimeout        time.Duration // request.timeout.ms
	DeliveryTimeout       time.Duration // delivery.timeout.ms
	RetryBackoff          time.Duration // retry.backoff.ms
	RetryBackoffMax       time.Duration // retry.backoff.max.ms
	ReconnectBackoff      time.Duration // reconnect.backoff.ms
	ReconnectBackoffMax   time.Duration // reconnect.backoff.max.ms
	Partitioner           string        // partitioner (kbench's name; partitioner.class maps onto it): see PartitionerDefault
	PartitionerAdaptive   bool          // partitioner.adaptive.partitioning.enable
	PartitionerAvailTmo   time.Duration // partitioner.availability.timeout.ms
	PartitionerIgnoreKeys bool          // partitioner.ignore.keys
	TransactionalID       string        // transactional.id
	TransactionTimeout    time.Duration // transaction.timeout.ms
	ClientID              string        // client.id
	ClientRack            string        // client.rack
	SendBufferBytes       int           // send.buffer.bytes, −1: the system's default
	ReceiveBufferBytes    int           // receive.buffer.bytes, −1: the system's default
	MetadataMaxAge        time.Duration // metadata.max.age.ms
	ConnectionsMaxIdle    time.Duration // connections.max.idle.ms
	SocketSetupTimeout    time.Duration // socket.connection.setup.timeout.ms
	SocketSetupTimeoutMax time.Duration // socket.connection.setup.timeout.max.ms
	BootstrapServers      string        // bootstrap.servers, as written in a properties file; --bootstrap-server wins
	SecurityProtocol      string        // security.protocol: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL

	set map[string]string // settings given explicitly, name → value as written
}

// Partitioners.
const (
	PartitionerDefault    = "default"    // Kafka's built-in: murmur2 of the key; without a key uniform sticky, adaptive (KIP-480, KIP-794)
	PartitionerRoundRobin = "roundrobin" // org.apache.kafka.clients.producer.RoundRobinPartitioner
	PartitionerRandom     = "random"     // a random partition for each record, keys ignored
)
