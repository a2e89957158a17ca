package driver

import (
	"context"
	"net"
	"sync"
	"time"

	"kbench/native/auth"
	"kbench/workload"
)

// Dialer opens a client's connections with Kafka's socket settings, whether the client knows them or not:
// send.buffer.bytes, receive.buffer.bytes and the growing set-up time-out of KIP-601
// (socket.connection.setup.timeout.ms to …max.ms). Meter, when not nil, counts what is written.
type Dialer struct {
	// Security is how connections are secured. The Dialer does TLS, so that the meter counts what the client wrote; SASL is
	// for the client to do.
	Security auth.Config

	cfg          *workload.ProducerConfig
	meter        *WireMeter
	authenticate bool // the Dialer does SASL too
	tap          func(net.Conn) net.Conn

	mu       sync.Mutex
	failures map[string]int // address → set-ups that failed in a row
	conns    map[*trackedConn]struct{}
	shut     bool
}

// NewDialer returns a Dialer for cfg; meter may be nil.
func NewDialer(cfg *workload.ProducerConfig, meter *WireMeter) *Dialer {
	return &Dialer{cfg: cfg, meter: meter, failures: map[string]int{}, conns: map[*trackedConn]struct{}{}}
}

// DialContext connects to addr.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	timeout, err := d.begin(addr)
	if err != nil {
		return nil, err
	}
	nd := net.Dialer{Timeout: timeout}
	conn, err := nd.DialContext(ctx, network, addr)
	d.mu.Lock()
	if err != nil {
		d.failures[addr]++
	} else {
		delete(d.failures, addr)
	}
	d.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		if err := d.setBuffers(tcp); err != nil {
			conn.Close()
			return nil, err
		}
	}
	if d.tap != nil {
		conn = d.tap(conn)
	}
	if conn, err = d.track(conn); err != nil {
		return nil, err
	}
	if conn, err = d.secure(ctx, conn, addr, timeout); err == nil && d.meter != nil {
		conn = d.meter.Conn(conn)
	}
	return conn, err
}

// secure does what of Security is the Dialer's, within timeout.
func (d *Dialer) secure(ctx context.Context, conn net.Conn, addr string, timeout time.Duration) (secured net.Conn, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if d.authenticate {
		secured, _, err = d.Security.Secure(ctx, conn, addr)
	} else {
		secured, err = d.Security.Encrypt(ctx, conn, addr)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

// begin returns the time-out of the next set-up to addr, or an error after Shut.
func (d *Dialer) begin(addr string) (time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.failures[addr]
	switch {
	case d.shut:
		return 0, net.ErrClosed
	case n == 0 || d.cfg.SocketSetupTimeoutMax <= d.cfg.SocketSetupTimeout:
		return d.cfg.SocketSetupTimeout, nil
	}
	return Backoff(d.cfg.SocketSetupTimeout, d.cfg.SocketSetupTimeoutMax)(n + 1), nil
}

// track remembers an open connection for Shut.
func (d *Dialer) track(c net.Conn) (net.Conn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.shut {
		c.Close()
		return nil, net.ErrClosed
	}
	t := &trackedConn{c, d}
	d.conns[t] = struct{}{}
	return t, nil
}

// Shut closes every connection and refuses new ones, for clients that won't give up by themselves.
func (d *Dialer) Shut() {
	d.mu.Lock()
	d.shut = true
	conns := d.conns
	d.conns = map[*trackedConn]struct{}{}
	d.mu.Unlock()
	for c := range conns {
		c.Conn.Close()
	}
}

// trackedConn is a connection that its Dialer can close.
type trackedConn struct {
	net.Conn
	d *Dialer
}

// Close implements net.Conn.
func (c *trackedConn) Close() error {
	c.d.mu.Lock()
	delete(c.d.conns, c)
	c.d.mu.Unlock()
	return c.Conn.Close()
}

// Dial is DialContext without a context, for clients that have none to give.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// setBuffers sets the socket's buffers; −1 leaves them to the system.
func (d *Dialer) setBuffers(c *net.TCPConn) error {
	if n := d.cfg.SendBufferBytes; n >= 0 {
		if err := c.SetWriteBuffer(n); err != nil {
			return err
		}
	}
	if n := d.cfg.ReceiveBufferBytes; n >= 0 {
		return c.SetReadBuffer(n)
	}
	return nil
}
