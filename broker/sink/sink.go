// Package sink is a broker that takes what Kafka producers send, counts it, and throws it away at close to no cost.
//
// It speaks enough of Kafka's protocol for producers and for metadata and admin use. Of a Produce request it reads the
// header, the framing of topics and partitions and the 61-byte header of each record batch; record bytes are discarded
// inside the kernel where the system can do that. Nothing is stored, so nothing can be fetched; but every partition's
// records are counted, so ListOffsets gives end offsets that can be checked against what a client says it sent.
//
// Its answers can be held by a model (Hold), and the true times of requests and answers logged (Options.TimingLog): what a
// benchmark reports can then be checked against what is known to be true.
package sink

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Server is a sink that listens; Listen makes one. Its methods may be called from any goroutine.
type Server struct {
	opts      Options
	topics    *registry
	listeners []net.Listener // one per broker, by node id
	gate      *gate          // nil: answers aren't held
	producers atomic.Int64   // producer ids given out
	running   sync.WaitGroup // connections
	closing   sync.Once

	mu     sync.Mutex
	closed bool
	conns  map[*conn]struct{}
	gone   Stats // sums of closed connections
}

// Listen opens the sink's sockets: the first broker at addr (host:port; port 0 chooses one), further brokers at the
// same host on ports that the system chooses. Clients may connect from then on; they are answered once Serve runs.
func Listen(addr string, opts Options) (*Server, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{opts: opts, topics: newRegistry(opts), conns: map[*conn]struct{}{}}
	if opts.Hold.Active() || opts.TimingLog != "" {
		if s.gate, err = newGate(opts); err != nil {
			return nil, fmt.Errorf("sink: %w", err)
		}
	}
	for node := range opts.Brokers {
		at := addr
		if node > 0 {
			host, _, err := net.SplitHostPort(s.listeners[0].Addr().String())
			if err != nil {
				return nil, errors.Join(fmt.Errorf("sink: %w", err), s.Close())
			}
			at = net.JoinHostPort(host, "0")
		}
		l, err := net.Listen("tcp", at)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("sink: broker %d can't listen on %q: %w", node, at, err), s.Close())
		}
		s.listeners = append(s.listeners, l)
	}
	return s, nil
}

// Addr is where the first broker listens: the address to bootstrap from.
func (s *Server) Addr() net.Addr { return s.listeners[0].Addr() }

// Addrs is where each broker listens, by node id.
func (s *Server) Addrs() []net.Addr {
	addrs := make([]net.Addr, len(s.listeners))
	for i, l := range s.listeners {
		addrs[i] = l.Addr()
	}
	return addrs
}

// Serve answers clients until Close, then returns nil; another error means that a listener broke.
func (s *Server) Serve() error {
	errs := make(chan error, len(s.listeners))
	for node, l := range s.listeners {
		go func() { errs <- s.accept(int32(node), l) }()
	}
	var first error
	for range s.listeners {
		if err := <-errs; err != nil && first == nil {
			first = errors.Join(err, s.Close())
		}
	}
	return first
}

// accept serves the connections of one broker until its listener is closed.
func (s *Server) accept(node int32, l net.Listener) error {
	for {
		nc, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
				s.log(l.Addr(), err) // out of descriptors: those connected go on, the next one waits for its turn
				time.Sleep(50 * time.Millisecond)
				continue
			}
			return fmt.Errorf("sink: broker %d: %w", node, err)
		}
		c, err := newConn(s, node, nc)
		if err != nil {
			s.log(nc.RemoteAddr(), errors.Join(err, nc.Close()))
			continue
		}
		if s.add(c) {
			go s.serve(c)
		}
	}
}

// serve runs one connection to its end.
func (s *Server) serve(c *conn) {
	defer s.running.Done()
	err := c.serve()
	closeErr := c.nc.Close()
	s.mu.Lock()
	closed := s.closed
	delete(s.conns, c)
	s.gone.add(c.counts.snapshot())
	s.mu.Unlock()
	if closed {
		return // Close cut the connection: how it ended says nothing
	}
	if err := errors.Join(err, closeErr); err != nil {
		s.log(c.nc.RemoteAddr(), err)
	}
}

// add registers a connection, or closes it and says false when the server is closed.
func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		c.nc.Close() // nothing was sent or received on it: how the close ends is of no interest
		if c.held != nil {
			_ = c.held.alarm.close()
		}
		return false
	}
	s.conns[c] = struct{}{}
	s.gone.Connections++
	c.id = uint32(s.gone.Connections)
	s.running.Add(1)
	return true
}

// Close stops listening, cuts all connections, waits until none is being served, and completes the timing log. Stats stay
// readable. A second call waits for the first and returns nil.
func (s *Server) Close() (err error) {
	s.closing.Do(func() { err = s.shut() })
	return err
}

func (s *Server) shut() error {
	s.mu.Lock()
	s.closed = true
	var errs []error
	for _, l := range s.listeners {
		errs = append(errs, l.Close())
	}
	for c := range s.conns {
		c.close()
	}
	s.mu.Unlock()
	s.running.Wait()
	if err := s.gate.close(); err != nil {
		errs = append(errs, fmt.Errorf("sink: %w", err))
	}
	return errors.Join(errs...)
}

// Stats sums up all connections, open and closed, since Listen.
func (s *Server) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := s.gone
	for c := range s.conns {
		sum.add(c.counts.snapshot())
	}
	return sum
}

// TimingError says how late answers have left so far, in steps of 3 %, held against their planned departures; nothing has
// been counted where the sink neither holds nor logs.
func (s *Server) TimingError() TimingErrors {
	if s.gate == nil {
		return TimingErrors{}
	}
	return s.gate.late.errors()
}

func (s *Server) log(from net.Addr, err error) {
	if s.opts.Log != nil {
		s.opts.Log(fmt.Errorf("sink: connection from %s: %w", from, err))
	}
}

// port is the port that a broker listens on.
func (s *Server) port(node int) int32 {
	_, port, err := net.SplitHostPort(s.listeners[node].Addr().String())
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}
