package selftest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"kbench/broker/sink"
	"kbench/driver"
)

// tap notes when answers came in at a client, on CLOCK_MONOTONIC: the moment at which the client had read the last byte.
// What it does from there until it tells is its own, and so is what kbench does from there until it reports.
type tap struct {
	clock systemClock
	room  int // answers of a connection, before noting them allocates

	mu    sync.Mutex
	conns []*tappedConn
}

func newTap(room int) *tap { return &tap{clock: newSystemClock(), room: room} }

// conn is a driver.Config's Tap.
func (t *tap) conn(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	tc := &tappedConn{TCPConn: tcp, clock: &t.clock, at: make([]int64, 0, t.room)}
	t.mu.Lock()
	t.conns = append(t.conns, tc)
	t.mu.Unlock()
	return tc
}

// wrap makes a driver connect through the tap.
func (t *tap) wrap(d driver.Driver) driver.Driver {
	open := d.Open
	d.Open = func(ctx context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
		cfg.Tap = t.conn
		return open(ctx, cfg, ack)
	}
	return d
}

// received is a sink's log with the times at which its answers came in, instead of those at which they left. The client must
// have ended. All answers have to be of one connection, on which nothing but records was asked since the first of them.
func (t *tap) received(log []sink.LogEntry) ([]sink.LogEntry, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var most []int64
	for _, c := range t.conns {
		c.mu.Lock()
		if len(c.at) > len(most) {
			most = c.at
		}
		c.mu.Unlock()
	}
	left, first := 0, int64(0)
	for i := range log {
		if log[i].Departed != 0 {
			if left == 0 {
				first = log[i].Departed
			}
			left++
		}
	}
	if left > len(most) {
		return nil, fmt.Errorf("%d answers left the sink, and a connection of the client read %d at most", left, len(most))
	}
	next := len(most) - left // before them: versions, metadata
	if next > 0 && most[next-1] >= first {
		return nil, errors.New("an answer to something else came in between those to records")
	}
	log = slices.Clone(log)
	for i := range log {
		departed := &log[i].Departed
		if *departed == 0 {
			continue
		}
		if most[next] < *departed {
			return nil, fmt.Errorf("answer %d came in %d ns before it left the sink", i+1, *departed-most[next])
		}
		*departed = most[next]
		next++
	}
	return log, nil
}

// tappedConn is a connection that notes the end of each answer. It embeds what it wraps, so that writing several pieces at
// once stays one system call.
type tappedConn struct {
	*net.TCPConn
	clock *systemClock

	// Of who reads: one goroutine at a time.
	head [4]byte // the length of an answer
	have int     // bytes of it
	rest int     // bytes of the answer that haven't come yet

	mu sync.Mutex
	at []int64
}

// Read implements net.Conn.
func (c *tappedConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if n > 0 {
		c.follow(b[:n], c.clock.now())
	}
	return n, err
}

// follow finds the ends of answers in what was read at a time.
func (c *tappedConn) follow(b []byte, now int64) {
	for len(b) > 0 {
		if c.have < len(c.head) {
			n := copy(c.head[c.have:], b)
			c.have += n
			b = b[n:]
			if c.have < len(c.head) {
				return
			}
			c.rest = int(binary.BigEndian.Uint32(c.head[:]))
		}
		n := min(c.rest, len(b))
		c.rest -= n
		b = b[n:]
		if c.rest == 0 {
			c.have = 0
			c.mu.Lock()
			c.at = append(c.at, now)
			c.mu.Unlock()
		}
	}
}
