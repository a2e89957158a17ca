package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native/auth/authtest"
)

// granted is the token of the tests: nothing that is printed or written may contain it.
const granted = "t0ken-nobody-may-read"

// oauth is an OAuth server with https, and a cluster that asks for its token.
type oauth struct {
	url     string
	cluster *kfake.Cluster

	sessions atomic.Int64 // authentications
}

// newOAuth starts both; status is what the server answers to the right credentials.
func newOAuth(t *testing.T, s *secured, status int) *oauth {
	t.Helper()
	o := &oauth{}
	h := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if id, pass, _ := r.BasicAuth(); id != "alice" || pass != secret || r.FormValue("scope") != "kafka" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":"not %s:%s"}`, id, pass)
			return
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":600}`, granted)
	}))
	h.TLS = s.authority.Issue(t, time.Now().Add(time.Hour), "127.0.0.1").Server(t, nil)
	h.Config.ErrorLog = log.New(io.Discard, "", 0)
	h.StartTLS()
	t.Cleanup(h.Close)
	o.url = h.URL + "/token"
	var err error
	if o.cluster, err = kfake.NewCluster(kfake.NumBrokers(1)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.cluster.Close)
	o.cluster.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		o.cluster.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLHandshakeResponse)
		resp.SupportedMechanisms = []string{"OAUTHBEARER"}
		return resp, nil, true
	})
	o.cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		o.cluster.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		said := string(r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes)
		if !strings.Contains(said, "auth=Bearer "+granted+"\x01") || !strings.Contains(said, "\x01pool=7\x01") {
			resp.ErrorCode = kerr.SaslAuthenticationFailed.Code
		}
		o.sessions.Add(1)
		return resp, nil, true
	})
	return o
}

// settings are those of a client with the client's secret.
func (o *oauth) settings(ca, secret string) []string {
	return []string{"security.protocol=SASL_PLAINTEXT", "sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url=" + o.url,
		"sasl.oauthbearer.client.credentials.client.id=alice", "sasl.oauthbearer.client.credentials.client.secret=" + secret,
		`sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required scope="kafka" extension_pool="7" ` +
			`ssl.truststore.type="PEM" ssl.truststore.location="` + ca + `";`}
}

// TestTokenEndpoint has every client, and the admin connection, authenticate with a token that an OAuth server gives.
func TestTokenEndpoint(t *testing.T) {
	s := &secured{authority: authtest.NewAuthority(t), dir: t.TempDir()}
	ca := s.pem(t, "ca.pem", s.authority.PEM)
	stranger := s.pem(t, "stranger.pem", authtest.NewAuthority(t).PEM)
	o := newOAuth(t, s, http.StatusOK)
	addr := o.cluster.ListenAddrs()[0]
	for _, driver := range []string{"native", "franz", "sarama", "replay"} {
		before := o.sessions.Load()
		code, said, dir := s.kbench(t, driver, addr, o.settings(ca, secret), granted)
		if code != exitOK {
			t.Errorf("%s: exit code %d: %s", driver, code, said)
			continue
		}
		if n, effective := storedOf(t, dir); n != 1000 || effective["sasl.oauthbearer.token.endpoint.url"] != o.url {
			t.Errorf("%s: %d records, end point %q", driver, n, effective["sasl.oauthbearer.token.endpoint.url"])
		}
		if o.sessions.Load() < before+2 { // the admin's and the producer's
			t.Errorf("%s: %d authentications", driver, o.sessions.Load()-before)
		}
	}
	away := newOAuth(t, s, http.StatusServiceUnavailable)
	for name, c := range map[string]struct {
		settings []string
		says     []string
	}{
		"wrong secret": {o.settings(ca, "wr0ng"), []string{"sasl.oauthbearer.token.endpoint.url: authentication failed", o.url, "401", "invalid_client"}},
		"stranger":     {o.settings(stranger, secret), []string{"sasl.oauthbearer.token.endpoint.url", o.url, "certificate"}},
		"away":         {away.settings(ca, secret), []string{"sasl.oauthbearer.token.endpoint.url", "no token", "503"}},
	} {
		code, said, _ := s.kbench(t, "native", addr, c.settings, granted, "wr0ng")
		if code != exitTarget {
			t.Errorf("%s: exit code %d", name, code)
		}
		for _, part := range c.says {
			if !strings.Contains(said, part) {
				t.Errorf("%s: %q doesn't say %q", name, said, part)
			}
		}
		t.Log(said)
	}
}
