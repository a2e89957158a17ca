package sarama

import (
	"context"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/sasl"

	"kbench/native/auth"
	"kbench/workload"
)

// authenticate has sarama authenticate with m; nil: not at all. TLS is the dialer's.
func authenticate(c *sarama.Config, s *workload.Security, m sasl.Mechanism) error {
	if m == nil {
		return nil
	}
	credentials, err := s.Credentials()
	if err != nil {
		return err
	}
	n := &c.Net.SASL
	n.Enable, n.Handshake, n.Version = true, true, sarama.SASLHandshakeV1
	n.Mechanism = sarama.SASLMechanism(m.Name())
	n.User, n.Password = credentials.User, credentials.Password.Reveal()
	n.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{mechanism: m} }
	if b, ok := m.(*auth.Bearer); ok {
		n.TokenProvider = tokenProvider{b}
	}
	return nil
}

// scramClient is a mechanism of franz-go's in the shape that sarama, which has no SCRAM of its own, asks for.
type scramClient struct {
	mechanism sasl.Mechanism
	session   sasl.Session
	first     []byte
	done      bool
}

// Begin implements sarama.SCRAMClient. The mechanism has the credentials already.
func (c *scramClient) Begin(_, _, _ string) (err error) {
	c.session, c.first, err = c.mechanism.Authenticate(context.Background(), "")
	return err
}

// Step implements sarama.SCRAMClient: the first challenge is empty.
func (c *scramClient) Step(challenge string) (string, error) {
	if c.first != nil {
		first := c.first
		c.first = nil
		return string(first), nil
	}
	done, next, err := c.session.Challenge([]byte(challenge))
	c.done = done
	return string(next), err
}

// Done implements sarama.SCRAMClient.
func (c *scramClient) Done() bool { return c.done }

// tokenProvider gives sarama the token as it is now.
type tokenProvider struct{ bearer *auth.Bearer }

// Token implements sarama.AccessTokenProvider.
func (p tokenProvider) Token() (*sarama.AccessToken, error) {
	token, err := p.bearer.Token(context.Background())
	return &sarama.AccessToken{Token: token, Extensions: p.bearer.Extensions()}, err
}

var _ sarama.SCRAMClient = (*scramClient)(nil)
