package auth_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kbench/native/auth"
)

const secret = "s3cret+of/the test"

// jwt is a token that says when it expires.
func jwt(t testing.TB, expiry time.Time) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"sub": "me", "exp": float64(expiry.UnixMilli()) / 1000})
	if err != nil {
		t.Fatal(err)
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(`{"alg":"none"}`)) + "." + enc.EncodeToString(claims) + ".sig"
}

// server answers requests for tokens.
func server(t *testing.T, answer http.HandlerFunc) auth.ClientCredentials {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return auth.ClientCredentials{URL: s.URL + "/token", ID: "me", Secret: secret, Scope: "kafka  produce"}
}

// grant writes a good answer; life 0: without expires_in.
func grant(w http.ResponseWriter, token string, life int) {
	w.Header().Set("Content-Type", "application/json")
	expires := ""
	if life != 0 {
		expires = fmt.Sprintf(`,"expires_in":%d`, life)
	}
	fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer"%s}`, token, expires)
}

// TestEndpointRequest checks what a server gets to see.
func TestEndpointRequest(t *testing.T) {
	for _, encode := range []bool{false, true} {
		c := server(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			id, pass, ok := r.BasicAuth()
			want := secret
			if encode {
				want = "s3cret%2Bof%2Fthe+test"
			}
			if r.Method != http.MethodPost || r.URL.Path != "/token" || !ok || id != "me" || pass != want {
				t.Errorf("%s %s, user %q, password %q", r.Method, r.URL, id, pass)
			}
			if got, want := string(body), "grant_type=client_credentials&scope=kafka+produce"; got != want {
				t.Errorf("body %s, want %s", got, want)
			}
			grant(w, "opaque", 60)
		})
		c.URLEncode = encode
		if got, err := auth.NewEndpoint(c).Token(t.Context()); err != nil || got.Value != "opaque" || time.Until(got.Expiry) > time.Minute {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// TestEndpointKeepsToken: connections share a token until most of its life is over.
func TestEndpointKeepsToken(t *testing.T) {
	var asked atomic.Int64
	e := auth.NewEndpoint(server(t, func(w http.ResponseWriter, _ *http.Request) {
		grant(w, fmt.Sprint("token", asked.Add(1)), 3600)
	}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got, err := e.Token(t.Context()); err != nil || got.Value != "token1" {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
	all.Wait()
}

// TestEndpointRenews: a token is replaced between 80 and 85 % of its life, by the claim in it where that ends sooner than
// expires_in says. While the server is away, the old one serves to its end, and not beyond.
func TestEndpointRenews(t *testing.T) {
	const life = 2 * time.Second
	var asked, away atomic.Int64
	e := auth.NewEndpoint(server(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		if away.Load() > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		grant(w, jwt(t, time.Now().Add(life)), 3600)
	}))
	bearer := auth.NewBearer(e.Token, nil)
	first, err := e.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	began := first.Expiry.Add(-life)
	for asked.Load() == 1 { // until it is replaced
		got, err := bearer.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got != first.Value && asked.Load() == 1 {
			t.Fatalf("another token without asking: %s", got)
		}
		time.Sleep(time.Millisecond)
	}
	if part := float64(time.Since(began)) / float64(life); part < 0.8 {
		t.Errorf("replaced at %.0f %% of its life", 100*part)
	}
	second, err := e.Token(t.Context())
	if err != nil || second.Value == first.Value {
		t.Fatalf("%+v, %v: want another than the first", second, err)
	}
	away.Store(1)
	before := asked.Load()
	for time.Until(second.Expiry) > 50*time.Millisecond {
		got, err := e.Token(t.Context())
		if time.Until(second.Expiry) <= 0 {
			break // a slow machine
		}
		if err != nil || got.Value != second.Value {
			t.Fatalf("%+v, %v, with %v to go", got, err, time.Until(second.Expiry))
		}
		time.Sleep(5 * time.Millisecond)
	}
	if asked.Load() == before {
		t.Error("nobody asked for another token")
	}
	time.Sleep(max(0, time.Until(second.Expiry)))
	if got, err := bearer.Token(t.Context()); !errors.Is(err, auth.ErrToken) || auth.Permanent(err) {
		t.Errorf("after its end: %q, %v", got, err)
	}
}

// TestEndpointFails: each failure says what happened, at once and without the secret, and whether trying again may help.
func TestEndpointFails(t *testing.T) {
	answering := func(code int, kind, body string) func(t *testing.T) auth.ClientCredentials {
		return func(t *testing.T) auth.ClientCredentials {
			return server(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", kind)
				w.WriteHeader(code)
				fmt.Fprint(w, body)
			})
		}
	}
	const kind = "application/json"
	repeated := base64.StdEncoding.EncodeToString([]byte("me:" + secret))
	encoded := base64.StdEncoding.EncodeToString([]byte("me:s3cret%2Bof%2Fthe+test"))
	for _, tc := range []struct {
		name string
		make func(t *testing.T) auth.ClientCredentials
		is   error
		says []string
	}{
		{"nobody there", func(t *testing.T) auth.ClientCredentials {
			return auth.ClientCredentials{URL: "http://127.0.0.1:1/token", Secret: secret}
		}, auth.ErrToken, []string{"http://127.0.0.1:1/token", "refused"}},
		{"silence", func(t *testing.T) auth.ClientCredentials {
			end := make(chan struct{})
			c := server(t, func(http.ResponseWriter, *http.Request) { <-end })
			t.Cleanup(func() { close(end) })
			c.ReadTimeout = 50 * time.Millisecond
			return c
		}, auth.ErrToken, []string{"/token", "timeout"}},
		{"no https", func(t *testing.T) auth.ClientCredentials {
			c := answering(200, kind, "")(t)
			c.URL = strings.Replace(c.URL, "http:", "https:", 1)
			return c
		}, auth.ErrToken, []string{"https://"}},
		{"401", answering(401, kind, `{"error":"invalid_client","error_description":"who is me:`+secret+` or `+repeated+`"}`),
			auth.ErrAuthentication, []string{"401 Unauthorized", "invalid_client", "who is me:***"}},
		{"401 with the header", answering(401, kind, `{"error":"invalid_client","error_description":"not `+encoded+`"}`),
			auth.ErrAuthentication, []string{"invalid_client not ***"}},
		{"401, cut", answering(401, kind, `{"error":"invalid_client","error_description":"`+strings.Repeat("x", 190)+secret+`"}`),
			auth.ErrAuthentication, []string{"xx***"}},
		{"400 without words", answering(400, "text/html", "<html>"+secret), auth.ErrAuthentication, []string{"400 Bad Request"}},
		{"404", answering(404, "text/plain", "no"), auth.ErrAuthentication, []string{"404 Not Found"}},
		{"redirected", func(t *testing.T) auth.ClientCredentials {
			return server(t, func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/token" {
					t.Error("the redirection was followed")
				}
				http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
			})
		}, auth.ErrAuthentication, []string{"307"}},
		{"503", answering(503, kind, ""), auth.ErrToken, []string{"503 Service Unavailable"}},
		{"429", answering(429, kind, ""), auth.ErrToken, []string{"429"}},
		{"junk", answering(200, kind, "<html>"+secret), auth.ErrAuthentication, []string{"answers with no token"}},
		{"words", answering(200, "text/plain", secret), auth.ErrAuthentication, []string{"answers with no token"}},
		{"empty", answering(200, kind, "{}"), auth.ErrAuthentication, []string{"answers with no token"}},
		{"no word", answering(200, kind, `{"access_token":"two words"}`), auth.ErrAuthentication, []string{"want one word"}},
		{"expired", func(t *testing.T) auth.ClientCredentials {
			return answering(200, kind, `{"access_token":"`+jwt(t, time.Now().Add(-90*time.Second))+`","expires_in":3600}`)(t)
		}, auth.ErrAuthentication, []string{"expired at 20", "1m30s ago", "clock"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := auth.NewBearer(auth.NewEndpoint(tc.make(t)).Token, nil).Token(t.Context())
			if !errors.Is(err, tc.is) || !auth.Known(err) || auth.Permanent(err) != (tc.is == auth.ErrAuthentication) {
				t.Fatalf("%v isn't %v", err, tc.is)
			}
			for _, part := range tc.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q doesn't say %q", err, part)
				}
			}
			for _, s := range []string{secret, secret[:8], repeated, encoded} {
				if strings.Contains(err.Error(), s) {
					t.Errorf("%q shows the secret", err)
				}
			}
		})
	}
}

// TestEndpointCancelled: a request ends with its context.
func TestEndpointCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := server(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server wouldn't notice
		cancel()
		<-r.Context().Done()
	})
	if _, err := auth.NewEndpoint(c).Token(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// TestEndpointImpatient: who gives up doesn't wait for the request of another.
func TestEndpointImpatient(t *testing.T) {
	asked, end := make(chan struct{}), make(chan struct{})
	e := auth.NewEndpoint(server(t, func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-end
		grant(w, "slow", 3600)
	}))
	first := make(chan error, 1)
	go func() {
		_, err := e.Token(t.Context())
		first <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Token(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, auth.ErrToken) {
		t.Errorf("got %v", err)
	}
	close(end)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// FuzzExpiryOf: whatever a token looks like, its expiry is a time that can be reckoned with, or none.
func FuzzExpiryOf(f *testing.F) {
	f.Add(jwt(f, time.Now()))
	for _, claims := range []string{`{"exp":1e300}`, `{"exp":-5}`, `{"exp":"soon"}`, `{}`, ``} {
		f.Add("e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".")
	}
	f.Fuzz(func(t *testing.T, token string) {
		if e := auth.ExpiryOf(token); !e.IsZero() && (e.Year() < 1970 || e.Year() > 40000) {
			t.Errorf("%q expires at %v", token, e)
		}
	})
}
