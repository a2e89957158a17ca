package workload

import (
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The functions here build the rows of settingRows, one function a type of setting.

func boolSetting(name, doc string, field func(*ProducerConfig) *bool) settingRow {
	return settingRow{
		Setting: Setting{Name: name, Type: "boolean", Allowed: "true, false", Doc: doc},
		parse: func(c *ProducerConfig, value string) ([]string, *fieldError) {
			switch strings.ToLower(value) {
			case "true":
				*field(c) = true
			case "false":
				*field(c) = false
			default:
				return nil, badChoice(value, []string{"true", "false"})
			}
			return []string{name}, nil
		},
		text: func(c *ProducerConfig) string { return strconv.FormatBool(*field(c)) },
	}
}

// intRange is an inclusive range, with extra values outside it allowed by and.
type intRange struct {
	min, max int64
	and      []int64
}

func (r intRange) has(n int64) bool { return n >= r.min && n <= r.max || slices.Contains(r.and, n) }

func (r intRange) String() string {
	var b strings.Builder
	for _, n := range r.and {
		fmt.Fprintf(&b, "%d, ", n)
	}
	fmt.Fprintf(&b, "%d to %d", r.min, r.max)
	return b.String()
}

func intSetting[T int | int32](name, doc string, r intRange, field func(*ProducerConfig) *T) settingRow {
	return settingRow{
		Setting: Setting{Name: name, Type: "int", Allowed: r.String(), Doc: doc},
		parse: func(c *ProducerConfig, value string) ([]string, *fieldError) {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || !r.has(n) {
				return nil, badValue(value, r.String())
			}
			*field(c) = T(n)
			return []string{name}, nil
		},
		text: func(c *ProducerConfig) string { return strconv.FormatInt(int64(*field(c)), 10) },
	}
}

func sizeSetting[T int | int64](name, doc string, r intRange, field func(*ProducerConfig) *T) settingRow {
	allowed := r.String() + " bytes, also as 16KiB or 1MB"
	return settingRow{
		Setting: Setting{Name: name, Type: "size", Allowed: allowed, Doc: doc},
		parse: func(c *ProducerConfig, value string) ([]string, *fieldError) {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				size, err := parseSize(value)
				if err != nil {
					err.allowed = allowed
					return nil, err
				}
				n = size
			}
			if !r.has(n) {
				return nil, badValue(value, allowed)
			}
			*field(c) = T(n)
			return []string{name}, nil
		},
		text: func(c *ProducerConfig) string { return strconv.FormatInt(int64(*field(c)), 10) },
	}
}

// maxMS bounds times in ms: Kafka's int. Its long settings take more, but 24 days are as good as for ever.
const maxMS = math.MaxInt32

func msSetting(name, doc string, least int64, field func(*ProducerConfig) *time.Duration) settingRow {
	r := intRange{min: least, max: maxMS}
	allowed := r.String() + " ms, also as 5ms or 2s"
	return settingRow{
		Setting: Setting{Name: name, Type: "ms", Allowed: allowed, Doc: doc},
		parse: func(c *ProducerConfig, value string) ([]string, *fieldError) {
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil {
				d, err := time.ParseDuration(value)
				if err != nil {
					return nil, badValue(value, allowed)
				}
				if d%time.Millisecond != 0 {
					e := badValue(value, allowed)
					e.msg = "not a whole number of milliseconds:"
					return nil, e
				}
				n = d.Milliseconds()
			}
			if !r.has(n) {
				return nil, badValue(value, allowed)
			}
			*field(c) = time.Duration(n) * time.Millisecond
			return []string{name}, nil
		},
		text: func(c *ProducerConfig) string { return strconv.FormatInt(field(c).Milliseconds(), 10) },
	}
}

func choiceSetting(name, doc string, choices []string, field func(*ProducerConfig) *string) settingRow {
	return settingRow{
		Setting: Setting{Name: name, Type: "choice", Allowed: strings.Join(choices, ", "), Doc: doc},
		parse: func(c *ProducerConfig, value string) ([]string, *fieldError) {
			if !slices.Contains(choices, value) {
				return nil, badChoice(value, choices)
			}
			*field(c) = value
			return []string{name}, nil
		},
		text: func(c *ProducerConfig) string { return *field(c) },
	}
}

func textSetting(name, doc string, field func(*ProducerConfig) *string) settingRow {
	return settingRow{
		Setting: Setting{Name: name, Type: "text", Allowed: "any text", Doc: doc},
		parse: func(c *ProducerConfig, value string) ([]string, *fieldError) {
			*field(c) = value
			return []string{name}, nil
		},
		text: func(c *ProducerConfig) string { return *field(c) },
	}
}

func acksSetting() settingRow {
	choices := []string{"all", "-1", "0", "1"}
	return settingRow{
		Setting: Setting{Name: "acks", Type: "choice", Allowed: strings.Join(choices, ", "),
			Doc: "replicas that must have a record before it is acknowledged"},
		parse: func(c *ProducerConfig, value string) ([]string, *fieldError) {
			switch value {
			case "all", "-1":
				c.Acks = -1
			case "0":
				c.Acks = 0
			case "1":
				c.Acks = 1
			default:
				return nil, badChoice(value, choices)
			}
			return []string{"acks"}, nil
		},
		text: func(c *ProducerConfig) string {
			if c.Acks == -1 {
				return "all"
			}
			return strconv.Itoa(int(c.Acks))
		},
	}
}

// recoverySetting takes its values in any case of letters, as Kafka does.
func recoverySetting() settingRow {
	row := choiceSetting("metadata.recovery.strategy", "what to do when no known broker can be reached: ask the bootstrap servers again, or not",
		[]string{RecoveryRebootstrap, RecoveryNone}, func(c *ProducerConfig) *string { return &c.MetadataRecovery })
	choose := row.parse
	row.parse = func(c *ProducerConfig, value string) ([]string, *fieldError) {
		return choose(c, strings.ToLower(value))
	}
	return row
}

// Class names of Kafka's partitioners.
const (
	classRoundRobin = "org.apache.kafka.clients.producer.RoundRobinPartitioner"
	classDefault    = "org.apache.kafka.clients.producer.internals.DefaultPartitioner"
	classSticky     = "org.apache.kafka.clients.producer.UniformStickyPartitioner"
)

func partitionerClassSetting() settingRow {
	choices := []string{classRoundRobin, classDefault, classSticky}
	return settingRow{
		Setting: Setting{Name: "partitioner.class", Type: "choice", Alias: "partitioner",
			Allowed: "empty (the built-in one), " + strings.Join(choices, ", "),
			Doc:     "partitioner by the name of its Java class"},
		parse: func(c *ProducerConfig, value string) ([]string, *fieldError) {
			explicit := []string{"partitioner"}
			switch value {
			case "", "null", classDefault, "org.apache.kafka.clients.producer.DefaultPartitioner":
				c.Partitioner = PartitionerDefault
			case classRoundRobin:
				c.Partitioner = PartitionerRoundRobin
			case classSticky:
				c.Partitioner, c.PartitionerIgnoreKeys = PartitionerDefault, true
				explicit = append(explicit, "partitioner.ignore.keys")
			default:
				e := badChoice(value, choices)
				e.msg = "kbench can't run Java code: bad value"
				return nil, e
			}
			return explicit, nil
		},
		text: func(c *ProducerConfig) string {
			if c.Partitioner == PartitionerRoundRobin {
				return classRoundRobin
			}
			return ""
		},
	}
}

func bootstrapSetting() settingRow {
	row := textSetting("bootstrap.servers", "brokers to connect to first; --bootstrap-server wins",
		func(c *ProducerConfig) *string { return &c.BootstrapServers })
	row.Allowed = "host:port, with commas between several"
	row.parse = func(c *ProducerConfig, value string) ([]string, *fieldError) {
		for server := range strings.SplitSeq(value, ",") {
			host, port, err := net.SplitHostPort(strings.TrimSpace(server))
			if n, numErr := strconv.ParseUint(port, 10, 16); err != nil || numErr != nil || n == 0 || host == "" {
				return nil, badValue(value, row.Allowed)
			}
		}
		c.BootstrapServers = value
		return []string{row.Name}, nil
	}
	return row
}
