package sink

import (
	"errors"
	"fmt"
	"io"
	"net"
)

// conn is one client's connection to one of the brokers, served by one goroutine, and by one more that sends where answers
// are held. In steady state nothing is allocated.
type conn struct {
	server *Server
	id     uint32 // in the order of acceptance, from 1
	node   int32  // the broker it came to
	nc     net.Conn
	in     *input
	frame  frame
	out    responses
	held   *held   // nil: answers leave at once
	taken  []taken // what the Produce request at hand adds to partitions; kept for its capacity
	counts counts
}

func newConn(s *Server, node int32, nc net.Conn) (*conn, error) {
	src, err := newSource(nc)
	if err != nil {
		return nil, err
	}
	in := newInput(src)
	c := &conn{server: s, node: node, nc: nc, in: in, frame: frame{in: in}, out: responses{w: nc}}
	if s.gate != nil {
		if c.held, err = newHeld(s.gate, nc); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// close cuts the connection, from any goroutine. How that goes is of no interest: the client may have closed it, too.
func (c *conn) close() {
	c.nc.Close()
	if c.held != nil {
		c.held.stop()
	}
}

// header is what every request starts with.
type header struct {
	key, version int16
	correlation  int32
}

// minHeader is the size of the shortest request header.
const minHeader = 2 + // api key
	2 + // api version
	4 + // correlation id
	2 // length of the client id

// serve answers requests in their order until the client closes the connection (nil) or something is wrong with it.
func (c *conn) serve() error {
	if c.held == nil {
		return c.read()
	}
	go c.held.send()
	err := c.read()
	return errors.Join(err, c.held.finish())
}

// read takes requests and answers those that aren't held.
//
// Answers are sent as soon as the next request isn't wholly here: what a client sent in one go is answered in one go,
// and no answer waits for bytes that are still to come.
func (c *conn) read() error {
	for {
		if !c.requestBuffered() {
			if err := c.out.send(); err != nil {
				return err
			}
		}
		if err := c.in.fill(4); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		size := c.size()
		c.in.r += 4
		if size < minHeader || size > c.server.opts.MaxRequestBytes {
			return errors.Join(
				fmt.Errorf("a request of %d bytes; allowed are %d to %d", size, minHeader, c.server.opts.MaxRequestBytes),
				c.out.send())
		}
		c.frame.start(size)
		if err := c.request(); err != nil {
			return errors.Join(err, c.out.send())
		}
	}
}

// size is the size of the next request; its first 4 bytes are buffered.
func (c *conn) size() int {
	b := c.in.buf[c.in.r:]
	return int(int32(uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])))
}

// requestBuffered says whether the next request is here already, from its first byte to its last.
func (c *conn) requestBuffered() bool {
	return c.in.buffered() >= 4 && c.in.buffered()-4 >= c.size()
}

// request takes one request. After an error the connection can't go on; answers to earlier requests are kept.
func (c *conn) request() error {
	f := &c.frame
	h := header{key: f.int16(), version: f.int16(), correlation: f.int32()}
	f.skipString(false) // the client id has the old form in every version of the header
	if f.err != nil {
		return f.err
	}
	var err error
	if h.key == produceKey {
		err = c.produce(h)
	} else {
		err = c.control(h)
	}
	if err != nil {
		return fmt.Errorf("%s v%d: %w", keyName(h.key), h.version, err)
	}
	c.counts.requests.Add(1)
	c.in.next()
	if c.held != nil {
		return c.held.put(&c.out)
	}
	return nil
}
