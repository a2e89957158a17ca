package sink

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// writtenLog is a whole log as its bytes.
func writtenLog(h LogHeader, entries ...LogEntry) []byte {
	b := appendHeader(nil, h)
	for i := range entries {
		b = appendEntry(b, &entries[i])
	}
	return appendEntry(b, &LogEntry{Conn: lastConn, Arrival: int64(len(entries))})
}

var (
	someHeader  = LogHeader{Hold: "constant:time=1ms", Seed: 1<<63 + 5, Clock: "CLOCK_MONOTONIC"}
	someEntries = []LogEntry{
		{Conn: 1, Partition: 3, Records: 20, Bytes: 2000, Acks: -1, Arrival: 5, Planned: 10, Departed: 12},
		{Conn: 2, Partition: -1, Acks: 1, Code: -1, Throttle: 200, Arrival: math.MaxInt64, Planned: -1},
		{Conn: lastConn - 1, Partition: math.MaxInt32, Records: math.MaxUint32, Bytes: math.MaxUint32, Arrival: 1, Planned: 2, Departed: 3},
	}
)

func TestLogForm(t *testing.T) {
	if n := len(appendEntry(nil, &LogEntry{})); n != entryBytes {
		t.Errorf("an entry takes %d bytes, want %d", n, entryBytes)
	}
	// Written down byte by byte, because other programs read it.
	want := "KBHOLD" + "\x01\x00" + "\x0f\x00" + "\x11\x00\x00\x00" + "\x05\x00\x00\x00\x00\x00\x00\x80" + "CLOCK_MONOTONIC" + "constant:time=1ms" +
		"\x01\x00\x00\x00" + "\x03\x00\x00\x00" + "\x14\x00\x00\x00" + "\xd0\x07\x00\x00" + "\xff\xff" + "\x00\x00" + "\x00\x00\x00\x00" +
		"\x05\x00\x00\x00\x00\x00\x00\x00" + "\x0a\x00\x00\x00\x00\x00\x00\x00" + "\x0c\x00\x00\x00\x00\x00\x00\x00" +
		"\xff\xff\xff\xff" + strings.Repeat("\x00", 20) + "\x01\x00\x00\x00\x00\x00\x00\x00" + strings.Repeat("\x00", 16)
	if diff := cmp.Diff(want, string(writtenLog(someHeader, someEntries[0]))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestReadLog(t *testing.T) {
	var many []LogEntry
	for i := range 5000 {
		many = append(many, LogEntry{Conn: uint32(i), Arrival: int64(i)})
	}
	for _, entries := range [][]LogEntry{nil, someEntries, many[:1023], many[:1024], many} {
		b := writtenLog(someHeader, entries...)
		for _, r := range []io.Reader{bytes.NewReader(b), iotest.OneByteReader(bytes.NewReader(b)), iotest.DataErrReader(bytes.NewReader(b))} {
			h, got, err := ReadLog(r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(someHeader, h); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(entries, got); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		}
	}
}

func TestReadLogRefuses(t *testing.T) {
	whole := writtenLog(someHeader, someEntries...)
	header := len(appendHeader(nil, someHeader))
	put := func(at int, with ...byte) []byte {
		b := bytes.Clone(whole)
		copy(b[at:], with)
		return b
	}
	tests := []struct {
		name    string
		log     []byte
		want    string
		entries int
		cut     bool
	}{
		{"empty", nil, "the file is empty", 0, false},
		{"other file", []byte("{}"), `this is no timing log: it starts with "{}" instead of "KBHOLD"`, 0, false},
		{"other magic", put(0, 'X'), `starts with "XBHOLD"`, 0, false},
		{"newer", put(6, 2), "version 2; this program reads version 1", 0, false},
		{"cut in the magic", whole[:3], "cut off in its header", 0, true},
		{"cut in the texts", whole[:header-1], "cut off in its header", 0, true},
		{"absurd text", put(10, 0, 0, 0, 0x7f), "a hold of 2130706432 bytes; at most 65536", 0, false},
		{"cut after the header", whole[:header], "cut off after 0 entries: the sink was killed", 0, true},
		{"cut in an entry", whole[:header+entryBytes+7], "cut off after 1 entries", 1, true},
		{"cut between entries", whole[:header+3*entryBytes], "cut off after 3 entries", 3, true},
		{"cut in the end", whole[:len(whole)-1], "cut off after 3 entries", 3, true},
		{"an entry missing", append(bytes.Clone(whole[:header]), whole[header+entryBytes:]...), "2 where its end counts 3 entries", 2, false},
		{"more behind", append(bytes.Clone(whole), 0), "something follows its end", 3, false},
		{"another log behind", append(bytes.Clone(whole), whole...), "something follows its end", 3, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, entries, err := ReadLog(bytes.NewReader(tt.log))
			if err == nil || !strings.HasPrefix(err.Error(), "timing log: ") || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			if len(entries) != tt.entries || errors.Is(err, io.ErrUnexpectedEOF) != tt.cut {
				t.Errorf("%d entries with %v, want %d", len(entries), err, tt.entries)
			}
		})
	}
	if _, _, err := ReadLog(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader's own error becomes %v", err)
	}
}

// TestLogFileKeepsTheOrder fills several chunks whose entries finish in another order than they came.
func TestLogFileKeepsTheOrder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := createLog(path, someHeader)
	if err != nil {
		t.Fatal(err)
	}
	const n = 3*chunkEntries + 5
	var open []logged
	for i := range int64(n) {
		at := l.add(LogEntry{Arrival: i})
		if open = append(open, at); len(open) == 100 || i == n-1 {
			for k := len(open) - 1; k >= 0; k-- {
				open[k].finish(open[k].entry.Arrival + 7)
			}
			open = open[:0]
		}
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	_, got := mustRead(t, path)
	if len(got) != n {
		t.Fatalf("%d entries, want %d", len(got), n)
	}
	for i, e := range got {
		if e != (LogEntry{Arrival: int64(i), Departed: int64(i) + 7}) {
			t.Fatalf("entry %d is %+v", i, e)
		}
	}
}

// TestLogFileWaitsForAnswers keeps a chunk in memory until its last answer has left, and uses it again.
func TestLogFileWaitsForAnswers(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	l := &logFile{file: file, at: &chunk{}}
	first := l.add(LogEntry{})
	for range chunkEntries - 1 {
		l.add(LogEntry{}).finish(1)
	}
	if l.writeFirst() {
		t.Error("a chunk is written before its answers have left")
	}
	if first.finish(1); !l.writeFirst() || l.writeFirst() || len(l.idle) != 1 {
		t.Errorf("a complete chunk isn't written once: %d idle", len(l.idle))
	}
	for range chunkEntries {
		l.add(LogEntry{}).finish(1)
	}
	if len(l.idle) != 0 || !l.writeFirst() || l.err != nil {
		t.Errorf("the chunk isn't used again: %d idle, %v", len(l.idle), l.err)
	}
}

// TestLogFileTellsOfErrors has the disk fail under the log.
func TestLogFileTellsOfErrors(t *testing.T) {
	l, err := createLog(filepath.Join(t.TempDir(), "log"), someHeader)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 * chunkEntries {
		l.add(LogEntry{}).finish(1)
	}
	l.file.Close()
	if err := l.close(); err == nil || !strings.Contains(err.Error(), "timing log: write ") {
		t.Errorf("the error is %v", err)
	}
}

func TestTimingError(t *testing.T) {
	entries := []LogEntry{{Planned: 100}} // never left
	for i := range int64(1000) {
		entries = append(entries, LogEntry{Planned: 5, Departed: 5 + (i+1)*1000})
	}
	want := TimingErrors{1000, 500 * time.Microsecond, 900 * time.Microsecond, 990 * time.Microsecond, 999 * time.Microsecond, time.Millisecond}
	got := TimingError(entries)
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got, want := got.String(), "timing error of 1,000 held answers: p50 500µs, p99 990µs, p99.9 999µs, max 1ms"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := TimingError(nil).String(), "timing error: no answer was held"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLatenessBuckets(t *testing.T) {
	last := -1
	for _, ns := range []uint64{0, 1, 31, 32, 33, 63, 64, 65, 66, 1000, 123_456, 1 << 40, math.MaxInt64} {
		b := lateBucket(ns)
		if b < last {
			t.Errorf("%d ns is in bucket %d, before %d", ns, b, last)
		}
		last = b
		if mid := float64(lateMiddle(b)); math.Abs(mid-float64(ns)) > float64(ns)/60+0.5 {
			t.Errorf("%d ns comes back as %v", ns, mid)
		}
	}
	if last >= len((&lateness{}).buckets) {
		t.Errorf("bucket %d of %d", last, len((&lateness{}).buckets))
	}
}

func FuzzReadLog(f *testing.F) {
	whole := writtenLog(someHeader, someEntries...)
	f.Add(whole)
	f.Add(whole[:len(whole)-1])
	f.Add([]byte("KBHOLD\x02\x00"))
	f.Add(append(bytes.Clone(whole), 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, entries, err := ReadLog(bytes.NewReader(b))
		if err != nil {
			return
		}
		// What is read without an error is written the same, but for what an end's entry has besides its count.
		again := writtenLog(h, entries...)
		if n := len(again) - entryBytes; !bytes.Equal(again[:n], b[:n]) || len(again) != len(b) {
			t.Errorf("%x was read as\n%x", b, again)
		}
	})
}

func FuzzParseHold(f *testing.F) {
	for _, m := range models() {
		f.Add(m.syntax())
	}
	for _, text := range []string{"none", "mm1:1ms", "mgk:servers=4,service=lognormal,median=2ms,sigma=0.5,per=record", "cap:1e3/s + stall:at=1s,for=1s,every=3s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHold([]string{text})
		if err != nil {
			return
		}
		again, err := ParseHold([]string{h.String()})
		if err != nil || again.String() != h.String() {
			t.Errorf("%q becomes %q, which becomes %q, %v", text, h, again, err)
		}
		depart, last := h.Departures(1), int64(math.MinInt64)
		for i := range int64(10) {
			if at := depart(i*1e6, 3); at < i*1e6 || h.latency == nil && h.drift == (drift{}) && (h.queue == nil || h.queue.servers == 1) && at < last {
				t.Errorf("%q: request %d departs at %d, the one before at %d", text, i, at, last)
			} else {
				last = at
			}
		}
	})
}

func mustRead(t *testing.T, path string) (LogHeader, []LogEntry) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	h, entries, err := ReadLog(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return h, entries
}

// TestLogRefusesLongHolds: what no reader would take isn't written.
func TestLogRefusesLongHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if _, err := createLog(path, LogHeader{Hold: strings.Repeat("x", maxLogTexts+1)}); err == nil || !strings.Contains(err.Error(), "65537 bytes; at most 65536") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file was made: %v", err)
	}
}
