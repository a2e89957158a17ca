package auth

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// What keeps a connection from being secured. Test with errors.Is.
var (
	ErrNotKafka       = errors.New("not a Kafka broker")
	ErrTLSListener    = errors.New("the listener speaks TLS, but was asked in plain text")
	ErrNotTLS         = errors.New("the listener doesn't speak TLS")
	ErrCertificate    = errors.New("certificate not accepted")
	ErrMechanism      = errors.New("SASL mechanism not offered")
	ErrNoSASL         = errors.New("the listener doesn't want SASL")
	ErrAuthentication = errors.New("authentication failed")
	ErrToken          = errors.New("no token to authenticate with")
)

// Permanent tells whether trying again with the same credentials is in vain: a password, a certificate or a mechanism that
// was refused in words. A connection that was only closed may have been closed by a broker that is stopping, and the server of
// tokens may come back.
func Permanent(err error) bool {
	for _, known := range []error{ErrAuthentication, ErrCertificate, ErrMechanism, ErrNoSASL} {
		if errors.Is(err, known) {
			return !hungUp(err)
		}
	}
	return false
}

// Known tells whether err says of security what doesn't fit; a text before it would only mislead.
func Known(err error) bool {
	for _, known := range []error{ErrTLSListener, ErrNotTLS, ErrCertificate, ErrMechanism, ErrNoSASL, ErrAuthentication, ErrToken} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// alert explains an alert by which the other side ended TLS; nil: err is none.
func alert(err error) error {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return nil
	}
	text := op.Err.Error()
	if strings.Contains(text, "certificate") {
		return fmt.Errorf("%w: the broker wants another client certificate than it got, if it got one (ssl.keystore.location): %s", ErrCertificate, text)
	}
	return fmt.Errorf("the broker ended the TLS handshake: %s", text)
}
