package native_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// answering listens and answers whatever comes with the text; empty: it closes; "silence": it does nothing.
func answering(t *testing.T, text string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			if text == "silence" {
				defer nc.Close()
				continue
			}
			_, _ = nc.Read(make([]byte, 64))
			_, _ = io.WriteString(nc, text)
			nc.Close()
		}
	}()
	return l.Addr().String()
}

// TestNewFails checks that New says at once, and clearly, what is wrong.
func TestNewFails(t *testing.T) {
	gone := answering(t, "")
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody.Close()
	for _, tc := range []struct {
		name string
		set  func(*native.Config, *kfake.Cluster)
		is   error
		text []string
	}{
		{"nobody there", func(c *native.Config, _ *kfake.Cluster) { c.Bootstrap = []string{nobody.Addr().String()} },
			native.ErrNoBroker, []string{nobody.Addr().String(), "refused"}},
		{"closes", func(c *native.Config, _ *kfake.Cluster) { c.Bootstrap = []string{gone} }, native.ErrNotKafka, []string{gone, "closed"}},
		{"web server", func(c *native.Config, _ *kfake.Cluster) {
			c.Bootstrap = []string{answering(t, "HTTP/1.1 400 Bad\r\n\r\n")}
		},
			native.ErrNotKafka, []string{"HTTP"}},
		{"TLS", func(c *native.Config, _ *kfake.Cluster) {
			c.Bootstrap = []string{answering(t, "\x15\x03\x03\x00\x02\x02\x46")}
		}, native.ErrTLSListener, []string{"TLS", "security.protocol"}},
		{"silence", func(c *native.Config, _ *kfake.Cluster) {
			c.Bootstrap, c.RequestTimeout = []string{answering(t, "silence")}, 100*time.Millisecond
		}, native.ErrNotKafka, []string{"answer within 100ms"}},
		{"topic missing", func(c *native.Config, _ *kfake.Cluster) {
			c.Topics, c.MaxBlock = []string{"a", "nope"}, 200*time.Millisecond
		},
			native.ErrUnknownTopic, []string{`"nope"`, "doesn't exist"}},
		{"forbidden", func(c *native.Config, k *kfake.Cluster) {
			k.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "a", Err: kerr.TopicAuthorizationFailed, Count: -1})
		}, &native.Error{Code: 29}, []string{`"a"`, "authorised"}},
		{"idempotence with acks=1", func(c *native.Config, _ *kfake.Cluster) { c.Acks = 1 }, nil, []string{"acks=all"}},
		{"delivery time-out too short", func(c *native.Config, _ *kfake.Cluster) { c.DeliveryTimeout = time.Second }, nil,
			[]string{"delivery.timeout.ms", "1s"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c, l := cluster(t), newLedger()
			cfg := config(c, l)
			tc.set(&cfg, c)
			p, err := native.New(ctxFor(t), cfg)
			if err == nil {
				p.Close()
				t.Fatal("New succeeds")
			}
			if tc.is != nil && !errors.Is(err, tc.is) {
				t.Errorf("%v isn't %v", err, tc.is)
			}
			for _, part := range tc.text {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q doesn't say %q", err, part)
				}
			}
		})
	}
}

// TestDeadAddress: under a short max.block.ms, an address where nobody answers leaves time for those behind it.
func TestDeadAddress(t *testing.T) {
	const dead = "192.0.2.1:9092" // of RFC 5737: nobody's
	for name, first := range map[string]string{"never connects": dead, "connects and is silent": answering(t, "silence")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, l := cluster(t), newLedger()
			cfg := config(c, l)
			cfg.Bootstrap = append([]string{first}, cfg.Bootstrap...)
			cfg.MaxBlock = 4 * time.Second
			cfg.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if addr == dead {
					<-ctx.Done()
					return nil, fmt.Errorf("dial %s: %w", addr, ctx.Err())
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			}
			p := open(t, cfg)
			produce(t, p, records(0, 10))
			l.check(t, 10, false)

			cfg.Bootstrap, cfg.MaxBlock = []string{first, dead}, 200*time.Millisecond
			_, err := native.New(context.Background(), cfg)
			says(t, "nobody answers", err, native.ErrNoBroker, first, dead)
		})
	}
}

// TestSameCause: what is wrong with several bootstrap servers alike is said once, with the names of all, and what is wrong
// with others beside it.
func TestSameCause(t *testing.T) {
	c := cluster(t)
	cfg := config(c, newLedger())
	web, closes := answering(t, "HTTP/1.1 400 Bad\r\n\r\n"), answering(t, "")
	webToo := answering(t, "HTTP/1.1 400 Bad\r\n\r\n")
	cfg.Bootstrap = []string{web, closes, webToo, "127.0.0.1:1", "localhost:2"}
	_, err := native.New(ctxFor(t), cfg)
	for part, want := range map[string]int{"HTTP": 1, "without an answer": 1, "refused": 1, web: 1, closes: 1, webToo: 1, "localhost:2": 1} {
		if got := strings.Count(err.Error(), part); got != want {
			t.Errorf("%q is there %d times, want %d:\n%v", part, got, want, err)
		}
	}
}

// TestSecondAddress needs only one bootstrap server that answers.
func TestSecondAddress(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.Bootstrap = append([]string{answering(t, ""), "127.0.0.1:1"}, cfg.Bootstrap...)
	p := open(t, cfg)
	produce(t, p, records(0, 10))
	l.check(t, 10, false)
}
