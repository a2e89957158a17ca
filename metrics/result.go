package metrics

import (
	"encoding/json"
	"time"
)

// Schema is the version of Result's JSON form; report/result.schema.json describes it.
const Schema = 2

// Result is everything that one run found out, as stored in result.json. Times are nanoseconds, sizes bytes.
type Result struct {
	Schema           int              `json:"schema"`
	Checksum         string           `json:"checksum"` // of the rest of the JSON form, set where that is written; "" before
	Started          time.Time        `json:"started"`
	Kbench           string           `json:"kbench"` // version of this program
	Profile          string           `json:"profile"`
	Plan             json.RawMessage  `json:"plan"` // the resolved profile
	Seed             uint64           `json:"seed"`
	ScheduleChecksum string           `json:"schedule_checksum"` // of due times, keys, sizes and bytes: same seed, same checksum
	Driver           DriverInfo       `json:"driver"`
	Target           TargetInfo       `json:"target"`
	Host             Host             `json:"host"`
	Interrupted      bool             `json:"interrupted"`
	Verdict          Verdict          `json:"verdict"`
	Evidence         Evidence         `json:"evidence"`
	Warnings         []string         `json:"warnings"`
	Objectives       []ObjectiveCheck `json:"objectives"`
	Totals           Totals           `json:"totals"`
	Latency          Latencies        `json:"latency"`
	Runtime          Runtime          `json:"runtime"`
	Partitions       []PartitionCount `json:"partitions"`
	Series           []Point          `json:"series"`
	Client           *Client          `json:"client,omitempty"` // what the client told about itself; nil: nothing

	// Intervals hold the histograms behind Latency, for latency.hlog; not part of the JSON.
	Intervals []Interval `json:"-"`
	// Timing places the run on the system's monotonic clock, for holding it against another process's log; not part of
	// the JSON.
	Timing Timing `json:"-"`
}

// Timing gives two moments of a run on its own clock and on the system's (CLOCK_MONOTONIC), both in ns, read together. A
// time t of the run was at StartMonotonic + (t − StartRun)·(EndMonotonic − StartMonotonic)/(EndRun − StartRun).
type Timing struct {
	StartRun, StartMonotonic int64
	EndRun, EndMonotonic     int64
}

// DriverInfo says which client did the work, and with what configuration.
type DriverInfo struct {
	Name             string            `json:"name"`
	Client           string            `json:"client"`
	Version          string            `json:"version"`
	EffectiveConfig  map[string]string `json:"effective_config"`
	DiffersFromAsked []Difference      `json:"differs_from_asked"`
	ProduceVersion   int64             `json:"produce_version"` // −1: unknown
}

// Difference is a setting whose effective value isn't the asked one.
type Difference struct {
	Setting   string `json:"setting"`
	Asked     string `json:"asked"`
	Effective string `json:"effective"`
	Why       string `json:"why"`
}

// TargetInfo says what was measured against.
type TargetInfo struct {
	Kind    string      `json:"kind"` // sink, fake, kafka (started by kbench) or cluster (--bootstrap-server)
	Version string      `json:"version"`
	Brokers int         `json:"brokers"`
	Hold    string      `json:"hold"` // models by which the sink held its answers, as sink.ParseHold reads them; "": it didn't
	Topics  []TopicInfo `json:"topics"`
}

// TopicInfo is one topic as the broker describes it.
type TopicInfo struct {
	Name              string            `json:"name"`
	Partitions        int32             `json:"partitions"`
	ReplicationFactor int16             `json:"replication_factor"`
	Created           bool              `json:"created"` // by this run
	Config            map[string]string `json:"config"`  // effective settings as the broker reports them; empty where it can't say
}

// Verdict says whether the run can be believed.
type Verdict struct {
	State   string   `json:"state"`   // StateValid or StateInvalid
	Cause   string   `json:"cause"`   // CauseClient …: the first of the reasons'; "" where valid
	Reasons []string `json:"reasons"` // what was found and how much of it, one sentence each
	Causes  []string `json:"causes"`  // CauseClient …: that of each reason
}

// Doubt makes the verdict invalid for one more reason. The cause stays that of the first.
func (v *Verdict) Doubt(cause, reason string) {
	if v.State = StateInvalid; v.Cause == "" {
		v.Cause = cause
	}
	v.Reasons, v.Causes = append(v.Reasons, reason), append(v.Causes, cause)
}

// ObjectiveCheck is one objective of the profile and how it ended.
type ObjectiveCheck struct {
	Objective string `json:"objective"`
	Actual    string `json:"actual"`
	Met       bool   `json:"met"`
}

// Totals are the measured part's counts; Scheduled = Acked + Failed + Censored. The warm-up's stand in Warmup…, accounted for
// in the same way. WireBytes to ThrottleNS are the clients' own counters of the whole run, warm-up included; −1: unknown.
type Totals struct {
	Scheduled        uint64            `json:"scheduled"`
	Acked            uint64            `json:"acked"`
	Failed           uint64            `json:"failed"`
	Censored         uint64            `json:"censored"`
	WarmupRecords    uint64            `json:"warmup_records"` // scheduled in the warm-up
	WarmupFailed     uint64            `json:"warmup_failed"`
	WarmupCensored   uint64            `json:"warmup_censored"`
	Bytes            uint64            `json:"bytes"` // of keys, values and headers acknowledged
	DurationNS       int64             `json:"duration_ns"`
	WarmupNS         int64             `json:"warmup_ns"`
	TargetRate       float64           `json:"target_rate"` // records/s asked; 0: closed or max
	RecordsPerSecond float64           `json:"records_per_second"`
	BytesPerSecond   float64           `json:"bytes_per_second"`
	WireBytes        int64             `json:"wire_bytes"`
	Requests         int64             `json:"requests"`
	Batches          int64             `json:"batches"`
	Retries          int64             `json:"retries"`
	RecordsPerReq    float64           `json:"records_per_request"`
	CompressionRatio float64           `json:"compression_ratio"` // uncompressed/compressed; −1: unknown
	ThrottleNS       int64             `json:"throttle_ns"`
	Errors           map[string]uint64 `json:"errors"` // message → records
}

// Latencies holds the measured part's latency distributions.
type Latencies struct {
	Response          Latency `json:"response"`           // acked − intended
	Service           Latency `json:"service"`            // acked − handed
	GeneratorLateness Latency `json:"generator_lateness"` // the generator's share of handed − intended
	Backpressure      Latency `json:"backpressure"`       // the client's share of handed − intended
}

// Latency summarises one distribution.
type Latency struct {
	Count       uint64              `json:"count"`
	Clipped     uint64              `json:"clipped"` // above the histogram's range: counted at its upper end
	Mean        float64             `json:"mean"`
	Min         int64               `json:"min"`
	P50         int64               `json:"p50"`
	P90         int64               `json:"p90"`
	P95         int64               `json:"p95"`
	P99         int64               `json:"p99"`
	P999        int64               `json:"p999"`
	P9999       int64               `json:"p9999"`
	Max         int64               `json:"max"`
	Intervals   map[string][2]int64 `json:"intervals"`   // p50 … → 95 % interval, where the run supports one
	Unsupported []string            `json:"unsupported"` // percentiles that too few records stand behind: their values mean nothing
	Needs       map[string]float64  `json:"needs"`       // p50 … without an interval → seconds of measurement that would support one
}

// Runtime is what the generator itself used over the measured part.
type Runtime struct {
	CPUNSPerRecord      float64 `json:"cpu_ns_per_record"` // of the process, without what the pacer spent spinning
	AllocsPerRecord     float64 `json:"allocs_per_record"`
	AllocBytesPerRecord float64 `json:"alloc_bytes_per_record"`
	GCCount             uint32  `json:"gc_count"`
	GCPauseNS           uint64  `json:"gc_pause_ns"`
	MaxRSSBytes         int64   `json:"max_rss_bytes"`
}

// PartitionCount is the number of records that the broker has in one partition of the run's topics (end − start offset).
type PartitionCount struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Records   int64  `json:"records"`
}

// Point is one second of the series, keyed by the time of acknowledgement.
type Point struct {
	AtNS        int64  `json:"at_ns"` // end of the interval, from the start of the run
	Warmup      bool   `json:"warmup"`
	Acked       uint64 `json:"acked"`
	Failed      uint64 `json:"failed"`
	Bytes       uint64 `json:"bytes"`
	ResponseP50 int64  `json:"response_p50"`
	ResponseP99 int64  `json:"response_p99"`
	ResponseMax int64  `json:"response_max"`
	ServiceP99  int64  `json:"service_p99"`
	LatenessP99 int64  `json:"lateness_p99"` // generator lateness
}
