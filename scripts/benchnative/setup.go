package main

import (
	"errors"
	"fmt"
	"time"

	"kbench/native"
)

// Clients that a child process measures.
const (
	clientNative       = "native"        // bursts of burstSize records
	clientSingle       = "single"        // native, one record a call
	clientReplay       = "replay"        // native in template mode
	clientLimit        = "limit"         // one pre-encoded request, written again and again
	clientFranz        = "franz"         // franz-go, which gives each record its time
	clientFranzStamped = "franz-stamped" // franz-go, given a time for each burst
)

// burstSize is how many records the native producer is handed at a time.
const burstSize = 64

// replayBurst is how many a replayer is asked for at a time: it has nothing to do with each but to count it.
const replayBurst = 1024

// setup is what one child process measures; it gets it as JSON. Settings that it doesn't name are Kafka's defaults: acks=all,
// enable.idempotence.
type setup struct {
	Client     string `json:"client"`
	Size       int    `json:"value_bytes"`
	Values     int    `json:"values"`            // different values
	Apart      bool   `json:"apart,omitempty"`   // each value in memory of its own, however much that is
	JSON       bool   `json:"json_values"`       // values, apart, that compress as events do; else letters that nothing compresses
	BatchSize  int    `json:"batch_size"`        // batch.size
	LingerMS   int    `json:"linger_ms"`         // linger.ms
	Memory     int64  `json:"buffer_memory"`     // buffer.memory
	Codec      string `json:"compression"`       // compression.type, at the codec's default level
	Partitions int32  `json:"partitions"`        // of the topic
	InTurn     bool   `json:"in_turn,omitempty"` // another partition for each record; else sticky
	Goroutines int    `json:"goroutines"`        // that share one producer

	// What the run adds.
	Bootstrap []string      `json:"bootstrap"`
	Topic     string        `json:"topic"`
	CPU       int           `json:"cpu"`
	Warmup    time.Duration `json:"warmup_ns"`
	Window    time.Duration `json:"window_ns"`
	Profile   string        `json:"profile,omitempty"` // file for a CPU profile of the window; "": none
}

// base is what most rows share: 1 MiB batches, linger 5 ms, 12 partitions, 4,096 different values without a key, in 256 KiB at
// most.
func base(client string, size int) setup {
	return setup{Client: client, Size: size, Values: 4096, BatchSize: 1 << 20, LingerMS: 5, Memory: 32 << 20, Codec: "none",
		Partitions: 12, Goroutines: 1}
}

// with is a copy that change has changed.
func (s setup) with(change func(*setup)) setup {
	change(&s)
	return s
}

// config is the native producer's configuration.
func (s *setup) config() (native.Config, error) {
	c := native.DefaultConfig()
	codec, err := native.ParseCompression(s.Codec)
	if err != nil {
		return c, err
	}
	c.Bootstrap, c.Topics = s.Bootstrap, []string{s.Topic}
	c.BatchSize, c.Linger, c.BufferMemory, c.Compression = s.BatchSize, time.Duration(s.LingerMS)*time.Millisecond, s.Memory, codec
	// The system's buffers, as franz-go has them: send.buffer.bytes=131072 costs a switch to the broker for every 128 KiB.
	c.SendBuffer, c.ReceiveBuffer = -1, -1
	c.MaxRequestSize = max(c.MaxRequestSize, s.BatchSize+4096)
	if s.InTurn {
		c.Partitioner = native.PartitionerRoundRobin
	}
	return c, nil
}

// sample is what one child process found: counts of the window, but for the last four. It is its output, as JSON.
type sample struct {
	Seconds float64 `json:"seconds"`
	Records int64   `json:"records"` // acknowledged
	CPUNS   int64   `json:"cpu_ns"`  // user and system time of the process
	Mallocs uint64  `json:"mallocs"`
	GCs     uint32  `json:"gcs"`
	Batches int64   `json:"batches"` // −1: the client doesn't say

	Acked   int64 `json:"acked"` // in the whole life of the process, as is what follows
	Failed  int64 `json:"failed"`
	PeakRSS int64 `json:"peak_rss"` // bytes; 0: the system doesn't say
	Payload int64 `json:"payload"`  // bytes of the values
}

// Metrics that checks compare.
const (
	recordsPerSecond = "records/s"
	cpuPerRecord     = "CPU ns/record"
	allocsPerRecord  = "allocations/record"
	allocsPerBatch   = "allocations/batch"
	gcs              = "GCs"
	rssBeyond        = "MB RSS beyond buffer.memory"
	p50              = "p50 µs"
	p99              = "p99 µs"
)

// values are the metrics of a sample that was taken with a setup.
func (m *sample) values(s *setup) (map[string]float64, error) {
	if m.Failed > 0 {
		return nil, fmt.Errorf("%d records failed", m.Failed)
	}
	if m.Records <= 0 || m.Seconds <= 0 {
		return nil, errors.New("no record was acknowledged in the window")
	}
	n := float64(m.Records)
	v := map[string]float64{
		recordsPerSecond: n / m.Seconds,
		cpuPerRecord:     float64(m.CPUNS) / n,
		allocsPerRecord:  float64(m.Mallocs) / n,
		gcs:              float64(m.GCs),
	}
	if m.Batches > 0 {
		v[allocsPerBatch] = float64(m.Mallocs) / float64(m.Batches)
	}
	if m.PeakRSS > 0 {
		v[rssBeyond] = float64(m.PeakRSS-s.Memory) / 1e6
	}
	return v, nil
}
