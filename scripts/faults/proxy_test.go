package main

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"kbench/native"
)

// TestProxies runs the load through proxies to a fake cluster, while they pass, cut and slow down: the clients must reach the
// brokers through them alone, and what they send must arrive.
func TestProxies(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(2), kfake.SeedTopics(partitions, "t"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p, err := startProxies([]int32{0, 1}, c.ListenAddrs(), 1)
	if err != nil {
		t.Fatal(err)
	}
	ld := &load{mode: modes()[0], topic: "t", bootstrap: p.addrs, seed: 1, rate: 2000}
	ld.partitions.Store(partitions)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		ld.run(context.Background(), stop, time.Minute)
	}()
	for _, f := range []linkFault{{}, {cut: true}, {}, {bytesPS: 100_000, latency: time.Millisecond}, {}} {
		p.set(f)
		if f.cut {
			p.cutAll()
		}
		time.Sleep(200 * time.Millisecond)
	}
	close(stop)
	<-done
	if ld.err != nil {
		t.Fatal(ld.err)
	}
	if n := p.cutSoFar(); n < 2 {
		t.Errorf("%d connections cut", n)
	}
	if ld.meter.sum().Retries == 0 {
		t.Error("no request was cut")
	}
	recs, err := readAll(context.Background(), c.ListenAddrs(), "t")
	if err != nil {
		t.Fatal(err)
	}
	got := ld.check(recs, time.Time{})
	if got.acked == 0 || got.failed+got.lost+got.misrouted+got.unanswered > 0 {
		t.Errorf("%+v", got)
	}
	if err := p.close(); err != nil {
		t.Error(err)
	}
	// With the proxies gone there is no way round them.
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck, cfg.MaxBlock = p.addrs, []string{"t"}, func(native.Ack) {}, 100*time.Millisecond
	if pr, err := native.New(context.Background(), cfg); err == nil {
		pr.Close()
		t.Error("a producer reached the brokers without the proxies")
	}
}
