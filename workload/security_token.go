package workload

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Options of OAuthBearerLoginModule: who the client is for an OAuth server, where the settings of KIP-1139 don't say it (KIP-768).
const (
	optionClientID     = "clientId"
	optionClientSecret = "clientSecret"
	optionScope        = "scope"
	optionExtension    = "extension_" // with the name of a SASL extension behind it
)

// loginTimeout is the default of sasl.login.connect.timeout.ms and sasl.login.read.timeout.ms. Kafka's client has none, and
// waits for ever.
const loginTimeout = 10 * time.Second

// OAuth is how the settings say that tokens are fetched from an OAuth server, with the client's own credentials.
type OAuth struct {
	URL            string
	ClientID       string
	ClientSecret   Secret
	Scope          string
	URLEncode      bool              // the credentials in the header are encoded
	ConnectTimeout time.Duration     // of one request
	ReadTimeout    time.Duration     // of its answer
	TLS            Security          // of https: the ssl.* options of the login module
	Extensions     map[string]string // SASL extensions; they aren't the server's, but every token's
}

// OverHTTP tells whether tokens are fetched from a server.
func (s *Security) OverHTTP() bool {
	return strings.HasPrefix(s.TokenURL, "http://") || strings.HasPrefix(s.TokenURL, "https://")
}

// OAuth takes the access to the OAuth server out of the settings, which win, and of the login module's options.
func (s *Security) OAuth() (OAuth, error) {
	o := OAuth{URL: s.TokenURL, ClientID: s.ClientID, ClientSecret: s.ClientSecret, Scope: s.Scope, URLEncode: s.HeaderURLEncode,
		ConnectTimeout: s.LoginConnectTimeout, ReadTimeout: s.LoginReadTimeout}
	own := DefaultProducerConfig()
	own.Security.Protocol = "SSL"
	if s.JAAS.Reveal() != "" {
		_, options, err := ParseJAAS(s.JAAS.Reveal())
		if err != nil {
			return OAuth{}, fmt.Errorf("sasl.jaas.config: %w", err)
		}
		orOption := func(value *string, option string) {
			if *value == "" {
				*value = options[option]
			}
		}
		orOption(&o.ClientID, optionClientID)
		orOption(&o.Scope, optionScope)
		if o.ClientSecret.Reveal() == "" {
			o.ClientSecret = NewSecret(options[optionClientSecret])
		}
		for _, name := range slices.Sorted(maps.Keys(options)) {
			if extension, ok := strings.CutPrefix(name, optionExtension); ok && extension != "" {
				if o.Extensions == nil {
					o.Extensions = map[string]string{}
				}
				o.Extensions[extension] = options[name]
			}
			if strings.HasPrefix(name, "ssl.") {
				if err := own.Set(name, options[name]); err != nil {
					return OAuth{}, fmt.Errorf("sasl.jaas.config: option %w", err)
				}
			}
		}
	}
	o.TLS = own.Security
	return o, nil
}

// tokenClashes are what the settings of OAUTHBEARER lack.
func (s *Security) tokenClashes(clash func(wrong bool, name, why string, args ...any)) {
	if !s.OverHTTP() {
		return
	}
	o, err := s.OAuth()
	if err != nil {
		clash(true, "sasl.jaas.config", "%v", strings.TrimPrefix(err.Error(), "sasl.jaas.config: "))
		return
	}
	for _, c := range []struct{ value, name, option string }{
		{o.ClientID, "sasl.oauthbearer.client.credentials.client.id", optionClientID},
		{o.ClientSecret.Reveal(), "sasl.oauthbearer.client.credentials.client.secret", optionClientSecret},
	} {
		clash(c.value == "", "sasl.oauthbearer.token.endpoint.url", "needs %s, or the option %s in sasl.jaas.config", c.name, c.option)
	}
}

// tokenURL takes files, as Kafka's setting does too (KIP-768), and the end points of OAuth servers.
func tokenURL(value string) *fieldError {
	const allowed = "file:///path, https://host/path, http://host/path"
	u, err := url.Parse(value)
	switch {
	case value == "":
		return nil
	case err == nil && u.Scheme == "file" && u.Host == "" && u.Path != "":
		return nil
	case err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.Fragment == "":
		return nil
	case err == nil && u.User != nil: // not quoted: it is a password
		return &fieldError{msg: "a user in the address: give sasl.oauthbearer.client.credentials.client.id and .client.secret", allowed: allowed}
	}
	return &fieldError{msg: "not the address of a file or of a token end point", allowed: allowed}
}
