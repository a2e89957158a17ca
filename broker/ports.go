package broker

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Brokers get ports below those that systems give to outgoing connections: there, one that is free now may be taken by
// anybody's connection before the broker listens on it.
const (
	lowestPort  = 20000
	highestPort = 32000
	portTries   = 1000
)

// heldPorts are ports kept free by listening on them until release.
type heldPorts struct {
	ports     []int
	listeners []net.Listener
}

// holdPorts finds n free ports of 127.0.0.1; the first is first unless that is 0.
func holdPorts(n, first int) (*heldPorts, error) {
	h := &heldPorts{}
	if first != 0 {
		if err := h.hold(first); err != nil {
			return nil, fmt.Errorf("port %d isn't free: %w", first, err)
		}
	}
	for range portTries {
		if len(h.ports) == n {
			return h, nil
		}
		// A port that is taken, by somebody else or by ourselves, is no error: the next try takes another one.
		_ = h.hold(lowestPort + rand.IntN(highestPort-lowestPort))
	}
	h.release()
	return nil, errors.New("found no free ports for the brokers between " + strconv.Itoa(lowestPort) + " and " + strconv.Itoa(highestPort))
}

func (h *heldPorts) hold(port int) error {
	l, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return err
	}
	h.ports, h.listeners = append(h.ports, port), append(h.listeners, l)
	return nil
}

// release lets go of the ports, for the brokers to take.
func (h *heldPorts) release() {
	for _, l := range h.listeners {
		l.Close() // nobody connected
	}
	h.listeners = nil
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
