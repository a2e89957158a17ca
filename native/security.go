package native

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"

	"kbench/native/auth"
	"kbench/native/wire"
)

// Errors of New that security makes. A record ends with one of those from ErrCertificate to ErrAuthentication where a broker
// refuses a connection later.
var (
	ErrTLSListener    = auth.ErrTLSListener    // a plain-text producer at a TLS listener
	ErrNotTLS         = auth.ErrNotTLS         // the reverse
	ErrCertificate    = auth.ErrCertificate    // unknown authority, expired, another host's; or the producer's own
	ErrMechanism      = auth.ErrMechanism      // the text lists those that the broker has
	ErrAuthentication = auth.ErrAuthentication // wrong password, token, user
	ErrToken          = auth.ErrToken          // no token came from where they come from
)

// security is how connections are secured.
func (c *Config) security() auth.Config { return auth.Config{TLS: c.TLS, SASL: c.SASL, Dial: c.Dialer} }

// secure makes a new connection a secured one.
func (c *conn) secure(ctx context.Context, timeout time.Duration) error {
	if !c.security.Secured() {
		return nil
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	nc, lifetime, err := c.security.Secure(bounded, c.nc, c.addr)
	if err != nil {
		return err
	}
	c.nc = nc
	c.authenticated(lifetime)
	return nil
}

// authenticated notes when the session has to be renewed: at 85 to 95 % of its life, as Kafka's client does
// (SaslClientAuthenticator), so that many clients don't all come at once.
func (c *conn) authenticated(lifetime time.Duration) {
	c.renewAt = time.Time{}
	if lifetime > 0 {
		c.renewAt = time.Now().Add(time.Duration((0.85 + 0.1*rand.Float64()) * float64(lifetime)))
	}
}

// sessionEnds says whether it is time to authenticate again.
func (c *conn) sessionEnds() bool { return !c.renewAt.IsZero() && !time.Now().Before(c.renewAt) }

// renewVia authenticates again, on the same connection.
func (c *conn) renewVia(ctx context.Context, ask auth.Ask) error {
	lifetime, err := auth.Authenticate(ctx, c.security.SASL, c.addr, auth.AuthenticateVersion(c.versions), ask)
	if err != nil {
		return fmt.Errorf("%s: authenticating again: %w", c.addr, err)
	}
	c.authenticated(lifetime)
	return nil
}

// renewInTurn authenticates again if it is time, on a connection where every request waits for its answer.
func (c *conn) renewInTurn(ctx context.Context, timeout time.Duration) error {
	if !c.sessionEnds() {
		return nil
	}
	return c.renewVia(ctx, func(ctx context.Context, key, version int16, body []byte) (wire.Reader, error) {
		return c.call(ctx, key, version, timeout, func(dst []byte) []byte { return append(dst, body...) })
	})
}

// renew authenticates again between two requests. It runs on the goroutine that writes, with nothing in flight; the one that
// reads passes the answers on. Producer.mu is not held.
func (l *link) renew(pr *Producer) error {
	answers := make(chan []byte, 1)
	direct := func(to chan []byte) {
		pr.mu.Lock()
		l.answers = to
		pr.mu.Unlock()
	}
	direct(answers)
	defer direct(nil)
	err := l.renewVia(pr.ctx, func(ctx context.Context, key, version int16, body []byte) (wire.Reader, error) {
		l.correlation++
		req := wire.AppendRequestHeader(make([]byte, 4, 64+len(body)), key, version, l.correlation, l.clientID)
		req = append(req, body...)
		binary.BigEndian.PutUint32(req, uint32(len(req)-4))
		if err := l.nc.SetWriteDeadline(time.Now().Add(pr.cfg.RequestTimeout)); err != nil {
			return wire.Reader{}, err
		}
		if _, err := l.nc.Write(req); err != nil {
			return wire.Reader{}, err
		}
		timer := time.NewTimer(pr.cfg.RequestTimeout)
		defer timer.Stop()
		select {
		case frame := <-answers:
			correlation, r := wire.ResponseBody(frame, key, version)
			if err := r.Err(); err != nil {
				return r, err
			}
			if correlation != l.correlation {
				return r, fmt.Errorf("%w: response %d to request %d", wire.ErrMalformed, correlation, l.correlation)
			}
			return r, nil
		case <-l.done:
			return wire.Reader{}, fmt.Errorf("the connection ended")
		case <-ctx.Done():
			return wire.Reader{}, ctx.Err()
		case <-timer.C:
			return wire.Reader{}, fmt.Errorf("no response within request.timeout.ms = %v", pr.cfg.RequestTimeout)
		}
	})
	if err != nil && auth.Permanent(err) {
		pr.refusedBy(err)
	}
	return err
}

// pass hands a response to renew. Producer.mu is held.
func (l *link) pass(frame []byte) error {
	select {
	case l.answers <- append([]byte(nil), frame...): // frame is the connection's
		return nil
	default:
		return fmt.Errorf("%w: a response that wasn't asked for", wire.ErrMalformed)
	}
}

// refusedBy ends the producer: a broker refuses what it shows itself with, and trying again would be in vain. Java's client
// treats a SaslAuthenticationException or an SslAuthenticationException the same way.
func (pr *Producer) refusedBy(err error) {
	pr.mu.Lock()
	done := pr.abandon(err, nil)
	pr.mu.Unlock()
	pr.deliver(done)
}
