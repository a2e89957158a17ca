package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"kbench/native/auth"
	"kbench/native/wire"
)

// control asks any broker about the cluster, on a connection of its own. Used by one goroutine at a time.
type control struct {
	cfg   *Config
	conn  *conn
	addrs []string // known brokers, else the bootstrap servers
	known bool     // addrs are known brokers
	next  int
	met   bool // a broker answered once

	failures int          // rounds over all addresses that failed in a row
	opened   atomic.Int64 // connections; read by others
}

func newControl(cfg *Config) *control { return &control{cfg: cfg, addrs: cfg.Bootstrap} }

func (c *control) close() {
	if c.conn != nil {
		c.conn.nc.Close()
		c.conn = nil
	}
}

// rebootstrap forgets the brokers: the next request goes to a bootstrap server.
func (c *control) rebootstrap() {
	c.close()
	c.addrs, c.known, c.next = c.cfg.Bootstrap, false, 0
}

// connect makes sure of a connection. Where no known broker can be reached it goes back to the bootstrap servers (KIP-899,
// NetworkClient.maybeUpdate).
func (c *control) connect(ctx context.Context) error {
	if c.conn != nil {
		return nil
	}
	err := c.connectAny(ctx)
	if err != nil && c.known && c.cfg.MetadataRecovery == RecoveryRebootstrap && ctx.Err() == nil {
		c.rebootstrap()
		err = c.connectAny(ctx)
	}
	return err
}

// setupTimeout is how long connecting may take: twice as long after each round that failed (KIP-601).
func (c *control) setupTimeout() time.Duration {
	limit := max(c.cfg.SocketSetupTimeout, c.cfg.SocketSetupTimeoutMax)
	return min(limit, c.cfg.SocketSetupTimeout<<min(c.failures, 10)) // without overflow: Kafka knows 24 days at most
}

// connectAny tries every address once.
func (c *control) connectAny(ctx context.Context) error {
	var failed failures
	for i := range c.addrs {
		addr := c.addrs[c.next%len(c.addrs)]
		c.next++
		conn, err := c.dialInTurn(ctx, addr, len(c.addrs)-i)
		if err == nil {
			c.conn, c.met, c.failures = conn, true, 0
			c.opened.Add(1)
			return nil
		}
		failed.add(addr, err)
		if ctx.Err() != nil {
			break
		}
	}
	c.failures++
	err := failed.err()
	if errors.Is(err, ErrNotKafka) || auth.Known(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrNoBroker, err)
}

// failures gathers why addresses couldn't be connected to, each cause once.
type failures []failure

type failure struct {
	cause string // without the address
	err   error
	also  []string // other addresses with the same cause
}

func (f *failures) add(addr string, err error) {
	cause := strings.ReplaceAll(err.Error(), addr, "")
	var dialled *net.OpError
	if errors.As(err, &dialled) && dialled.Addr != nil { // of a name that was looked up
		cause = strings.ReplaceAll(cause, dialled.Addr.String(), "")
	}
	var lookup *net.DNSError
	if errors.As(err, &lookup) {
		cause = strings.ReplaceAll(cause, lookup.Name, "")
	}
	if !strings.Contains(err.Error(), addr) {
		err = fmt.Errorf("%s: %w", addr, err)
	}
	for i := range *f {
		if known := &(*f)[i]; known.cause == cause {
			known.also = append(known.also, addr)
			return
		}
	}
	*f = append(*f, failure{cause: cause, err: err})
}

func (f failures) err() error {
	errs := make([]error, len(f))
	for i, one := range f {
		if errs[i] = one.err; len(one.also) > 0 {
			errs[i] = fmt.Errorf("%w (the same at %s)", one.err, strings.Join(one.also, ", "))
		}
	}
	return errors.Join(errs...)
}

// dialInTurn connects to the first of some addresses that are still to be tried before ctx ends. Each has an equal share of the
// time left, so that one where nobody answers leaves some to those behind it: net.Dialer does the same for the addresses of a
// name. max.block.ms bounds ctx while the producer opens; later nothing does.
func (c *control) dialInTurn(ctx context.Context, addr string, left int) (*conn, error) {
	how := dialing{setup: c.setupTimeout(), first: !c.met}
	end, bounded := ctx.Deadline()
	if !bounded || left == 1 {
		return dial(ctx, c.cfg, addr, how)
	}
	share := time.Until(end) / time.Duration(left)
	turn, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	conn, err := dial(turn, c.cfg, addr, how)
	if err != nil && turn.Err() != nil && ctx.Err() == nil && !auth.Known(err) {
		err = fmt.Errorf("%s: no answer within %v, when it was the next one's turn: %v", addr, share.Round(time.Millisecond), err)
	}
	return conn, err
}

// ask sends a request of the highest version that both sides speak; body appends it. A broken connection is closed, so that
// the next call tries another broker.
func (c *control) ask(ctx context.Context, key, lowest, highest int16, body func(dst []byte, version int16) []byte) (wire.Reader, int16, error) {
	reused := c.conn != nil
	if err := c.connect(ctx); err != nil {
		return wire.Reader{}, 0, err
	}
	version, err := c.conn.pick(key, lowest, highest)
	if err != nil {
		return wire.Reader{}, 0, err
	}
	var r wire.Reader
	if err = c.conn.renewInTurn(ctx, c.cfg.RequestTimeout); err == nil {
		r, err = c.conn.call(ctx, key, version, c.cfg.RequestTimeout, func(dst []byte) []byte { return body(dst, version) })
	}
	if err == nil {
		return r, version, nil
	}
	addr := c.conn.addr
	c.close()
	if reused && ctx.Err() == nil { // the broker may have closed an idle connection
		return c.ask(ctx, key, lowest, highest, body)
	}
	if hungUp(err) && c.cfg.SASL == nil {
		return r, version, fmt.Errorf("%w: %s: it closed the connection on the first request (a listener that wants SASL: security.protocol?)", ErrNoBroker, addr)
	}
	return r, version, fmt.Errorf("%w: %s: %s: %w", ErrNoBroker, addr, apiName(key), err)
}

// learn takes over the brokers' addresses.
func (c *control) learn(brokers []wire.Broker) {
	c.addrs, c.known = make([]string, 0, len(brokers)), true
	for _, b := range brokers {
		c.addrs = append(c.addrs, address(b))
	}
}

func address(b wire.Broker) string { return net.JoinHostPort(b.Host, fmt.Sprint(b.Port)) }
