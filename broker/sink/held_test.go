package sink_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/broker/sink"
)

// hold parses models that are right.
func hold(t testing.TB, texts ...string) *sink.Hold {
	t.Helper()
	h, err := sink.ParseHold(texts)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// logged starts a sink that logs, and returns what closes it and reads the log.
func logged(t testing.TB, o sink.Options) (addr string, entries func() (sink.LogHeader, []sink.LogEntry)) {
	t.Helper()
	o.TimingLog = filepath.Join(t.TempDir(), "log")
	s, addr := start(t, o)
	return addr, func() (sink.LogHeader, []sink.LogEntry) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		return readLog(t, o.TimingLog)
	}
}

func readLog(t testing.TB, path string) (sink.LogHeader, []sink.LogEntry) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	header, entries, err := sink.ReadLog(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return header, entries
}

// TestHeldRequestsArePipelined sends twenty requests in one go: each is held from its own arrival, not one after the other.
func TestHeldRequestsArePipelined(t *testing.T) {
	addr, entries := logged(t, sink.Options{Hold: hold(t, "constant:50ms"), HoldSeed: 7})
	nc := dial(t, addr)
	var sent []byte
	for i := range int32(20) {
		sent = append(sent, encode(produce(9, -1, part{topic: "a", index: i % 12, records: batch(int(i)+1, 10)}), i)...)
	}
	before := time.Now()
	if _, err := nc.Write(sent); err != nil {
		t.Fatal(err)
	}
	for i := range int32(20) {
		if got, _ := frame(t, nc); got != i {
			t.Errorf("answer to request %d, want %d", got, i)
		}
	}
	if took := time.Since(before); took < 50*time.Millisecond {
		t.Errorf("answered within %v", took)
	}
	header, got := entries()
	if diff := cmp.Diff(sink.LogHeader{Hold: "constant:time=50ms", Seed: 7, Clock: header.Clock}, header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if len(got) != 20 {
		t.Fatalf("%d entries, want 20", len(got))
	}
	for i, e := range got {
		if e.Departed < e.Planned || e.Arrival <= 0 {
			t.Errorf("request %d: arrived %d, planned %d, departed %d", i, e.Arrival, e.Planned, e.Departed)
		}
		want := sink.LogEntry{Conn: 1, Partition: int32(i % 12), Records: uint32(i + 1), Bytes: uint32(len(batch(i+1, 10))), Acks: -1,
			Arrival: e.Arrival, Planned: e.Arrival + 50e6, Departed: e.Departed}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Errorf("request %d (-want +got):\n%s", i, diff)
		}
	}
}

// TestHeldAnswersKeepTheOrder holds answers for very different times, and has others between them that aren't held.
func TestHeldAnswersKeepTheOrder(t *testing.T) {
	h := hold(t, "bimodal:fast=1us,slow=20ms,slow-share=0.2")
	addr, entries := logged(t, sink.Options{Hold: h, HoldSeed: 3})
	nc := dial(t, addr)
	const n = 200
	var sent []byte
	for i := range int32(n) {
		sent = append(sent, encode(produce(9, -1, part{topic: "a", index: 0, records: batch(1, 1)}), i)...)
		sent = append(sent, encode(kmsg.NewPtrMetadataRequest(), n+i)...)
	}
	if _, err := nc.Write(sent); err != nil {
		t.Fatal(err)
	}
	for i := range int32(2 * n) {
		if got, _ := frame(t, nc); got != i/2+i%2*n {
			t.Fatalf("answer to request %d, want %d", got, i/2+i%2*n)
		}
	}
	_, got := entries()
	if len(got) != n {
		t.Fatalf("%d entries, want %d", len(got), n)
	}
	depart, last, overtaken := h.Departures(3), int64(0), 0
	for i, e := range got {
		want := depart(e.Arrival, int(e.Records))
		if want < last {
			overtaken++
		}
		if want = max(want, last); e.Planned != want {
			t.Errorf("request %d: planned %d, want %d", i, e.Planned, want)
		}
		last = want
	}
	if overtaken == 0 {
		t.Error("no answer was delayed by the one before: the order was never at stake")
	}
}

// TestHeldConnectionsShareTheQueue sends to two brokers of one sink: one line, in the order of arrival.
func TestHeldConnectionsShareTheQueue(t *testing.T) {
	h := hold(t, "mm1:1ms,per=record")
	addr, entries := logged(t, sink.Options{Hold: h, HoldSeed: 5, Brokers: 2})
	done := make(chan error)
	for range 4 {
		nc := dial(t, addr)
		go func() {
			var err error
			for range 10 {
				if _, err = nc.Write(encode(produce(9, -1, part{topic: "a", index: 0, records: batch(2, 1)}), 1)); err != nil {
					break
				}
				if _, err = io.CopyN(io.Discard, nc, answerBytes); err != nil {
					break
				}
			}
			done <- err
		}()
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	_, got := entries()
	if len(got) != 40 {
		t.Fatalf("%d entries, want 40", len(got))
	}
	depart, draws, free := h.Departures(5), h.Draws(5), int64(0)
	for i, e := range got {
		free = max(free, e.Arrival) + int64(draws()) + int64(draws())
		if e.Planned != free || depart(e.Arrival, 2) != free {
			t.Errorf("request %d planned for %d, want %d", i, e.Planned, free)
		}
		if i > 0 && e.Arrival < got[i-1].Arrival {
			t.Errorf("request %d arrived before the one before it", i)
		}
	}
}

// answerBytes is the size of the answer to a Produce v9 of one partition of a topic with a name of one letter.
const answerBytes = 4 + 4 + 1 + (1 + 1 + 1) + (1 + 4 + 2 + 8 + 8 + 8 + 1 + 1 + 1) + 1 + 4 + 1

// TestThrottle reads throttle_time_ms from the answers; these aren't late for it.
func TestThrottle(t *testing.T) {
	addr, entries := logged(t, sink.Options{Hold: hold(t, "throttle:time=1500ms,share=0.3")})
	nc := dial(t, addr)
	throttled := 0
	for range 50 {
		resp := ask[*kmsg.ProduceResponse](t, nc, produce(9, 1, part{topic: "a", index: 0, records: batch(1, 1)}))
		if resp.ThrottleMillis == 1500 {
			throttled++
		} else if resp.ThrottleMillis != 0 {
			t.Errorf("throttle time %d ms", resp.ThrottleMillis)
		}
	}
	_, got := entries()
	for _, e := range got {
		if e.Throttle == 1500 {
			throttled--
		}
		if e.Planned != e.Arrival {
			t.Errorf("held for %d ns", e.Planned-e.Arrival)
		}
	}
	if throttled != 0 || len(got) != 50 {
		t.Errorf("%d entries; %d throttled answers more than in the log", len(got), throttled)
	}
}

// TestInjectedErrors checks that a batch answered with an error doesn't count, in old and new versions of the answer.
func TestInjectedErrors(t *testing.T) {
	for _, version := range []int16{3, 5, 9} {
		s, addr := start(t, sink.Options{Hold: hold(t, "error:code=6,share=0.5"), HoldSeed: 2})
		nc := dial(t, addr)
		offset, errs := int64(0), 0
		for range 40 {
			req := produce(version, -1, part{topic: "a", index: 0, records: batch(3, 1)}, part{topic: "a", index: 99, records: batch(3, 1)})
			parts := ask[*kmsg.ProduceResponse](t, nc, req).Topics[0].Partitions
			type fields struct{ code, base, appended, start int64 }
			p, want := parts[0], fields{0, offset, -1, 0}
			if p.ErrorCode != 0 {
				errs++
				want = fields{6, -1, -1, -1}
			} else {
				offset += 3
			}
			if version < 5 {
				want.start = -1 // not in the answer
			}
			if got := (fields{int64(p.ErrorCode), p.BaseOffset, p.LogAppendTime, p.LogStartOffset}); got != want {
				t.Fatalf("v%d: got %+v, want %+v", version, got, want)
			}
			if parts[1].ErrorCode != 3 {
				t.Errorf("v%d: the wrong partition is answered with %d", version, parts[1].ErrorCode)
			}
		}
		if got := s.Stats().Records; got != uint64(offset) || errs == 0 || errs == 40 {
			t.Errorf("v%d: %d records counted, want %d; %d errors", version, got, offset, errs)
		}
	}
}

// TestHeldWithoutAnswer sends acks=0: nothing is held, the log says so.
func TestHeldWithoutAnswer(t *testing.T) {
	addr, entries := logged(t, sink.Options{Hold: hold(t, "constant:1h")})
	nc := dial(t, addr)
	sent := encode(produce(9, 0, part{topic: "a", index: 3, records: batch(5, 10)}), 1)
	if _, err := nc.Write(sent); err != nil {
		t.Fatal(err)
	}
	ask[*kmsg.MetadataResponse](t, nc, kmsg.NewPtrMetadataRequest())
	_, got := entries()
	if len(got) != 1 || got[0].Acks != 0 || got[0].Planned != 0 || got[0].Departed != 0 || got[0].Arrival == 0 || got[0].Records != 5 {
		t.Errorf("entries %+v", got)
	}
}

// TestCloseDoesNotWait cuts a connection whose answers would leave in an hour: they never do, and the log says so.
func TestCloseDoesNotWait(t *testing.T) {
	addr, entries := logged(t, sink.Options{Hold: hold(t, "stall:at=0s,for=1h")})
	nc, other := dial(t, addr), dial(t, addr)
	for i := range int32(3) {
		if _, err := nc.Write(encode(produce(9, 1, part{topic: "a", index: 0, records: batch(1, 1)}), i)); err != nil {
			t.Fatal(err)
		}
	}
	// The other connection's answer shows that the sink is at work.
	ask[*kmsg.MetadataResponse](t, other, kmsg.NewPtrMetadataRequest())
	for range 1000 {
		if listOffset(t, other, "a", 0, -1) == 3 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_, got := entries()
	if len(got) != 3 {
		t.Fatalf("%d entries, want 3", len(got))
	}
	for _, e := range got {
		if e.Departed != 0 || e.Planned != got[0].Arrival+3600e9 {
			t.Errorf("planned %d, departed %d", e.Planned, e.Departed)
		}
	}
}

// TestAnswersLeaveBeforeTheEnd half-closes a connection whose answers are held: they come all the same, and then the end.
func TestAnswersLeaveBeforeTheEnd(t *testing.T) {
	_, addr := start(t, sink.Options{Hold: hold(t, "constant:20ms")})
	nc := dial(t, addr)
	if _, err := nc.Write(encode(produce(9, 1, part{topic: "a", index: 0, records: batch(1, 1)}), 5)); err != nil {
		t.Fatal(err)
	}
	closeWrite(t, nc)
	if got, _ := frame(t, nc); got != 5 {
		t.Errorf("answer to request %d", got)
	}
	if rest, err := io.ReadAll(nc); len(rest) > 0 || err != nil {
		t.Errorf("then came %x, %v", rest, err)
	}
}

// TestTimingErrorIsMeasured holds the sink's own count against its log's.
func TestTimingErrorIsMeasured(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	s, addr := start(t, sink.Options{Hold: hold(t, "constant:100us"), TimingLog: path})
	nc := dial(t, addr)
	for range 100 {
		ask[*kmsg.ProduceResponse](t, nc, produce(9, 1, part{topic: "a", index: 0, records: batch(1, 1)}))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	_, got := readLog(t, path)
	exact, counted := sink.TimingError(got), s.TimingError()
	if exact.Answers != 100 || counted.Answers != 100 || exact.Max != counted.Max || exact.P50 <= 0 {
		t.Errorf("%+v by the log, %+v by the sink", exact, counted)
	}
	if d := float64(counted.P50)/float64(exact.P50) - 1; d > 0.04 || d < -0.04 {
		t.Errorf("p50 %v by the log, %v by the sink", exact.P50, counted.P50)
	}
}

// TestLogOverwritesNothing keeps files, earlier logs too, from being lost to a slip of the finger.
func TestLogOverwritesNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "log")
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	if err := sink.CheckLog(path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a check leaves the file behind: %v", err)
	}
	for _, path := range []string{path, write("empty", "")} {
		if err := sink.CheckLog(path); err != nil {
			t.Fatal(err)
		}
		s, err := sink.Listen("127.0.0.1:0", sink.Options{TimingLog: path})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if header, got := readLog(t, path); len(got) != 0 || header.Hold != "none" {
			t.Errorf("header %+v, %d entries", header, len(got))
		}
	}
	for path, want := range map[string]string{path: "is there already", write("other", "KB"): "is there already", dir: "isn't a file",
		filepath.Join(dir, "no", "log"): "no such file", "": "no such file"} {
		if err := sink.CheckLog(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CheckLog(%q) = %v, want %q", path, err, want)
		}
		if s, err := sink.Listen("127.0.0.1:0", sink.Options{TimingLog: path}); path != "" && err == nil {
			t.Errorf("a log at %q: %v", path, s.Close())
		}
	}
}
