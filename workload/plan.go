package workload

import "time"

// Plan is a profile resolved and validated: every default filled in, every size in bytes, every time a Duration.
type Plan struct {
	Profile    string // name of the profile
	About      string // one line
	Topics     []Topic
	Records    RecordSpec
	Load       Load
	Producer   ProducerConfig
	Driver     string
	Sweep      []Axis // in the order written
	Objectives []Objective
	Seed       uint64
}

// Topic is one topic that the plan writes to. Records go to the topics in turn.
type Topic struct {
	Name              string
	Partitions        int32
	ReplicationFactor int16
	Config            map[string]string // topic settings in Kafka's names
}

// RecordSpec says what a record is made of.
type RecordSpec struct {
	Key     KeySpec
	Value   ValueSpec
	Headers []HeaderSpec // in the order written
}

// Distributions of keys.
const (
	KeyNone       = "none"       // null keys
	KeySequential = "sequential" // 0, 1, 2 … modulo Cardinality
	KeyUniform    = "uniform"    // each of Cardinality keys equally likely
	KeyZipf       = "zipf"       // key k with probability proportional to 1/(k+1)^S
	KeyHot        = "hot"        // HotShare of the records use HotKeys keys, the others the rest
)

// KeySpec describes the keys. Keys are ASCII text, Size bytes each.
type KeySpec struct {
	Distribution string
	Cardinality  int     // number of different keys
	S            float64 // zipf exponent, > 0
	HotKeys      int     // hot: number of hot keys
	HotShare     float64 // hot: share of records that use a hot key, 0–1
	Size         int     // bytes of a key
}

// Distributions of value sizes.
const (
	SizeFixed     = "fixed"
	SizeUniform   = "uniform"
	SizeLognormal = "lognormal"
	SizeWeighted  = "weighted"
)

// ValueSpec describes the values: generated (Size, Compressibility) or the lines of File.
type ValueSpec struct {
	Size SizeSpec
	// Compressibility is the share of the bytes that compression can take away: a batch of such values
	// shrinks to (1 − Compressibility) of its size under zstd, that is, a ratio of 1/(1 − Compressibility). 0 ≤ c < 1.
	Compressibility float64
	// File, when not empty, is a file whose lines (without the line end) are the values, used in order, again and again.
	File string
}

// SizeSpec is a distribution of sizes in bytes.
type SizeSpec struct {
	Distribution string
	Bytes        int     // fixed
	Min, Max     int     // uniform: inclusive; lognormal: values outside are drawn again
	Median       int     // lognormal
	Sigma        float64 // lognormal: standard deviation of the logarithm
	Weights      []SizeWeight
}

// SizeWeight is one size of a weighted distribution; weights need not add up to 1.
type SizeWeight struct {
	Bytes  int
	Weight float64
}

// HeaderSpec is one header of every record: a fixed Value, or Size random ASCII bytes that differ from record to record.
type HeaderSpec struct {
	Key    string
	Random bool
	Value  string
	Size   int // random: bytes
}

// Axis is one dimension of a sweep: a setting and its values, as text.
type Axis struct {
	Name   string
	Values []string
}

// Objective is a bound on a result, such as response.p99 ≤ 20ms.
type Objective struct {
	Metric string        // response.p50 … response.max, service.…, failed, censored, records_per_second
	Max    time.Duration // for latencies
	Count  uint64        // for counts: at most; for records_per_second: at least
	Text   string        // as written: "response.p99: 20ms"
}
