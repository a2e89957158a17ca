package sink

import "fmt"

// Options say what the sink pretends to be. The zero value is one broker with 12 partitions a topic.
type Options struct {
	// Partitions is the number of partitions of a topic that nobody created (or created with the broker's default); 0: 12.
	Partitions int
	// Brokers is the number of brokers that the sink stands for; partition p is led by broker p modulo Brokers. 0: 1.
	Brokers int
	// MaxRequestBytes bounds one request; a longer one closes its connection. 0: 100 MiB, as socket.request.max.bytes.
	MaxRequestBytes int
	// MaxMessageBytes bounds one record batch, except where the topic was created with max.message.bytes; a longer one is
	// answered with MESSAGE_TOO_LARGE. 0: 1048588, as message.max.bytes.
	MaxMessageBytes int
	// CheckCRC reads every record byte and answers CORRUPT_MESSAGE where the batch's CRC-32C is wrong.
	CheckCRC bool
	// Hold says when the answers to Produce requests leave; nil: at once.
	Hold *Hold
	// HoldSeed makes what is random in Hold the same again.
	HoldSeed uint64
	// TimingLog is a file that gets the true arrival and departure of every Produce request, for ReadLog, complete once
	// Close has returned; "": none. It is a new file or an empty one: nothing is overwritten (CheckLog).
	TimingLog string
	// Log is told why a connection was closed on a client, from any goroutine; nil: nobody is told.
	Log func(error)
}

// Limits of Options, and of what CreateTopics may ask for.
const (
	MaxPartitions = 1_000_000 // of a topic
	maxBrokers    = 100
)

func (o Options) withDefaults() (Options, error) {
	fields := []struct {
		name  string
		value *int
		def   int
		max   int
	}{
		{"Partitions", &o.Partitions, 12, MaxPartitions},
		{"Brokers", &o.Brokers, 1, maxBrokers},
		{"MaxRequestBytes", &o.MaxRequestBytes, 100 << 20, 1<<31 - 1},
		{"MaxMessageBytes", &o.MaxMessageBytes, 1<<20 + 12, 1<<31 - 1},
	}
	for _, f := range fields {
		if *f.value < 0 || *f.value > f.max {
			return o, fmt.Errorf("sink: Options.%s is %d; allowed are 1 to %d, or 0 for %d", f.name, *f.value, f.max, f.def)
		}
		if *f.value == 0 {
			*f.value = f.def
		}
	}
	return o, nil
}
