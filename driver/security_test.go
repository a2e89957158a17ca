package driver_test

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kbench/driver"
	"kbench/native/auth/authtest"
	"kbench/workload"
)

func settings(t *testing.T, pairs ...string) *workload.ProducerConfig {
	t.Helper()
	c := workload.DefaultProducerConfig()
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		if err := c.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	return &c
}

func file(t *testing.T, texts ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "store.pem")
	if err := os.WriteFile(path, []byte(strings.Join(texts, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestStores connects with what the settings amount to.
func TestStores(t *testing.T) {
	ca, strange := authtest.NewAuthority(t), authtest.NewAuthority(t)
	soon := time.Now().Add(time.Hour)
	server, own := ca.Issue(t, soon, "kafka.example"), strange.Issue(t, soon, "client") // own isn't of an authority that the server names
	trust := "ssl.truststore.location=" + file(t, "what stands before is passed over\n", string(ca.PEM), string(strange.PEM))
	keystore := "ssl.keystore.location=" + file(t, string(own.Key), string(own.Chain))
	for _, tc := range []struct {
		name     string
		settings []string
		host     string
		clients  *authtest.Authority
		ok       bool
	}{
		{"trusted", []string{trust}, "kafka.example", nil, true},
		{"as text", []string{"ssl.truststore.certificates=" + string(ca.PEM)}, "kafka.example", nil, true},
		{"another authority", []string{"ssl.truststore.certificates=" + string(strange.PEM)}, "kafka.example", nil, false},
		{"the system's authorities", nil, "kafka.example", nil, false},
		{"another host", []string{trust}, "other.example", nil, false},
		{"any host", []string{trust, "ssl.endpoint.identification.algorithm="}, "other.example", nil, true},
		{"any host, another authority", []string{"ssl.truststore.certificates=" + string(strange.PEM), "ssl.endpoint.identification.algorithm="}, "kafka.example", nil, false},
		{"own certificate", []string{trust, keystore}, "kafka.example", strange, true},
		{"own certificate, unknown to the server", []string{trust, keystore}, "kafka.example", ca, false},
		{"no certificate", []string{trust}, "kafka.example", strange, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			security, err := driver.Security(t.Context(), settings(t, append(tc.settings, "security.protocol=SSL")...))
			if err != nil {
				t.Fatal(err)
			}
			conf := security.TLS.Clone()
			conf.ServerName = tc.host
			l, err := tls.Listen("tcp", "127.0.0.1:0", server.Server(t, tc.clients))
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			served := make(chan error, 1)
			go func() {
				c, err := l.Accept()
				if err == nil {
					err = c.(*tls.Conn).Handshake()
					c.Close()
				}
				served <- err
			}()
			dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: 10 * time.Second}, Config: conf}
			c, err := dialer.DialContext(t.Context(), "tcp", l.Addr().String())
			if err == nil {
				defer c.Close()
			}
			if srv := <-served; (err == nil && srv == nil) != tc.ok {
				t.Errorf("client %v, server %v", err, srv)
			}
		})
	}
}

// TestSecurityErrors checks texts: the setting, the file, what is wrong, and never a key.
func TestSecurityErrors(t *testing.T) {
	ca := authtest.NewAuthority(t)
	a, b := ca.Issue(t, time.Now().Add(time.Hour), "a"), ca.Issue(t, time.Now().Add(time.Hour), "b")
	encrypted := string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte("hunter2")}))
	block, _ := pem.Decode(ca.PEM)
	der := block.Bytes
	const trust, keystore = "ssl.truststore.location=", "ssl.keystore.location="
	for _, tc := range []struct {
		setting string
		says    []string
	}{
		{trust + "/no/such", []string{"ssl.truststore.location", "/no/such", "no such file"}},
		{trust + t.TempDir(), []string{"ssl.truststore.location", "not a PEM file"}},
		{trust + file(t, "\xfe\xed\xfe\xed..."), []string{"ssl.truststore.location", "store.pem is a JKS store", "want PEM", "keytool -importkeystore -srckeystore /"}},
		{keystore + file(t, "\xce\xce\xce\xce..."), []string{"ssl.keystore.location", "is a JCEKS store", "want PEM", "keytool"}},
		{trust + file(t, "\x30\x82..."), []string{"ssl.truststore.location", "is a PKCS12 store", "want PEM", "openssl pkcs12 -in /"}},
		{trust + file(t, string(der)), []string{"ssl.truststore.location", "in DER", "openssl x509"}},
		{trust + file(t, "hunter2"), []string{"ssl.truststore.location", "BEGIN CERTIFICATE"}},
		{trust + file(t, "-----BEGIN CERTIFICATE-----\naHVudGVyMg==\n-----END CERTIFICATE-----\n"), []string{"ssl.truststore.location", "certificate 1"}},
		{keystore + file(t, string(a.Chain)), []string{"ssl.keystore.location", "no key"}},
		{keystore + file(t, string(a.Key)), []string{"ssl.keystore.location", "no certificate"}},
		{keystore + file(t, string(a.Key), string(b.Chain)), []string{"ssl.keystore.location", "does not match"}},
		{keystore + file(t, encrypted, string(a.Chain)), []string{"ssl.keystore.location", "encrypted", "openssl pkcs8"}},
	} {
		_, err := driver.Security(t.Context(), settings(t, "security.protocol=SSL", tc.setting))
		if err == nil {
			t.Errorf("%s: no error", tc.setting)
			continue
		}
		for _, part := range tc.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q doesn't say %q", err, part)
			}
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "aHVudGVyMg") {
			t.Errorf("%q shows what is in the file", err)
		}
	}
}

func TestToken(t *testing.T) {
	const bearer = "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"me\";"
	base := []string{"security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER"}
	got, err := driver.Token(&settings(t, append(base, bearer)...).Security)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(got, ".")
	if len(parts) != 3 || parts[2] != "" {
		t.Fatalf("%q isn't a token without a signature", got)
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Sub      string
		Iat, Exp int64
	}
	if err := json.Unmarshal(claims, &c); err != nil || c.Sub != "me" || c.Exp-c.Iat != 3600 {
		t.Errorf("claims %s: %v", claims, err)
	}

	path := file(t, "first\n")
	s := &settings(t, append(base, "sasl.oauthbearer.token.endpoint.url=file://"+path)...).Security
	for _, want := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(want+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := driver.Token(s); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if err := os.WriteFile(path, []byte("hunter2 hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := driver.Token(s); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
}
