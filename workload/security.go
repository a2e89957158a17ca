package workload

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Security holds the settings of security.protocol, ssl.* and sasl.* in Kafka's meaning. Stores are PEM: Java's own formats
// aren't read.
type Security struct {
	Protocol               string // security.protocol: PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL
	TruststoreLocation     string // ssl.truststore.location: a PEM file with the authorities' certificates
	TruststoreCertificates string // ssl.truststore.certificates: the same as text
	TruststoreType         string // ssl.truststore.type: PEM, or empty: as the file is
	KeystoreLocation       string // ssl.keystore.location: a PEM file with the client's own certificate and its key
	KeystoreChain          string // ssl.keystore.certificate.chain: the certificate as text
	KeystoreKey            Secret // ssl.keystore.key: the key as text
	KeystoreType           string // ssl.keystore.type: PEM, or empty
	EndpointIdentification string // ssl.endpoint.identification.algorithm: https, or empty: any host's certificate will do
	Mechanism              string // sasl.mechanism; empty: not given
	JAAS                   Secret // sasl.jaas.config
	TokenURL               string // sasl.oauthbearer.token.endpoint.url: file:///path of a token, or the end point of an OAuth server
	ClientID               string // sasl.oauthbearer.client.credentials.client.id
	ClientSecret           Secret // sasl.oauthbearer.client.credentials.client.secret
	Scope                  string // sasl.oauthbearer.scope
	HeaderURLEncode        bool   // sasl.oauthbearer.header.urlencode

	LoginConnectTimeout time.Duration // sasl.login.connect.timeout.ms
	LoginReadTimeout    time.Duration // sasl.login.read.timeout.ms
}

// Mechanisms of SASL that kbench carries out.
const (
	MechanismPlain       = "PLAIN"
	MechanismSCRAM256    = "SCRAM-SHA-256"
	MechanismSCRAM512    = "SCRAM-SHA-512"
	MechanismOAuthBearer = "OAUTHBEARER"
)

// Mechanisms lists the values of sasl.mechanism.
func Mechanisms() []string {
	return []string{MechanismPlain, MechanismSCRAM256, MechanismSCRAM512, MechanismOAuthBearer}
}

// Protocols lists the values of security.protocol.
func Protocols() []string { return []string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"} }

// TLS tells whether connections are encrypted.
func (s *Security) TLS() bool { return s.Protocol == "SSL" || s.Protocol == "SASL_SSL" }

// SASL tells whether clients authenticate with SASL.
func (s *Security) SASL() bool { return strings.HasPrefix(s.Protocol, "SASL_") }

// unsecuredSubject is the option of OAuthBearerLoginModule for a token without a signature, as brokers take it that weren't
// told how to verify one (OAuthBearerUnsecuredLoginCallbackHandler).
const unsecuredSubject = "unsecuredLoginStringClaim_sub"

// securityClash is a contradiction between security settings: which one, and why.
type securityClash struct{ name, why string }

// clashes returns what security settings lack or have too much.
func (s *Security) clashes() []securityClash {
	var all []securityClash
	clash := func(wrong bool, name, why string, args ...any) {
		if wrong {
			all = append(all, securityClash{name, fmt.Sprintf(why, args...)})
		}
	}
	if s.TLS() {
		clash(s.TruststoreLocation != "" && s.TruststoreCertificates != "", "ssl.truststore.certificates",
			"contradicts ssl.truststore.location: give one of them")
		clash(s.KeystoreLocation != "" && (s.KeystoreChain != "" || s.KeystoreKey.Reveal() != ""), "ssl.keystore.location",
			"contradicts ssl.keystore.certificate.chain and ssl.keystore.key: give the file or the texts")
		clash(s.KeystoreLocation == "" && s.KeystoreChain != "" && s.KeystoreKey.Reveal() == "", "ssl.keystore.certificate.chain", "needs ssl.keystore.key")
		clash(s.KeystoreLocation == "" && s.KeystoreChain == "" && s.KeystoreKey.Reveal() != "", "ssl.keystore.key", "needs ssl.keystore.certificate.chain")
	}
	if !s.SASL() {
		return all
	}
	module, options, _ := ParseJAAS(s.JAAS.Reveal())
	token := s.Mechanism == MechanismOAuthBearer
	if token {
		s.tokenClashes(clash)
	}
	switch {
	case s.Mechanism == "":
		clash(true, "security.protocol", "%s needs a sasl.mechanism: %s (Kafka's default GSSAPI isn't carried out)", s.Protocol, strings.Join(Mechanisms(), ", "))
	case s.JAAS.Reveal() == "" && !(token && s.TokenURL != ""):
		clash(true, "security.protocol", "%s needs a sasl.jaas.config: %s", s.Protocol, jaasExample(s.Mechanism))
	case s.JAAS.Reveal() == "":
	case !strings.HasSuffix(module, "."+loginModule(s.Mechanism)):
		clash(true, "sasl.jaas.config", "its login module isn't that of sasl.mechanism=%s: %s", s.Mechanism, jaasExample(s.Mechanism))
	case !token && (options["username"] == "" || options["password"] == ""):
		clash(true, "sasl.jaas.config", "username or password is missing: %s", jaasExample(s.Mechanism))
	case token && s.TokenURL == "" && options[unsecuredSubject] == "":
		clash(true, "sasl.jaas.config", "no token: give its file or end point, sasl.oauthbearer.token.endpoint.url=file:///path or https://host/path, or for a token without a signature %s=\"NAME\"",
			unsecuredSubject)
	}
	return all
}

// loginModule is the name of a mechanism's Java class.
func loginModule(mechanism string) string {
	switch mechanism {
	case MechanismPlain:
		return "PlainLoginModule"
	case MechanismOAuthBearer:
		return "OAuthBearerLoginModule"
	}
	return "ScramLoginModule"
}

// jaasExample is what sasl.jaas.config may look like.
func jaasExample(mechanism string) string {
	module := map[string]string{MechanismPlain: "plain.", MechanismOAuthBearer: "oauthbearer."}[mechanism]
	if module == "" {
		module = "scram."
	}
	options := `username="…" password="…"`
	if mechanism == MechanismOAuthBearer {
		options = unsecuredSubject + `="…"`
	}
	return "org.apache.kafka.common.security." + module + loginModule(mechanism) + " required " + options + ";"
}

// Credentials are what sasl.jaas.config and the mechanism amount to.
type Credentials struct {
	User     string
	Password Secret
	Subject  string // OAUTHBEARER: of a token without a signature; "": the token comes from TokenURL
}

// Credentials takes the credentials out of the login module's options.
func (s *Security) Credentials() (Credentials, error) {
	if s.JAAS.Reveal() == "" {
		return Credentials{}, nil
	}
	_, options, err := ParseJAAS(s.JAAS.Reveal())
	if err != nil {
		return Credentials{}, fmt.Errorf("sasl.jaas.config: %w", err)
	}
	return Credentials{User: options["username"], Password: NewSecret(options["password"]), Subject: options[unsecuredSubject]}, nil
}

// idle names, in the order of Settings, the security settings that were given but are without effect.
func (c *ProducerConfig) idleSecurity() []string {
	var idle []string
	for i := range settingRows {
		name := settingRows[i].Name
		needless := strings.HasPrefix(name, "ssl.") && !c.Security.TLS() || strings.HasPrefix(name, "sasl.") && !c.Security.SASL()
		if needless && c.Explicit(name) && !slices.Contains(idle, name) {
			idle = append(idle, name)
		}
	}
	return idle
}

// SecuritySetting tells whether a setting is about how connections are secured.
func SecuritySetting(name string) bool {
	return name == "security.protocol" || strings.HasPrefix(name, "ssl.") || strings.HasPrefix(name, "sasl.")
}
