package drivertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/driver"
	"kbench/workload"
)

// deliveryTests are about what arrives.
func (s *suite) deliveryTests() []namedTest {
	tests := []namedTest{
		{"order idempotent", func(t *testing.T) { s.order(t, newCluster(t), map[string]string{}) }},
		{"explicit partitions", s.explicitPartitions},
		{"keys", s.keys},
		{"oversized", s.oversized},
		{"larger than a batch", s.largerThanBatch},
		{"flush", s.flush},
		{"stats", s.stats},
		{"tap", s.tap},
	}
	if !s.otherContent {
		tests = append(tests, namedTest{"fidelity", s.fidelity}, namedTest{"topics", s.topics})
	}
	for _, settings := range []map[string]string{
		{"enable.idempotence": "false", "max.in.flight.requests.per.connection": "1"},
		{"acks": "0"},
		{"acks": "1"},
		{"acks": "all", "enable.idempotence": "false"},
		{"partitioner": workload.PartitionerRoundRobin},
		{"partitioner": workload.PartitionerRandom},
		{"linger.ms": "0"},
		{"linger.ms": "20", "batch.size": "1000"},
	} {
		if s.can(settings) {
			tests = append(tests, namedTest{fmt.Sprint("arrives ", settings), func(t *testing.T) { s.arrives(t, settings) }})
		}
	}
	for _, codec := range workload.Codecs() {
		settings := map[string]string{"compression.type": codec}
		if s.can(settings) {
			tests = append(tests, namedTest{"codec " + codec, func(t *testing.T) { s.codec(t, codec) }})
		}
	}
	return tests
}

// order checks that each partition has its records in the order of sending, once each, where the acknowledgements say.
func (s *suite) order(t *testing.T, c *cluster, settings map[string]string) {
	h := open(t, s.d, s.config(t, c, settings))
	recs := numbered(5000, 60)
	h.mustSend(recs, 64)
	h.flush()
	s.checkOrder(t, c, h.allAcked(recs))
}

// checkOrder reads the topic back.
func (s *suite) checkOrder(t *testing.T, c *cluster, results []result) {
	t.Helper()
	if s.otherContent {
		checkPlaces(t, c, results)
		return
	}
	seen := make([]bool, len(results))
	for p, part := range c.read(t, c.topics[0], len(results)) {
		last := -1
		for _, r := range part {
			n := number(r.Value)
			if n <= last {
				t.Fatalf("partition %d: record %d comes after %d", p, n, last)
			}
			if seen[n] {
				t.Fatalf("record %d arrived twice", n)
			}
			last, seen[n] = n, true
			checkPlace(t, results[n].ack, r)
		}
	}
}

// checkPlaces checks by the acknowledgements alone that the records of a partition were appended in the order of sending,
// and reads the topic back to see that there are no others.
func checkPlaces(t *testing.T, c *cluster, results []result) {
	t.Helper()
	var next [partitions]int64
	for i, r := range results {
		if r.ack.Partition < 0 || r.ack.Offset != next[r.ack.Partition] {
			t.Fatalf("record %d was acknowledged at partition %d, offset %d: want the next of %v", i, r.ack.Partition, r.ack.Offset, next)
		}
		next[r.ack.Partition]++
	}
	for p, part := range c.read(t, c.topics[0], len(results)) {
		if len(part) != int(next[p]) {
			t.Fatalf("partition %d has %d records, %d were acknowledged", p, len(part), next[p])
		}
	}
}

// checkPlace compares where a record is with what its acknowledgement says, if it says.
func checkPlace(t *testing.T, a driver.Ack, r *kgo.Record) {
	t.Helper()
	if (a.Partition >= 0 && a.Partition != r.Partition) || (a.Offset >= 0 && a.Offset != r.Offset) {
		t.Fatalf("a record is at partition %d, offset %d, but was acknowledged at %d, %d", r.Partition, r.Offset, a.Partition, a.Offset)
	}
}

// arrives checks that with these settings all arrives, in order where the settings promise it.
func (s *suite) arrives(t *testing.T, settings map[string]string) {
	c := newCluster(t)
	if settings["max.in.flight.requests.per.connection"] == "1" {
		s.order(t, c, settings)
		return
	}
	h := open(t, s.d, s.config(t, c, settings))
	recs := numbered(2000, 60)
	h.mustSend(recs, 64)
	h.flush()
	results := h.allAcked(recs)
	parts := c.read(t, c.topics[0], len(recs))
	used := 0
	for _, part := range parts {
		if len(part) > 0 {
			used++
		}
		for _, r := range part {
			if !s.otherContent {
				checkPlace(t, results[number(r.Value)].ack, r)
			}
		}
	}
	for _, r := range results {
		if settings["acks"] == "0" && r.ack.Offset != -1 {
			t.Fatalf("acks=0 acknowledges offset %d, want -1", r.ack.Offset)
		}
	}
	switch settings["partitioner"] {
	case workload.PartitionerRoundRobin:
		for p, part := range parts {
			if len(part) != len(recs)/partitions {
				t.Errorf("round robin put %d records into partition %d, want %d", len(part), p, len(recs)/partitions)
			}
		}
	case workload.PartitionerRandom:
		if used != partitions {
			t.Errorf("2000 records at random use %d of %d partitions", used, partitions)
		}
	}
}

// codec checks that a batch is written with the codec and read back.
func (s *suite) codec(t *testing.T, codec string) {
	c := newCluster(t)
	h := open(t, s.d, s.config(t, c, map[string]string{"compression.type": codec}))
	recs := numbered(1000, 300)
	h.mustSend(recs, 64)
	h.flush()
	h.allAcked(recs)
	want := slices.Index(workload.Codecs(), codec) // Kafka's number of it
	for _, part := range c.read(t, c.topics[0], len(recs)) {
		for _, r := range part {
			if got := int(r.Attrs.CompressionType()); got != want {
				t.Fatalf("batch is compressed with codec %d, want %d", got, want)
			}
			if n := number(r.Value); !s.otherContent && !bytes.Equal(r.Value, recs[n].Value) {
				t.Fatalf("record %d has another value", n)
			}
		}
	}
}

// fidelity checks nulls, empties, headers and binary.
func (s *suite) fidelity(t *testing.T) {
	c := newCluster(t)
	h := open(t, s.d, s.config(t, c, nil))
	binary := make([]byte, 256)
	for i := range binary {
		binary[i] = byte(i)
	}
	var recs []workload.Record
	for _, key := range [][]byte{nil, {}, []byte("key"), binary} {
		for _, value := range [][]byte{nil, {}, []byte("value"), binary, bytes.Repeat(binary, 20)} {
			for _, headers := range [][]workload.Header{
				nil,
				{{Key: "trace", Value: []byte("00-abc")}},
				{{Key: "null", Value: nil}, {Key: "empty", Value: []byte{}}, {Key: "", Value: binary}, {Key: "null", Value: []byte("again")}},
			} {
				recs = append(recs, workload.Record{Partition: 0, Key: key, Value: value, Headers: headers})
			}
		}
	}
	h.mustSend(recs, 7)
	h.flush()
	h.allAcked(recs)
	got := c.read(t, c.topics[0], len(recs))[0]
	for i := range recs {
		if diff := recordDiff(&recs[i], got[i]); diff != "" {
			t.Errorf("record %d: %s", i, diff)
		}
	}
}

// recordDiff says what differs, or "". Null and empty are different things.
func recordDiff(want *workload.Record, got *kgo.Record) string {
	same := func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
	switch {
	case !same(want.Key, got.Key):
		return fmt.Sprintf("key %q (null: %t), want %q (null: %t)", got.Key, got.Key == nil, want.Key, want.Key == nil)
	case !same(want.Value, got.Value):
		return fmt.Sprintf("value of %d bytes (null: %t), want %d (null: %t)", len(got.Value), got.Value == nil, len(want.Value), want.Value == nil)
	case len(want.Headers) != len(got.Headers):
		return fmt.Sprintf("%d headers, want %d", len(got.Headers), len(want.Headers))
	}
	for i, w := range want.Headers {
		if g := got.Headers[i]; g.Key != w.Key || !same(w.Value, g.Value) {
			return fmt.Sprintf("header %d is %q=%q (null: %t), want %q=%q (null: %t)", i, g.Key, g.Value, g.Value == nil, w.Key, w.Value, w.Value == nil)
		}
	}
	return ""
}

// explicitPartitions checks that a record goes where it says, whatever its key.
func (s *suite) explicitPartitions(t *testing.T) {
	c := newCluster(t)
	h := open(t, s.d, s.config(t, c, nil))
	recs := numbered(400, 20)
	for i := range recs {
		recs[i].Partition = int32(i*i) % partitions
		if i%3 == 0 {
			recs[i].Key = []byte("foobar")
		}
	}
	h.mustSend(recs, 16)
	h.flush()
	results := h.allAcked(recs)
	if s.otherContent {
		checkPartitions(t, results, func(r *workload.Record) int32 { return r.Partition })
		return
	}
	for p, part := range c.read(t, c.topics[0], len(recs)) {
		for _, r := range part {
			if n := number(r.Value); recs[n].Partition != int32(p) {
				t.Fatalf("record %d is in partition %d, want %d", n, p, recs[n].Partition)
			}
		}
	}
}

// checkPartitions checks where records are by their acknowledgements alone.
func checkPartitions(t *testing.T, results []result, want func(*workload.Record) int32) {
	t.Helper()
	for i, r := range results {
		if r.ack.Partition != want(&r.rec) {
			t.Fatalf("record %d was acknowledged in partition %d, want %d", i, r.ack.Partition, want(&r.rec))
		}
	}
}

// javaHashes are murmur2 values from Kafka's own UtilsTest.
var javaHashes = map[string]int32{
	"21":                         -973932308,
	"foobar":                     -790332482,
	"a-little-bit-long-string":   -985981536,
	"a-little-bit-longer-string": -1486304829,
	"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
	"abc": 479470107,
}

// keys checks that keyed records land where Kafka's own client puts them: toPositive(murmur2(key)) % partitions.
func (s *suite) keys(t *testing.T) {
	c := newCluster(t)
	h := open(t, s.d, s.config(t, c, nil))
	var recs []workload.Record
	for key := range javaHashes {
		for range 5 {
			recs = append(recs, workload.Record{Partition: -1, Key: []byte(key), Value: []byte("v")})
		}
	}
	h.mustSend(recs, 16)
	h.flush()
	javas := func(key []byte) int32 { return int32(uint32(javaHashes[string(key)])&0x7fffffff) % partitions }
	results := h.allAcked(recs)
	if s.otherContent {
		checkPartitions(t, results, func(r *workload.Record) int32 { return javas(r.Key) })
		return
	}
	for p, part := range c.read(t, c.topics[0], len(recs)) {
		for _, r := range part {
			if want := javas(r.Key); int32(p) != want {
				t.Errorf("key %q is in partition %d, Kafka's client puts it into %d", r.Key, p, want)
			}
		}
	}
}

// topics checks that a record goes to its topic.
func (s *suite) topics(t *testing.T) {
	c := newCluster(t)
	h := open(t, s.d, s.config(t, c, nil))
	recs := numbered(600, 20)
	for i := range recs {
		recs[i].Topic = int32(i % len(c.topics))
	}
	h.mustSend(recs, 16)
	h.flush()
	h.allAcked(recs)
	for i, topic := range c.topics {
		for _, part := range c.read(t, topic, len(recs)/len(c.topics)) {
			for _, r := range part {
				if n := number(r.Value); n%len(c.topics) != i {
					t.Fatalf("record %d is in topic %d", n, i)
				}
			}
		}
	}
}

// oversized checks that only the record over max.request.size fails, before it is sent, and that the error says why.
func (s *suite) oversized(t *testing.T) {
	c := newCluster(t)
	cfg := s.config(t, c, map[string]string{"max.request.size": "20000", "batch.size": "16384"})
	cfg.MaxRecordBytes = 30000
	h := open(t, s.d, cfg)
	recs := numbered(30, 100)
	recs[7] = workload.Record{Partition: -1, Value: make([]byte, 20001)}
	recs[20] = workload.Record{Partition: -1, Value: make([]byte, 19990)} // with its overhead too large
	h.mustSend(recs, 10)
	h.flush()
	for i, r := range h.results(recs) {
		if i != 7 && i != 20 {
			if r.ack.Err != nil {
				t.Errorf("record %d failed: %v", i, r.ack.Err)
			}
			continue
		}
		var tooLarge *driver.TooLargeError
		if !errors.As(r.ack.Err, &tooLarge) || tooLarge.Setting != "max.request.size" {
			t.Errorf("record %d of %d bytes: error %v, want one about max.request.size", i, len(recs[i].Value), r.ack.Err)
		}
	}
	c.read(t, c.topics[0], len(recs)-2)
}

// largerThanBatch checks that a record over batch.size is sent all the same, if the driver was told of it.
func (s *suite) largerThanBatch(t *testing.T) {
	c := newCluster(t)
	cfg := s.config(t, c, map[string]string{"batch.size": "2000"})
	recs := numbered(60, 100)
	recs[30] = workload.Record{Partition: -1, Key: []byte("k"), Value: append(recs[30].Value[:8:8], make([]byte, 9000)...),
		Headers: []workload.Header{{Key: "h", Value: make([]byte, 1000)}}}
	cfg.MaxRecordBytes = recs[30].Size()
	h := open(t, s.d, cfg)
	h.mustSend(recs, 10)
	h.flush()
	h.allAcked(recs)
	c.read(t, c.topics[0], len(recs))
}

// flush checks that Flush waits for every record, with a linger under way.
func (s *suite) flush(t *testing.T) {
	c := newCluster(t)
	h := open(t, s.d, s.config(t, c, map[string]string{"linger.ms": "100"}))
	recs := numbered(30, 20)
	for i := range 3 {
		h.mustSend(recs[i*10:(i+1)*10], 10)
		h.flush()
	}
	h.allAcked(recs)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.session.Producer.Flush(done); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("flush with nothing to do and a cancelled context: %v", err)
	}
}
