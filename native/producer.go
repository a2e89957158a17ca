package native

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Producer sends records. Its methods are safe for concurrent use.
type Producer struct {
	cfg       Config
	start     time.Time    // monotonic: times inside are ns since it
	wall      atomic.Int64 // wall clock at start by the last look at both clocks, ns since 1970
	linger    int64        // ns
	maxRecord int          // bytes of a record with its own length field
	tmpl      *template    // of a Replayer, else nil
	table     partitionTable

	topics []*topic          // by Record.Topic
	byName map[string]*topic // not changed after New

	ctx    context.Context // done when the producer closes
	cancel context.CancelFunc
	wg     sync.WaitGroup // its goroutines

	control    *control
	closing    sync.Once
	metaWake   chan struct{} // of capacity 1
	metaTrying time.Time     // since when no metadata come; zero: they came. Of whoever asks for them

	rooms sync.Pool // of *intercepted

	// ackMu keeps calls of Config.OnAck and interceptors from overlapping.
	ackMu   sync.Mutex
	refused [1]uint32

	// mu guards what follows, and the topics, partitions and nodes.
	mu         sync.Mutex
	nodes      map[int32][]*node   // by broker, one for each connection
	byID       map[[16]byte]*topic // also by ids that a topic had before: answers to them may still come
	mem        memory
	rng        *rand.Rand
	applied    chan struct{} // closed when metadata comes; nil: nobody waits for it
	id         producerID
	needID     bool          // the epochs are used up: ask for a new id
	txn        *transactions // nil: not transactional; not changed after New
	gen        *generation
	flushing   int
	unfinished int   // batches
	dead       error // why nothing can be sent any more
	refusal    error // why Produce takes nothing now: dead, or there is no transaction to take it
	stats      Stats
	dist       Distributions
}

// New connects to a cluster, learns about the topics and returns a producer. ctx bounds the opening only. It fails at once
// when no bootstrap server answers as a Kafka broker, after max.block.ms at most when a topic isn't there, and after 5 s at
// most when one of its partitions has no leader.
func New(ctx context.Context, cfg Config) (*Producer, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	return newProducer(ctx, cfg, nil)
}

// newProducer opens a producer with a configuration that was checked; tmpl is that of a Replayer, or nil.
func newProducer(ctx context.Context, cfg Config, tmpl *template) (*Producer, error) {
	start := time.Now()
	pr := &Producer{
		cfg: cfg, start: start, linger: int64(cfg.Linger), tmpl: tmpl,
		table:     newPartitionTable(cfg.PartitionRules),
		maxRecord: cfg.maxRecord(),
		byName:    map[string]*topic{}, byID: map[[16]byte]*topic{}, nodes: map[int32][]*node{}, metaWake: make(chan struct{}, 1),
		mem: newMemory(&cfg, tmpl), rng: newRand(cfg.Seed), id: noID, gen: newGeneration(nil),
	}
	pr.setWall()
	for i, name := range cfg.Topics {
		t := &topic{name: name, index: int32(i)}
		pr.topics = append(pr.topics, t)
		pr.byName[name] = t
	}
	pr.ctx, pr.cancel = context.WithCancel(context.Background())
	pr.control = newControl(&pr.cfg)
	if cfg.TransactionalID != "" {
		pr.txn = newTransactions(pr)
		pr.refusal = pr.txn.outOfTurn("Produce")
	}
	if err := pr.open(ctx); err != nil {
		pr.cancel()
		pr.wg.Wait()
		pr.control.close()
		if ctx.Err() != nil && !errors.Is(err, ctx.Err()) { // a request that was broken off says nothing about the broker
			err = fmt.Errorf("%w before the producer was open: %w", ctx.Err(), err)
		}
		return nil, err
	}
	pr.wg.Add(2)
	go pr.followMetadata()
	go pr.expireBatches()
	if pr.txn != nil {
		pr.wg.Add(1)
		go pr.txn.run()
	}
	return pr, nil
}

// Config is the configuration in force.
func (pr *Producer) Config() Config { return pr.cfg }

// now is the time in ns since the start.
func (pr *Producer) now() int64 { return int64(time.Since(pr.start)) }

// wallMS is the wall clock at a time of now, in ms since 1970.
func (pr *Producer) wallMS(now int64) int64 { return (pr.wall.Load() + now) / 1e6 }

// setWall looks at both clocks: the wall clock may be set, and the monotonic one stands still while a machine is suspended.
func (pr *Producer) setWall() {
	t := time.Now()
	pr.wall.Store(t.UnixNano() - int64(t.Sub(pr.start)))
}

// Flush sends what was appended before without lingering and waits until all of it is acknowledged or failed, or ctx is done.
func (pr *Producer) Flush(ctx context.Context) error {
	pr.mu.Lock()
	g := pr.gen
	if g.batches == 0 && g.older == nil {
		pr.mu.Unlock()
		return nil
	}
	pr.gen = newGeneration(g)
	pr.flushing++
	pr.sealAll()
	pr.mu.Unlock()

	var err error
	select {
	case <-g.done:
	case <-ctx.Done():
		err = ctx.Err()
	}
	pr.mu.Lock()
	pr.flushing--
	pr.mu.Unlock()
	return err
}

// sealAll seals every open batch. Producer.mu is held.
func (pr *Producer) sealAll() {
	now := pr.now()
	for _, t := range pr.topics {
		for _, p := range t.partitions {
			if p.open != nil {
				p.seal(now)
				pr.place(p, now)
			}
		}
	}
}

// Close gives up what is unfinished: each such record is acknowledged with ErrClosed before Close returns. Flush first to
// keep it. Closing twice, even at the same time, is the same as once. A transaction that is open is aborted first, as
// AbortTransaction does, and one that is being committed or aborted is waited for; that takes request.timeout.ms at most.
func (pr *Producer) Close() error {
	pr.closing.Do(pr.shutDown)
	return nil
}

func (pr *Producer) shutDown() {
	if pr.txn != nil {
		pr.finishTransaction()
	}
	pr.mu.Lock()
	if pr.refusal = ErrClosed; pr.dead == nil {
		pr.dead = ErrClosed
	}
	pr.mem.close()
	pr.cancel()
	for _, conns := range pr.nodes {
		for _, n := range conns {
			n.interrupt()
		}
	}
	pr.mu.Unlock()
	pr.wg.Wait()
	pr.control.close()
	pr.mu.Lock()
	done := pr.failWaiting(ErrClosed, nil)
	pr.mu.Unlock()
	pr.deliver(done)
}

// abandon fails everything, now and later: a broker refused the producer for good. Producer.mu is held; the batches to
// deliver are appended to done.
func (pr *Producer) abandon(err error, done []*batch) []*batch {
	if pr.dead != nil {
		return done
	}
	if pr.txn != nil {
		err = pr.txn.fatal(err)
	}
	if pr.dead = err; pr.txn == nil || !pr.txn.closing { // while Close is under way, ErrClosed is what calls are told
		pr.refusal = err
	}
	pr.mem.close()
	pr.announceMetadata()
	return pr.failWaiting(err, done)
}

// failWaiting fails every batch that isn't in a request; those fail when their requests settle.
func (pr *Producer) failWaiting(err error, done []*batch) []*batch {
	for _, t := range pr.topics {
		for _, p := range t.partitions {
			if p.open != nil {
				p.seal(pr.now())
			}
			for len(p.queue) > 0 {
				done = pr.end(p.popQueue(), err, done)
			}
			for p.retries > 0 {
				b := p.firstRetry()
				p.retries--
				done = pr.fail(b, err, done)
			}
			p.unlink()
		}
	}
	return done
}

// generation counts the unfinished batches between two flushes. Guarded by Producer.mu.
type generation struct {
	batches int
	older   *generation // nil: all before are finished
	younger *generation
	done    chan struct{} // closed when this and all before are finished
}

func newGeneration(older *generation) *generation {
	g := &generation{older: older, done: make(chan struct{})}
	if older != nil {
		older.younger = g
	}
	return g
}

// finished counts one batch off.
func (g *generation) finished() {
	g.batches--
	for g != nil && g.batches == 0 && g.older == nil && g.younger != nil {
		close(g.done)
		g = g.younger
		g.older.younger, g.older = nil, nil
	}
}
