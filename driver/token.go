package driver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"kbench/native/auth"
	"kbench/workload"
)

// bearer is OAUTHBEARER with the tokens that the settings name. It gets the first one now, so that what is wrong shows before
// anything is connected to.
func bearer(ctx context.Context, s *workload.Security) (*auth.Bearer, error) {
	o, err := s.OAuth()
	if err != nil {
		return nil, err
	}
	source := func(context.Context) (auth.Token, error) {
		token, err := Token(s)
		return auth.Token{Value: token}, err
	}
	if s.OverHTTP() {
		c := auth.ClientCredentials{URL: o.URL, ID: o.ClientID, Secret: o.ClientSecret.Reveal(), Scope: o.Scope, URLEncode: o.URLEncode,
			ConnectTimeout: o.ConnectTimeout, ReadTimeout: o.ReadTimeout}
		if c.TLS, err = tlsConfig(&o.TLS); err != nil {
			return nil, fmt.Errorf("sasl.jaas.config: option %w", err)
		}
		source = auth.NewEndpoint(c).Token
	}
	b := auth.NewBearer(source, o.Extensions)
	if _, err := b.Token(ctx); err != nil {
		return nil, fmt.Errorf("%s: %w", tokenSetting(s), err)
	}
	return b, nil
}

// tokenSetting is the setting that a token comes from.
func tokenSetting(s *workload.Security) string {
	if s.TokenURL == "" {
		return "sasl.jaas.config"
	}
	return "sasl.oauthbearer.token.endpoint.url"
}

// Token is the token of OAUTHBEARER as it is now where it doesn't come from a server: from its file, or one without a
// signature.
func Token(s *workload.Security) (string, error) {
	if s.TokenURL == "" {
		c, err := s.Credentials()
		if err != nil {
			return "", err
		}
		return unsecuredToken(c.Subject, time.Now())
	}
	u, err := url.Parse(s.TokenURL)
	if err != nil {
		return "", fmt.Errorf("not the address of a file")
	}
	text, err := os.ReadFile(u.Path)
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(text))
	if !auth.OneWord(token) {
		return "", fmt.Errorf("%s holds no token: want one word", u.Path)
	}
	return token, nil
}

// tokenLife is how long a token without a signature is valid, as with Kafka's own login module.
const tokenLife = time.Hour

// unsecuredToken is a JWT without a signature, as OAuthBearerUnsecuredLoginCallbackHandler makes it.
func unsecuredToken(subject string, now time.Time) (string, error) {
	claims, err := json.Marshal(map[string]any{"sub": subject, "iat": now.Unix(), "exp": now.Add(tokenLife).Unix()})
	if err != nil {
		return "", err
	}
	enc := base64.RawURLEncoding
	return enc.EncodeToString([]byte(`{"alg":"none"}`)) + "." + enc.EncodeToString(claims) + ".", nil
}
