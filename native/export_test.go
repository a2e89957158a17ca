package native

import (
	"context"
	"net"
)

// Poison makes the producer overwrite freed buffers.
func (pr *Producer) Poison() {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.mem.poison = true
}

// Record counts a value.
func (h *Histogram) Record(v int64) { h.record(v) }

// SetDialer has a producer connect by dial.
func (c *Config) SetDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.dialer = dial
}
