package auth

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// ClientCredentials are what an OAuth server gives tokens for (RFC 6749, section 4.4; KIP-768, KIP-1139).
type ClientCredentials struct {
	URL            string        // of the token end point, http or https
	ID             string        // of the client
	Secret         string        // of the client; in no error's text
	Scope          string        // words divided by blanks, or ""
	URLEncode      bool          // encode ID and Secret in the header, as RFC 6749 has it and Kafka's client hasn't unless told to
	TLS            *tls.Config   // for https; nil: the system's authorities
	ConnectTimeout time.Duration // of one request; 0: 10 s
	ReadTimeout    time.Duration // to the head of the answer; 0: 10 s
}

// Endpoint gets tokens from an OAuth server and keeps the last. Its methods may be called from any goroutine.
//
// A token is replaced at 80 to 85 % of its life, as Kafka's client does (ExpiringCredentialRefreshingLogin). A session that
// lasts as long as its token is renewed at 85 % of that or later (KIP-368), so it always gets a new token. If the server
// can't be reached then, the old token serves to its end, and nobody has to wait for the server for long meanwhile.
type Endpoint struct {
	cred ClientCredentials

	// turn holds one element while a token is fetched: connections that are made at the same time share it. It is no mutex, so
	// that who gives up needn't wait for an answer that others wait for.
	turn chan struct{}

	mu      sync.Mutex
	token   Token
	renew   time.Time    // when to fetch another
	refresh *replacement // under way; nil: none
}

// replacement is the fetching of a token while the one before is still good.
type replacement struct {
	done  chan struct{} // closed at its end
	until time.Time     // that long it is worth waiting for
}

const (
	// patience bounds the wait for a new token while the old one is still good.
	patience = time.Second
	// refreshPause is between two attempts to replace a token. Source: ExpiringCredentialRefreshingLogin,
	// DELAY_SECONDS_BEFORE_NEXT_RETRY_WHEN_RELOGIN_FAILS.
	refreshPause = 10 * time.Second
	// expiryMargin is left of a token's life when it is handed out, so that it hasn't expired when it is looked at.
	expiryMargin = 10 * time.Millisecond
)

// NewEndpoint makes an Endpoint without asking for a token yet.
func NewEndpoint(c ClientCredentials) *Endpoint {
	for _, d := range []*time.Duration{&c.ConnectTimeout, &c.ReadTimeout} {
		if *d <= 0 {
			*d = 10 * time.Second
		}
	}
	return &Endpoint{cred: c, turn: make(chan struct{}, 1)}
}

// Token is a token that is still good for a while; a source for NewBearer. Errors tell what the server answered, and wrap
// ErrAuthentication where it refused, or ErrToken where trying again may help.
func (e *Endpoint) Token(ctx context.Context) (Token, error) {
	for {
		e.mu.Lock()
		t, now := e.token, time.Now()
		if now.Before(e.renew) {
			e.mu.Unlock()
			return t, nil
		}
		left := t.Expiry.Add(-expiryMargin).Sub(now)
		if left <= 0 { // of none, and of one that doesn't say, too
			e.mu.Unlock()
			return e.fetchInTurn(ctx)
		}
		if e.refresh == nil {
			e.refresh = &replacement{make(chan struct{}), now.Add(min(patience, left/2))}
			go e.replace(e.refresh)
		}
		r := e.refresh
		e.mu.Unlock()
		timer := time.NewTimer(r.until.Sub(now))
		select {
		case <-r.done: // look again: there is a new one, or a pause
			timer.Stop()
			continue
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
		if time.Until(t.Expiry) > expiryMargin {
			return t, nil
		}
	}
}

// replace fetches a token behind the back of those who have the old one. It ends by the time limits of a request.
func (e *Endpoint) replace(r *replacement) {
	_, err := e.fetchInTurn(context.Background())
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		now := time.Now()
		e.renew = now.Add(min(refreshPause, max(0, e.token.Expiry.Add(-expiryMargin).Sub(now)/2)))
	}
	e.refresh = nil
	close(r.done)
}

// fetchInTurn fetches a token unless somebody else has done so meanwhile.
func (e *Endpoint) fetchInTurn(ctx context.Context) (Token, error) {
	select {
	case e.turn <- struct{}{}:
		defer func() { <-e.turn }()
	case <-ctx.Done():
		return Token{}, fmt.Errorf("%w: the token end point %s is still being asked: %w", ErrToken, e.cred.URL, ctx.Err())
	}
	now := time.Now()
	e.mu.Lock()
	t, renew := e.token, e.renew
	e.mu.Unlock()
	if now.Before(renew) {
		return t, nil
	}
	t, err := e.fetch(ctx)
	if err != nil {
		return Token{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.token, e.renew = t, now
	if !t.Expiry.IsZero() {
		e.renew = now.Add(time.Duration((0.80 + 0.05*rand.Float64()) * float64(t.Expiry.Sub(now))))
	}
	return t, nil
}

// fetch asks the server for a token.
func (e *Endpoint) fetch(ctx context.Context) (Token, error) {
	// Without keep-alive: a connection would idle for most of an hour.
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: e.cred.ConnectTimeout}).DialContext,
		TLSHandshakeTimeout:   e.cred.ConnectTimeout,
		ResponseHeaderTimeout: e.cred.ReadTimeout,
		TLSClientConfig:       e.cred.TLS,
		DisableKeepAlives:     true,
	}
	client := &http.Client{
		Transport: credentialHeader{transport, &e.cred},
		Timeout:   e.cred.ConnectTimeout + 2*e.cred.ReadTimeout,
		// Who is redirected to has no business with the credentials.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	conf := clientcredentials.Config{
		ClientID: e.cred.ID, ClientSecret: e.cred.Secret, TokenURL: e.cred.URL,
		Scopes: strings.Fields(e.cred.Scope), AuthStyle: oauth2.AuthStyleInHeader,
	}
	got, err := conf.Token(context.WithValue(ctx, oauth2.HTTPClient, client))
	if err != nil {
		return Token{}, e.explain(err)
	}
	t := Token{Value: got.AccessToken, Expiry: got.Expiry}
	if own := ExpiryOf(t.Value); t.Expiry.IsZero() || !own.IsZero() && own.Before(t.Expiry) {
		t.Expiry = own
	}
	return t, nil
}

// credentialHeader sends the credentials as they are, where oauth2 would always encode them.
type credentialHeader struct {
	next http.RoundTripper
	cred *ClientCredentials
}

// RoundTrip implements http.RoundTripper.
func (h credentialHeader) RoundTrip(r *http.Request) (*http.Response, error) {
	if !h.cred.URLEncode {
		r = r.Clone(r.Context())
		r.SetBasicAuth(h.cred.ID, h.cred.Secret)
	}
	return h.next.RoundTrip(r)
}

// explain says what a server answered, without what is secret: a server may repeat what it was sent.
func (e *Endpoint) explain(err error) error {
	var answer *oauth2.RetrieveError
	var transport *url.Error
	switch {
	case errors.As(err, &answer) && answer.Response != nil:
		kind, text := ErrAuthentication, fmt.Sprintf("the token end point %s answers %s", e.cred.URL, answer.Response.Status)
		switch code := answer.Response.StatusCode; {
		case code == http.StatusRequestTimeout, code == http.StatusTooManyRequests, code >= 500:
			kind = ErrToken
		}
		if answer.ErrorCode != "" {
			// Hidden before it is cut: what a cut leaves of a secret isn't found any more.
			text += fmt.Sprintf(": %.100s %.200s", e.cred.hide(answer.ErrorCode), e.cred.hide(answer.ErrorDescription))
		}
		return fmt.Errorf("%w: %s", kind, strings.TrimSpace(text))
	case errors.As(err, &transport): // its own text repeats the address
		return fmt.Errorf("%w: no answer from the token end point %s: %w", ErrToken, e.cred.URL, transport.Err)
	}
	text := strings.TrimPrefix(err.Error(), "oauth2: ")
	return fmt.Errorf("%w: the token end point %s answers with no token: %s", ErrAuthentication, e.cred.URL, e.cred.hide(text))
}

// hide takes the secret out of a text, in the forms in which a server gets to see it.
func (c *ClientCredentials) hide(text string) string {
	header := func(id, secret string) string { return base64.StdEncoding.EncodeToString([]byte(id + ":" + secret)) }
	encoded := url.QueryEscape(c.Secret)
	for _, s := range []string{header(c.ID, c.Secret), header(url.QueryEscape(c.ID), encoded), encoded, c.Secret} {
		if c.Secret != "" {
			text = strings.ReplaceAll(text, s, "***")
		}
	}
	return text
}
