package sink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// LogHeader is what a timing log says about itself.
type LogHeader struct {
	Hold  string // as ParseHold reads it
	Seed  uint64 // of the hold
	Clock string // what the times of the entries count: ClockMonotonic, or "process" where the system has no such clock
}

// LogEntry is one Produce request. Entries stand in the order of arrival over all connections, so the k-th has the k-th
// draw of the hold. Times are ns on the header's clock.
type LogEntry struct {
	Conn      uint32 // number of the connection, from 1, in the order in which they were accepted
	Partition int32  // of the first batch that was well formed; −1: there was none
	Records   uint32 // in its well-formed batches; they count only where Code is 0
	Bytes     uint32 // size of these batches
	Acks      int16  // 0: there is no answer
	Code      int16  // error that the hold answered with; 0: none
	Throttle  int32  // ms that the answer told the client to pause
	Arrival   int64  // the whole request had been read
	Planned   int64  // when its answer was to leave; 0: there is no answer
	Departed  int64  // when the write of its answer began; 0: it never left
}

// ClockMonotonic is the clock that any process of the same machine can read.
const ClockMonotonic = "CLOCK_MONOTONIC"

// The form of the log, little-endian: magic, version, size of the clock's name, of the hold, seed, these two texts; then
// entries; at the end one whose connection is lastConn and whose arrival is the number of entries before it.
const (
	logMagic   = "KBHOLD"
	logVersion = 1
	logFixed   = len(logMagic) + 2 + // version
		2 + // size of the clock's name
		4 + // size of the hold
		8 // seed
	entryBytes = 4 + // connection
		4 + // partition
		4 + // records
		4 + // bytes
		2 + // acks
		2 + // code
		4 + // throttle
		8 + // arrival
		8 + // planned
		8 // departed
	lastConn    = 1<<32 - 1
	maxLogTexts = 64 << 10 // bytes of a text in the header
)

// appendHeader encodes a header.
func appendHeader(b []byte, h LogHeader) []byte {
	b = append(b, logMagic...)
	b = binary.LittleEndian.AppendUint16(b, logVersion)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(h.Clock)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(h.Hold)))
	b = binary.LittleEndian.AppendUint64(b, h.Seed)
	return append(append(b, h.Clock...), h.Hold...)
}

// appendEntry encodes an entry.
func appendEntry(b []byte, e *LogEntry) []byte {
	b = binary.LittleEndian.AppendUint32(b, e.Conn)
	b = binary.LittleEndian.AppendUint32(b, uint32(e.Partition))
	b = binary.LittleEndian.AppendUint32(b, e.Records)
	b = binary.LittleEndian.AppendUint32(b, e.Bytes)
	b = binary.LittleEndian.AppendUint16(b, uint16(e.Acks))
	b = binary.LittleEndian.AppendUint16(b, uint16(e.Code))
	b = binary.LittleEndian.AppendUint32(b, uint32(e.Throttle))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Arrival))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Planned))
	return binary.LittleEndian.AppendUint64(b, uint64(e.Departed))
}

// decodeEntry reads entryBytes.
func decodeEntry(b []byte) LogEntry {
	return LogEntry{
		Conn:      binary.LittleEndian.Uint32(b),
		Partition: int32(binary.LittleEndian.Uint32(b[4:])),
		Records:   binary.LittleEndian.Uint32(b[8:]),
		Bytes:     binary.LittleEndian.Uint32(b[12:]),
		Acks:      int16(binary.LittleEndian.Uint16(b[16:])),
		Code:      int16(binary.LittleEndian.Uint16(b[18:])),
		Throttle:  int32(binary.LittleEndian.Uint32(b[20:])),
		Arrival:   int64(binary.LittleEndian.Uint64(b[24:])),
		Planned:   int64(binary.LittleEndian.Uint64(b[32:])),
		Departed:  int64(binary.LittleEndian.Uint64(b[40:])),
	}
}

// ReadLog reads a timing log to its end. Where the log is cut off, because the sink was killed or the disk was full, the
// entries before the cut come along with the error, which is an io.ErrUnexpectedEOF.
func ReadLog(r io.Reader) (LogHeader, []LogEntry, error) {
	h, err := readHeader(r)
	if err != nil {
		return h, nil, fmt.Errorf("timing log: %w", err)
	}
	entries, err := readEntries(r)
	if err != nil {
		return h, entries, fmt.Errorf("timing log: %w", err)
	}
	return h, entries, nil
}

func readHeader(r io.Reader) (h LogHeader, err error) {
	var fixed [logFixed]byte
	n, err := io.ReadFull(r, fixed[:])
	if n == 0 && errors.Is(err, io.EOF) {
		return h, errors.New("the file is empty")
	}
	if got := string(fixed[:min(n, len(logMagic))]); n > 0 && got != logMagic[:len(got)] {
		return h, fmt.Errorf("this is no timing log: it starts with %q instead of %q", got, logMagic)
	}
	if err != nil {
		return h, cutOff(err, "in its header")
	}
	b := fixed[len(logMagic):]
	if v := binary.LittleEndian.Uint16(b); v != logVersion {
		return h, fmt.Errorf("version %d; this program reads version %d", v, logVersion)
	}
	clock, hold := int(binary.LittleEndian.Uint16(b[2:])), binary.LittleEndian.Uint32(b[4:])
	if hold > maxLogTexts {
		return h, fmt.Errorf("damaged: a hold of %d bytes; at most %d", hold, maxLogTexts)
	}
	h.Seed = binary.LittleEndian.Uint64(b[8:])
	texts := make([]byte, clock+int(hold))
	if _, err := io.ReadFull(r, texts); err != nil {
		return h, cutOff(err, "in its header")
	}
	h.Clock, h.Hold = string(texts[:clock]), string(texts[clock:])
	return h, nil
}

func readEntries(r io.Reader) ([]LogEntry, error) {
	var entries []LogEntry
	buf := make([]byte, 1024*entryBytes)
	for {
		n, err := io.ReadFull(r, buf)
		for b := buf[:n]; len(b) >= entryBytes; b = b[entryBytes:] {
			e := decodeEntry(b)
			if e.Conn != lastConn {
				entries = append(entries, e)
				continue
			}
			if e.Arrival != int64(len(entries)) {
				return entries, fmt.Errorf("damaged: %d where its end counts %d entries", len(entries), e.Arrival)
			}
			if len(b) > entryBytes || err == nil && !atEnd(r) {
				return entries, errors.New("damaged: something follows its end")
			}
			return entries, nil
		}
		if err != nil {
			return entries, cutOff(err, fmt.Sprintf("after %d entries: the sink was killed, or couldn't write on", len(entries)))
		}
	}
}

// atEnd says whether nothing follows.
func atEnd(r io.Reader) bool {
	var one [1]byte
	_, err := io.ReadFull(r, one[:])
	return errors.Is(err, io.EOF)
}

// cutOff explains an end that comes too early; another error stays itself.
func cutOff(err error, where string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("cut off %s: %w", where, io.ErrUnexpectedEOF)
	}
	return err
}
