package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// logFile writes a timing log. Entries are kept in chunks in memory until all of a chunk's answers have left, and then
// written by a goroutine of its own: no request waits for the disk. What is kept grows for as long as the longest hold
// lasts, 1 MB a second at 20,000 requests/s.
type logFile struct {
	file *os.File
	buf  []byte // the writing goroutine's
	err  error  // the first of writing
	end  chan struct{}
	done chan struct{}

	mu   sync.Mutex
	at   *chunk   // the one being filled
	full []*chunk // in order
	idle []*chunk // written, to be used again
	n    int64    // entries
}

// chunkEntries is the size of a chunk: at 20,000 requests/s one is filled in 0.2 s.
const chunkEntries = 4096

// chunk is a part of the log.
type chunk struct {
	used    int                    // guarded by the file's mu
	open    atomic.Int64           // entries whose answer hasn't left
	entries [chunkEntries]LogEntry // an entry belongs to its request until its answer has left
}

// logged is an entry's place in the log; the zero value is nowhere.
type logged struct {
	entry *LogEntry
	in    *chunk
}

// finish completes an entry: departed at a time, or 0 for never.
func (l logged) finish(at int64) {
	if l.entry == nil {
		return
	}
	l.entry.Departed = at
	l.in.open.Add(-1)
}

// writeEvery is the time between two looks at what can be written.
const writeEvery = 100 * time.Millisecond

// createLog starts a log.
func createLog(path string, h LogHeader) (*logFile, error) {
	if len(h.Hold) > maxLogTexts {
		return nil, fmt.Errorf("timing log: the hold's text has %d bytes; at most %d", len(h.Hold), maxLogTexts)
	}
	file, err := openLog(path)
	if err != nil {
		return nil, fmt.Errorf("timing log: %w", err)
	}
	if _, err := file.Write(appendHeader(nil, h)); err != nil {
		return nil, errors.Join(fmt.Errorf("timing log: %w", err), file.Close())
	}
	l := &logFile{file: file, at: &chunk{}, end: make(chan struct{}), done: make(chan struct{})}
	go l.write()
	return l, nil
}

// CheckLog is the error of a path at which no timing log can be started (Options.TimingLog), or nil: so that it comes
// before the sink is. Nothing is left behind.
func CheckLog(path string) error {
	_, before := os.Stat(path)
	file, err := openLog(path)
	if err != nil {
		return err
	}
	err = file.Close()
	if errors.Is(before, fs.ErrNotExist) {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// openLog makes a file, or takes one that is empty, or a device such as /dev/null. What is there already stays: an earlier
// log is as much work lost as any other file.
func openLog(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if !errors.Is(err, fs.ErrExist) {
		return file, err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.Mode().IsRegular() && info.Size() > 0:
		return nil, fmt.Errorf("%q is there already, and a log isn't written over it: name another file, or remove it", path)
	case !info.Mode().IsRegular() && info.Mode()&fs.ModeCharDevice == 0: // opening a pipe would wait for its reader
		return nil, fmt.Errorf("%q isn't a file", path)
	}
	return os.OpenFile(path, os.O_WRONLY, 0)
}

// add appends an entry; it is open until finish.
func (l *logFile) add(e LogEntry) logged {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.at
	c.open.Add(1)
	c.entries[c.used] = e
	at := logged{&c.entries[c.used], c}
	l.n++
	if c.used++; c.used == chunkEntries {
		l.full = append(l.full, c)
		if last := len(l.idle) - 1; last >= 0 {
			l.at, l.idle = l.idle[last], l.idle[:last]
		} else {
			l.at = &chunk{}
		}
	}
	return at
}

// write writes chunks as they complete, until close.
func (l *logFile) write() {
	defer close(l.done)
	tick := time.NewTicker(writeEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-l.end:
			for l.writeFirst() {
			}
			return
		}
		for l.writeFirst() {
		}
	}
}

// writeFirst writes the first full chunk if all its answers have left.
func (l *logFile) writeFirst() bool {
	l.mu.Lock()
	if len(l.full) == 0 || l.full[0].open.Load() > 0 {
		l.mu.Unlock()
		return false
	}
	c := l.full[0]
	l.full = append(l.full[:0], l.full[1:]...)
	l.mu.Unlock()
	l.writeChunk(c)
	c.used = 0
	l.mu.Lock()
	l.idle = append(l.idle, c)
	l.mu.Unlock()
	return true
}

// writeChunk writes a chunk's entries. After an error nothing more is written: a log with a hole would be worse.
func (l *logFile) writeChunk(c *chunk) {
	l.buf = l.buf[:0]
	for i := range c.entries[:c.used] {
		l.buf = appendEntry(l.buf, &c.entries[i])
	}
	if l.err == nil {
		_, l.err = l.file.Write(l.buf)
	}
}

// close writes what is left and the log's end. Every entry is finished by then, and none is added any more.
func (l *logFile) close() error {
	close(l.end)
	<-l.done
	l.writeChunk(l.at)
	l.buf = appendEntry(l.buf[:0], &LogEntry{Conn: lastConn, Arrival: l.n})
	if l.err == nil {
		_, l.err = l.file.Write(l.buf)
	}
	if err := errors.Join(l.err, l.file.Close()); err != nil {
		return fmt.Errorf("timing log: %w", err)
	}
	return nil
}
