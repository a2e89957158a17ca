package native_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
	"kbench/native/auth"
)

// tokenServer is an OAuth server whose tokens live for a short time, and a cluster that takes them: sessions last as long as
// their tokens.
type tokenServer struct {
	url  string
	life time.Duration

	mu       sync.Mutex
	expiries map[string]time.Time // of the tokens granted
	status   int                  // other than 0: what it answers
	sessions map[string]int       // authentications by token
}

func newTokenServer(t *testing.T, life time.Duration) *tokenServer {
	t.Helper()
	s := &tokenServer{life: life, expiries: map[string]time.Time{}, sessions: map[string]int{}}
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if id, pass, _ := r.BasicAuth(); s.status == 0 && (id != "me" || pass != password) {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if s.status != 0 {
			w.WriteHeader(s.status)
			return
		}
		expiry := time.Now().Add(s.life)
		claims := fmt.Sprintf(`{"sub":"me","exp":%.3f,"jti":%d}`, float64(expiry.UnixMilli())/1000, len(s.expiries))
		token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "."
		s.expiries[token] = expiry
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":%d}`, token, 1+int(s.life.Seconds()))
	}))
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

// answer has the server answer with a status from now on.
func (s *tokenServer) answer(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status = status
}

// guard has a cluster ask for tokens.
func (s *tokenServer) guard(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLHandshakeResponse)
		resp.SupportedMechanisms = []string{"OAUTHBEARER"}
		return resp, nil, true
	})
	c.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		_, token, _ := strings.Cut(string(r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes), "auth=Bearer ")
		token, _, _ = strings.Cut(token, "\x01")
		s.mu.Lock()
		defer s.mu.Unlock()
		if left := time.Until(s.expiries[token]); left > 0 {
			resp.SessionLifetimeMillis = left.Milliseconds()
			s.sessions[token]++
		} else {
			resp.ErrorCode, resp.ErrorMessage = kerr.SaslAuthenticationFailed.Code, kmsg.StringPtr("no such token")
		}
		return resp, nil, true
	})
}

// mechanism is OAUTHBEARER with tokens of the server.
func (s *tokenServer) mechanism(secret string) *auth.Bearer {
	return auth.NewBearer(auth.NewEndpoint(auth.ClientCredentials{URL: s.url, ID: "me", Secret: secret}).Token, nil)
}

// TestTokensRenewed has tokens and sessions end every second while records flow: each session is renewed with a new token.
func TestTokensRenewed(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t, time.Second)
	c, l := cluster(t), newLedger()
	s.guard(c)
	cfg := config(c, l)
	cfg.SASL = s.mechanism(password)
	p := open(t, cfg)
	n := 0
	for end := time.Now().Add(2500 * time.Millisecond); time.Now().Before(end); {
		recs := records(n, 50)
		produce(t, p, recs)
		n += len(recs)
		time.Sleep(5 * time.Millisecond)
	}
	l.check(t, n, false)
	s.mu.Lock()
	defer s.mu.Unlock()
	if stats := p.Stats(); stats.Retries != 0 || len(s.sessions) < 3 {
		t.Errorf("%d tokens used, %d batches sent again; want 3 tokens and more, none sent again", len(s.sessions), stats.Retries)
	}
	const connections = 3 // one for metadata, and one to each broker
	for token, sessions := range s.sessions {
		if sessions > connections {
			t.Errorf("%s served for %d authentications", token, sessions)
		}
	}
}

// TestTokensRefused has the server of tokens refuse, or be away: New says so at once, and a producer that runs fails at once
// what can't be sent any more where it is refused, and goes on where the server comes back.
func TestTokensRefused(t *testing.T) {
	t.Parallel()
	s := newTokenServer(t, time.Second)
	c := cluster(t)
	s.guard(c)
	for _, tc := range []struct {
		secret string
		status int
		is     error
	}{{"wr0ng", 0, native.ErrAuthentication}, {password, 503, native.ErrToken}} {
		s.answer(tc.status)
		cfg := config(c, newLedger())
		cfg.SASL = s.mechanism(tc.secret)
		p, err := native.New(ctxFor(t), cfg)
		if err == nil {
			p.Close()
		}
		if !errors.Is(err, tc.is) || strings.Contains(err.Error(), tc.secret) || !strings.Contains(err.Error(), s.url) {
			t.Errorf("got %v, want %v", err, tc.is)
		}
	}
	for status, is := range map[int]error{401: native.ErrAuthentication, 503: nil} {
		s.answer(0)
		l := newLedger()
		cfg := config(c, l)
		cfg.SASL = s.mechanism(password)
		p := open(t, cfg) // has a connection for metadata, none to produce yet
		s.answer(status)
		time.Sleep(s.life + 50*time.Millisecond) // nothing is left of its token
		recs := records(0, 10)
		if err := p.Produce(ctxFor(t), recs); err != nil && !errors.Is(err, is) {
			t.Errorf("%d: %v", status, err)
		}
		if is == nil {
			time.Sleep(50 * time.Millisecond)
			s.answer(0)
		}
		if err := p.Flush(ctxFor(t)); err != nil {
			t.Fatal(err)
		}
		l.check(t, len(recs), is != nil)
		for _, r := range recs {
			if e, _ := l.get(r.Slot); !errors.Is(e.err, is) {
				t.Fatalf("%d: slot %d ended with %v, want %v", status, r.Slot, e.err, is)
			}
		}
	}
}
