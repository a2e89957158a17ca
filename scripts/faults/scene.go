package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/broker"
)

// clientID is that of all producers: a quota finds them by it.
const clientID = "kbench-faults"

// cluster is a running target with admin access.
type cluster struct {
	target *broker.Target
	nodes  int
	client *kgo.Client
	adm    *kadm.Client
	serial int // of topics
	say    func(format string, args ...any)
	// undo is called before the target is closed.
	undo []func() error
}

func startCluster(ctx context.Context, version string, nodes int, say func(string, ...any)) (*cluster, error) {
	props := map[string]string{
		// Deleted topics go at once, and a broker that comes back leads again soon.
		"log.segment.delete.delay.ms":             "100",
		"leader.imbalance.check.interval.seconds": "5",
		"offsets.topic.replication.factor":        "1",
		// Transactions that took too long are aborted soon.
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
	}
	t, err := broker.Start(ctx, broker.Spec{Kind: broker.KindKafka, Version: version, Brokers: nodes, Properties: props,
		Log: func(line string) { say("%s", line) }})
	if err != nil {
		return nil, err
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(t.Bootstrap...), kgo.DisableClientMetrics(), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return &cluster{target: t, nodes: nodes, client: cl, adm: kadm.NewClient(cl), say: say}, nil
}

func (c *cluster) close() error {
	c.client.Close()
	var errs []error
	for _, f := range c.undo {
		errs = append(errs, f())
	}
	return errors.Join(append(errs, c.target.Close())...)
}

// scene is one fault under load.
type scene struct {
	*cluster
	fault   *fault
	loads   []*load
	txns    []*txnLoad // instead of loads
	proxies *proxies   // nil unless the fault is the link's
	short   bool
	// until is when a topic that was deleted was there again: what was acknowledged before may be gone.
	until time.Time
	// seen is what else than retries shows that the last strike did take place; strikes counts them.
	seen    string
	strikes int
}

// partitions is how many each topic has at first.
const partitions = 3

// play runs a fault under the load of all modes, checks, and adds a row for each mode.
func (c *cluster) play(ctx context.Context, f *fault, o *options, found *findings) error {
	ctx, cancel := context.WithTimeout(ctx, 8*time.Minute)
	defer cancel()
	s := &scene{cluster: c, fault: f, short: o.short}
	if err := c.settle(ctx); err != nil {
		return err
	}
	bootstrap := c.target.Bootstrap
	if f.proxied {
		var ids []int32
		for _, n := range c.target.Nodes() {
			ids = append(ids, int32(n.ID))
		}
		var err error
		if s.proxies, err = startProxies(ids, bootstrap, o.seed); err != nil {
			return err
		}
		defer s.proxies.close() // ends with the scene; nothing is written through it any more
		bootstrap = s.proxies.addrs
	}
	c.serial++
	rng := rand.New(rand.NewPCG(o.seed, uint64(c.serial)))
	if f.transactions {
		for _, m := range txnModes() {
			s.txns = append(s.txns, newTxnLoad(m, fmt.Sprintf("%s-%d", f.name, c.serial), bootstrap, rng.Uint64()))
		}
	} else {
		s.loads = c.newLoads(f, bootstrap, o.rate, rng)
	}
	if err := errors.Join(s.create(ctx), s.awaitLeaders(ctx)); err != nil {
		return err
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for _, ld := range s.loads {
		wg.Go(func() { ld.run(ctx, stop, 150*time.Second) })
	}
	for _, ld := range s.txns {
		wg.Go(func() { ld.run(ctx, stop, 150*time.Second) })
	}
	err := sleep(ctx, 2*time.Second)
	if err == nil {
		err = s.strike(func() error { return s.once(ctx) }, s.less(strikesFor, 30*time.Second))
	}
	close(stop)
	wg.Wait()
	if err != nil {
		return err
	}
	return s.verify(ctx, found)
}

// newLoads makes a load of each mode.
func (c *cluster) newLoads(f *fault, bootstrap []string, rate int, rng *rand.Rand) []*load {
	var out []*load
	for _, m := range modes() {
		ld := &load{mode: m, topic: fmt.Sprintf("%s-%d-%s", f.name, c.serial, m.topic), bootstrap: bootstrap, seed: rng.Uint64(), rate: rate}
		ld.partitions.Store(partitions)
		out = append(out, ld)
	}
	return out
}

// verify reads every topic and makes the rows.
func (s *scene) verify(ctx context.Context, found *findings) error {
	if err := sleep(ctx, time.Second); err != nil { // what acks=0 wrote last may be on its way
		return err
	}
	for _, ld := range s.loads {
		recs, err := readAll(ctx, s.target.Bootstrap, ld.topic)
		if err != nil {
			return err
		}
		t := ld.check(recs, s.until)
		found.rows = append(found.rows, newRow(s, ld, &t))
	}
	for _, ld := range s.txns {
		read := map[string][]*kgo.Record{}
		for _, topic := range ld.topics {
			recs, err := readCommitted(ctx, s.target.Bootstrap, topic)
			if err != nil {
				return err
			}
			read[topic] = recs
		}
		offset, err := groupOffset(ctx, s.adm, ld.group(), ld.topics[0])
		if err != nil {
			return err
		}
		t := ld.check(read, offset, nil)
		if t.broken() != "" { // is it the broker's doing?
			omitted, err := findOmissions(ctx, s.target.Bootstrap, ld.id, ld.topics)
			if err != nil {
				return err
			}
			t = ld.check(read, offset, omitted)
		}
		if t.fatal > 0 && ld.mode.steady() { // the same
			if t.forgotten, err = countForgotten(ctx, s.target.Bootstrap, ld.id); err != nil {
				return err
			}
		}
		found.txns = append(found.txns, newTxnRow(s, ld, &t))
	}
	return s.remove(ctx)
}

func (s *scene) topics() []string {
	var names []string
	for _, ld := range s.loads {
		names = append(names, ld.topic)
	}
	for _, ld := range s.txns {
		names = append(names, ld.topics...)
	}
	return names
}

// awaitLeaders waits until the leaders themselves know of the topics. Metadata names them before; until then they refuse what
// is produced, and with acks=0 nobody hears of it.
func (s *scene) awaitLeaders(ctx context.Context) error {
	_, err := endOffsets(ctx, s.client, s.topics()...)
	return err
}

// create makes the topics.
func (s *scene) create(ctx context.Context) error {
	config := map[string]*string{"retention.bytes": kadm.StringPtr("-1"), "retention.ms": kadm.StringPtr("-1")}
	if s.nodes > 1 {
		config["min.insync.replicas"] = kadm.StringPtr("2")
	}
	resp, err := s.adm.CreateTopics(ctx, partitions, int16(min(s.nodes, 3)), config, s.topics()...)
	if err == nil {
		err = resp.Error()
	}
	return err
}

// remove deletes the topics and waits until the cluster has forgotten them.
func (s *scene) remove(ctx context.Context) error {
	resp, err := s.adm.DeleteTopics(ctx, s.topics()...)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		return err
	}
	for {
		ts, err := s.adm.ListTopics(ctx)
		if err != nil {
			return err
		}
		left := false
		for _, name := range s.topics() {
			left = left || ts.Has(name)
		}
		if !left {
			return nil
		}
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// settle waits until every partition has a leader and all its replicas in sync.
func (c *cluster) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	for {
		missing, err := c.unsettled(ctx)
		if err == nil && missing == "" {
			return nil
		}
		if sleep(ctx, 200*time.Millisecond) != nil {
			return fmt.Errorf("the cluster doesn't settle: %s %w", missing, err)
		}
	}
}

func (c *cluster) unsettled(ctx context.Context) (string, error) {
	short, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	m, err := c.adm.Metadata(short)
	if err != nil {
		return "", err
	}
	if len(m.Brokers) < c.nodes {
		return fmt.Sprintf("%d of %d brokers", len(m.Brokers), c.nodes), nil
	}
	var out []string
	m.Topics.EachPartition(func(p kadm.PartitionDetail) {
		if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
			out = append(out, fmt.Sprintf("%s/%d: leader %d, in sync %v of %v", p.Topic, p.Partition, p.Leader, p.ISR, p.Replicas))
		}
	})
	return strings.Join(out, "; "), nil
}

// leader is the index of the node that leads partition 0 of the first topic.
func (s *scene) leader(ctx context.Context) (int, error) {
	topic := s.topics()[0]
	ts, err := s.adm.ListTopics(ctx, topic)
	if err != nil {
		return 0, err
	}
	return s.node(ts[topic].Partitions[0].Leader)
}

// node is the index of the node with an id.
func (s *scene) node(id int32) (int, error) {
	for i, n := range s.target.Nodes() {
		if int32(n.ID) == id {
			return i, nil
		}
	}
	return 0, fmt.Errorf("node %d wasn't started", id)
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
