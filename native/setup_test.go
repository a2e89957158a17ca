package native_test

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"kbench/native"
)

// dialCount counts a producer's connections.
type dialCount struct {
	mu     sync.Mutex
	dials  map[string]int // by address
	closed atomic.Int64
}

func (d *dialCount) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d.mu.Lock()
	d.dials[addr]++
	d.mu.Unlock()
	nc, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &closeCounter{Conn: nc, d: d}, nil
}

func (d *dialCount) all() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, k := range d.dials {
		n += k
	}
	return n
}

type closeCounter struct {
	net.Conn
	d    *dialCount
	once sync.Once
}

func (c *closeCounter) Close() error {
	c.once.Do(func() { c.d.closed.Add(1) })
	return c.Conn.Close()
}

// TestIdleConnections: after connections.max.idle.ms all are closed, that for metadata too, and records that come later find
// new ones without being sent twice.
func TestIdleConnections(t *testing.T) {
	t.Parallel()
	c, l := cluster(t, kfake.NumBrokers(1)), newLedger()
	d := &dialCount{dials: map[string]int{}}
	cfg := config(c, l)
	cfg.ConnectionsMaxIdle = 50 * time.Millisecond
	cfg.Dialer = d.dial
	p := open(t, cfg)
	for round := range 3 {
		produce(t, p, records(round*100, 100))
		for d.closed.Load() < int64(d.all()) {
			time.Sleep(time.Millisecond)
		}
	}
	l.check(t, 300, false)
	if s := p.Stats(); s.Retries != 0 || d.all() < 4 { // one for metadata, one to produce in each round
		t.Errorf("%d connections, %d batches sent again", d.all(), s.Retries)
	}
}

// TestIdleCoordinators: connections to coordinators are closed after connections.max.idle.ms, in a transaction as between two,
// and what is asked later finds new ones.
func TestIdleCoordinators(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		d := &dialCount{dials: map[string]int{}}
		cfg := transactional(c, l, "tx")
		cfg.ConnectionsMaxIdle = 50 * time.Millisecond
		cfg.Dialer = d.dial
		p := open(t, cfg)
		allClosed := func() {
			t.Helper()
			for deadline := time.Now().Add(20 * time.Second); d.closed.Load() < int64(d.all()); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%d of %d connections are closed", d.closed.Load(), d.all())
				}
			}
		}
		must(t, p.InitTransactions(ctxFor(t)))
		for round := range 2 {
			allClosed()
			must(t, p.BeginTransaction())
			must(t, p.Produce(ctxFor(t), texts(6*round, 6, "x")))
			must(t, p.SendOffsetsToTransaction(ctxFor(t), oneOffset, native.GroupMetadata{Group: "g"}))
			must(t, p.Flush(ctxFor(t)))
			allClosed()
			must(t, p.CommitTransaction(ctxFor(t)))
		}
		l.check(t, 12, false)
	})
}

// TestDialerWithoutConnection: a dialer that returns nothing is an error, not a crash.
func TestDialerWithoutConnection(t *testing.T) {
	t.Parallel()
	c, l := cluster(t, kfake.NumBrokers(1)), newLedger()
	cfg := config(c, l)
	cfg.MaxBlock = time.Second
	cfg.Dialer = func(context.Context, string, string) (net.Conn, error) { return nil, nil }
	_, err := native.New(context.Background(), cfg)
	if err == nil || !strings.Contains(err.Error(), "neither a connection nor an error") {
		t.Error(err)
	}
}

// undying is a connection that doesn't keep deadlines, as those through an SSH tunnel don't.
type undying struct{ net.Conn }

var errNoDeadlines = errors.New("deadlines aren't supported")

func (undying) SetDeadline(time.Time) error      { return errNoDeadlines }
func (undying) SetReadDeadline(time.Time) error  { return errNoDeadlines }
func (undying) SetWriteDeadline(time.Time) error { return errNoDeadlines }

// TestDialerWithoutDeadlines: what is wrong is the dialer's connection, not the broker, and it is closed.
func TestDialerWithoutDeadlines(t *testing.T) {
	t.Parallel()
	c, d := cluster(t, kfake.NumBrokers(1)), &dialCount{dials: map[string]int{}}
	cfg := config(c, newLedger())
	cfg.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		nc, err := d.dial(ctx, network, addr)
		return undying{nc}, err
	}
	for _, secure := range []*tls.Config{nil, {}} {
		cfg.TLS = secure
		_, err := native.New(context.Background(), cfg)
		says(t, "New", err, errNoDeadlines, cfg.Bootstrap[0], "Config.Dialer")
		if errors.Is(err, native.ErrNotKafka) || d.closed.Load() != int64(d.all()) {
			t.Errorf("%v; %d of %d connections are closed", err, d.closed.Load(), d.all())
		}
	}
}

// TestReconnectBackoff counts the attempts to reach a broker that is gone: reconnect.backoff.ms lies between them.
func TestReconnectBackoff(t *testing.T) {
	t.Parallel()
	c, l := cluster(t, kfake.NumBrokers(1)), newLedger()
	d := &dialCount{dials: map[string]int{}}
	cfg := config(c, l)
	const backoff, least = 50 * time.Millisecond, 40 * time.Millisecond // KIP-580: 20 % less at least
	cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = backoff, backoff
	cfg.RetryBackoff, cfg.RetryBackoffMax = time.Hour, time.Hour // metadata are asked for once
	cfg.MetadataRecovery = native.RecoveryNone
	cfg.Dialer = d.dial
	p := open(t, cfg)
	produce(t, p, records(0, 10))
	before, closed, began := d.all(), d.closed.Load(), time.Now()
	c.Close()
	// Records that were sent to it before that was noticed would be sent again after retry.backoff.ms only.
	await(t, "the end of the connection", func() bool { return d.closed.Load() > closed })
	if err := p.Produce(ctxFor(t), records(10, 10)); err != nil {
		t.Fatal(err)
	}
	await(t, "six attempts to connect", func() bool { return d.all() >= before+6 })
	const metadata = 2 // attempts for these, one of them on the connection that broke
	if got, most := d.all()-before-metadata, int(time.Since(began)/least)+1; got > most {
		t.Errorf("%d attempts to connect in %v, want %d at most", got, time.Since(began), most)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	l.check(t, 20, true)
}

// await waits until something is so, half a minute at most.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no sign of %s", what)
		}
	}
}

// nameServer is a resolver that knows one answer: the addresses of every name.
func nameServer(addrs ...string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe() // a stream: messages have a length of two bytes before them (RFC 1035, 4.2.2)
		go func() {
			defer server.Close()
			for {
				var length [2]byte
				if _, err := io.ReadFull(server, length[:]); err != nil {
					return
				}
				query := make([]byte, binary.BigEndian.Uint16(length[:]))
				if _, err := io.ReadFull(server, query); err != nil || len(query) < 12 {
					return
				}
				answer := resolved(query, addrs)
				if _, err := server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
					return
				}
			}
		}()
		return client, nil
	}}
}

// resolved answers a query for the addresses of a name; there are none but for IPv4.
func resolved(query []byte, addrs []string) []byte {
	const header, typeA = 12, 1
	end := header
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 1 + 4 // the root, type, class
	if binary.BigEndian.Uint16(query[end-4:]) != typeA {
		addrs = nil
	}
	answer := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, byte(len(addrs)), 0, 0, 0, 0}, query[header:end]...)
	for _, a := range addrs {
		answer = append(answer, 0xc0, header, 0, typeA, 0, 1, 0, 0, 0, 0, 0, 4) // the name asked for, no time to live, four bytes
		answer = append(answer, net.ParseIP(a).To4()...)
	}
	return answer
}

// TestAllAddresses: a name that stands for several addresses is reached if one of them answers (client.dns.lookup).
func TestAllAddresses(t *testing.T) {
	defer func(r *net.Resolver) { net.DefaultResolver = r }(net.DefaultResolver)
	net.DefaultResolver = nameServer("127.0.0.8", "127.0.0.9", "127.0.0.1") // nothing listens at the first two
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	_, port, err := net.SplitHostPort(cfg.Bootstrap[0])
	if err != nil {
		t.Fatal(err)
	}
	cfg.Bootstrap = []string{net.JoinHostPort("brokers.test", port)}
	p := open(t, cfg)
	produce(t, p, records(0, 10))
	l.check(t, 10, false)
}
