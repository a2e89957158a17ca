package workload

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSecretNeverShows prints a secret, and what holds one, in every way that a program does.
func TestSecretNeverShows(t *testing.T) {
	const secret = "hunter2"
	c := DefaultProducerConfig()
	for name, value := range map[string]string{
		"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "ssl.keystore.key": secret, "ssl.keystore.certificate.chain": "x",
		"sasl.oauthbearer.client.credentials.client.secret": secret,
		"sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required username="u" password="` + secret + `";`,
	} {
		if err := c.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	plan := Plan{Profile: "p", Producer: c}
	inside := struct{ c ProducerConfig }{c} // where fmt can't call methods
	shown := map[string]string{"All": fmt.Sprint(c.All()), "Get": c.Get("sasl.jaas.config"), "Notes": fmt.Sprint(c.Notes()), "Validate": fmt.Sprint(c.Validate())}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for name, v := range map[string]any{"secret": c.Security.JAAS, "pointer": &c.Security.JAAS, "config": c, "config's pointer": &c, "inside": inside, "plan": plan} {
			shown[verb+" of "+name] = fmt.Sprintf(verb, v)
		}
	}
	for name, v := range map[string]any{"config": c, "plan": plan, "secret": c.Security.KeystoreKey} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		shown["JSON of "+name] = string(b)
	}
	for how, text := range shown {
		for _, s := range []string{secret, fmt.Sprintf("%x", secret)} {
			if strings.Contains(text, s) {
				t.Errorf("%s shows the secret: %s", how, text)
			}
		}
	}
	if got := c.Get("sasl.jaas.config"); got != hidden {
		t.Errorf("got %q, want %q", got, hidden)
	}
	if credentials, err := c.Security.Credentials(); err != nil || credentials.User != "u" || credentials.Password.Reveal() != secret {
		t.Errorf("the credentials are %+v, %v", credentials, err)
	}
}

// TestHiddenIsNotGiven reads what stands for a secret: it has to be given anew.
func TestHiddenIsNotGiven(t *testing.T) {
	c := DefaultProducerConfig()
	for name, value := range map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.jaas.config": hidden} {
		if err := c.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if c.Explicit("sasl.jaas.config") {
		t.Error("what stands for a secret counts as given")
	}
	if err := c.Validate(); err == nil || !strings.Contains(err.Error(), "needs a sasl.jaas.config") {
		t.Errorf("got %v", err)
	}
}

func TestSecurityClashes(t *testing.T) {
	const plain, scram = "org.apache.kafka.common.security.plain.PlainLoginModule", "org.apache.kafka.common.security.scram.ScramLoginModule"
	const bearer = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
	for _, tc := range []struct {
		settings string // divided by |
		want     string // "": fine
	}{
		{"security.protocol=SSL", ""},
		{"security.protocol=sasl_ssl|sasl.mechanism=PLAIN|sasl.jaas.config=" + plain + ` required username="u" password="p";`, ""},
		{"security.protocol=SASL_PLAINTEXT|sasl.mechanism=SCRAM-SHA-512|sasl.jaas.config=" + scram + ` required username=u password='p"q';`, ""},
		{"security.protocol=SASL_PLAINTEXT|sasl.mechanism=OAUTHBEARER|sasl.oauthbearer.token.endpoint.url=file:///t", ""},
		{"security.protocol=SASL_PLAINTEXT|sasl.mechanism=OAUTHBEARER|sasl.jaas.config=" + bearer + ` required;|sasl.oauthbearer.token.endpoint.url=file:///t`, ""},
		{"security.protocol=SASL_PLAINTEXT|sasl.mechanism=OAUTHBEARER|sasl.jaas.config=" + bearer + ` required unsecuredLoginStringClaim_sub="u";`, ""},
		{"security.protocol=SASL_SSL|sasl.mechanism=OAUTHBEARER|sasl.oauthbearer.token.endpoint.url=https://h/t|sasl.oauthbearer.client.credentials.client.id=me|sasl.oauthbearer.client.credentials.client.secret=s", ""},
		{"security.protocol=SASL_SSL|sasl.mechanism=OAUTHBEARER|sasl.oauthbearer.token.endpoint.url=https://h/t|sasl.jaas.config=" + bearer + ` required clientId="me" clientSecret="s" scope="a" ssl.truststore.location="ca.pem" ssl.truststore.type=PEM;`, ""},
		{"security.protocol=SASL_SSL|sasl.mechanism=OAUTHBEARER|sasl.oauthbearer.token.endpoint.url=https://h/t", "sasl.oauthbearer.token.endpoint.url: needs sasl.oauthbearer.client.credentials.client.id, or the option clientId"},
		{"security.protocol=SASL_SSL|sasl.mechanism=OAUTHBEARER|sasl.oauthbearer.token.endpoint.url=https://h/t|sasl.jaas.config=" + bearer + " required clientId=me;", "needs sasl.oauthbearer.client.credentials.client.secret, or the option clientSecret"},
		{"security.protocol=SASL_SSL|sasl.mechanism=OAUTHBEARER|sasl.oauthbearer.token.endpoint.url=https://h/t|sasl.jaas.config=" + bearer + " required clientId=me clientSecret=s ssl.truststore.type=BCFKS;", "sasl.jaas.config: option ssl.truststore.type: "},
		{"security.protocol=SASL_SSL", "security.protocol: SASL_SSL needs a sasl.mechanism"},
		{"security.protocol=SASL_SSL|sasl.mechanism=SCRAM-SHA-256", "security.protocol: SASL_SSL needs a sasl.jaas.config: " + scram},
		{"security.protocol=SASL_SSL|sasl.mechanism=SCRAM-SHA-256|sasl.jaas.config=" + plain + " required username=u password=p;", "sasl.jaas.config: its login module isn't that of sasl.mechanism=SCRAM-SHA-256"},
		{"security.protocol=SASL_SSL|sasl.mechanism=PLAIN|sasl.jaas.config=" + plain + " required username=u;", "sasl.jaas.config: username or password is missing"},
		{"security.protocol=SASL_SSL|sasl.mechanism=OAUTHBEARER|sasl.jaas.config=" + bearer + " required;", "sasl.jaas.config: no token"},
		{"security.protocol=SSL|ssl.truststore.location=a|ssl.truststore.certificates=b", "ssl.truststore.certificates: contradicts ssl.truststore.location"},
		{"security.protocol=SSL|ssl.keystore.location=a|ssl.keystore.key=b", "ssl.keystore.location: contradicts"},
		{"security.protocol=SSL|ssl.keystore.key=b", "ssl.keystore.key: needs ssl.keystore.certificate.chain"},
		{"security.protocol=SSL|ssl.keystore.certificate.chain=b", "ssl.keystore.certificate.chain: needs ssl.keystore.key"},
	} {
		c := DefaultProducerConfig()
		for s := range strings.SplitSeq(tc.settings, "|") {
			name, value, _ := strings.Cut(s, "=")
			if err := c.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
		err := c.Validate()
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", tc.settings, err, tc.want)
		}
	}
}

// TestOAuth: the settings of KIP-1139 win over the options of KIP-768, and neither shows the secret.
func TestOAuth(t *testing.T) {
	c := DefaultProducerConfig()
	for name, value := range map[string]string{
		"sasl.oauthbearer.token.endpoint.url":           "https://h/t",
		"sasl.oauthbearer.client.credentials.client.id": "me",
		"sasl.oauthbearer.scope":                        "",
		"sasl.jaas.config":                              `x.OAuthBearerLoginModule required clientId=other clientSecret="hunter2" scope="a b" extension_pool=7 ssl.truststore.location="ca.pem";`,
	} {
		if err := c.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	o, err := c.Security.OAuth()
	if err != nil {
		t.Fatal(err)
	}
	if o.URL != "https://h/t" || o.ClientID != "me" || o.ClientSecret.Reveal() != "hunter2" || o.Scope != "a b" || o.Extensions["pool"] != "7" ||
		o.TLS.TruststoreLocation != "ca.pem" || o.ReadTimeout != loginTimeout {
		t.Errorf("got %+v", o)
	}
	if text := fmt.Sprintf("%+v %#v", o, o); strings.Contains(text, "hunter2") {
		t.Errorf("%s shows the secret", text)
	}
}

func TestIdleSecurityIsNoted(t *testing.T) {
	c := DefaultProducerConfig()
	for name, value := range map[string]string{"ssl.truststore.location": "x", "sasl.mechanism": "PLAIN"} {
		if err := c.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	const want = "ssl.truststore.location, sasl.mechanism: without effect with security.protocol=PLAINTEXT"
	if got := c.Notes(); !slices.Equal(got, []string{want}) {
		t.Errorf("got %q", got)
	}
}

func TestParseJAAS(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`a.B required;`: {},
		` a.B  REQUIRED
			username="u"  password="p w" ; `: {"username": "u", "password": "p w"},
		`a.B required username=u password='a;b=c"d';`: {"username": "u", "password": `a;b=c"d`},
		`a.B required password="a\"b\\c\nd";`:         {"password": "a\"b\\c\nd"},
		`a.B required password = "x";`:                {"password": "x"},
		`a.B required password="";`:                   {"password": ""},
	} {
		module, got, err := ParseJAAS(text)
		if err != nil || module != "a.B" {
			t.Errorf("%s: %q, %v", text, module, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

// FuzzParseJAAS: whatever is read, an error shows none of it but the module's name.
func FuzzParseJAAS(f *testing.F) {
	f.Add(`a.B required username="u" password="p";`)
	f.Add(`a.B required username="u`)
	f.Fuzz(func(t *testing.T, text string) {
		module, options, err := ParseJAAS(text)
		if err != nil && (module != "" || options != nil) {
			t.Errorf("%q and %v with %v", module, options, err)
		}
		if _, _, err := ParseJAAS("M required k='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "';"); err != nil {
			t.Errorf("quoted %q: %v", text, err)
		}
	})
}
