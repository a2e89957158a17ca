//go:build !race

package native_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"kbench/native"
	"kbench/native/auth/authtest"
)

// TestTLSAllocations is TestAllocations over TLS: nothing is allocated for records or batches, and nothing by this package.
// crypto/tls itself allocates up to one small object (24 bytes, readFromUntil's reader) for each record of its own that it
// waits for, which is one for each answer: some dozens of batches here. It writes without allocating.
func TestTLSAllocations(t *testing.T) {
	const (
		flush  = 4 // as in TestAllocations
		rounds = 5
		pools  = 10 // crypto/tls's buffers, which a garbage collection takes from their pool
		chance = 40 // what the runtime itself allocates on a crowded machine; one for each request would be some 250
	)
	defer func(rate int) { runtime.MemProfileRate = rate }(runtime.MemProfileRate)
	runtime.MemProfileRate = 1
	authority := authtest.NewAuthority(t)
	leaf := authority.Issue(t, time.Now().Add(time.Hour), "127.0.0.1")
	for _, size := range []int{500, 16000} { // batches that are copied into the request, and such that are pieces of it
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			cfg := native.DefaultConfig()
			addr := startSink(t, sinkTLSEnv+"="+string(leaf.Chain)+string(leaf.Key))
			cfg.Bootstrap, cfg.Topics, cfg.TLS, cfg.Linger = []string{addr}, []string{"t"}, authority.Client(t), 0
			cfg.Dialer = func(ctx context.Context, network, _ string) (net.Conn, error) { // the sink advertises its own address
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			}
			cfg.OnAck = func(a native.Ack) {
				if a.Err != nil {
					t.Error(a.Err)
				}
			}
			p := open(t, cfg)
			recs := make([]native.Record, 64)
			for i := range recs {
				recs[i] = native.Record{Partition: -1, Value: make([]byte, size)}
			}
			send := func() {
				for range 10_000_000 / size / len(recs) {
					if err := p.Produce(context.Background(), recs); err != nil {
						t.Fatal(err)
					}
				}
				if err := p.Flush(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			for range 10 {
				send()
			}
			tlsBefore, oursBefore := allocated(t)
			before := p.Stats()
			for range rounds {
				send()
			}
			after := p.Stats()
			tlsAfter, oursAfter := allocated(t)
			answers, batches := after.Requests-before.Requests, after.Batches-before.Batches
			byTLS, byUs := tlsAfter-tlsBefore, oursAfter-oursBefore
			t.Logf("%d batches in %d requests: %d allocations by crypto/tls, %d others", batches, answers, byTLS, byUs)
			if byUs > rounds*flush+chance {
				t.Errorf("%d allocations by others than crypto/tls, want %d at most", byUs, rounds*flush+chance)
			}
			if answers < 3*(rounds*flush+chance) {
				t.Errorf("%d requests are too few to tell one allocation for each from chance", answers)
			}
			if byTLS > answers+pools {
				t.Errorf("%d allocations by crypto/tls for %d answers", byTLS, answers)
			}
		})
	}
}

// allocated counts the objects allocated until now, by crypto/tls and by this package, as far as each was profiled.
func allocated(t *testing.T) (byTLS, byUs int64) {
	t.Helper()
	for range 3 { // the profile is up to two collections old
		runtime.GC()
	}
	var records []runtime.MemProfileRecord
	n, ok := runtime.MemProfile(nil, true)
	for !ok {
		records = make([]runtime.MemProfileRecord, n+50)
		n, ok = runtime.MemProfile(records, true)
	}
	for _, r := range records[:n] {
		frames := runtime.CallersFrames(r.Stack())
		ours := false
		for more := true; more; {
			var f runtime.Frame
			f, more = frames.Next()
			if strings.HasPrefix(f.Function, "crypto/tls.") {
				byTLS += r.AllocObjects
				ours = false
				break
			}
			ours = ours || strings.HasPrefix(f.Function, "kbench/native.")
		}
		if ours {
			byUs += r.AllocObjects
		}
	}
	return byTLS, byUs
}
