package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/broker"
	"kbench/metrics"
	"kbench/native/auth/authtest"
)

// secret is the password of the tests: nothing that is printed or written may contain it.
const secret = "pa55phrase-nobody-may-read"

// secured is a cluster with listeners of every security protocol.
type secured struct {
	authority *authtest.Authority
	listeners map[string]string // security.protocol, "mTLS", or "OTHER" for SSL with another host's certificate → address
	tokens    bool              // it takes OAUTHBEARER
	dir       string            // of the PEM files
	witness   *witness          // in front of a listener with SASL whose sessions end soon; nil: there is none
	rate      string            // of runs; "": 10000/s
}

// pem writes PEM texts into a file of the test's and returns its path.
func (s *secured) pem(t *testing.T, name string, texts ...[]byte) string {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, bytes.Join(texts, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fakeSecured is franz-go's fake cluster once for each protocol.
func fakeSecured(t *testing.T) *secured {
	s := &secured{authority: authtest.NewAuthority(t), listeners: map[string]string{}, dir: t.TempDir()}
	leaf := s.authority.Issue(t, time.Now().Add(time.Hour), "127.0.0.1")
	users := []kfake.Opt{kfake.EnableSASL()}
	for _, m := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		users = append(users, kfake.Superuser(m, "alice", secret))
	}
	other := s.authority.Issue(t, time.Now().Add(time.Hour), "kafka.example")
	for name, opts := range map[string][]kfake.Opt{
		"PLAINTEXT": nil, "SSL": {kfake.TLS(leaf.Server(t, nil))}, "mTLS": {kfake.TLS(leaf.Server(t, s.authority))},
		"OTHER": {kfake.TLS(other.Server(t, nil))}, "SASL_PLAINTEXT": users, "SASL_SSL": append(users, kfake.TLS(leaf.Server(t, nil))),
	} {
		c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		s.listeners[name] = c.ListenAddrs()[0]
	}
	return s
}

// kafkaSecured is one node of Apache Kafka.
func kafkaSecured(t *testing.T) *secured {
	s := &secured{authority: authtest.NewAuthority(t), listeners: map[string]string{}, tokens: true, dir: t.TempDir()}
	soon := time.Now().Add(time.Hour)
	leaf, other := s.authority.Issue(t, soon, "127.0.0.1"), s.authority.Issue(t, soon, "kafka.example")
	props := map[string]string{
		"listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,MTLS:SSL,OTHER:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,AGAIN:SASL_PLAINTEXT",
		"ssl.keystore.type":              "PEM", "ssl.keystore.location": s.pem(t, "server.pem", leaf.Key, leaf.Chain),
		"ssl.truststore.type": "PEM", "ssl.truststore.location": s.pem(t, "ca.pem", s.authority.PEM),
		"listener.name.mtls.ssl.client.auth":            "required",
		"listener.name.other.ssl.keystore.type":         "PEM",
		"listener.name.other.ssl.keystore.location":     s.pem(t, "other.pem", other.Key, other.Chain),
		"sasl.enabled.mechanisms":                       "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
		"connections.max.reauth.ms":                     "2500",
		"listener.name.again.connections.max.reauth.ms": reauthMS,
	}
	for _, l := range []string{"sasl_plaintext", "sasl_ssl", "again"} {
		const pkg = "org.apache.kafka.common.security."
		props["listener.name."+l+".plain.sasl.jaas.config"] = pkg + `plain.PlainLoginModule required user_alice="` + secret + `";`
		props["listener.name."+l+".scram-sha-256.sasl.jaas.config"] = pkg + "scram.ScramLoginModule required;"
		props["listener.name."+l+".scram-sha-512.sasl.jaas.config"] = pkg + "scram.ScramLoginModule required;"
		props["listener.name."+l+".oauthbearer.sasl.jaas.config"] = pkg + `oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="kafka";`
	}
	var list []string
	for _, name := range []string{"SSL", "MTLS", "OTHER", "SASL_PLAINTEXT", "SASL_SSL"} {
		addr := freeAddr(t)
		list = append(list, name+"://"+addr)
		s.listeners[strings.Replace(name, "MTLS", "mTLS", 1)] = addr
	}
	props["listeners"] = strings.Join(list, ",")
	again := freeAddr(t)
	s.witness = startWitness(t, again)
	props["advertised.listeners"] = props["listeners"] + ",AGAIN://" + s.witness.addr
	props["listeners"] += ",AGAIN://" + again
	target, err := broker.Start(t.Context(), broker.Spec{Kind: broker.KindKafka, Properties: props, Exec: []string{"kbench"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
	s.listeners["PLAINTEXT"] = target.Bootstrap[0]
	s.scramUsers(t)
	return s
}

// scramUsers makes the users of SCRAM, and waits until they can be asked for.
func (s *secured) scramUsers(t *testing.T) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(s.listeners["PLAINTEXT"]))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	mechanisms := []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512}
	for _, m := range mechanisms {
		done, err := kadm.NewClient(cl).AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: "alice", Mechanism: m, Iterations: 4096, Password: secret}})
		if err == nil {
			err = done.Error()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for {
		got, err := kadm.NewClient(cl).DescribeUserSCRAMs(ctx, "alice")
		if err == nil && got.Ok() && len(got["alice"].CredInfos) == len(mechanisms) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("the users don't come to be: %v %v", got, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// freeAddr is an address at which nothing listens.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// credentials are the settings of a mechanism with a password.
func credentials(mechanism, password string) []string {
	module := "scram.ScramLoginModule"
	if mechanism == "PLAIN" {
		module = "plain.PlainLoginModule"
	}
	return []string{"sasl.mechanism=" + mechanism,
		`sasl.jaas.config=org.apache.kafka.common.security.` + module + ` required username="alice" password="` + password + `";`}
}

// kbench runs the command with the settings in a properties file and returns its exit code, what it said and its folder. It
// fails if the secret, or what else is secret, shows anywhere.
func (s *secured) kbench(t *testing.T, driver, addr string, settings []string, secrets ...string) (code int, said, dir string) {
	t.Helper()
	config := filepath.Join(s.dir, "client.properties")
	if err := os.WriteFile(config, []byte(strings.Join(settings, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(t.TempDir(), "out")
	var out, errs bytes.Buffer
	code = run(streams{in: strings.NewReader(""), out: &out, err: &errs}, []string{"run", "--driver", driver, "--bootstrap-server", addr,
		"--command-config", config, "--num-records", "1000", "--rate", cmp.Or(s.rate, "10000/s"), "--allow-invalid", "--set", "topics.partitions=3", "--out", dir})
	everywhere := map[string]string{"stdout": out.String(), "stderr": errs.String()}
	err := filepath.WalkDir(filepath.Dir(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		everywhere[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range everywhere {
		for _, s := range append(secrets, secret, base64.StdEncoding.EncodeToString([]byte(secret))) {
			if strings.Contains(text, s) {
				t.Errorf("%s shows the secret", where)
			}
		}
	}
	return code, out.String() + errs.String(), dir
}

// storedOf is how many records the broker has of a run.
func storedOf(t *testing.T, dir string) (n int64, effective map[string]string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r metrics.Result
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Partitions {
		n += p.Records
	}
	return n, r.Driver.EffectiveConfig
}

// TestSecured runs every client over every kind of connection, against the fake cluster and, where KBENCH_TEST_KAFKA is set,
// against Apache Kafka.
func TestSecured(t *testing.T) {
	t.Run("fake", func(t *testing.T) { testSecured(t, fakeSecured(t)) })
	if os.Getenv("KBENCH_TEST_KAFKA") != "" {
		t.Run("kafka", func(t *testing.T) { testSecured(t, kafkaSecured(t)) })
	}
}

func testSecured(t *testing.T, s *secured) {
	own := s.authority.Issue(t, time.Now().Add(time.Hour), "client.example")
	trust := []string{"ssl.truststore.location=" + s.pem(t, "trust.pem", s.authority.PEM), "ssl.truststore.type=PEM"}
	oneLine := func(pem []byte) string { return strings.ReplaceAll(strings.TrimSpace(string(pem)), "\n", " ") }
	type connection struct {
		name, listener string
		settings       []string
	}
	list := []connection{
		{"SSL", "SSL", append(trust, "security.protocol=SSL")},
		{"mutual TLS", "mTLS", append(trust, "security.protocol=SSL", "ssl.keystore.location="+s.pem(t, "own.pem", own.Key, own.Chain), "ssl.keystore.type=PEM")},
		{"mutual TLS in text", "mTLS", []string{"security.protocol=SSL", "ssl.truststore.certificates=" + oneLine(s.authority.PEM),
			"ssl.keystore.certificate.chain=" + oneLine(own.Chain), "ssl.keystore.key=" + oneLine(own.Key)}},
		{"any host", "OTHER", append(trust, "security.protocol=SSL", "ssl.endpoint.identification.algorithm=")},
		{"SASL_SSL", "SASL_SSL", append(append(trust, "security.protocol=SASL_SSL"), credentials("SCRAM-SHA-512", secret)...)},
	}
	for _, m := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		list = append(list, connection{m, "SASL_PLAINTEXT", append(credentials(m, secret), "security.protocol=SASL_PLAINTEXT")})
	}
	if s.tokens {
		token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
			base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"sub":"alice","iat":%d,"exp":%d}`, time.Now().Unix(), time.Now().Unix()+600)) + "."
		list = append(list,
			connection{"unsecured token", "SASL_PLAINTEXT", []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=OAUTHBEARER",
				`sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="alice";`}},
			connection{"token in a file", "SASL_SSL", append(trust, "security.protocol=SASL_SSL", "sasl.mechanism=OAUTHBEARER",
				"sasl.oauthbearer.token.endpoint.url=file://"+s.pem(t, "token", []byte(token+"\n")))})
	}
	for _, driver := range []string{"native", "franz", "sarama", "replay"} {
		for _, c := range list {
			t.Run(driver+"/"+c.name, func(t *testing.T) {
				code, said, dir := s.kbench(t, driver, s.listeners[c.listener], c.settings, oneLine(own.Key)[60:100])
				if code != exitOK {
					t.Fatalf("exit code %d: %s", code, said)
				}
				n, effective := storedOf(t, dir)
				if n != 1000 {
					t.Errorf("the broker has %d records, want 1000", n)
				}
				if c.listener == "SASL_SSL" && (effective["security.protocol"] != "SASL_SSL" || effective["sasl.mechanism"] == "") {
					t.Errorf("in force: %q, %q", effective["security.protocol"], effective["sasl.mechanism"])
				}
			})
		}
	}
	t.Run("refused", func(t *testing.T) { testRefused(t, s, trust) })
	if s.witness != nil {
		t.Run("again", func(t *testing.T) { testReauthentication(t, s) })
	}
}

// testRefused has what can't be connected to say so.
func testRefused(t *testing.T, s *secured, trust []string) {
	stranger := s.pem(t, "stranger.pem", authtest.NewAuthority(t).PEM)
	jks := s.pem(t, "trust.jks", []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"))
	tls := append(trust, "security.protocol=SSL")
	plain := func(password string) []string {
		return append(credentials("PLAIN", password), "security.protocol=SASL_PLAINTEXT")
	}
	for _, c := range []struct {
		name, listener string
		settings       []string
		code           int
		says           []string
	}{
		{"wrong password", "SASL_PLAINTEXT", plain("wr0ng-" + secret), exitTarget, []string{"authentication failed"}},
		{"wrong password, SCRAM", "SASL_SSL", append(append(trust, "security.protocol=SASL_SSL"), credentials("SCRAM-SHA-256", "wr0ng-"+secret)...), exitTarget, []string{"authentication failed"}},
		{"stranger", "SSL", []string{"security.protocol=SSL", "ssl.truststore.location=" + stranger}, exitTarget, []string{"certificate not accepted", "ssl.truststore.location"}},
		{"another host", "OTHER", tls, exitTarget, []string{"certificate not accepted", "kafka.example", "127.0.0.1"}},
		{"no certificate", "mTLS", tls, exitTarget, []string{"ssl.keystore.location"}},
		{"plain text to TLS", "SSL", nil, exitTarget, []string{"speaks TLS", "security.protocol"}},
		{"SASL in plain text to TLS", "SASL_SSL", plain(secret), exitTarget, []string{"speaks TLS", "security.protocol"}},
		{"TLS to plain text", "PLAINTEXT", tls, exitTarget, []string{"doesn't speak TLS", "security.protocol"}},
		{"no SASL", "SASL_PLAINTEXT", nil, exitTarget, []string{"want SASL (security.protocol)"}},
		{"a store of Java's", "SSL", []string{"security.protocol=SSL", "ssl.truststore.location=" + jks}, exitUsage, []string{"ssl.truststore.location", jks + " is a JKS store", "want PEM", "keytool"}},
		{"its password", "SSL", []string{"security.protocol=SSL", "ssl.truststore.location=" + jks, "ssl.truststore.password=" + secret}, exitUsage, []string{"client.properties:3: ssl.truststore.password", "PEM", "keytool"}},
		{"its type", "SSL", []string{"security.protocol=SSL", "ssl.keystore.location=" + jks, "ssl.keystore.type=JKS"}, exitUsage, []string{"client.properties:3: ssl.keystore.type", "JKS", "allowed PEM", "keytool"}},
		{"SASL where there is none", "PLAINTEXT", plain(secret), exitTarget, []string{"SASL", "security.protocol"}},
		{"SASL over TLS where there is none", "SSL", append(append(trust, "security.protocol=SASL_SSL"), credentials("PLAIN", secret)...), exitTarget, []string{"SASL", "security.protocol"}},
		{"no such store", "SSL", []string{"security.protocol=SSL", "ssl.truststore.location=/no/such.pem"}, exitUsage, []string{"ssl.truststore.location", "/no/such.pem"}},
		{"no mechanism", "SASL_PLAINTEXT", []string{"security.protocol=SASL_PLAINTEXT"}, exitUsage, []string{"client.properties:1", "sasl.mechanism", "SCRAM-SHA-512"}},
		{"no credentials", "SASL_PLAINTEXT", []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN"}, exitUsage, []string{"sasl.jaas.config", "PlainLoginModule"}},
		{"broken credentials", "SASL_PLAINTEXT", []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", "sasl.jaas.config=x.PlainLoginModule required password=\"" + secret}, exitUsage, []string{"sasl.jaas.config", "quote"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, said, dir := s.kbench(t, "native", s.listeners[c.listener], c.settings)
			if code != c.code {
				t.Errorf("exit code %d, want %d: %s", code, c.code, said)
			}
			for _, part := range c.says {
				if !strings.Contains(said, part) {
					t.Errorf("%q doesn't say %q", said, part)
				}
			}
			if _, err := os.Stat(dir); err == nil {
				t.Errorf("%s is left behind", dir)
			}
			t.Log(said)
		})
	}
}
