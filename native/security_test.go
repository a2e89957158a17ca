package native_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"kbench/native"
	"kbench/native/auth/authtest"
)

const password = "s3cret-of-the-test"

func plainAs(pass string) sasl.Mechanism {
	return plain.Auth{User: "alice", Pass: pass}.AsMechanism()
}

// securedCluster is a fake cluster, with TLS if server isn't nil.
func securedCluster(t *testing.T, server *tls.Config, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	if server != nil {
		opts = append(opts, kfake.TLS(server))
	}
	return cluster(t, opts...)
}

// users are those that a cluster knows.
func users() []kfake.Opt {
	opts := []kfake.Opt{kfake.EnableSASL()}
	for _, m := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		opts = append(opts, kfake.Superuser(m, "alice", password))
	}
	return opts
}

// TestSecured sends over every kind of connection.
func TestSecured(t *testing.T) {
	authority := authtest.NewAuthority(t)
	leaf := authority.Issue(t, time.Now().Add(time.Hour), "127.0.0.1")
	scrams := scram.Auth{User: "alice", Pass: password}
	for _, tc := range []struct {
		name   string
		server *tls.Config
		client *tls.Config
		sasl   sasl.Mechanism
	}{
		{"TLS", leaf.Server(t, nil), authority.Client(t), nil},
		{"mutual TLS", leaf.Server(t, authority), authority.Client(t, leaf), nil},
		{"PLAIN", nil, nil, plainAs(password)},
		{"SCRAM-SHA-256", nil, nil, scrams.AsSha256Mechanism()},
		{"SCRAM-SHA-512 and TLS", leaf.Server(t, nil), authority.Client(t), scrams.AsSha512Mechanism()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var opts []kfake.Opt
			if tc.sasl != nil {
				opts = users()
			}
			c, l := securedCluster(t, tc.server, opts...), newLedger()
			cfg := config(c, l)
			cfg.TLS, cfg.SASL = tc.client, tc.sasl
			p := open(t, cfg)
			recs := records(0, 3000)
			produce(t, p, recs)
			l.check(t, len(recs), false)
		})
	}
}

// TestLooksByDialer: what is found out about a listener that hangs up is found out through Config.Dialer too, which knows the
// way.
func TestLooksByDialer(t *testing.T) {
	server := authtest.NewAuthority(t).Issue(t, time.Now().Add(time.Hour), "broker.invalid").Server(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			head := make([]byte, 1)
			if _, err := nc.Read(head); err == nil && head[0] == 0x16 { // TLS, else it hangs up
				_ = tls.Server(&putBack{nc, head}, server).HandshakeContext(context.Background())
			}
			nc.Close()
		}
	}()
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck = []string{"broker.invalid:9092"}, []string{"a"}, func(native.Ack) {}
	cfg.Dialer = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, l.Addr().String())
	}
	_, err = native.New(ctxFor(t), cfg)
	says(t, "plain text at a TLS listener", err, native.ErrTLSListener, "broker.invalid")
}

// putBack is a connection of which something was read already.
type putBack struct {
	net.Conn
	head []byte
}

func (c *putBack) Read(p []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// TestSecuredNewFails checks that New says at once what doesn't fit, and never the password.
func TestSecuredNewFails(t *testing.T) {
	authority, other := authtest.NewAuthority(t), authtest.NewAuthority(t)
	soon := time.Now().Add(time.Hour)
	good := authority.Issue(t, soon, "127.0.0.1")
	const wrong = "wr0ng-password"
	for _, tc := range []struct {
		name   string
		server *tls.Config
		sasl   bool // the cluster wants it
		set    func(*native.Config)
		is     error
		text   []string
	}{
		{"wrong password", nil, true, func(c *native.Config) { c.SASL = plainAs(wrong) }, native.ErrAuthentication, nil},
		{"wrong password, SCRAM", nil, true, func(c *native.Config) {
			c.SASL = scram.Auth{User: "alice", Pass: wrong}.AsSha256Mechanism()
		}, native.ErrAuthentication, nil},
		{"mechanism not offered", nil, true, func(c *native.Config) { c.SASL = oauth.Auth{Token: wrong}.AsMechanism() },
			native.ErrMechanism, []string{"OAUTHBEARER", "PLAIN, SCRAM-SHA-256", "sasl.mechanism"}},
		{"unknown authority", good.Server(t, nil), false, func(c *native.Config) { c.TLS = other.Client(t) },
			native.ErrCertificate, []string{"ssl.truststore.location"}},
		{"another host's", authority.Issue(t, soon, "kafka.example").Server(t, nil), false,
			func(c *native.Config) { c.TLS = authority.Client(t) },
			native.ErrCertificate, []string{"kafka.example", "127.0.0.1", "ssl.endpoint.identification.algorithm"}},
		{"expired", authority.Issue(t, time.Now().Add(-time.Minute), "127.0.0.1").Server(t, nil), false,
			func(c *native.Config) { c.TLS = authority.Client(t) }, native.ErrCertificate, []string{"expired on 20"}},
		{"not valid yet", authority.Issue(t, time.Now().Add(72*time.Hour), "127.0.0.1").Server(t, nil), false,
			func(c *native.Config) { c.TLS = authority.Client(t) }, native.ErrCertificate, []string{"isn't valid before 20"}},
		{"no client certificate", good.Server(t, authority), false, func(c *native.Config) { c.TLS = authority.Client(t) },
			native.ErrCertificate, []string{"ssl.keystore.location"}},
		{"TLS to a plain-text listener", nil, false, func(c *native.Config) { // the fake one waits for more; a real one hangs up
			c.TLS, c.RequestTimeout = authority.Client(t), 200*time.Millisecond
		},
			native.ErrNotTLS, []string{"security.protocol"}},
		{"SASL in plain text to a TLS listener", good.Server(t, nil), true, func(c *native.Config) { c.SASL = plainAs(wrong) },
			native.ErrTLSListener, []string{"security.protocol"}},
		{"plain text to a TLS listener", good.Server(t, nil), false, func(*native.Config) {}, native.ErrTLSListener, []string{"security.protocol"}},
		{"TLS to a web server", nil, false, func(c *native.Config) {
			c.Bootstrap, c.TLS = []string{answering(t, "HTTP/1.1 400 Bad\r\n\r\n")}, authority.Client(t)
		}, native.ErrNotTLS, []string{"HTTP"}},
		{"TLS to silence", nil, false, func(c *native.Config) {
			c.Bootstrap, c.TLS, c.RequestTimeout = []string{answering(t, "silence")}, authority.Client(t), 100*time.Millisecond
		}, native.ErrNotTLS, []string{"in time"}},
		{"SASL to a web server", nil, false, func(c *native.Config) {
			c.Bootstrap, c.SASL = []string{answering(t, "HTTP/1.1 400 Bad\r\n\r\n")}, plainAs(wrong)
		}, native.ErrNotKafka, []string{"HTTP"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var opts []kfake.Opt
			if tc.sasl {
				opts = users()
			}
			c, l := securedCluster(t, tc.server, opts...), newLedger()
			cfg := config(c, l)
			tc.set(&cfg)
			p, err := native.New(ctxFor(t), cfg)
			if err == nil {
				p.Close()
				t.Fatal("New succeeds")
			}
			if !errors.Is(err, tc.is) {
				t.Errorf("%v isn't %v", err, tc.is)
			}
			for _, part := range append(tc.text, cfg.Bootstrap[0]) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q doesn't say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), wrong) {
				t.Errorf("%q shows the password", err)
			}
		})
	}
}

// TestRenewal lets sessions end every 1.5 s while records flow: each connection authenticates again and none is cut.
func TestRenewal(t *testing.T) {
	opts := append(users(), kfake.BrokerConfigs(map[string]string{"connections.max.reauth.ms": "1500"}))
	c, l := securedCluster(t, nil, opts...), newLedger()
	var conns, handshakes atomic.Int64
	c.ControlKey(int16(kmsg.SASLHandshake), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		handshakes.Add(1)
		return nil, nil, false
	})
	c.ControlKey(int16(kmsg.ApiVersions), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		conns.Add(1)
		return nil, nil, false
	})
	cfg := config(c, l)
	cfg.SASL = scram.Auth{User: "alice", Pass: password}.AsSha512Mechanism()
	p := open(t, cfg)
	n := 0
	for end := time.Now().Add(4 * time.Second); time.Now().Before(end); {
		recs := records(n, 50)
		produce(t, p, recs)
		n += len(recs)
		time.Sleep(5 * time.Millisecond)
	}
	l.check(t, n, false)
	if s := p.Stats(); s.Retries != 0 {
		t.Errorf("%d batches were sent again: a connection was lost", s.Retries)
	}
	const perConnection = 2 // ApiVersions: before and after the authentication
	if conns, again := conns.Load()/perConnection, handshakes.Load()-conns.Load()/perConnection; conns > 3 || again < 4 {
		t.Errorf("%d connections (3 needed), authenticated again %d times (4 and more expected)", conns, again)
	}
}

// TestRefusedLater has the password changed while a producer runs: what follows on a new connection fails at once.
func TestRefusedLater(t *testing.T) {
	c, l := securedCluster(t, nil, users()...), newLedger()
	cfg := config(c, l)
	cfg.SASL = plainAs(password)
	p := open(t, cfg) // has a connection for metadata, none to produce yet
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		return resp, nil, true
	})
	produce(t, p, records(0, 10))
	for slot := range uint32(10) {
		if e, ok := l.get(slot); !ok || !errors.Is(e.err, native.ErrAuthentication) {
			t.Fatalf("record %d: ended %t with %v, want %v", slot, ok, e.err, native.ErrAuthentication)
		}
	}
	if err := p.Produce(ctxFor(t), records(10, 1)); !errors.Is(err, native.ErrAuthentication) {
		t.Errorf("the next: got %v, want %v", err, native.ErrAuthentication)
	}
}
