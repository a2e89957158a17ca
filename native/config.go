package native

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
)

// Config is a producer's configuration. Field comments name Kafka's setting, whose meaning each has. The producer keeps what
// slices and pointers in it refer to, which isn't to be changed any more.
type Config struct {
	Bootstrap []string // bootstrap.servers: host:port each
	Topics    []string // topics that records may go to; Record.Topic is an index into it
	OnAck     AckFunc  // receives acknowledgements; required
	Seed      uint64   // of random choices: partitions, backoff; producers of one seed, 0 too, make the same ones

	Acks              int16 // acks: −1 (all), 0, 1
	EnableIdempotence bool  // enable.idempotence
	// TransactionalID makes the producer transactional (transactional.id), which needs EnableIdempotence and so acks=all.
	// Produce wants a transaction then: see InitTransactions. Empty: no transactions.
	TransactionalID string
	// TransactionTimeout is transaction.timeout.ms: how long a transaction may take from its first record or offset before its
	// coordinator aborts it.
	TransactionTimeout time.Duration

	MaxInFlight         int           // max.in.flight.requests.per.connection
	Retries             int32         // retries
	Linger              time.Duration // linger.ms
	BatchSize           int           // batch.size: bytes of a batch before compression
	Compression         Compression   // compression.type
	GzipLevel           int           // compression.gzip.level: −1 (default), 1–9
	LZ4Level            int           // compression.lz4.level: 1–17
	ZstdLevel           int           // compression.zstd.level: −131072–22
	BufferMemory        int64         // buffer.memory, bytes; each batch counts batch.size
	MaxBlock            time.Duration // max.block.ms: how long one Produce waits for memory and partitions, and New for metadata; 0: New waits for its ctx
	MaxRequestSize      int           // max.request.size: bytes of a request and of a record, before compression
	RequestTimeout      time.Duration // request.timeout.ms
	DeliveryTimeout     time.Duration // delivery.timeout.ms
	RetryBackoff        time.Duration // retry.backoff.ms
	RetryBackoffMax     time.Duration // retry.backoff.max.ms
	ReconnectBackoff    time.Duration // reconnect.backoff.ms
	ReconnectBackoffMax time.Duration // reconnect.backoff.max.ms
	MetadataMaxAge      time.Duration // metadata.max.age.ms
	// MetadataRecovery is what happens when no broker that is known can be reached (metadata.recovery.strategy, KIP-899).
	MetadataRecovery MetadataRecovery
	// RebootstrapTrigger is how long metadata may fail to come before the bootstrap servers are asked, although brokers can
	// be reached (metadata.recovery.rebootstrap.trigger.ms, KIP-1102); 0: after the first failure.
	RebootstrapTrigger time.Duration
	ConnectionsMaxIdle time.Duration // connections.max.idle.ms; 0: never close
	SocketSetupTimeout time.Duration // socket.connection.setup.timeout.ms
	// SocketSetupTimeoutMax is socket.connection.setup.timeout.max.ms: what the time limit grows to (KIP-601).
	SocketSetupTimeoutMax time.Duration
	SendBuffer            int    // send.buffer.bytes, −1: the system's default
	ReceiveBuffer         int    // receive.buffer.bytes, −1: the system's default
	ClientID              string // client.id

	// TLS, when not nil, secures every connection (ssl.*); ServerName "" stands for the host of each.
	TLS *tls.Config
	// SASL, when not nil, authenticates every connection, and again before the session's life ends (KIP-368): mechanisms of
	// github.com/twmb/franz-go/pkg/sasl/… (sasl.mechanism).
	SASL sasl.Mechanism

	// Connections is how many connections to produce on are opened to each broker, which share its partitions, at most 256; 0:
	// one, as in Kafka's producer. max.in.flight.requests.per.connection holds for each.
	Connections int

	Partitioner             Partitioner   // partitioner.class
	PartitionerAdaptive     bool          // partitioner.adaptive.partitioning.enable
	PartitionerAvailTimeout time.Duration // partitioner.availability.timeout.ms; 0: off
	PartitionerIgnoreKeys   bool          // partitioner.ignore.keys
	// PartitionRules belong to PartitionerTable.
	PartitionRules []PartitionRule

	// Interceptors are called in their order (interceptor.classes).
	Interceptors []Interceptor

	// AllowAutoCreate lets the broker create a topic that doesn't exist, as Java's producer always does.
	AllowAutoCreate bool

	// Dialer connects to host:port over network "tcp", as net.Dialer.DialContext does, which stands for nil: through a proxy, or
	// to look on. ctx ends with the connection's set-up time-out. TLS and SASL are done on top of the connection, and its buffers
	// are set where it has SetWriteBuffer and SetReadBuffer. It has to return when ctx ends, Close waits for it, and its
	// connection has to keep deadlines. One that isn't a *net.TCPConn, or a struct that embeds one, has requests written piece by
	// piece.
	Dialer func(ctx context.Context, network, address string) (net.Conn, error)
}

// DefaultConfig has the defaults of Kafka 4.x.
func DefaultConfig() Config {
	return Config{
		Acks: -1, EnableIdempotence: true, TransactionTimeout: time.Minute, MaxInFlight: 5, Retries: 1<<31 - 1,
		Linger: 5 * time.Millisecond, BatchSize: 16384,
		GzipLevel: -1, LZ4Level: 9, ZstdLevel: 3,
		BufferMemory: 32 << 20, MaxBlock: time.Minute, MaxRequestSize: 1 << 20,
		RequestTimeout: 30 * time.Second, DeliveryTimeout: 2 * time.Minute,
		RetryBackoff: 100 * time.Millisecond, RetryBackoffMax: time.Second,
		ReconnectBackoff: 50 * time.Millisecond, ReconnectBackoffMax: time.Second,
		MetadataMaxAge: 5 * time.Minute, MetadataRecovery: RecoveryRebootstrap, RebootstrapTrigger: 5 * time.Minute,
		ConnectionsMaxIdle: 9 * time.Minute, SocketSetupTimeout: 10 * time.Second, SocketSetupTimeoutMax: 30 * time.Second,
		SendBuffer: 131072, ReceiveBuffer: 32768, ClientID: "native",
		PartitionerAdaptive: true,
	}
}

// Compression is a codec; its value is the one in a batch's attributes.
type Compression uint8

// Codecs.
const (
	CompressionNone Compression = iota
	CompressionGzip
	CompressionSnappy
	CompressionLZ4
	CompressionZstd
)

var compressionNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

// String is Kafka's name of the codec.
func (c Compression) String() string {
	if int(c) < len(compressionNames) {
		return compressionNames[c]
	}
	return fmt.Sprintf("Compression(%d)", uint8(c))
}

// ParseCompression turns Kafka's name into a codec.
func ParseCompression(name string) (Compression, error) {
	for i, n := range compressionNames {
		if n == name {
			return Compression(i), nil
		}
	}
	return 0, badSetting("compression.type: %q is none of %s", name, strings.Join(compressionNames[:], ", "))
}

// check reports what contradicts Kafka's rules, all of it at once.
func (c *Config) check() error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(c.MaxInFlight == 0 && c.MaxRequestSize == 0 && c.RequestTimeout == 0 && c.DeliveryTimeout == 0,
		"nearly nothing is set: begin with DefaultConfig, which has Kafka's defaults, and not with an empty Config")
	bad(len(c.Bootstrap) == 0, "bootstrap.servers: no address given")
	for _, addr := range c.Bootstrap {
		host, port, err := net.SplitHostPort(addr)
		number, badPort := strconv.ParseUint(port, 10, 16)
		bad(err != nil || host == "" || strings.ContainsAny(addr, " \t\r\n") || badPort != nil || number == 0, "bootstrap.servers: %q isn't host:port with a port of 1 to 65535", addr)
	}
	bad(len(c.Topics) == 0, "topics: none given")
	for i, topic := range c.Topics {
		bad(topic == "", "topics: number %d is empty", i)
		bad(slices.Contains(c.Topics[:i], topic), "topics: %q is there twice", topic)
		bad(len(topic) > maxString, "topics: number %d has %d bytes, more than %d", i, len(topic), maxString)
	}
	bad(len(c.ClientID) > maxString, "client.id: %d bytes, more than %d", len(c.ClientID), maxString)
	bad(c.OnAck == nil, "OnAck: not set")
	bad(c.Acks < -1 || c.Acks > 1, "acks: %d is none of -1 (all), 0, 1", c.Acks)
	bad(c.MaxInFlight < 1, "max.in.flight.requests.per.connection: %d is below 1", c.MaxInFlight)
	bad(c.Connections < 0 || c.Connections > maxConnections, "Connections: %d is not 0 to %d", c.Connections, maxConnections)
	bad(c.Retries < 0, "retries: %d is negative", c.Retries)
	bad(c.BatchSize < 0, "batch.size: %d is negative", c.BatchSize)
	bad(int(c.Compression) >= len(compressionNames), "compression.type: %d is no codec", c.Compression)
	bad(c.GzipLevel != -1 && (c.GzipLevel < 1 || c.GzipLevel > 9), "compression.gzip.level: %d is neither -1 nor 1 to 9", c.GzipLevel)
	bad(c.LZ4Level < 1 || c.LZ4Level > 17, "compression.lz4.level: %d is not 1 to 17", c.LZ4Level)
	bad(c.ZstdLevel < minZstdLevel || c.ZstdLevel > maxZstdLevel,
		"compression.zstd.level: %d is not %d to %d", c.ZstdLevel, minZstdLevel, maxZstdLevel)
	bad(c.BufferMemory < int64(c.BatchSize), "buffer.memory: %d is below batch.size %d", c.BufferMemory, c.BatchSize)
	bad(c.SendBuffer < -1, "send.buffer.bytes: %d is below -1", c.SendBuffer)
	bad(c.ReceiveBuffer < -1, "receive.buffer.bytes: %d is below -1", c.ReceiveBuffer)
	bad(c.MaxRequestSize < 1, "max.request.size: %d is below 1", c.MaxRequestSize)
	c.checkTimes(bad)
	bad(c.DeliveryTimeout < c.Linger+c.RequestTimeout,
		"delivery.timeout.ms: %v is below linger.ms + request.timeout.ms = %v", c.DeliveryTimeout, c.Linger+c.RequestTimeout)
	bad(int(c.MetadataRecovery) >= len(recoveryNames), "metadata.recovery.strategy: %d is unknown", c.MetadataRecovery)
	bad(c.Partitioner > PartitionerTable, "partitioner: %d is unknown", c.Partitioner)
	if err := c.checkRules(); err != nil {
		errs = append(errs, err)
	}
	if c.EnableIdempotence {
		bad(c.Acks != -1, "enable.idempotence needs acks=all, not %d", c.Acks)
		bad(c.Retries == 0, "enable.idempotence needs retries above 0")
		bad(c.MaxInFlight > 5, "enable.idempotence needs max.in.flight.requests.per.connection of at most 5, not %d", c.MaxInFlight)
	}
	if c.TransactionalID != "" { // ProducerConfig.postProcessAndValidateIdempotenceConfigs
		bad(!c.EnableIdempotence, "transactional.id %q needs enable.idempotence", c.TransactionalID)
		bad(len(c.TransactionalID) > maxString, "transactional.id: its %d bytes are more than %d", len(c.TransactionalID), maxString)
		bad(c.TransactionTimeout < time.Millisecond || c.TransactionTimeout > maxTime,
			"transaction.timeout.ms: %v is not 1ms to %v", c.TransactionTimeout, maxTime)
	}
	if len(errs) == 0 {
		return nil
	}
	return configError{errors.Join(errs...)}
}

// checkTimes reports times that are out of range by themselves.
func (c *Config) checkTimes(bad func(wrong bool, format string, args ...any)) {
	for _, d := range []struct {
		name  string
		value time.Duration
		free  bool // negative ones are refused elsewhere, or mean something
	}{
		{"linger.ms", c.Linger, false}, {"max.block.ms", c.MaxBlock, false}, {"metadata.max.age.ms", c.MetadataMaxAge, false},
		{"retry.backoff.ms", c.RetryBackoff, false}, {"retry.backoff.max.ms", c.RetryBackoffMax, false},
		{"reconnect.backoff.ms", c.ReconnectBackoff, false}, {"reconnect.backoff.max.ms", c.ReconnectBackoffMax, false},
		{"metadata.recovery.rebootstrap.trigger.ms", c.RebootstrapTrigger, false},
		{"partitioner.availability.timeout.ms", c.PartitionerAvailTimeout, false},
		{"request.timeout.ms", c.RequestTimeout, true}, {"delivery.timeout.ms", c.DeliveryTimeout, true},
		{"socket.connection.setup.timeout.ms", c.SocketSetupTimeout, true},
		{"socket.connection.setup.timeout.max.ms", c.SocketSetupTimeoutMax, true},
		{"connections.max.idle.ms", c.ConnectionsMaxIdle, true},
	} {
		bad(d.value < 0 && !d.free, "%s: %v is negative", d.name, d.value)
		bad(d.value > maxTime, "%s: %v is more than %v", d.name, d.value, maxTime)
	}
	bad(c.RequestTimeout <= 0, "request.timeout.ms: %v isn't above 0", c.RequestTimeout)
	bad(c.SocketSetupTimeout <= 0, "socket.connection.setup.timeout.ms: %v isn't above 0", c.SocketSetupTimeout)
}

// maxTime bounds every time: the protocol has 32 bits for those of ms that it carries, Kafka's settings have no more, and adding
// longer ones up would overflow.
const maxTime = math.MaxInt32 * time.Millisecond

// maxConnections bounds Config.Connections. Each has two goroutines, buffers in the kernel and an encoder, and a few fill any
// network: more than these are a slip of the keyboard, which would take all of the machine's open files with it.
const maxConnections = 256

// Levels of zstd, by CompressionType.ZSTD.
const (
	minZstdLevel = -(128 << 10)
	maxZstdLevel = 22
)

// maxString is what the protocol has room for: bytes of a string.
const maxString = 1<<15 - 1
