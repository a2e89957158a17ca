package workload

import (
	"maps"
	"math"
	"strings"
	"time"
)

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
	MetadataRecovery      string        // metadata.recovery.strategy: rebootstrap, none
	RebootstrapTrigger    time.Duration // metadata.recovery.rebootstrap.trigger.ms
	ConnectionsMaxIdle    time.Duration // connections.max.idle.ms
	SocketSetupTimeout    time.Duration // socket.connection.setup.timeout.ms
	SocketSetupTimeoutMax time.Duration // socket.connection.setup.timeout.max.ms
	BootstrapServers      string        // bootstrap.servers, as written in a properties file; --bootstrap-server wins
	Security              Security      // security.protocol, ssl.*, sasl.*

	set map[string]string // settings given explicitly, name → value as written; copied when changed, since copies share it

	idempotenceOff bool          // EnableIdempotence was turned off because of other settings
	deliveryWas    time.Duration // DeliveryTimeout before it was raised because of other settings; 0: it wasn't
}

// Partitioners.
const (
	PartitionerDefault    = "default"    // Kafka's built-in: murmur2 of the key; without a key uniform sticky, adaptive (KIP-480, KIP-794)
	PartitionerRoundRobin = "roundrobin" // org.apache.kafka.clients.producer.RoundRobinPartitioner
	PartitionerRandom     = "random"     // a random partition for each record, keys ignored
)

// Values of metadata.recovery.strategy (KIP-899).
const (
	RecoveryRebootstrap = "rebootstrap" // begin anew at the bootstrap servers
	RecoveryNone        = "none"        // keep to the brokers known
)

// DefaultProducerConfig returns the defaults of Kafka's 4.x producer.
func DefaultProducerConfig() ProducerConfig {
	return ProducerConfig{
		Acks:                  -1,
		EnableIdempotence:     true,
		MaxInFlight:           5,
		Retries:               math.MaxInt32,
		Linger:                5 * time.Millisecond,
		BatchSize:             16384,
		CompressionType:       "none",
		GzipLevel:             -1,
		LZ4Level:              9,
		ZstdLevel:             3,
		BufferMemory:          33554432,
		MaxBlock:              time.Minute,
		MaxRequestSize:        1048576,
		RequestTimeout:        30 * time.Second,
		DeliveryTimeout:       2 * time.Minute,
		RetryBackoff:          100 * time.Millisecond,
		RetryBackoffMax:       time.Second,
		ReconnectBackoff:      50 * time.Millisecond,
		ReconnectBackoffMax:   time.Second,
		Partitioner:           PartitionerDefault,
		PartitionerAdaptive:   true,
		TransactionTimeout:    time.Minute,
		SendBufferBytes:       131072,
		ReceiveBufferBytes:    32768,
		MetadataMaxAge:        5 * time.Minute,
		MetadataRecovery:      RecoveryRebootstrap,
		RebootstrapTrigger:    5 * time.Minute,
		ConnectionsMaxIdle:    9 * time.Minute,
		SocketSetupTimeout:    10 * time.Second,
		SocketSetupTimeoutMax: 30 * time.Second,
		Security:              Security{Protocol: "PLAINTEXT", EndpointIdentification: "https", LoginConnectTimeout: loginTimeout, LoginReadTimeout: loginTimeout},
	}
}

// KV is a setting or a property and its value, as text.
type KV struct {
	Name, Value string
	Line        int // line in the file it was read from, from 1; 0: not from a file
}

// Set gives a setting its value, both in Kafka's own form: Set("linger.ms", "5"). What is accepted beyond that: sizes
// with a unit (16KiB), times as a duration of whole milliseconds (5ms), and kbench's own name partitioner.
// The error names the setting, quotes the value and lists what is allowed; a secret value is never shown.
func (c *ProducerConfig) Set(name, value string) error {
	if err := c.assign(name, value); err != nil {
		return err
	}
	return nil
}

// assign is Set with the error's own type.
func (c *ProducerConfig) assign(name, value string) *fieldError {
	value = strings.TrimSpace(value)
	row := findSetting(name)
	if row == nil {
		e := unknownSetting(name)
		return e
	}
	if row.Use != SettingCarried {
		return row.refuse(value)
	}
	explicit, err := row.parse(c, value)
	if err != nil {
		err.path = name
		return err
	}
	c.set = maps.Clone(c.set)
	if c.set == nil {
		c.set = map[string]string{}
	}
	for _, name := range explicit {
		c.set[name] = Hide(name, value)
	}
	c.settle()
	return nil
}

// Get returns a setting's value in Kafka's text form: "all", "5", "true"; "" for a name that kbench doesn't carry out.
func (c *ProducerConfig) Get(name string) string {
	row := findSetting(name)
	if row == nil || row.text == nil {
		return ""
	}
	return row.text(c)
}

// Explicit tells whether the user gave this setting, with whatever value; false: it is a default, or follows from others.
func (c *ProducerConfig) Explicit(name string) bool {
	if row := findSetting(name); row != nil && row.Alias != "" {
		name = row.Alias
	}
	_, ok := c.set[name]
	return ok
}

// All returns every setting that kbench carries out with its value in Kafka's text form, in the order of Settings.
func (c *ProducerConfig) All() []KV {
	var all []KV
	for i := range settingRows {
		if row := &settingRows[i]; row.Use == SettingCarried && row.Alias == "" {
			all = append(all, KV{Name: row.Name, Value: row.text(c)})
		}
	}
	return all
}
