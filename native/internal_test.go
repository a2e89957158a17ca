package native

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"kbench/native/wire"
)

// TestMurmur2 has the vectors of Kafka's UtilsTest.
func TestMurmur2(t *testing.T) {
	for _, tc := range []struct {
		key  string
		want int32
	}{
		{"21", -973932308}, {"foobar", -790332482}, {"a-little-bit-long-string", -985981536},
		{"a-little-bit-longer-string", -1486304829}, {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
		{"abc", 479470107},
	} {
		if got := int32(murmur2([]byte(tc.key))); got != tc.want {
			t.Errorf("%q: %d, want %d", tc.key, got, tc.want)
		}
	}
}

// idle makes a producer with a topic of n partitions, connected to nothing.
func idle(n int, set func(*Config)) (*Producer, *topic) {
	cfg := DefaultConfig()
	if set != nil {
		set(&cfg)
	}
	pr := &Producer{cfg: cfg, start: time.Now(), rng: newRand(1), nodes: map[int32][]*node{}}
	leader := &node{pr: pr}
	tp := &topic{name: "t"}
	for i := range n {
		tp.partitions = append(tp.partitions, &partition{topic: tp, id: int32(i), node: leader})
	}
	return pr, tp
}

// TestSticky checks that partitions are used evenly, each for batch.size bytes, and not those without a leader.
func TestSticky(t *testing.T) {
	pr, tp := idle(8, nil)
	tp.partitions[3].node = nil
	counts := make([]int, 8)
	r := &Record{Partition: -1}
	var last *partition
	for range 7000 {
		p := pr.route(tp, r)
		if p == last && tp.sticky.bytes == 0 {
			last = nil // chosen again by chance
		}
		for tp.sticky.bytes < pr.cfg.BatchSize {
			if got := pr.route(tp, r); got != p {
				t.Fatalf("left partition %d after %d bytes", p.id, tp.sticky.bytes)
			}
			tp.sticky.bytes += 1000
		}
		counts[p.id]++
		last = p
	}
	for i, n := range counts {
		switch {
		case i == 3 && n != 0:
			t.Errorf("partition 3 without a leader was chosen %d times", n)
		case i != 3 && math.Abs(float64(n)-1000) > 150: // five standard deviations
			t.Errorf("partition %d was chosen %d times of 7000, want about 1000", i, n)
		}
	}
}

// TestAdaptive checks the weights of KIP-794: a partition with the longest queue is drawn least.
func TestAdaptive(t *testing.T) {
	for _, adaptive := range []bool{true, false} {
		pr, tp := idle(3, func(c *Config) { c.PartitionerAdaptive = adaptive })
		tp.partitions[1].queue = make([]*batch, 3)
		counts := make([]int, 3)
		for range 9000 {
			pr.unstick(tp)
			counts[tp.sticky.part.id]++
		}
		want := []float64{4000, 1000, 4000}
		if !adaptive {
			want = []float64{3000, 3000, 3000}
		}
		for i := range want {
			if math.Abs(float64(counts[i])-want[i]) > 250 {
				t.Errorf("adaptive=%v: %v, want about %v", adaptive, counts, want)
				break
			}
		}
	}
}

// TestIncompleteBatch keeps a sticky partition beyond batch.size while its batch is open, up to twice batch.size.
func TestIncompleteBatch(t *testing.T) {
	pr, tp := idle(50, nil)
	r := &Record{Partition: -1}
	p := pr.route(tp, r)
	p.open = &batch{}
	tp.sticky.bytes = 2*pr.cfg.BatchSize - 1
	if got := pr.route(tp, r); got != p {
		t.Errorf("left an incomplete batch at %d bytes", tp.sticky.bytes)
	}
	tp.sticky.bytes = 2 * pr.cfg.BatchSize
	pr.route(tp, r)
	if tp.sticky.bytes != 0 {
		t.Error("stays beyond twice batch.size")
	}
}

func TestKeysAndTurns(t *testing.T) {
	pr, tp := idle(7, nil)
	if got := pr.route(tp, &Record{Partition: -1, Key: []byte("abc")}); got.id != int32(479470107%7) {
		t.Errorf("key abc goes to partition %d", got.id)
	}
	pr, tp = idle(4, func(c *Config) { c.Partitioner = PartitionerRoundRobin })
	tp.partitions[2].node = nil
	var got []int32
	for range 6 {
		got = append(got, pr.route(tp, &Record{Partition: -1, Key: []byte("abc")}).id)
	}
	if fmt.Sprint(got) != "[1 3 0 1 3 0]" {
		t.Errorf("round robin went %v", got)
	}
}

// TestPartitionTable checks which rule a key follows, and what there is without one.
func TestPartitionTable(t *testing.T) {
	rules := []PartitionRule{{"eu-", 1}, {"eu-de-", 2}, {"us", 3}, {"eu-de-berlin", 9}}
	pr, tp := idle(5, func(c *Config) { c.Partitioner, c.PartitionRules = PartitionerTable, rules })
	pr.table = newPartitionTable(rules)
	for key, want := range map[string]int32{"eu-fr-1": 1, "eu-": 1, "eu-de-7": 2, "eu-de": 1, "usa": 3, "us": 3} {
		if got := pr.route(tp, &Record{Partition: -1, Key: []byte(key)}); got.id != want {
			t.Errorf("key %q goes to partition %d, want %d", key, got.id, want)
		}
	}
	if got := pr.route(tp, &Record{Partition: 4, Key: []byte("us")}); got.id != 4 {
		t.Errorf("partition %d instead of the explicit 4", got.id)
	}
	if got := pr.route(tp, &Record{Partition: -1, Key: []byte("abc")}); got.id != 479470107%5 {
		t.Errorf("a key without a rule goes to partition %d, not by its hash", got.id)
	}
	r := &Record{Partition: -1, Key: []byte("eu-de-berlin-4")}
	if pr.route(tp, r) != nil {
		t.Error("a rule for partition 9 of 5 is followed")
	}
	if err := pr.noPartition(tp, r); !errors.Is(err, ErrUnknownPartition) || !strings.Contains(err.Error(), "9 of topic") {
		t.Errorf("a rule for partition 9 of 5: %v", err)
	}
	if sticky := pr.route(tp, &Record{Partition: -1}); sticky != pr.route(tp, &Record{Partition: -1}) {
		t.Error("records without a key don't stick")
	}
	pr.cfg.PartitionerIgnoreKeys = true
	if got := pr.route(tp, r); got != tp.sticky.part {
		t.Errorf("an ignored key goes to partition %d", got.id)
	}
	pr.table = newPartitionTable([]PartitionRule{{"", 3}, {"x", 1}})
	pr.cfg.PartitionerIgnoreKeys = false
	for key, want := range map[string]int32{"": 3, "a": 3, "xa": 1} {
		if got := pr.route(tp, &Record{Partition: -1, Key: []byte(key)}); got.id != want {
			t.Errorf("key %q goes to partition %d, want %d", key, got.id, want)
		}
	}
}

// TestPartitionRules checks what is refused.
func TestPartitionRules(t *testing.T) {
	for _, tc := range []struct {
		p     Partitioner
		rules []PartitionRule
		want  string
	}{
		{PartitionerDefault, nil, ""},
		{PartitionerTable, []PartitionRule{{"a", 0}, {"", 1}}, ""},
		{PartitionerTable, nil, "needs PartitionRules"},
		{PartitionerRandom, []PartitionRule{{"a", 0}}, "partitioner random"},
		{PartitionerTable, []PartitionRule{{"a", 0}, {"b", -1}}, `PartitionRules[1], prefix "b": partition -1 is negative`},
		{PartitionerTable, []PartitionRule{{"a", 0}, {"b", 1}, {"a", 1}}, `PartitionRules[2], prefix "a"`},
	} {
		cfg := DefaultConfig()
		cfg.Partitioner, cfg.PartitionRules = tc.p, tc.rules
		err := cfg.checkRules()
		if (tc.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s with %v: %v, want %q", tc.p, tc.rules, err, tc.want)
		}
	}
}

// TestRefuseBatch checks how a batch of five ends with lists of bad records as no sane broker sends them.
func TestRefuseBatch(t *testing.T) {
	said := []byte("said")
	for _, tc := range []struct {
		records []wire.RecordError
		want    string
	}{
		{nil, "[0 1 2 3 4] INVALID_RECORD (87): batch; "},
		{[]wire.RecordError{{Index: 99}, {Index: -1, Message: said}, {Index: 5}}, "[0 1 2 3 4] INVALID_RECORD (87): batch; "},
		{[]wire.RecordError{{Index: 4, Message: said}, {Index: 1}, {Index: 4}, {Index: 99}},
			"[0] innocent; [1] INVALID_RECORD (87): batch; [2 3] innocent; [4] INVALID_RECORD (87): said; "},
	} {
		got := ""
		pr, tp := idle(1, func(c *Config) {
			c.OnAck = func(a Ack) {
				if errors.Is(a.Err, ErrBatchRejected) {
					got += fmt.Sprint(a.Slots, " innocent; ")
				} else {
					got += fmt.Sprint(a.Slots, " ", a.Err, "; ")
				}
			}
		})
		b := &batch{part: tp.partitions[0], count: 5, slots: []uint32{0, 1, 2, 3, 4}, baseOffset: -1}
		done := pr.refuseBatch(b, wire.ProduceResult{Code: 87, Message: []byte("batch"), Records: tc.records}, nil)
		pr.acknowledgeBatch(done[0])
		if got != tc.want {
			t.Errorf("%v: %s\nwant %s", tc.records, got, tc.want)
		}
	}
}

// TestSequenceWraps counts past 2^31.
func TestSequenceWraps(t *testing.T) {
	if got := addSequence(math.MaxInt32-1, 3); got != 1 {
		t.Errorf("2^31-2 + 3 = %d, want 1", got)
	}
	if got := addSequence(-1, 1); got != 0 {
		t.Errorf("-1 + 1 = %d, want 0", got)
	}
}

// TestOneInFlightUntilAcked is KAFKA-15591: a partition's second request waits for the first acknowledgement.
func TestOneInFlightUntilAcked(t *testing.T) {
	pr, tp := idle(1, nil)
	p := tp.partitions[0]
	pr.id = producerID{7, 0}
	p.queue = []*batch{{part: p, count: 10, state: stateQueued}, {part: p, count: 5, state: stateQueued}, {part: p, count: 1, state: stateQueued}}
	first := pr.pick(p, 0)
	pr.take(p, first, 0)
	if pr.pick(p, 0) != nil {
		t.Fatal("a second batch goes out before the first is acknowledged")
	}
	pr.gen = newGeneration(nil)
	pr.settle(first, wire.ProduceResult{}, 0, nil)
	second := pr.pick(p, 0)
	pr.take(p, second, 0)
	third := pr.pick(p, 0)
	if third == nil {
		t.Fatal("no third batch beside the second after the first was acknowledged")
	}
	pr.take(p, third, 0)
	if first.sequence != 0 || second.sequence != 10 || third.sequence != 15 {
		t.Errorf("sequences %d, %d, %d, want 0, 10, 15", first.sequence, second.sequence, third.sequence)
	}
}

// TestBackoff is KIP-580: doubled each time, ±20 %, at most the maximum.
func TestBackoff(t *testing.T) {
	pr, _ := idle(0, nil)
	for n, want := range map[int64]float64{1: 100, 2: 200, 4: 800, 5: 1000, 500: 1000} {
		got := float64(pr.backoff(n, 100*time.Millisecond, time.Second)) / 1e6
		if got < want*0.8 || got > min(want*1.2, 1000) {
			t.Errorf("retry %d waits %.0f ms, want %.0f ± 20 %%", n, got, want)
		}
	}
}

// TestCodecs takes each codec there and back, also for what can't be compressed and what is larger than a block.
func TestCodecs(t *testing.T) {
	rng := newRand(3)
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	for c := CompressionGzip; c <= CompressionZstd; c++ {
		for _, level := range []int{1, 9} {
			cfg := DefaultConfig()
			cfg.Compression, cfg.LZ4Level, cfg.GzipLevel = c, level, level
			comp := newCompressor(&cfg)
			for _, src := range [][]byte{[]byte("x"), bytes.Repeat([]byte("abc"), 50_000), noise, noise[:100]} {
				got, err := decompress(c, comp.encode(src), len(src))
				if err != nil || !bytes.Equal(got, src) {
					t.Errorf("%s level %d: %d bytes came back as %d, %v", c, level, len(src), len(got), err)
				}
			}
		}
	}
}

// TestSetupTimeout: connecting may take twice as long after each attempt that failed, up to the limit (KIP-601).
func TestSetupTimeout(t *testing.T) {
	pr, tp := idle(1, func(c *Config) {
		c.SocketSetupTimeout, c.SocketSetupTimeoutMax = 10*time.Second, 30*time.Second
	})
	n, c := tp.partitions[0].node, newControl(&pr.cfg)
	for failures, want := range []time.Duration{10 * time.Second, 20 * time.Second, 30 * time.Second, 30 * time.Second} {
		n.failures, c.failures = int64(failures), failures
		if got := c.setupTimeout(); got != want {
			t.Errorf("metadata, %d failures: %v, want %v", failures, got, want)
		}
		if got := n.setupTimeout(); failures == 0 && got != want || got < want*8/10 || got > min(want*12/10, 30*time.Second) {
			t.Errorf("produce, %d failures: %v, want %v ± 20 %%", failures, got, want)
		}
	}
}

// TestAcksPastPanics has a callback panic at every Ack of batches with and without records that have errors of their own: each
// slot is told once.
func TestAcksPastPanics(t *testing.T) {
	pr, tp := idle(1, func(*Config) {})
	told := map[uint32]int{}
	pr.cfg.OnAck = func(a Ack) {
		for _, slot := range a.Slots {
			told[slot]++
		}
		panic("a mistake")
	}
	var batches []*batch
	for i := range uint32(3) {
		b := &batch{part: tp.partitions[0], slots: []uint32{10 * i, 10*i + 1, 10*i + 2, 10*i + 3, 10*i + 4}, count: 5}
		if i > 0 {
			b.bad = []recordError{{1, ErrArgument}, {2, ErrArgument}, {4, ErrArgument}}
		}
		batches = append(batches, b)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("it doesn't panic")
			}
		}()
		pr.acknowledgeBatches(batches)
	}()
	for i := range uint32(3) {
		for k := range uint32(5) {
			if told[10*i+k] != 1 {
				t.Errorf("slot %d was told %d times", 10*i+k, told[10*i+k])
			}
		}
	}
}
