package driver

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"kbench/native/auth"
	"kbench/workload"
)

// Security turns the settings of security.protocol, ssl.* and sasl.* into what secures connections. It reads the files that
// they name; errors name the setting, and never show a secret.
func Security(p *workload.ProducerConfig) (auth.Config, error) {
	var c auth.Config
	var tlsErr, saslErr error
	s := &p.Security
	if s.TLS() {
		c.TLS, tlsErr = tlsConfig(s)
	}
	if s.SASL() {
		c.SASL, saslErr = mechanism(s)
	}
	return c, errors.Join(tlsErr, saslErr)
}

// tlsConfig reads the stores.
func tlsConfig(s *workload.Security) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if err := trust(c, s); err != nil {
		return nil, err
	}
	if err := identify(c, s); err != nil {
		return nil, err
	}
	if s.EndpointIdentification == "" {
		anyHost(c)
	}
	return c, nil
}

// mechanism is how SASL authenticates.
func mechanism(s *workload.Security) (sasl.Mechanism, error) {
	c, err := s.Credentials()
	if err != nil {
		return nil, err
	}
	switch s.Mechanism {
	case workload.MechanismPlain:
		return plain.Auth{User: c.User, Pass: c.Password.Reveal()}.AsMechanism(), nil
	case workload.MechanismSCRAM256:
		return scram.Auth{User: c.User, Pass: c.Password.Reveal()}.AsSha256Mechanism(), nil
	case workload.MechanismSCRAM512:
		return scram.Auth{User: c.User, Pass: c.Password.Reveal()}.AsSha512Mechanism(), nil
	case workload.MechanismOAuthBearer:
		if _, err := Token(s); err != nil { // now, rather than at the first connection
			return nil, err
		}
		return oauth.Oauth(func(context.Context) (oauth.Auth, error) {
			token, err := Token(s)
			return oauth.Auth{Token: token}, err
		}), nil
	}
	return nil, fmt.Errorf("sasl.mechanism: %q: allowed %s", s.Mechanism, strings.Join(workload.Mechanisms(), ", "))
}

// Token is the token of OAUTHBEARER as it is now: from its file, or one without a signature.
func Token(s *workload.Security) (string, error) {
	if s.TokenURL == "" {
		c, err := s.Credentials()
		if err != nil {
			return "", err
		}
		return unsecuredToken(c.Subject, time.Now())
	}
	const name = "sasl.oauthbearer.token.endpoint.url"
	u, err := url.Parse(s.TokenURL)
	if err != nil {
		return "", fmt.Errorf("%s: not the address of a file", name)
	}
	text, err := os.ReadFile(u.Path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	token := strings.TrimSpace(string(text))
	if token == "" || strings.ContainsAny(token, " \t\r\n\x01") {
		return "", fmt.Errorf("%s: %s holds no token: want one word", name, u.Path)
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

// Security notes the settings of security: the protocol and mechanism of c, which is in force, and what led to them.
func (e Effective) Security(p *workload.ProducerConfig, c auth.Config) {
	for _, s := range Settings() {
		if workload.SecuritySetting(s.Name) {
			e.Text(s.Name, p.Get(s.Name))
		}
	}
	e.Text("security.protocol", c.Protocol())
	if c.SASL != nil {
		e.Text("sasl.mechanism", c.SASL.Name())
	}
}
