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

// FreeEarly makes the producer free buffers while a writer may hold them.
func (pr *Producer) FreeEarly() {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.mem.early = true
}

// SetDialer has a producer connect by dial.
func (c *Config) SetDialer(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.dialer = dial
}
