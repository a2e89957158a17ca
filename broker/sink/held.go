package sink

import (
	"errors"
	"io"
	"sync"
)

// held is the line of a connection's answers that wait for their time. The connection's own goroutine puts them in and
// goes on reading; another one sends them. It is there only where the sink holds or logs.
type held struct {
	gate  *gate
	w     io.Writer
	alarm *alarm
	done  chan struct{} // closed when the sender has ended
	err   error         // of sending; valid once done is closed

	// The reading goroutine's:
	last int64  // when the latest answer is to depart
	next ticket // of the request at hand

	// The sender's:
	leaving []waiting // what is being sent
	out     []byte

	mu      sync.Mutex
	changed sync.Cond // the sender waits for answers, the reader for room: never both
	line    []waiting // from first on
	first   int
	bytes   []byte // of the answers in line, from sent on
	sent    int
	ending  bool // no answer comes any more
	stopped bool // nothing is sent any more: the connection is cut
}

// waiting is one answer in line.
type waiting struct {
	ticket
	size int // bytes
}

const (
	// mostWaiting and mostWaitingBytes bound the answers in line of a connection. A client that sends on nevertheless isn't
	// read any further.
	mostWaiting      = 1 << 18
	mostWaitingBytes = 64 << 20
	// mostSent bounds the bytes of one write.
	mostSent = 64 << 10
)

func newHeld(g *gate, w io.Writer) (*held, error) {
	a, err := newAlarm()
	if err != nil {
		return nil, err
	}
	h := &held{gate: g, w: w, alarm: a, done: make(chan struct{})}
	h.changed.L = &h.mu
	return h, nil
}

// errCut is why an answer can't be put in line.
var errCut = errors.New("the connection's answers can't be sent any more")

// put moves the answer of the request at hand into the line; there may be none.
func (h *held) put(r *responses) error {
	w := waiting{h.next, len(r.buf)}
	h.next = ticket{}
	if w.size == 0 {
		return nil
	}
	// A request that isn't held departs at once, but not before those that came before it.
	w.departure = max(w.departure, h.last)
	h.last = w.departure
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.full() && !h.stopped {
		h.changed.Wait()
	}
	if h.stopped {
		h.gate.never(&w.ticket)
		return errCut
	}
	h.compact()
	h.line = append(h.line, w)
	h.bytes = append(h.bytes, r.buf...)
	r.clear()
	if len(h.line)-h.first == 1 {
		h.changed.Signal()
	}
	return nil
}

// full says whether an answer more has to wait for room. There is always room for the first one, however large.
func (h *held) full() bool {
	return len(h.line)-h.first >= mostWaiting || len(h.bytes)-h.sent >= mostWaitingBytes
}

// compact moves what is left in line to the start, where that makes room without growing: half of it is gone at least, so
// that moving costs no more than what was put in.
func (h *held) compact() {
	if h.first > len(h.line)/2 {
		h.line, h.first = h.line[:copy(h.line, h.line[h.first:])], 0
		h.bytes, h.sent = h.bytes[:copy(h.bytes, h.bytes[h.sent:])], 0
	}
}

// send sends answers at their times until the line ends.
func (h *held) send() {
	defer close(h.done)
	for h.wait() {
		// The answers are with the client while the write still goes on: its thread that waits for them may even take this
		// one's CPU before the write returns.
		at := h.gate.clock.now()
		_, err := h.w.Write(h.out)
		for i := range h.leaving {
			if t := &h.leaving[i].ticket; err == nil {
				h.gate.departed(t, at)
			} else {
				h.gate.never(t)
			}
		}
		if err != nil {
			h.err = err
			h.stop()
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range h.line[h.first:] {
		h.gate.never(&h.line[h.first+i].ticket)
	}
	h.first = len(h.line)
	h.stopped = true // so that nobody sets the alarm any more
	h.err = errors.Join(h.err, h.alarm.close())
}

// wait waits until answers are due and takes them out of the line; false: nothing is to be sent any more.
func (h *held) wait() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for !h.stopped {
		if h.first == len(h.line) {
			if h.ending {
				return false
			}
			h.changed.Wait()
			continue
		}
		now, due := h.gate.clock.now(), h.line[h.first].departure
		if due <= now {
			h.take(now)
			return true
		}
		if due-now <= spinTime && h.gate.startSpin() {
			h.mu.Unlock()
			for h.gate.clock.now() < due {
			}
			h.gate.endSpin()
			h.mu.Lock()
			continue
		}
		if h.gate.spins && due-now > spinTime {
			due -= spinTime
		}
		h.alarm.set(due, &h.gate.clock) // under the lock: stop must come before or after it, not be overwritten
		h.mu.Unlock()
		h.alarm.wait()
		h.mu.Lock()
	}
	return false
}

// spinTime is how long before an answer is due its sender wakes up and spins: about what waking up takes, and no longer,
// because the client under test may need the processor.
const spinTime = 30_000

// take takes the answers due out of the line.
func (h *held) take(now int64) {
	full := h.full()
	size, n := 0, h.first
	for n < len(h.line) && h.line[n].departure <= now && size < mostSent {
		size += h.line[n].size
		n++
	}
	h.leaving = append(h.leaving[:0], h.line[h.first:n]...)
	h.out = append(h.out[:0], h.bytes[h.sent:h.sent+size]...)
	h.first, h.sent = n, h.sent+size
	if full {
		h.changed.Signal()
	}
}

// stop ends the sending and wakes who waits.
func (h *held) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.stopped {
		h.stopped = true
		h.alarm.set(1, &h.gate.clock)
		h.changed.Broadcast()
	}
}

// finish waits until all answers in line have been sent, each at its time, or can't be.
func (h *held) finish() error {
	h.mu.Lock()
	h.ending = true
	h.changed.Broadcast()
	h.mu.Unlock()
	<-h.done
	return h.err
}
