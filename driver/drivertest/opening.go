package drivertest

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/driver"
)

// openTests are about what Open refuses at once.
func (s *suite) openTests() []namedTest {
	return []namedTest{
		{"no broker", s.noBroker},
		{"not Kafka", s.notKafka},
		{"topic missing", s.topicMissing},
		{"topic forbidden", s.topicForbidden},
		{"second bootstrap address", s.secondAddress},
		{"setting refused", s.settingRefused},
	}
}

// openError opens, wants an error that holds every one of the parts, and no acknowledgement.
func (s *suite) openError(t *testing.T, cfg driver.Config, parts ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	session, err := s.d.Open(ctx, cfg, func([]driver.Ack) { t.Error("an acknowledgement without a record") })
	if err == nil {
		session.Producer.Close()
		t.Fatal("open succeeds")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("open hangs: %v", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q doesn't name %q", err, part)
		}
	}
	return err
}

// unusedAddress returns an address where nobody listens.
func unusedAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *suite) noBroker(t *testing.T) {
	c := newFake(t)
	c.addrs = []string{unusedAddress(t)}
	s.openError(t, s.config(t, c, nil), c.addrs[0], "refused")
}

// notKafka opens at servers that speak something else, or nothing.
func (s *suite) notKafka(t *testing.T) {
	for name, answer := range map[string]string{"web server": "HTTP/1.1 400 Bad Request\r\n\r\n", "closes": ""} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					conn, err := l.Accept()
					if err != nil {
						return
					}
					conn.Read(make([]byte, 4))
					io.WriteString(conn, answer)
					conn.Close()
				}
			}()
			c := newFake(t)
			c.addrs = []string{l.Addr().String()}
			s.openError(t, s.config(t, c, nil), c.addrs[0], "Kafka")
		})
	}
}

func (s *suite) topicMissing(t *testing.T) {
	c := newCluster(t)
	cfg := s.config(t, c, nil)
	cfg.Topics = append(cfg.Topics, "no-such-topic")
	s.openError(t, cfg, `"no-such-topic"`, "doesn't exist")
}

func (s *suite) topicForbidden(t *testing.T) {
	c := newFake(t)
	c.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: c.topics[1], Err: kerr.TopicAuthorizationFailed, Count: -1})
	s.openError(t, s.config(t, c, nil), c.topics[1], "authorised")
}

// secondAddress checks that one address that answers is enough.
func (s *suite) secondAddress(t *testing.T) {
	c := newCluster(t)
	c.addrs = append([]string{unusedAddress(t)}, c.addrs...)
	h := open(t, s.d, s.config(t, c, nil))
	recs := numbered(10, 10)
	h.mustSend(recs, 10)
	h.flush()
	h.allAcked(recs)
}

// settingRefused checks that an explicit setting that the table excludes is refused by name.
func (s *suite) settingRefused(t *testing.T) {
	c := newFake(t)
	for _, row := range s.d.Capabilities {
		if row.Setting != "transactional.id" || row.Support != driver.Unsupported {
			continue
		}
		cfg := s.config(t, c, map[string]string{"transactional.id": "orders-7"})
		s.openError(t, cfg, s.d.Name, "transactional.id", "orders-7")
	}
}
