package driver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"kbench/native/auth"
	"kbench/workload"
)

// Security turns the settings of security.protocol, ssl.* and sasl.* into what secures connections. It reads the files that
// they name, and gets the first token of OAUTHBEARER before ctx ends; errors name the setting, and never show a secret.
func Security(ctx context.Context, p *workload.ProducerConfig) (auth.Config, error) {
	var c auth.Config
	var tlsErr, saslErr error
	s := &p.Security
	if s.TLS() {
		c.TLS, tlsErr = tlsConfig(s)
	}
	if s.SASL() {
		c.SASL, saslErr = mechanism(ctx, s)
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
func mechanism(ctx context.Context, s *workload.Security) (sasl.Mechanism, error) {
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
		return bearer(ctx, s)
	}
	return nil, fmt.Errorf("sasl.mechanism: %q: allowed %s", s.Mechanism, strings.Join(workload.Mechanisms(), ", "))
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
