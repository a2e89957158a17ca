package driver

import (
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// meteredConn is a connection whose requests and answers its meter counts. One goroutine at a time writes, one reads.
type meteredConn struct {
	net.Conn
	meter *WireMeter

	mu       sync.Mutex
	waiting  []sentRequest // produce requests without an answer, in order: so brokers answer them
	answered time.Time     // when the last of them was

	// Of who reads: where in an answer the next byte belongs.
	head  [8]byte // length and correlation id
	have  int     // bytes of head
	skip  int     // bytes of the answer that come after head
	blind bool    // what comes isn't framed as answers are
}

// sentRequest is a produce request on its way.
type sentRequest struct {
	correlation int32
	at          time.Time // when its last byte was with the system; before that, when writing began
}

// Write implements net.Conn.
func (c *meteredConn) Write(b []byte) (int, error) {
	correlation, answers := c.expect(b)
	n, err := c.Conn.Write(b)
	if err != nil {
		return n, err
	}
	if answers {
		c.mu.Lock()
		if last := len(c.waiting) - 1; last >= 0 && c.waiting[last].correlation == correlation { // else it is answered already
			c.waiting[last].at = time.Now()
		}
		c.mu.Unlock()
	}
	c.meter.observe(b)
	return n, nil
}

// expect notes a produce request before it is written: its answer may be read before Write returns.
func (c *meteredConn) expect(b []byte) (correlation int32, answers bool) {
	r := reader{b: b}
	size, key := r.int32(), r.int16()
	r.int16() // version
	correlation = r.int32()
	if r.bad || int(size) != len(b)-4 || key != 0 || c.meter.noAnswers {
		return 0, false
	}
	c.mu.Lock()
	c.waiting = append(c.waiting, sentRequest{correlation, time.Now()})
	c.mu.Unlock()
	return correlation, true
}

// Read implements net.Conn.
func (c *meteredConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.follow(b[:n])
	return n, err
}

// maxAnswer bounds the length of an answer: a longer one is none.
const maxAnswer = 1 << 30

// follow finds the correlation ids in what was read, wherever reads begin and end.
func (c *meteredConn) follow(b []byte) {
	for len(b) > 0 && !c.blind {
		if c.skip > 0 {
			n := min(c.skip, len(b))
			c.skip -= n
			b = b[n:]
			continue
		}
		want := 4
		if c.have >= 4 {
			want = len(c.head)
		}
		n := copy(c.head[c.have:want], b)
		c.have += n
		b = b[n:]
		if c.have < want {
			return
		}
		size := int(binary.BigEndian.Uint32(c.head[:]))
		switch {
		case size > maxAnswer:
			c.blind = true
		case size < 4: // a token of the oldest SASL exchange, or nothing
			c.skip, c.have = size, 0
		case c.have == len(c.head):
			c.skip, c.have = size-4, 0
			c.answer(int32(binary.BigEndian.Uint32(c.head[4:])))
		}
	}
}

// answer counts the answer to a produce request; those to others it doesn't find.
func (c *meteredConn) answer(correlation int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, req := range c.waiting {
		if req.correlation != correlation {
			continue
		}
		now := time.Now()
		began := req.at
		if c.answered.After(began) {
			began = c.answered
		}
		c.answered = now
		c.waiting = append(c.waiting[:0], c.waiting[i+1:]...) // those before it get no answer any more
		c.meter.answer(now.Sub(req.at), now.Sub(began))
		return
	}
}

// answer counts one answer.
func (m *WireMeter) answer(flight, broker time.Duration) {
	m.mu.Lock()
	m.seen.flight.Record(int64(flight))
	m.seen.broker.Record(int64(broker))
	m.mu.Unlock()
}
