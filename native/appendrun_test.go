package native

import (
	"bytes"
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"kbench/native/wire"
)

// TestRuns appends the same records in runs and one after the other, which has to give the same batches.
func TestRuns(t *testing.T) {
	for _, set := range []func(*Config){
		func(*Config) {},
		func(c *Config) { c.BatchSize = 300 },
		func(c *Config) { c.BatchSize = 1 << 17 },
		func(c *Config) { c.Partitioner = PartitionerRoundRobin },
		func(c *Config) { c.Partitioner = PartitionerTable },
		func(c *Config) { c.PartitionerIgnoreKeys, c.MaxRequestSize = true, 200 },
		func(c *Config) { c.Compression = CompressionLZ4 },
	} {
		rng := rand.New(rand.NewPCG(3, 4))
		inRuns, single := unconnected(set), unconnected(set)
		taken := 0
		for ms := int64(1000); ms < 1200; ms += rng.Int64N(3) {
			recs := someRecords(rng)
			now := ms * 1e6
			a := appender{pr: inRuns, ctx: context.Background()}
			var errs []error
			for i := 0; i < len(recs); i++ {
				n := a.appendRun(recs[i:], ms)
				taken += n
				if i += n; i == len(recs) {
					break
				}
				errs = append(errs, a.appendAlone(&recs[i], now, ms))
			}
			a = appender{pr: single, ctx: context.Background()}
			var want []error
			for i := range recs {
				want = append(want, a.appendAlone(&recs[i], now, ms))
			}
			ok := func(err error) bool { return err == nil }
			if got, want := slices.DeleteFunc(errs, ok), slices.DeleteFunc(want, ok); len(got) != len(want) {
				t.Fatalf("%v: %d records refused, want %d", inRuns.cfg.Partitioner, len(got), len(want))
			}
		}
		if taken < 500 && inRuns.cfg.BatchSize > 300 {
			t.Errorf("%v: only %d records were appended in runs", inRuns.cfg.Partitioner, taken)
		}
		for ti, topic := range inRuns.topics {
			if other := single.topics[ti]; topic.sticky.bytes != other.sticky.bytes {
				t.Errorf("topic %d: %d bytes in the sticky partition, want %d", ti, topic.sticky.bytes, other.sticky.bytes)
			}
			for pi, p := range topic.partitions {
				got, want := batchesOf(p), batchesOf(single.topics[ti].partitions[pi])
				if len(got) != len(want) {
					t.Fatalf("partition %d: %d batches, want %d", pi, len(got), len(want))
				}
				for i, b := range got {
					w := want[i]
					b.sumUp()
					w.sumUp()
					if !bytes.Equal(b.buf[61:], w.buf[61:]) || !slices.Equal(b.slots, w.slots) ||
						b.baseTime != w.baseTime || b.maxTime != w.maxTime || b.crc != w.crc {
						t.Fatalf("%v, partition %d, batch %d: %d records in %d bytes, times %d to %d, CRC %x; want %d in %d, %d to %d, %x",
							inRuns.cfg.Partitioner, pi, i,
							len(b.slots), len(b.buf), b.baseTime, b.maxTime, b.crc, len(w.slots), len(w.buf), w.baseTime, w.maxTime, w.crc)
					}
				}
			}
		}
	}
}

// TestRunsKeepOff partitions that are gone, although they have an open batch.
func TestRunsKeepOff(t *testing.T) {
	pr := unconnected(func(*Config) {})
	recs := []Record{{Partition: 2, Value: make([]byte, 100)}, {Partition: 2, Value: make([]byte, 100)}}
	a := appender{pr: pr, ctx: context.Background()}
	if err := a.appendAlone(&recs[0], 0, 0); err != nil {
		t.Fatal(err)
	}
	if n := a.appendRun(recs, 0); n != 2 {
		t.Fatalf("%d of 2 records appended", n)
	}
	pr.topics[0].gone = 1
	if n := a.appendRun(recs, 0); n != 0 {
		t.Errorf("%d records appended to a partition that is gone", n)
	}
}

// TestRunLimits appends as many records as there is room for bodies before the last one.
func TestRunLimits(t *testing.T) {
	recs := make([]Record, 10)
	for i := range recs {
		recs[i].Value = make([]byte, 100)
	}
	var run wire.PlainRun
	if !run.Start(0, 0, recs[0].Value) {
		t.Fatal("no run")
	}
	for bytes, want := range map[int]int{1: 1, run.Body - 1: 1, run.Body: 1, run.Body + 1: 2, 3 * run.Body: 3, 3*run.Body + 1: 4, 100 * run.Body: 10} {
		b := &batch{buf: make([]byte, wire.BatchHeaderSize, 1<<16), limit: 1 << 16}
		if n := b.appendLike(&run, recs, runLimits{bytes: bytes, record: 1 << 16}); n != want || len(b.slots) != want || len(b.buf) != wire.BatchHeaderSize+want*run.Size {
			t.Errorf("%d bytes for bodies of %d: %d records, want %d", bytes, run.Body, n, want)
		}
	}
}

// TestLargestRecord appends records around max.request.size: each is refused, or in a batch that keeps it.
func TestLargestRecord(t *testing.T) {
	pr := unconnected(func(c *Config) { c.MaxRequestSize = 200 })
	a := appender{pr: pr, ctx: context.Background()}
	taken := 0
	for size := range 200 {
		r := Record{Partition: 0, Value: make([]byte, size)}
		p := pr.topics[0].partitions[0]
		before := len(batchesOf(p))
		err := a.appendAlone(&r, 0, 0)
		alone := 61 + 2 + 6 + size // length, attributes, time, offset, key, length, headers
		if size < 57 {
			alone -= 1 // its length and the value's take a byte each
		}
		if size >= 64 {
			alone++
		}
		if fits := alone <= 200; fits != (err == nil) {
			t.Errorf("a value of %d bytes, %d in a batch: error %v", size, alone, err)
		}
		if n := len(batchesOf(p)) - before; n > 1 {
			t.Fatalf("a value of %d bytes opened %d batches", size, n)
		}
		if err == nil {
			taken++
		}
	}
	n := 0
	for _, b := range batchesOf(pr.topics[0].partitions[0]) {
		n += len(b.slots)
	}
	if n != taken {
		t.Errorf("%d records in batches, want %d", n, taken)
	}
}

// unconnected is a producer with two topics that never sends, and has memory enough.
func unconnected(set func(*Config)) *Producer {
	pr, first := idle(3, func(c *Config) {
		c.BatchSize, c.BufferMemory, c.Topics = 20000, 1<<31, []string{"t", "u"}
		c.PartitionRules = []PartitionRule{{Prefix: "key-1", Partition: 1}}
		set(c)
	})
	second := &topic{name: "u", index: 1}
	for i := range 3 {
		second.partitions = append(second.partitions, &partition{topic: second, id: int32(i), node: first.partitions[0].node})
	}
	pr.topics = []*topic{first, second}
	pr.gen, pr.mem = newGeneration(nil), newMemory(&pr.cfg, nil)
	pr.table = newPartitionTable(pr.cfg.PartitionRules)
	pr.maxRecord = pr.cfg.maxRecord()
	return pr
}

// appendAlone is what append does with a record that is in no run.
func (a *appender) appendAlone(r *Record, now, ms int64) error {
	if r.TimestampMS != 0 {
		ms = r.TimestampMS
	}
	_, err := a.appendOne(r, now, ms)
	return err
}

// someRecords is a burst in which stretches of records have something in common.
func someRecords(rng *rand.Rand) []Record {
	recs := make([]Record, 1+rng.IntN(100))
	var r Record
	for i := range recs {
		if i == 0 || rng.IntN(10) == 0 {
			r = Record{Topic: int32(rng.IntN(2)), Partition: int32(rng.IntN(3)) - 1}
			switch rng.IntN(12) {
			case 0:
				r.Key = []byte("key-" + string(rune('0'+rng.IntN(3))))
			case 1:
				r.Headers = []Header{{Key: "h", Value: []byte("v")}}
			case 2:
				r.TimestampMS = 900 + rng.Int64N(400)
			}
			if size := []int{0, 3, 8, 63, 100, 150, 1000, 4096, -1}[rng.IntN(9)]; size >= 0 {
				r.Value = make([]byte, size)
			}
		}
		r.Slot = rng.Uint32()
		if len(r.Value) > 0 {
			r.Value = bytes.Clone(r.Value)
			r.Value[0] = byte(r.Slot)
		}
		recs[i] = r
		if rng.IntN(20) == 0 {
			recs[i].Value = make([]byte, rng.IntN(200))
		}
	}
	return recs
}

// batchesOf are p's batches in order.
func batchesOf(p *partition) []*batch {
	bs := slices.Clone(p.queue)
	if p.open != nil {
		bs = append(bs, p.open)
	}
	return bs
}
