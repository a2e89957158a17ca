package driver

import (
	"context"
	"net"
	"sync"
	"time"

	"kbench/workload"
)

// Dialer opens a client's connections with Kafka's socket settings, whether the client knows them or not:
// send.buffer.bytes, receive.buffer.bytes and the growing set-up time-out of KIP-601
// (socket.connection.setup.timeout.ms to …max.ms). Meter, when not nil, counts what is written.
type Dialer struct {
	cfg   *workload.ProducerConfig
	meter *WireMeter

	mu       sync.Mutex
	failures map[string]int // address → set-ups that failed in a row
}

// NewDialer returns a Dialer for cfg; meter may be nil.
func NewDialer(cfg *workload.ProducerConfig, meter *WireMeter) *Dialer {
	return &Dialer{cfg: cfg, meter: meter, failures: map[string]int{}}
}

// DialContext connects to addr.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	nd := net.Dialer{Timeout: d.timeout(addr)}
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
	if d.meter != nil {
		conn = d.meter.Conn(conn)
	}
	return conn, nil
}

// Dial is DialContext without a context, for clients that have none to give.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

func (d *Dialer) timeout(addr string) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := d.failures[addr]
	if n == 0 || d.cfg.SocketSetupTimeoutMax <= d.cfg.SocketSetupTimeout {
		return d.cfg.SocketSetupTimeout
	}
	return Backoff(d.cfg.SocketSetupTimeout, d.cfg.SocketSetupTimeoutMax)(n + 1)
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
