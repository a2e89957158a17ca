package native_test

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// front is an address behind which brokers can be exchanged.
type front struct {
	net.Listener
	mu    sync.Mutex
	to    string
	taken atomic.Int64 // connections
}

// newFront forwards connections to the address given, until exchange names another.
func newFront(t *testing.T, to string) *front {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	f := &front{Listener: l, to: to}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			f.taken.Add(1)
			f.mu.Lock()
			out, err := net.Dial("tcp", f.to)
			f.mu.Unlock()
			if err != nil {
				in.Close()
				continue
			}
			pass(in, out)
		}
	}()
	return f
}

// exchange puts another broker behind the address, for connections to come.
func (f *front) exchange(to string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.to = to
}

// answerMetadata has a cluster answer every request for metadata so, without anything else in it.
func answerMetadata(c *kfake.Cluster, code int16) {
	c.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		resp := r.ResponseKind().(*kmsg.MetadataResponse)
		resp.ErrorCode = code
		return resp, nil, true
	})
}

// TestRebootstrap has all brokers that a producer knows go away, ask it to begin anew (KIP-1102), or stop telling it anything,
// while others stand behind the bootstrap address: it finds those, unless metadata.recovery.strategy is none.
func TestRebootstrap(t *testing.T) {
	const codeRebootstrapRequired = 129
	for _, tc := range []struct {
		name  string
		leave func(*kfake.Cluster)
		stays bool // brokers that take records all the same
	}{
		{"gone", (*kfake.Cluster).Close, false},
		{"asked to", func(c *kfake.Cluster) { answerMetadata(c, codeRebootstrapRequired) }, true},
		{"without metadata", func(c *kfake.Cluster) { answerMetadata(c, 0) }, true},
	} {
		for _, strategy := range []native.MetadataRecovery{native.RecoveryRebootstrap, native.RecoveryNone} {
			t.Run(fmt.Sprint(tc.name, " ", strategy), func(t *testing.T) {
				t.Parallel()
				was, now, l := cluster(t), cluster(t), newLedger()
				f := newFront(t, was.ListenAddrs()[0])
				cfg := config(was, l)
				cfg.Bootstrap = []string{f.Addr().String()}
				cfg.MetadataRecovery, cfg.MetadataMaxAge, cfg.RebootstrapTrigger = strategy, 20*time.Millisecond, 50*time.Millisecond
				cfg.EnableIdempotence = false // brokers of another cluster don't know the producer's id
				cfg.Linger, cfg.RequestTimeout, cfg.DeliveryTimeout = 0, 500*time.Millisecond, 30*time.Second
				if strategy == native.RecoveryNone && !tc.stays {
					cfg.DeliveryTimeout = 500 * time.Millisecond
				}
				p := open(t, cfg)
				produce(t, p, records(0, 300))
				l.check(t, 300, false)

				f.exchange(now.ListenAddrs()[0])
				before := f.taken.Load()
				tc.leave(was)
				for tc.stays && strategy == native.RecoveryRebootstrap && f.taken.Load() == before { // until metadata were asked for
					time.Sleep(time.Millisecond)
				}
				if tc.stays {
					time.Sleep(100 * time.Millisecond) // in which none must not begin anew, and the other has begun
				}
				recs := records(300, 300)
				produce(t, p, recs)
				switch {
				case strategy == native.RecoveryRebootstrap:
					l.check(t, 600, false)
					checkContent(t, consume(t, now.ListenAddrs(), len(recs)), recs)
				case tc.stays:
					l.check(t, 600, false) // by those known
				default:
					l.check(t, 600, true)
					for _, r := range recs {
						if e, _ := l.get(r.Slot); !errors.Is(e.err, native.ErrDeliveryTimeout) {
							t.Fatalf("slot %d ended with %v", r.Slot, e.err)
						}
					}
				}
				if again := f.taken.Load() - before; strategy == native.RecoveryNone && again > 0 {
					t.Errorf("%d connections to the bootstrap server", again)
				}
			})
		}
	}
}

// TestRebootstrapInTransaction has a coordinator that never answers when the producer is asked to begin anew: it doesn't wait
// for request.timeout.ms.
func TestRebootstrapInTransaction(t *testing.T) {
	c := cluster(t)
	cfg := transactional(c, newLedger(), "tx")
	cfg.MetadataMaxAge, cfg.RequestTimeout, cfg.DeliveryTimeout = 20*time.Millisecond, time.Hour, 2*time.Hour
	p := begin(t, cfg)
	must(t, p.Produce(ctxFor(t), texts(0, 6, "whole")))
	must(t, p.Flush(ctxFor(t)))
	asked, gate, first := make(chan struct{}), make(chan struct{}), atomic.Bool{}
	first.Store(true)
	defer close(gate)
	c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if first.Swap(false) {
			close(asked)
			c.SleepControl(func() { <-gate })
		}
		return nil, nil, false
	})
	ctx, commit := ctxFor(t), make(chan error)
	go func() { commit <- p.CommitTransaction(ctx) }()
	<-asked
	c.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.DropControl()
		resp := r.ResponseKind().(*kmsg.MetadataResponse)
		resp.ErrorCode = 129
		return resp, nil, true
	})
	must(t, <-commit)
	if got, want := committed(t, c.ListenAddrs(), names...), values(6, "whole"); !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

// TestMetadataBackoff: retry.backoff.ms lies between requests for metadata, however short metadata.max.age.ms is.
func TestMetadataBackoff(t *testing.T) {
	t.Parallel()
	c, asked := cluster(t, kfake.NumBrokers(1)), atomic.Int64{}
	c.ControlKey(int16(kmsg.Metadata), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		asked.Add(1)
		return nil, nil, false
	})
	cfg := config(c, newLedger())
	cfg.MetadataMaxAge, cfg.RetryBackoff, cfg.RetryBackoffMax = 0, 50*time.Millisecond, 50*time.Millisecond
	began := time.Now()
	open(t, cfg)
	for asked.Load() < 5 {
		time.Sleep(time.Millisecond)
	}
	if got, most := asked.Load(), int64(time.Since(began)/cfg.RetryBackoff)+2; got > most {
		t.Errorf("%d requests in %v, want %d at most", got, time.Since(began), most)
	}
}

func TestParseMetadataRecovery(t *testing.T) {
	for _, r := range []native.MetadataRecovery{native.RecoveryRebootstrap, native.RecoveryNone} {
		if got, err := native.ParseMetadataRecovery(r.String()); got != r || err != nil {
			t.Errorf("%s: %v, %v", r, got, err)
		}
	}
	if _, err := native.ParseMetadataRecovery("never"); err == nil {
		t.Error("never: no error")
	}
}
