package native

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"kbench/native/auth"
	"kbench/native/wire"
)

// coordinator is the broker that coordinates a transactional id or a group. Of the transactions' goroutine.
type coordinator struct {
	kind int8
	key  string
	addr string // empty: to be found
	conn *conn  // nil: not connected
}

// forget makes the next request look for the coordinator again.
func (c *coordinator) forget() {
	if c.conn != nil {
		c.conn.nc.Close()
	}
	c.conn, c.addr = nil, ""
}

// txnPace is when the transactions' goroutine goes on.
type txnPace uint8

const (
	atOnce txnPace = iota
	later          // after the retry backoff
	soon           // after firstAddBackoff
)

// firstAddBackoff is the wait before a first partition is added again while the transaction before is still being ended: that
// takes the coordinator no longer as a rule. Source: TransactionManager.ADD_PARTITIONS_RETRY_BACKOFF_MS (KAFKA-5482).
const firstAddBackoff = 20 * time.Millisecond

// errUnresolved ends a producer on a coordinator before 2.5.
var errUnresolved = errors.New("what became of some records is unknown, and the broker can't give a new epoch (it needs InitProducerId 3)")

// errBegunAnew is why a request was broken off: see rebootstrap.
var errBegunAnew = errors.New("broken off, to begin anew at the bootstrap servers")

// run asks the coordinators for what the state calls for, one request after the other, until the producer closes. Callers wait
// for it, and may leave: what was begun goes on.
func (x *transactions) run() {
	pr := x.pr
	defer pr.wg.Done()
	defer x.hangUp()
	attempts := int64(0)
	idle := time.NewTimer(time.Hour)
	defer idle.Stop()
	for {
		pr.mu.Lock()
		work := x.next()
		pr.mu.Unlock()
		if work == nil {
			attempts = 0
			idle.Reset(x.closeIdle())
			select {
			case <-x.wake:
			case <-idle.C:
			case <-pr.ctx.Done():
				return
			}
			continue
		}
		var wait time.Duration
		switch work() {
		case atOnce:
			attempts = 0
			pr.mu.Lock()
			x.trouble = nil
			pr.mu.Unlock()
		case later:
			attempts++
			pr.mu.Lock()
			wait = time.Duration(pr.backoff(attempts, pr.cfg.RetryBackoff, pr.cfg.RetryBackoffMax))
			pr.mu.Unlock()
		case soon:
			wait = min(firstAddBackoff, pr.cfg.RetryBackoff)
		}
		if wait > 0 && !pause(pr.ctx, wait) || pr.ctx.Err() != nil {
			return
		}
	}
}

// closeIdle closes connections that nothing was asked on for connections.max.idle.ms, and returns when to look again.
func (x *transactions) closeIdle() time.Duration {
	idle := x.pr.cfg.ConnectionsMaxIdle
	if idle <= 0 {
		return time.Hour
	}
	next := idle
	for _, c := range []**conn{&x.coordinator.conn, &x.group.conn, &x.control.conn} {
		if *c == nil {
			continue
		}
		if left := idle - time.Since((*c).used); left > 0 {
			next = min(next, left)
			continue
		}
		(*c).nc.Close()
		*c = nil
	}
	return next
}

// hangUp ends the calls that are still waiting.
func (x *transactions) hangUp() {
	x.coordinator.forget()
	x.group.forget()
	x.control.close()
	x.pr.mu.Lock()
	defer x.pr.mu.Unlock()
	switch c := x.call; {
	case c != nil && c.ended:
		x.finishCall(nil)
	case c != nil && x.asked:
		x.finishCall(fmt.Errorf("%s: %w before the coordinator answered: the transaction may be committed or not", c.op, ErrClosed))
	}
	x.failCalls(ErrClosed)
}

// next is the request that the state calls for, or nil. Producer.mu is held; the request is made without it.
// Source of the order: TransactionManager.Priority and nextRequest.
func (x *transactions) next() func() txnPace {
	giveUp := x.state == txnAborting || x.state == txnAbortable
	switch x.state {
	case txnInitializing:
		return x.initProducer
	case txnUninitialized, txnReady, txnFatal:
		return nil
	}
	if len(x.adding) == 0 && !giveUp {
		x.adding, x.fresh = x.fresh, x.adding
	}
	if len(x.adding) > 0 {
		if !giveUp || x.unsure {
			return x.addPartitions
		}
		x.adding = x.adding[:0]
	}
	for len(x.offsets) > 0 {
		c := x.offsets[0]
		if giveUp && !c.unsure {
			err := ErrTransactionAborted
			if x.state == txnAbortable {
				err = x.failure()
			}
			x.offsets = x.offsets[1:]
			c.finish(err)
			continue
		}
		if c.v2 || c.added {
			return x.commitOffsets
		}
		return x.addOffsets
	}
	switch {
	case !x.rested():
		return nil
	case x.state == txnAbortable:
		x.finishCall(x.failure()) // of a commit
		return nil
	case x.ending():
		return x.end
	}
	return nil
}

// requestBody appends the body of a request of a version.
type requestBody func(dst []byte, version int16) []byte

// apiRange is an API and the versions that it may be asked in.
type apiRange struct{ key, lowest, highest int16 }

// ask sends a request to a coordinator, which it finds first if it must. A verdict other than verdictOK says what comes of the
// failure.
func (x *transactions) ask(c *coordinator, api apiRange, body requestBody) (wire.Reader, int16, txnVerdict, error) {
	ctx, stop := context.WithCancel(x.pr.ctx)
	defer stop()
	x.beginAnew(stop)
	r, version, verdict, err := x.tryAsk(ctx, c, api, body)
	if verdict != verdictOK && ctx.Err() != nil && x.pr.ctx.Err() == nil { // whatever the connection says of that
		verdict, err = verdictRetry, fmt.Errorf("%s: %w", apiName(api.key), errBegunAnew)
	}
	return r, version, verdict, err
}

// tryAsk is ask until ctx ends.
func (x *transactions) tryAsk(ctx context.Context, c *coordinator, api apiRange, body requestBody) (wire.Reader, int16, txnVerdict, error) {
	timeout := x.pr.cfg.RequestTimeout
	reused := c.conn != nil
	if verdict, err := x.reach(ctx, c); verdict != verdictOK {
		return wire.Reader{}, 0, verdict, err
	}
	version, err := c.conn.pick(api.key, api.lowest, api.highest)
	if err != nil {
		return wire.Reader{}, 0, verdictFatal, err
	}
	var r wire.Reader
	if err = c.conn.renewInTurn(ctx, timeout); err == nil {
		r, err = c.conn.call(ctx, api.key, version, timeout, func(dst []byte) []byte { return body(dst, version) })
	}
	if err == nil {
		return r, version, verdictOK, nil
	}
	if reused && hungUp(err) && ctx.Err() == nil { // the broker may have closed an idle connection
		c.conn.nc.Close()
		c.conn = nil
		return x.tryAsk(ctx, c, api, body)
	}
	err = fmt.Errorf("%s: %w", apiName(api.key), err)
	return r, version, x.lost(c, err), err
}

// lost says what comes of a connection that couldn't be made or broke, and forgets the coordinator: it may have moved.
func (x *transactions) lost(c *coordinator, err error) txnVerdict {
	c.forget()
	if auth.Permanent(err) {
		return verdictFatal
	}
	return verdictRetry
}

// reach makes sure of a connection to a coordinator.
func (x *transactions) reach(ctx context.Context, c *coordinator) (txnVerdict, error) {
	pr := x.pr
	if c.addr == "" {
		if verdict, err := x.find(ctx, c); verdict != verdictOK {
			return verdict, err
		}
	}
	if c.conn != nil {
		return verdictOK, nil
	}
	conn, err := dial(ctx, &pr.cfg, c.addr, dialing{setup: pr.cfg.SocketSetupTimeout})
	if err != nil {
		return x.lost(c, err), err
	}
	c.conn = conn
	pr.learnFeatures(conn)
	if c.kind == wire.CoordinatorTransaction { // TransactionManager.handleCoordinatorReady
		_, err := conn.pick(wire.KeyInitProducerID, 3, 5)
		pr.mu.Lock()
		x.bumps = err == nil
		pr.mu.Unlock()
	}
	return verdictOK, nil
}

// find asks any broker for a coordinator.
func (x *transactions) find(ctx context.Context, c *coordinator) (txnVerdict, error) {
	if x.control.conn == nil {
		x.control.addrs = x.brokers()
	}
	r, version, err := x.control.ask(ctx, wire.KeyFindCoordinator, 1, 5, func(dst []byte, v int16) []byte {
		return wire.AppendFindCoordinator(dst, v, c.kind, c.key)
	})
	if err != nil {
		if errors.Is(err, ErrUnsupported) {
			return verdictFatal, err
		}
		return x.lost(c, err), err
	}
	found, err := wire.DecodeFindCoordinator(&r, version)
	if err != nil {
		x.control.close()
		return verdictRetry, err
	}
	if verdict := judge(wire.KeyFindCoordinator, found.Code); verdict != verdictOK {
		return verdict, fmt.Errorf("FindCoordinator for %q: %w", c.key, newError(found.Code, found.Message))
	}
	c.addr = net.JoinHostPort(found.Host, fmt.Sprint(found.Port))
	return verdictOK, nil
}

// brokers lists the addresses of the brokers known, the bootstrap servers last.
func (x *transactions) brokers() []string {
	x.pr.mu.Lock()
	defer x.pr.mu.Unlock()
	return slices.Concat(x.addrs, x.pr.cfg.Bootstrap)
}

// beginAnew follows the producer to the bootstrap servers: the coordinators known may be another cluster's by now (KIP-1102).
// From here on stop breaks off what follows, should the producer begin anew meanwhile.
func (x *transactions) beginAnew(stop func()) {
	x.pr.mu.Lock()
	anew := x.anew
	x.anew, x.stop = false, stop
	x.pr.mu.Unlock()
	if anew {
		x.coordinator.forget()
		x.group.forget()
		x.control.close()
	}
}

// learnFeatures takes over what a broker said of the cluster's features, if that is newer.
// Source: TransactionManager.maybeUpdateTransactionV2Enabled.
func (pr *Producer) learnFeatures(c *conn) {
	x := pr.txn
	if x == nil {
		return
	}
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if c.features.Epoch > x.features.Epoch {
		x.features = c.features
	}
}
