package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
)

// Token is what OAUTHBEARER authenticates with.
type Token struct {
	Value  string
	Expiry time.Time // zero: not known
}

// Bearer is the mechanism OAUTHBEARER. Each authentication, the first and those that renew a session, asks for a token.
type Bearer struct {
	source     func(context.Context) (Token, error)
	extensions map[string]string
}

var _ sasl.Mechanism = (*Bearer)(nil)

// NewBearer is OAUTHBEARER with the tokens of source, which may be called at the same time by several connections, and the
// SASL extensions given (KIP-342), or nil.
func NewBearer(source func(context.Context) (Token, error), extensions map[string]string) *Bearer {
	return &Bearer{source: source, extensions: maps.Clone(extensions)}
}

// Name implements sasl.Mechanism.
func (b *Bearer) Name() string { return "OAUTHBEARER" }

// Authenticate implements sasl.Mechanism.
func (b *Bearer) Authenticate(ctx context.Context, host string) (sasl.Session, []byte, error) {
	token, err := b.Token(ctx)
	if err != nil {
		return nil, nil, err
	}
	return oauth.Auth{Token: token, Extensions: b.extensions}.AsMechanism().Authenticate(ctx, host)
}

// Extensions are the SASL extensions; not to be changed.
func (b *Bearer) Extensions() map[string]string { return b.extensions }

// Token is a token that hasn't expired.
func (b *Bearer) Token(ctx context.Context) (string, error) {
	t, err := b.source(ctx)
	if err != nil {
		return "", err
	}
	if !OneWord(t.Value) {
		return "", fmt.Errorf("%w: it holds no token: want one word", ErrAuthentication)
	}
	if t.Expiry.IsZero() {
		t.Expiry = ExpiryOf(t.Value)
	}
	if late := time.Since(t.Expiry); !t.Expiry.IsZero() && late >= 0 {
		return "", fmt.Errorf("%w: the token expired at %s, %v ago by this machine's clock", ErrAuthentication,
			t.Expiry.UTC().Format(time.RFC3339), late.Truncate(time.Second))
	}
	return t.Value, nil
}

// OneWord says whether a text can be a token: it isn't empty and has nothing in it that would end it within the message (RFC 7628).
func OneWord(token string) bool { return token != "" && !strings.ContainsAny(token, " \t\r\n\x01") }

// ExpiryOf is when a token expires by its own account: the claim exp of a JWT. Zero: it doesn't say.
func ExpiryOf(token string) time.Time {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return time.Time{}
	}
	claims, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return time.Time{}
	}
	var c struct {
		Exp float64 `json:"exp"` // seconds since 1970
	}
	if json.Unmarshal(claims, &c) != nil || c.Exp <= 0 || c.Exp > 1<<40 {
		return time.Time{}
	}
	return time.UnixMilli(int64(c.Exp * 1000))
}
