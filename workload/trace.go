package workload

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"os"
	"strings"
	"time"
)

// Bounds of a trace.
const (
	maxTraceRecords = 1 << 26           // 0.5 GB of times
	maxTraceLine    = 4096              // bytes
	longestTrace    = 87600 * time.Hour // ten years; a time since 1970 in seconds is beyond it
	traceForms      = "a time in seconds (0.25) or with a unit (1.5ms), from the start of the trace, and for all records or none a size in bytes after a comma or blank"
)

// Trace is the times, and maybe the value sizes, of records, as a file gives them. It doesn't change once it was read.
type Trace struct {
	times []int64  // ns from the start of the trace, non-decreasing
	sizes []uint32 // of the values, in bytes; nil: the file has none
	bytes uint64   // of all values together

	largest     int // size
	largestLine int // of the file, where it first stands
}

// Records is the number of records, at least 1.
func (t *Trace) Records() int { return len(t.times) }

// Sized tells whether the trace has sizes of values.
func (t *Trace) Sized() bool { return t.sizes != nil }

// Length is the time from the start of the trace to where it begins again if it is repeated: the last time and one mean
// gap, (last − first)/(n − 1), or 1 s where all times are the same.
func (t *Trace) Length() time.Duration {
	first, last := t.times[0], t.times[len(t.times)-1]
	gap := int64(time.Second)
	if last > first {
		gap = max(1, (last-first)/int64(len(t.times)-1))
	}
	return time.Duration(last + gap)
}

// appendDigest appends a CRC-64 (ECMA) of all times and sizes.
func (t *Trace) appendDigest(dst []byte) []byte {
	table := crc64.MakeTable(crc64.ECMA)
	sum := uint64(0)
	buf := make([]byte, 0, 1<<16)
	for i, at := range t.times {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(at))
		if t.sizes != nil {
			buf = binary.LittleEndian.AppendUint32(buf, t.sizes[i])
		}
		if len(buf) > cap(buf)-16 {
			sum, buf = crc64.Update(sum, table, buf), buf[:0]
		}
	}
	return binary.LittleEndian.AppendUint64(dst, crc64.Update(sum, table, buf))
}

// ReadTrace reads a trace: a record a line, "time" or "time size", divided by a comma or blanks. A time counts from the
// start of the trace, in seconds (0.25, kept to the ns) or with a unit (1.5ms). Blank lines, what follows a # and a
// header line (time,size) are left out; a name that ends in .gz is a gzip file. Errors name file and line.
func ReadTrace(name string) (*Trace, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var src io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		if src, err = gzip.NewReader(file); err != nil {
			return nil, fmt.Errorf("%s: not a gzip file, as its name says: %w", name, err)
		}
	}
	return parseTrace(name, src, maxTraceRecords)
}

// traceReader is the state between lines.
type traceReader struct {
	Trace
	most     int // records
	line     int // number of the current one
	lastTime []byte
	lastLine int // of the last record
}

// parseTrace reads a trace of at most so many records.
func parseTrace(name string, src io.Reader, most int) (*Trace, error) {
	r := traceReader{most: most}
	lines := bufio.NewReaderSize(src, 1<<16)
	for {
		text, err := lines.ReadSlice('\n')
		if err == nil || errors.Is(err, io.EOF) && len(text) > 0 {
			r.line++
			if fail := r.add(text); fail != nil {
				return nil, fmt.Errorf("%s:%d: %w", name, r.line, fail)
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			if len(r.times) == 0 {
				return nil, fmt.Errorf("%s: no record in it: allowed lines of %s", name, traceForms)
			}
			return &r.Trace, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%s:%d: a line of more than %d bytes: allowed %s", name, r.line+1, maxTraceLine, traceForms)
		case err != nil:
			return nil, fmt.Errorf("%s:%d: %w", name, r.line+1, err)
		}
	}
}

// add reads one line.
func (r *traceReader) add(text []byte) error {
	if len(text) > maxTraceLine {
		return fmt.Errorf("a line of more than %d bytes: allowed %s", maxTraceLine, traceForms)
	}
	if r.line == 1 {
		text = bytes.TrimPrefix(text, []byte("\ufeff"))
	}
	text, _, _ = bytes.Cut(text, []byte{'#'})
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return nil
	}
	at, size, sized := cutRecord(text)
	if len(r.times) == 0 && isTraceHeader(at) {
		return nil
	}
	if len(r.times) == r.most {
		return fmt.Errorf("more than %d records: a run keeps them in memory", r.most)
	}
	ns, err := parseTraceTime(string(at))
	switch {
	case err != nil:
		return fmt.Errorf("%w in %q: allowed %s", err, shorten(string(text)), traceForms)
	case ns > int64(longestTrace):
		return fmt.Errorf("time %q: allowed up to %v, counted from the start of the trace and not from 1970", at, longestTrace)
	}
	if n := len(r.times); n > 0 && ns < r.times[n-1] {
		return fmt.Errorf("time %q comes after %q of line %d: times must not go backwards", at, r.lastTime, r.lastLine)
	}
	if len(r.times) > 0 && sized != r.Sized() {
		if sized {
			return fmt.Errorf("%q has a size, but line %d has none: allowed sizes for all records or for none", shorten(string(text)), r.lastLine)
		}
		return fmt.Errorf("%q has no size, but line %d has one: allowed sizes for all records or for none", shorten(string(text)), r.lastLine)
	}
	if sized {
		if err := r.addSize(string(size)); err != nil {
			return fmt.Errorf("%w in %q: allowed %s", err, shorten(string(text)), traceForms)
		}
	}
	r.times = append(r.times, ns)
	r.lastTime, r.lastLine = append(r.lastTime[:0], at...), r.line
	return nil
}

// cutRecord divides a line at its first comma or run of blanks.
func cutRecord(text []byte) (at, size []byte, sized bool) {
	end := bytes.IndexAny(text, ", \t")
	if end < 0 {
		return text, nil, false
	}
	rest := bytes.TrimLeft(text[end:], " \t")
	if comma, ok := bytes.CutPrefix(rest, []byte{','}); ok {
		rest = bytes.TrimLeft(comma, " \t")
	}
	return text[:end], rest, true
}
