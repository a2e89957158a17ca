package workload

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// securitySettings are the rows of security.protocol, ssl.* and sasl.*.
func securitySettings() []settingRow {
	type c = ProducerConfig
	token := textSetting("sasl.oauthbearer.token.endpoint.url", "OAUTHBEARER: the token's file, read at each authentication, or the OAuth server's end point",
		func(c *c) *string { return &c.Security.TokenURL })
	token.Allowed = "file:///path, https://host/path, http://host/path"
	token.parse = checked(token.parse, tokenURL)
	jaas := secretSetting("sasl.jaas.config", "login module with the credentials", func(c *c) *Secret { return &c.Security.JAAS })
	jaas.parse = checked(jaas.parse, func(value string) *fieldError {
		if _, _, err := ParseJAAS(value); err != nil && value != "" && value != hidden {
			return &fieldError{msg: err.Error()}
		}
		return nil
	})
	jaas.Allowed = jaasExample(MechanismPlain)
	protocol := choiceSetting("security.protocol", "how connections are protected", Protocols(), func(c *c) *string { return &c.Security.Protocol })
	choose := protocol.parse
	protocol.parse = func(c *ProducerConfig, value string) ([]string, *fieldError) {
		return choose(c, strings.ToUpper(value))
	}
	identification := optionalChoice("ssl.endpoint.identification.algorithm", "https: a certificate must be its host's; empty: any host's will do",
		[]string{"https"}, func(c *c) *string { return &c.Security.EndpointIdentification })
	identification.Allowed = "https, or empty"
	mechanism := optionalChoice("sasl.mechanism", "how SASL authenticates", Mechanisms(), func(c *c) *string { return &c.Security.Mechanism })
	mechanism.parse = checked(mechanism.parse, func(value string) *fieldError {
		if value != "GSSAPI" {
			return nil
		}
		e := badValue(value, strings.Join(Mechanisms(), ", "))
		e.msg = "Kerberos isn't carried out: value"
		return e
	})
	return []settingRow{
		protocol,
		textSetting("ssl.truststore.location", "PEM file of the authorities' certificates; none: the system's", func(c *c) *string { return &c.Security.TruststoreLocation }),
		textSetting("ssl.truststore.certificates", "the authorities' certificates as PEM text", func(c *c) *string { return &c.Security.TruststoreCertificates }),
		storeTypeSetting("ssl.truststore.type", func(c *c) *string { return &c.Security.TruststoreType }),
		textSetting("ssl.keystore.location", "PEM file of the client's own key and certificate", func(c *c) *string { return &c.Security.KeystoreLocation }),
		textSetting("ssl.keystore.certificate.chain", "the client's own certificate as PEM text", func(c *c) *string { return &c.Security.KeystoreChain }),
		secretSetting("ssl.keystore.key", "the client's own key as PEM text", func(c *c) *Secret { return &c.Security.KeystoreKey }),
		storeTypeSetting("ssl.keystore.type", func(c *c) *string { return &c.Security.KeystoreType }),
		identification,
		mechanism,
		jaas,
		token,
		textSetting("sasl.oauthbearer.client.credentials.client.id", "who the client is for the OAuth server", func(c *c) *string { return &c.Security.ClientID }),
		secretSetting("sasl.oauthbearer.client.credentials.client.secret", "the client's secret for the OAuth server", func(c *c) *Secret { return &c.Security.ClientSecret }),
		textSetting("sasl.oauthbearer.scope", "what the token is asked for, words divided by blanks", func(c *c) *string { return &c.Security.Scope }),
		boolSetting("sasl.oauthbearer.header.urlencode", "encode the client's id and secret in the request's header", func(c *c) *bool { return &c.Security.HeaderURLEncode }),
		msSetting("sasl.login.connect.timeout.ms", "time limit of connecting to the OAuth server", 1, func(c *c) *time.Duration { return &c.Security.LoginConnectTimeout }),
		msSetting("sasl.login.read.timeout.ms", "time limit of the OAuth server's answer", 1, func(c *c) *time.Duration { return &c.Security.LoginReadTimeout }),
	}
}

// optionalChoice is choiceSetting that may be empty as well.
func optionalChoice(name, doc string, choices []string, field func(*ProducerConfig) *string) settingRow {
	row := choiceSetting(name, doc, choices, field)
	choose := row.parse
	row.parse = func(c *ProducerConfig, value string) ([]string, *fieldError) {
		if value == "" {
			*field(c) = ""
			return []string{name}, nil
		}
		return choose(c, value)
	}
	return row
}

// checked puts a check before a row's parse.
func checked(parse func(*ProducerConfig, string) ([]string, *fieldError), check func(string) *fieldError) func(*ProducerConfig, string) ([]string, *fieldError) {
	return func(c *ProducerConfig, value string) ([]string, *fieldError) {
		if err := check(value); err != nil {
			return nil, err
		}
		return parse(c, value)
	}
}

// secretSetting is a text that is never shown. What stands for it where it is shown counts as not given.
func secretSetting(name, doc string, field func(*ProducerConfig) *Secret) settingRow {
	return settingRow{
		Setting: Setting{Name: name, Type: "text", Allowed: "any text", Doc: doc, Secret: true},
		parse: func(c *ProducerConfig, value string) ([]string, *fieldError) {
			if value == hidden {
				return nil, nil
			}
			*field(c) = NewSecret(value)
			return []string{name}, nil
		},
		text: func(c *ProducerConfig) string { return field(c).String() },
	}
}

// ConvertStore says how a store of Java's becomes one that is read; store is its file, kind JKS, JCEKS, PKCS12, BCFKS, or "" if
// that isn't known.
func ConvertStore(store, kind string) string {
	text := "convert it with "
	if kind != "PKCS12" {
		text += fmt.Sprintf("`keytool -importkeystore -srckeystore %s -destkeystore store.p12 -deststoretype PKCS12` and ", store)
		store = "store.p12"
	}
	return text + fmt.Sprintf("`openssl pkcs12 -in %s -nodes -out store.pem`", store)
}

func storeTypeSetting(name string, field func(*ProducerConfig) *string) settingRow {
	row := optionalChoice(name, "format of the store", []string{"PEM"}, field)
	row.parse = checked(row.parse, func(value string) *fieldError {
		if !slices.Contains([]string{"JKS", "PKCS12", "BCFKS"}, value) {
			return nil
		}
		e := badValue(value, "PEM: "+ConvertStore("STORE", value))
		e.msg = "Java's stores aren't read; value"
		return e
	})
	return row
}
