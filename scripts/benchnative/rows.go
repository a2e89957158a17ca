package main

import "time"

// Where a block's contenders send to.
const (
	targetSink  = "sink"  // a process of its own
	targetKafka = "kafka" // the newest Apache Kafka that package broker knows
	targetOwn   = "own"   // kbench run starts it
)

// Names of the table's rows, for -only.
const (
	rowCore        = "core"
	rowHarness     = "harness"
	rowLimit       = "limit"
	rowCPU         = "cpu"
	rowMemory      = "memory"
	rowScaling     = "scaling"
	rowLatency     = "latency"
	rowBatches     = "small-batches"
	rowCompression = "compression"
	rowKafka       = "kafka"
)

// block is a set of contenders that are measured in turns, and what is asked of them.
type block struct {
	name       string
	target     string
	contenders []contender
	checks     []check
	warmup     time.Duration
	window     time.Duration
	rounds     int // 0: as many as the others
}

// contender is one thing that is measured: a client in a child process, or a run of kbench.
type contender struct {
	name  string
	setup setup
	run   []string // arguments of kbench run; nil: setup is measured
}

// check is what the table asks for: a ratio of two contenders' metrics, or a metric of one.
type check struct {
	row     string
	what    string
	metric  string
	of      string
	against string  // "": of's metric itself
	bound   float64 // 0: nothing is asked, it is shown for comparison
	atMost  bool    // else at least
}

func atLeast(row, what, metric, of, against string, bound float64) check {
	return check{row, what, metric, of, against, bound, false}
}

func atMost(row, what, metric, of, against string, bound float64) check {
	return check{row, what, metric, of, against, bound, true}
}

// apart makes a contender of a client whose values lie in memory of their own: more than the second-level cache has.
func apart(client string, size int) contender {
	return contender{name: client + ", values apart", setup: base(client, size).with(func(s *setup) { s.Apart = true })}
}

// valuesApart adds, for comparison, what that comes to.
func (b *block) valuesApart(size int, memory string) {
	n, f := apart(clientNative, size), apart(clientFranz, size)
	b.contenders = append(b.contenders, n, f)
	b.checks = append(b.checks, atLeast(rowCore, b.name+", values in "+memory+", native / franz-go", recordsPerSecond, n.name, f.name, 0))
}

// named makes a contender of a setup, named after its client.
func named(s setup) contender { return contender{name: s.Client, setup: s} }

// blocks are the whole table.
func blocks() []block {
	all := []block{core10(), core100(), core1K(), core10K(), harness(), memory(), partitions(), goroutines(), smallBatches()}
	for _, codec := range []string{"zstd", "lz4", "snappy", "gzip"} {
		all = append(all, compression(codec))
	}
	for _, rate := range []string{"10000", "50000", "100000"} {
		all = append(all, latency(rate))
	}
	return append(all, realBroker())
}

func sinkBlock(name string, setups ...setup) block {
	b := block{name: name, target: targetSink, warmup: 500 * time.Millisecond, window: time.Second}
	for _, s := range setups {
		b.contenders = append(b.contenders, named(s))
	}
	return b
}

func core10() block {
	b := sinkBlock("10 B", base(clientNative, 10), base(clientFranz, 10))
	b.checks = []check{
		atLeast(rowCore, "10 B, native / franz-go", recordsPerSecond, clientNative, clientFranz, 10),
		atMost(rowCPU, "10 B", cpuPerRecord, clientNative, "", 33),
	}
	return b
}

func core100() block {
	b := sinkBlock("100 B", base(clientNative, 100), base(clientFranz, 100), base(clientFranzStamped, 100), base(clientLimit, 100),
		base(clientReplay, 100), base(clientSingle, 100))
	b.checks = []check{
		atLeast(rowCore, "100 B, native / franz-go", recordsPerSecond, clientNative, clientFranz, 6),
		atLeast(rowCore, "100 B, native / franz-go whose caller stamps records", recordsPerSecond, clientNative, clientFranzStamped, 0),
		atLeast(rowLimit, "100 B, native / limit", recordsPerSecond, clientNative, clientLimit, 0.5),
		atLeast(rowLimit, "100 B, replay / limit", recordsPerSecond, clientReplay, clientLimit, 0.95),
		atMost(rowCPU, "100 B", cpuPerRecord, clientNative, "", 65),
		atMost(rowCPU, "100 B, one record a call", cpuPerRecord, clientSingle, "", 95),
	}
	return b
}

func core1K() block {
	b := sinkBlock("1 KiB", base(clientNative, 1024), base(clientFranz, 1024), base(clientLimit, 1024), base(clientReplay, 1024))
	b.checks = []check{
		atLeast(rowCore, "1 KiB, native / franz-go", recordsPerSecond, clientNative, clientFranz, 2.2),
		atLeast(rowLimit, "1 KiB, native / limit", recordsPerSecond, clientNative, clientLimit, 0.55),
		atLeast(rowLimit, "1 KiB, replay / limit", recordsPerSecond, clientReplay, clientLimit, 0.95),
		atMost(rowCPU, "1 KiB", cpuPerRecord, clientNative, "", 400),
	}
	b.valuesApart(1024, "4 MB")
	return b
}

func core10K() block {
	b := sinkBlock("10 KiB", base(clientNative, 10240), base(clientFranz, 10240))
	b.checks = []check{atLeast(rowCore, "10 KiB, native / franz-go", recordsPerSecond, clientNative, clientFranz, 1.6)}
	b.valuesApart(10240, "40 MB")
	return b
}

func memory() block {
	b := sinkBlock("10 seconds", base(clientNative, 100))
	b.warmup, b.window, b.rounds = time.Second, 10*time.Second, 2
	b.checks = []check{
		atMost(rowMemory, "100 B", allocsPerRecord, clientNative, "", 0.000001),
		atMost(rowMemory, "100 B", allocsPerBatch, clientNative, "", 0.005),
		atMost(rowMemory, "100 B, in 10 s", gcs, clientNative, "", 0.5),
		atMost(rowMemory, "100 B", rssBeyond, clientNative, "", 32),
	}
	return b
}

// partitions has small batches, because 10,000 partitions with one of 1 MiB each would need 10 GB of buffer.memory. One
// partition with small batches has one in a request, and so pays for many requests: with large ones it is at its best.
func partitions() block {
	one := base(clientNative, 100).with(func(s *setup) {
		s.InTurn, s.Partitions, s.BatchSize, s.Memory = true, 1, 16384, 256<<20
	})
	many := one.with(func(s *setup) { s.Partitions = 10000 })
	b := sinkBlock("partitions")
	b.warmup = time.Second
	large := base(clientNative, 100).with(func(s *setup) { s.InTurn, s.Partitions = true, 1 })
	b.contenders = []contender{{name: "1 partition", setup: one}, {name: "10,000 partitions", setup: many}, {name: "1 partition, 1 MiB", setup: large}}
	b.checks = []check{
		atMost(rowScaling, "another partition each record, 10,000 / 1 partitions", cpuPerRecord, "10,000 partitions", "1 partition", 1.7),
		atMost(rowScaling, "the same, 1 partition with batches of 1 MiB", cpuPerRecord, "10,000 partitions", "1 partition, 1 MiB", 0),
	}
	return b
}

func goroutines() block {
	one := base(clientNative, 100)
	b := sinkBlock("goroutines")
	b.contenders = []contender{{name: "1 goroutine", setup: one}, {name: "64 goroutines", setup: one.with(func(s *setup) { s.Goroutines = 64 })}}
	b.checks = []check{atMost(rowScaling, "64 / 1 goroutines on one producer", cpuPerRecord, "64 goroutines", "1 goroutine", 1.3)}
	return b
}

func smallBatches() block {
	small := func(s *setup) { s.BatchSize, s.LingerMS = 16384, 0 }
	b := sinkBlock("16 KiB batches", base(clientNative, 100).with(small), base(clientFranz, 100).with(small))
	b.checks = []check{atLeast(rowBatches, "batch.size 16 KiB, linger 0, 100 B, native / franz-go", recordsPerSecond, clientNative, clientFranz, 5)}
	return b
}

// compression has so many values that no batch meets one twice, and that batches differ.
func compression(codec string) block {
	events := func(s *setup) { s.JSON, s.Values, s.Codec = true, 16384, codec }
	b := sinkBlock(codec, base(clientNative, 1024).with(events), base(clientFranz, 1024).with(events))
	b.checks = []check{atMost(rowCompression, codec+", 1 KiB, native / franz-go", cpuPerRecord, clientNative, clientFranz, 0.85)}
	return b
}

// runs are both drivers of kbench run with the same arguments.
func runs(args ...string) []contender {
	var cs []contender
	for _, d := range []string{clientNative, clientFranz} {
		cs = append(cs, contender{name: d, run: append([]string{"--driver=" + d, "--set=records.value.size=100", "--set=topics.partitions=12"}, args...)})
	}
	return cs
}

func harness() block {
	return block{name: "kbench run", target: targetOwn, warmup: time.Second, window: 2 * time.Second,
		contenders: runs("--rate=max", "-X=linger.ms=5", "-X=batch.size=1048576", "-X=max.request.size=1052672",
			"-X=send.buffer.bytes=-1", "-X=receive.buffer.bytes=-1"), // the system's, as elsewhere
		checks: []check{
			atLeast(rowHarness, "kbench run --rate max, 100 B, native / franz-go", recordsPerSecond, clientNative, clientFranz, 5),
			atMost(rowHarness, "kbench run --rate max, 100 B", cpuPerRecord, clientNative, "", 90),
		}}
}

func latency(rate string) block {
	return block{name: "latency at " + rate + "/s", target: targetOwn, warmup: time.Second, window: 5 * time.Second,
		contenders: runs("--rate="+rate+"/s", "-X=linger.ms=0", "-X=batch.size=16384"),
		checks: []check{
			atMost(rowLatency, "linger 0, "+rate+"/s, native / franz-go", p50, clientNative, clientFranz, 0.75),
			atMost(rowLatency, "linger 0, "+rate+"/s, native / franz-go", p99, clientNative, clientFranz, 0.9),
		}}
}

// realBroker has batches of a million bytes, which every topic takes.
func realBroker() block {
	s := func(client string) setup { return base(client, 100).with(func(s *setup) { s.BatchSize = 1_000_000 }) }
	b := block{name: "Kafka", target: targetKafka, warmup: time.Second, window: 3 * time.Second}
	for _, client := range []string{clientNative, clientFranz, clientReplay} {
		b.contenders = append(b.contenders, named(s(client)))
	}
	b.checks = []check{
		atMost(rowKafka, "100 B, native / franz-go", cpuPerRecord, clientNative, clientFranz, 0.25),
		atLeast(rowKafka, "100 B, native / replay", recordsPerSecond, clientNative, clientReplay, 0.95),
		atLeast(rowKafka, "100 B, native / franz-go", recordsPerSecond, clientNative, clientFranz, 1.15),
	}
	return b
}
