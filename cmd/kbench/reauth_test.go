package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// witness is a proxy in front of a listener that counts what goes on there about authentication.
type witness struct {
	addr string

	mu    sync.Mutex
	conns []*witnessed
	cut   int // connections that the broker closed before the client did
}

// witnessed is a connection. The witness's mu guards it.
type witnessed struct {
	handshakes int // SaslHandshake, one for each authentication
	produces   bool
}

// startWitness listens, for a broker that will listen at addr.
func startWitness(t *testing.T, addr string) *witness {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	w := &witness{addr: l.Addr().String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", addr)
			if err != nil {
				client.Close()
				continue
			}
			c := &witnessed{}
			w.note(func() { w.conns = append(w.conns, c) })
			w.pass(client, server, c)
		}
	}()
	return w
}

func (w *witness) note(what func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what()
}

// seen returns how many connections were produced on, how often those authenticated again, and how many connections the
// broker cut, and begins anew.
func (w *witness) seen() (producing, again, cut int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		if c.produces {
			producing++
			again += c.handshakes - 1
		}
	}
	cut = w.cut
	w.conns, w.cut = nil, 0
	return producing, again, cut
}

// pass connects both sides until either ends.
func (w *witness) pass(client, server net.Conn, c *witnessed) {
	var first sync.Once
	end := func(byBroker bool) {
		first.Do(func() {
			if byBroker {
				w.note(func() { w.cut++ })
			}
			client.Close()
			server.Close()
		})
	}
	go func() {
		_, _ = io.Copy(client, server)
		end(true)
	}()
	go func() {
		_ = w.requests(client, server, c)
		end(false)
	}()
}

// requests passes requests on and looks at the kind of each.
func (w *witness) requests(client, server net.Conn, c *witnessed) error {
	const produce, handshake = 0, 17
	for {
		var head [6]byte // length, kind
		if _, err := io.ReadFull(client, head[:]); err != nil {
			return err
		}
		switch binary.BigEndian.Uint16(head[4:]) {
		case produce:
			w.note(func() { c.produces = true })
		case handshake:
			w.note(func() { c.handshakes++ })
		}
		if _, err := server.Write(head[:]); err != nil {
			return err
		}
		if _, err := io.CopyN(server, client, int64(binary.BigEndian.Uint32(head[:]))-2); err != nil {
			return err
		}
	}
}

// reauthMS is connections.max.reauth.ms of the listener with the witness. Brokers refuse to authenticate a connection again
// within a second (KIP-368), and franz-go begins up to 2.5 s before the end.
const reauthMS = "4000"

// testReauthentication has sessions end during a run: every client authenticates again on its connections in time, so that the
// broker cuts none, and no record is lost.
func testReauthentication(t *testing.T, s *secured) {
	token := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." +
		base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"sub":"alice","iat":%d,"exp":%d}`, time.Now().Unix(), time.Now().Unix()+600)) + "."
	mechanisms := map[string][]string{
		"SCRAM-SHA-512": credentials("SCRAM-SHA-512", secret),
		"OAUTHBEARER":   {"sasl.mechanism=OAUTHBEARER", "sasl.oauthbearer.token.endpoint.url=file://" + s.pem(t, "again.token", []byte(token))},
	}
	slow := *s
	slow.rate = "200/s" // 5 s
	for _, c := range [][2]string{{"native", "SCRAM-SHA-512"}, {"native", "OAUTHBEARER"}, {"franz", "OAUTHBEARER"}, {"sarama", "SCRAM-SHA-512"}} {
		t.Run(c[0]+"/"+c[1], func(t *testing.T) {
			s.witness.seen()
			code, said, dir := slow.kbench(t, c[0], s.witness.addr, append(mechanisms[c[1]], "security.protocol=SASL_PLAINTEXT"))
			if code != exitOK {
				t.Fatalf("exit code %d: %s", code, said)
			}
			if n, _ := storedOf(t, dir); n != 1000 {
				t.Errorf("the broker has %d records, want 1000", n)
			}
			producing, again, cut := s.witness.seen()
			t.Logf("%d connections to produce, authenticated again %d times, %d cut", producing, again, cut)
			if producing == 0 || again < producing || cut > 0 {
				t.Errorf("%d connections to produce authenticated again %d times (each at least once expected), the broker cut %d (none expected)", producing, again, cut)
			}
		})
	}
}
