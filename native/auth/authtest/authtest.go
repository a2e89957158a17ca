// Package authtest makes certificates for tests of secured connections.
package authtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"testing"
	"time"
)

// Authority signs certificates.
type Authority struct {
	PEM []byte // its own certificate

	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority makes an authority that nobody knows yet.
func NewAuthority(tb testing.TB) *Authority {
	tb.Helper()
	a := &Authority{key: newKey(tb)}
	a.cert = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, a.cert, a.cert, a.key.Public(), a.key)
	if err != nil {
		tb.Fatal(err)
	}
	a.PEM = encode("CERTIFICATE", der)
	return a
}

// Leaf is a certificate and its key, in PEM (PKCS #8).
type Leaf struct {
	Chain, Key []byte
}

// Issue signs a certificate for hosts (names or addresses) that is valid until the time given; it serves servers and clients.
func (a *Authority) Issue(tb testing.TB, until time.Time, hosts ...string) Leaf {
	tb.Helper()
	key := newKey(tb)
	t := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		tb.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		tb.Fatal(err)
	}
	return Leaf{encode("CERTIFICATE", der), encode("PRIVATE KEY", pkcs8)}
}

// Server is the configuration of a listener with the certificate; clients, when not nil, must have signed that of a client.
func (l Leaf) Server(tb testing.TB, clients *Authority) *tls.Config {
	tb.Helper()
	c := &tls.Config{Certificates: []tls.Certificate{l.pair(tb)}}
	if clients != nil {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, clients.pool()
	}
	return c
}

// Client is the configuration of a client that trusts the authority; it shows those certificates.
func (a *Authority) Client(tb testing.TB, own ...Leaf) *tls.Config {
	tb.Helper()
	c := &tls.Config{RootCAs: a.pool()}
	for _, l := range own {
		c.Certificates = append(c.Certificates, l.pair(tb))
	}
	return c
}

func (a *Authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM(a.PEM)
	return p
}

func (l Leaf) pair(tb testing.TB) tls.Certificate {
	tb.Helper()
	c, err := tls.X509KeyPair(l.Chain, l.Key)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
