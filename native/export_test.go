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

// SetDialer has a producer connect by dial.
func (c *Config) SetDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.dialer = dial
}
