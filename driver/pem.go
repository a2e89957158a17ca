package driver

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"kbench/workload"
)

// trust has c accept servers whose certificate the truststore's authorities signed; without one, the system's.
func trust(c *tls.Config, s *workload.Security) error {
	name, text := "ssl.truststore.certificates", []byte(s.TruststoreCertificates)
	if s.TruststoreLocation != "" {
		var err error
		name = "ssl.truststore.location"
		if text, err = readStore(s.TruststoreLocation); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	if len(text) == 0 {
		return nil
	}
	c.RootCAs = x509.NewCertPool()
	found := 0
	for _, b := range pemBlocks(text) {
		if b.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return fmt.Errorf("%s: certificate %d: %w", name, found+1, err)
		}
		c.RootCAs.AddCert(cert)
		found++
	}
	if found == 0 {
		return fmt.Errorf("%s: no certificate in it: want PEM, -----BEGIN CERTIFICATE-----", name)
	}
	return nil
}

// identify has c show the client's own certificate, if there is one.
func identify(c *tls.Config, s *workload.Security) error {
	name, chain, key := "ssl.keystore.key", []byte(s.KeystoreChain), []byte(s.KeystoreKey.Reveal())
	if s.KeystoreLocation != "" {
		name = "ssl.keystore.location"
		text, err := readStore(s.KeystoreLocation)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		chain, key = text, text
	}
	if len(chain) == 0 && len(key) == 0 {
		return nil
	}
	var certs, keys []byte
	for _, b := range pemBlocks(chain) {
		if b.Type == "CERTIFICATE" {
			certs = append(certs, pem.EncodeToMemory(&b)...)
		}
	}
	for _, b := range pemBlocks(key) {
		if b.Type == "ENCRYPTED PRIVATE KEY" || b.Headers["Proc-Type"] != "" {
			return fmt.Errorf("%s: the key is encrypted: decrypt it with `openssl pkcs8 -in KEY -out PLAINKEY`", name)
		}
		if strings.HasSuffix(b.Type, "PRIVATE KEY") {
			keys = append(keys, pem.EncodeToMemory(&b)...)
		}
	}
	switch {
	case len(keys) == 0:
		return fmt.Errorf("%s: no key in it: want PEM, -----BEGIN PRIVATE KEY-----", name)
	case len(certs) == 0 && s.KeystoreLocation == "":
		return errors.New("ssl.keystore.certificate.chain: no certificate in it: want PEM, -----BEGIN CERTIFICATE-----")
	case len(certs) == 0:
		return fmt.Errorf("%s: no certificate in it: want PEM, -----BEGIN CERTIFICATE-----", name)
	}
	own, err := tls.X509KeyPair(certs, keys)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	// Always this one: chosen by the server's list of authorities, it could be none, and the server's complaint would be that
	// there was none.
	c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil }
	return nil
}

// anyHost has c accept a certificate that is another host's, if the authorities signed it.
func anyHost(c *tls.Config) {
	roots := c.RootCAs
	c.InsecureSkipVerify = true // what it skips is done here, but for the name
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		opts := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
		for _, cert := range cs.PeerCertificates[1:] {
			opts.Intermediates.AddCert(cert)
		}
		_, err := cs.PeerCertificates[0].Verify(opts)
		if err != nil {
			return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: err}
		}
		return nil
	}
}

// maxStore bounds a store's file, in bytes.
const maxStore = 16 << 20

// readStore reads a PEM file and recognises Java's own formats.
func readStore(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() || info.Size() > maxStore {
		return nil, fmt.Errorf("%s: not a PEM file", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if kind := foreignStore(text); kind == "DER" {
		return nil, fmt.Errorf("%s is a certificate in DER: want PEM: convert it with `openssl x509 -inform der -in %s -out cert.pem`", path, path)
	} else if kind != "" {
		return nil, fmt.Errorf("%s is a %s store: want PEM: %s", path, kind, workload.ConvertStore(path, kind))
	}
	return text, nil
}

// foreignStore recognises what isn't PEM by its first bytes.
func foreignStore(b []byte) string {
	for _, k := range []struct{ magic, kind string }{
		{"\xfe\xed\xfe\xed", "JKS"}, {"\xce\xce\xce\xce", "JCEKS"}, {"\x30\x82", "PKCS12"}, {"\x30\x83", "PKCS12"}, {"\x30\x80", "PKCS12"},
	} {
		if !bytes.HasPrefix(b, []byte(k.magic)) {
			continue
		}
		if _, err := x509.ParseCertificate(b); err == nil {
			return "DER"
		}
		return k.kind
	}
	return ""
}

// pemPattern is a block as Kafka reads it (DefaultSslEngineFactory.PemParser): white space, or none, where PEM has line ends, so
// that a text in one line of a properties file will do.
var pemPattern = regexp.MustCompile(`-----BEGIN ([A-Z0-9 ]+)-----\s*((?:[A-Za-z0-9-]+: [^\n]*\n)*)([A-Za-z0-9+/=\s]*)-----END ([A-Z0-9 ]+)-----`)

// pemBlocks returns the blocks of a text; what isn't one is passed over.
func pemBlocks(text []byte) []pem.Block {
	var all []pem.Block
	for _, m := range pemPattern.FindAllSubmatch(text, -1) {
		der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(string(m[3])), ""))
		if err != nil || !bytes.Equal(m[1], m[4]) {
			continue
		}
		b := pem.Block{Type: string(m[1]), Bytes: der}
		if len(m[2]) > 0 {
			b.Headers = map[string]string{"Proc-Type": string(m[2])}
		}
		all = append(all, b)
	}
	return all
}
