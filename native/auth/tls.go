package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// handshake does TLS on nc.
func (c Config) handshake(ctx context.Context, nc net.Conn, addr string) (*tls.Conn, error) {
	conf := c.TLS
	if conf.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, err
		}
		conf = conf.Clone()
		conf.ServerName = host
	}
	t := tls.Client(nc, conf)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, explainTLS(err, conf.ServerName)
	}
	return t, nil
}

// explainTLS says in plain words why a handshake failed.
func explainTLS(err error, host string) error {
	var header tls.RecordHeaderError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var verify *tls.CertificateVerificationError
	var timeout net.Error
	switch {
	case errors.As(err, &header):
		return fmt.Errorf("%w (security.protocol): it answers %q", ErrNotTLS, header.RecordHeader[:])
	case errors.As(err, &authority):
		return fmt.Errorf("%w: nobody that this client trusts signed it (ssl.truststore.location): %w", ErrCertificate, err)
	case errors.As(err, &name):
		return fmt.Errorf("%w: it is for %s, not for %s (an empty ssl.endpoint.identification.algorithm turns this check off): %w",
			ErrCertificate, certificateNames(name.Certificate), host, err)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(invalid.Cert.NotBefore):
		return fmt.Errorf("%w: it isn't valid before %s", ErrCertificate, invalid.Cert.NotBefore.UTC().Format(time.RFC3339))
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fmt.Errorf("%w: it expired on %s", ErrCertificate, invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	case errors.As(err, &verify):
		return fmt.Errorf("%w: %w", ErrCertificate, err)
	case alert(err) != nil:
		return alert(err)
	case hungUp(err):
		return fmt.Errorf("%w: it closed the connection during the TLS handshake (security.protocol)", ErrNotTLS)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w, or it hangs: no answer to the TLS handshake in time (security.protocol)", ErrNotTLS)
	}
	return fmt.Errorf("TLS handshake: %w", err)
}

// certificateNames are the names for which a certificate is.
func certificateNames(c *x509.Certificate) string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return "nobody (it has no subject alternative name)"
	}
	return strings.Join(names, ", ")
}

// lookTime bounds a look at what a listener speaks.
const lookTime = time.Second

// look connects to a listener of which more is to be known than why it refused a connection, and asks it. False: nobody
// listens, or the answer is no.
func (c Config) look(ctx context.Context, addr string, ask func(context.Context, net.Conn) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	nc, err := dial(ctx, "tcp", addr)
	if err != nil || nc == nil {
		return false
	}
	defer nc.Close()
	return ask(ctx, nc)
}

// speaksTLS tells whether the listener at addr answers a TLS handshake, whatever its certificate. Nothing is sent after it.
func (c Config) speaksTLS(ctx context.Context, addr string) bool {
	return c.look(ctx, addr, func(ctx context.Context, nc net.Conn) bool {
		err := tls.Client(nc, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
		return err == nil || alert(err) != nil
	})
}
