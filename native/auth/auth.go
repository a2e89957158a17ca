// Package auth makes a connection to a Kafka broker a secured one: TLS, then SASL, with errors that tell at once what
// doesn't fit. It knows connections and settings' names, and no client.
package auth

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"

	"kbench/native/wire"
)

// Config says how connections are secured. The zero value: not at all.
type Config struct {
	TLS  *tls.Config    // nil: no TLS. ServerName "" stands for the host connected to
	SASL sasl.Mechanism // nil: no SASL
	// Curious tries whether a listener that hangs up on plain text speaks TLS, and whether one that hangs up on credentials
	// answers without any, for a better error. It takes up to a second:
	// not for connections to a broker that is known, and hangs up because it restarts.
	Curious bool
	// Dial connects for that; nil: as net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Secured says whether there is anything to do.
func (c Config) Secured() bool { return c.TLS != nil || c.SASL != nil }

// Protocol is the value of security.protocol that c amounts to.
func (c Config) Protocol() string {
	switch {
	case c.TLS != nil && c.SASL != nil:
		return "SASL_SSL"
	case c.TLS != nil:
		return "SSL"
	case c.SASL != nil:
		return "SASL_PLAINTEXT"
	}
	return "PLAINTEXT"
}

// softwareName is how a broker knows who authenticates.
const softwareName = "kbench"

// Secure does TLS and SASL on nc, a new connection to addr (host:port), before ctx ends, and returns the connection to use
// from then on and how long its session lasts (KIP-368; 0: for ever). Its Close doesn't wait for a peer that doesn't read.
// On an error, nc is left for the caller to close.
func (c Config) Secure(ctx context.Context, nc net.Conn, addr string) (out net.Conn, lifetime time.Duration, err error) {
	if !c.Secured() {
		return nc, 0, nil
	}
	err = bounded(ctx, nc, func() error {
		if out, err = c.encrypt(ctx, nc, addr); err != nil {
			return err
		}
		// A certificate that the broker doesn't accept shows with the first answer only (TLS 1.3), so there is one in any case.
		x := &exchange{nc: out, br: bufio.NewReaderSize(out, 512)}
		version, err := x.authenticateVersion()
		if err != nil {
			return c.firstAnswer(ctx, err, addr)
		}
		if c.SASL != nil {
			lifetime, err = Authenticate(ctx, c.SASL, addr, version, x.ask)
		}
		if err != nil && hungUp(err) && c.Curious && c.answersWithoutSASL(ctx, addr) {
			return fmt.Errorf("%w (security.protocol): it answers without, and closed the connection when it saw the credentials", ErrNoSASL)
		}
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	return out, lifetime, nil
}

// Encrypt is Secure's TLS alone, without a request: for clients that do SASL themselves, and begin with ApiVersions, which a
// broker takes only once before it.
func (c Config) Encrypt(ctx context.Context, nc net.Conn, addr string) (out net.Conn, err error) {
	if c.TLS == nil {
		return nc, nil
	}
	err = bounded(ctx, nc, func() error {
		out, err = c.encrypt(ctx, nc, addr)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c Config) encrypt(ctx context.Context, nc net.Conn, addr string) (net.Conn, error) {
	if c.TLS == nil {
		return nc, nil
	}
	t, err := c.handshake(ctx, nc, addr)
	if err != nil {
		return nil, err
	}
	return tlsConn{t, nc}, nil
}

// bounded has what do does on nc end with ctx.
func bounded(ctx context.Context, nc net.Conn, do func() error) error {
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if deadline, ok := ctx.Deadline(); ok {
		if err := nc.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	if !stop() {
		return ctx.Err()
	}
	return nc.SetDeadline(time.Time{})
}

// firstAnswer explains an error in place of the first answer.
func (c Config) firstAnswer(ctx context.Context, err error, addr string) error {
	var timeout net.Error
	switch {
	case c.TLS != nil && alert(err) != nil:
		return alert(err)
	case errors.Is(err, ErrTLSListener), errors.Is(err, ErrNotKafka):
		return err
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: it didn't answer in time", ErrNotKafka)
	case !hungUp(err):
		return err
	case c.TLS != nil:
		return fmt.Errorf("%w: it closed the connection after the TLS handshake (does it want a client certificate, ssl.keystore.location?)", ErrNotKafka)
	}
	return c.HungUp(ctx, addr)
}

// HungUp is the error for a listener that closed a connection when it was asked in plain text.
func (c Config) HungUp(ctx context.Context, addr string) error {
	if c.Curious && c.speaksTLS(ctx, addr) {
		return fmt.Errorf("%w (security.protocol)", ErrTLSListener)
	}
	return fmt.Errorf("%w: it closed the connection without an answer", ErrNotKafka)
}

// hungUp tells whether the peer closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// tlsConn closes without TLS's good-bye, which could block for seconds on a peer that doesn't read. Kafka's messages have
// lengths, so nothing can be cut off unnoticed.
type tlsConn struct {
	*tls.Conn
	raw net.Conn
}

// Close implements net.Conn.
func (c tlsConn) Close() error { return c.raw.Close() }

// exchange is a conversation on a new connection.
type exchange struct {
	nc          net.Conn
	br          *bufio.Reader
	correlation int32
}

// maxAnswer bounds an answer during set-up: an unsecured peer isn't believed any length.
const maxAnswer = 1 << 20

// ask implements Ask.
func (x *exchange) ask(_ context.Context, key, version int16, body []byte) (wire.Reader, error) {
	x.correlation++
	req := wire.AppendRequestHeader(make([]byte, 4, 64+len(body)), key, version, x.correlation, softwareName)
	req = append(req, body...)
	binary.BigEndian.PutUint32(req, uint32(len(req)-4))
	if _, err := x.nc.Write(req); err != nil {
		return wire.Reader{}, err
	}
	head, err := x.br.Peek(4)
	if err != nil {
		return wire.Reader{}, err
	}
	n := binary.BigEndian.Uint32(head)
	if IsTLS(head) {
		return wire.Reader{}, fmt.Errorf("%w (security.protocol)", ErrTLSListener)
	}
	if n < 4 || n > maxAnswer {
		return wire.Reader{}, fmt.Errorf("%w: it answers with %q, which is no length of a response", ErrNotKafka, head)
	}
	frame := make([]byte, 4+n)
	if _, err := io.ReadFull(x.br, frame); err != nil {
		return wire.Reader{}, err
	}
	correlation, r := wire.ResponseBody(frame[4:], key, version)
	if correlation != x.correlation || r.Err() != nil {
		return r, fmt.Errorf("%w: response %d to request %d", ErrNotKafka, correlation, x.correlation)
	}
	return r, nil
}

// IsTLS recognises a TLS alert or handshake record by its first bytes.
func IsTLS(head []byte) bool {
	return len(head) > 1 && (head[0] == 0x15 || head[0] == 0x16) && head[1] == 3
}

// authenticateVersion is the newest version of SaslAuthenticate that both sides speak.
func (x *exchange) authenticateVersion() (int16, error) {
	r, err := x.ask(context.Background(), wire.KeyAPIVersions, 0, nil)
	if err != nil {
		return 0, err
	}
	code, ranges, err := wire.DecodeAPIVersions(&r, 0)
	if err != nil || code != 0 {
		return 0, fmt.Errorf("%w: malformed answer to ApiVersions", ErrNotKafka)
	}
	return AuthenticateVersion(ranges), nil
}
