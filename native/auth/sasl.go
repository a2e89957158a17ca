package auth

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"

	"kbench/native/wire"
)

// Ask sends a request with that body and returns the body of its answer, which may be overwritten by the next call.
type Ask func(ctx context.Context, key, version int16, body []byte) (wire.Reader, error)

// Codes of Kafka's errors here.
const (
	codeUnsupportedMechanism = 33
	codeIllegalState         = 34
	codeFailed               = 58
)

// maxRounds bounds an authentication: no mechanism needs more than three.
const maxRounds = 10

// newestAuthenticate is the newest version of SaslAuthenticate that is spoken here.
const newestAuthenticate = 2

// AuthenticateVersion is the newest version of SaslAuthenticate that both sides speak.
func AuthenticateVersion(offered []wire.VersionRange) int16 {
	for _, r := range offered {
		if r.Key == wire.KeySASLAuthenticate {
			return min(r.Max, newestAuthenticate)
		}
	}
	return 0
}

// Authenticate does SaslHandshake and SaslAuthenticate (KIP-43, KIP-152) with the broker at addr, for the first time or
// again on the same connection (KIP-368). It returns how long the session lasts; 0: for ever.
func Authenticate(ctx context.Context, m sasl.Mechanism, addr string, version int16, ask Ask) (time.Duration, error) {
	r, err := ask(ctx, wire.KeySASLHandshake, 1, wire.AppendSASLHandshake(nil, m.Name()))
	if err != nil {
		return 0, err
	}
	code, offered, err := wire.DecodeSASLHandshake(&r)
	switch {
	case err != nil:
		return 0, fmt.Errorf("SaslHandshake: %w", err)
	case code == codeUnsupportedMechanism:
		return 0, fmt.Errorf("%w: %s; the broker has %s (sasl.mechanism)", ErrMechanism, m.Name(), strings.Join(offered, ", "))
	case code == codeIllegalState:
		return 0, fmt.Errorf("%w (security.protocol)", ErrNoSASL)
	case code != 0:
		return 0, fmt.Errorf("SaslHandshake: Kafka error code %d", code)
	}
	session, token, err := m.Authenticate(ctx, addr)
	if Known(err) {
		return 0, err
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrAuthentication, err)
	}
	for range maxRounds {
		r, err := ask(ctx, wire.KeySASLAuthenticate, version, wire.AppendSASLAuthenticate(nil, version, token))
		if err != nil && hungUp(err) { // as brokers before Kafka 1.0 say it
			return 0, fmt.Errorf("%w: the broker closed the connection when it saw the credentials "+
				"(wrong ones, or a listener that doesn't want SASL: security.protocol): %w", ErrAuthentication, err)
		}
		if err != nil {
			return 0, err
		}
		answer, err := wire.DecodeSASLAuthenticate(&r, version)
		if err == nil {
			err = refused(answer)
		}
		if err != nil {
			return 0, err
		}
		var done bool
		if done, token, err = session.Challenge(answer.Token); err != nil {
			return 0, fmt.Errorf("%w: %w%s", ErrAuthentication, err, bearerStatus(m, answer.Token))
		}
		if done {
			return time.Duration(max(0, answer.LifetimeMS)) * time.Millisecond, nil
		}
	}
	return 0, fmt.Errorf("%w: no end after %d rounds", ErrAuthentication, maxRounds)
}

// answersWithoutSASL tries whether a listener answers what it would ask credentials for, if it wanted any.
func (c Config) answersWithoutSASL(ctx context.Context, addr string) bool {
	return c.look(ctx, addr, func(ctx context.Context, raw net.Conn) bool {
		return bounded(ctx, raw, func() error {
			nc, err := c.encrypt(ctx, raw, addr)
			if err != nil {
				return err
			}
			const version = 4
			x := &exchange{nc: nc, br: bufio.NewReaderSize(nc, 512)}
			_, err = x.ask(ctx, wire.KeyMetadata, version, wire.AppendMetadata(nil, version, nil, false))
			return err
		}) == nil
	})
}

// refused is the error of an answer.
func refused(a wire.SASLAuthenticate) error {
	switch {
	case a.Code == 0:
		return nil
	case a.Code == codeFailed && a.Message != "":
		return fmt.Errorf("%w: the broker says: %s", ErrAuthentication, a.Message)
	case a.Code == codeFailed:
		return fmt.Errorf("%w: the broker refuses the credentials", ErrAuthentication)
	}
	return fmt.Errorf("SaslAuthenticate: Kafka error code %d: %s", a.Code, a.Message)
}

// bearerStatus is why a token was refused: such a broker says so in the answer's token (RFC 7628).
func bearerStatus(m sasl.Mechanism, token []byte) string {
	if m.Name() != "OAUTHBEARER" || len(token) == 0 {
		return ""
	}
	return fmt.Sprintf(": the broker says: %.200s", token)
}
