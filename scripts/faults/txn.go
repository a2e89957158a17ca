package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"kbench/native"
)

// txnMode is one way to produce in transactions.
type txnMode struct {
	name     string
	topic    string // in the names of its topics
	delivery time.Duration
	timeout  time.Duration // transaction.timeout.ms
	lives    time.Duration // producers live for so long at most, and end in the middle of something; 0: until the end
	twins    bool          // two producers of one transactional.id at the same time, which fence each other
	overdue  bool          // some transactions take longer than transaction.timeout.ms
}

// txnModes run at the same time under each fault.
func txnModes() []txnMode {
	const patient, quick = 2 * time.Minute, 3 * time.Second
	return []txnMode{
		{name: "transactions", topic: "plain", delivery: patient, timeout: time.Minute},
		{name: "transactions, expiring", topic: "expiring", delivery: quick, timeout: time.Minute},
		{name: "transactions, closing", topic: "closing", delivery: 20 * time.Second, timeout: 10 * time.Second, lives: 2 * time.Second},
		{name: "transactions, twins", topic: "twins", delivery: patient, timeout: 10 * time.Second, lives: time.Second, twins: true},
		{name: "transactions, overdue", topic: "overdue", delivery: patient, timeout: 2 * time.Second, overdue: true},
	}
}

// steady says that nothing but a fault can end its producers.
func (m *txnMode) steady() bool { return m.lives == 0 && !m.overdue }

// outlasts says whether the producers are given the time to get over every fault.
func (m *txnMode) outlasts() bool { return m.steady() && m.topic != "expiring" }

// outcome is what a producer was told of a transaction.
type outcome uint8

const (
	unknown   outcome = iota // CommitTransaction was called and gave no result: all of it is there, or nothing
	committed                // CommitTransaction said so
	aborted                  // AbortTransaction said so, or CommitTransaction was never called
)

// txn is one transaction.
type txn struct {
	outcome outcome
	offset  int64 // sent for the group; 0: none
	overdue bool  // it took longer than transaction.timeout.ms on purpose
}

// txnLife is the life of one transactional producer.
type txnLife struct {
	run    uint64
	ledger *ledger
	txns   []txn
	fatal  error // that ended it
}

// txnLoad is a transactional producer, or one after the other of the same transactional.id, or two at the same time. Each
// transaction has records for two topics and, now and then, an offset of a group.
type txnLoad struct {
	mode      txnMode
	id        string // transactional.id
	topics    []string
	bootstrap []string
	seed      uint64
	offsets   atomic.Int64 // that were sent: each is one more than the one before

	meter meter

	mu    sync.Mutex
	lives []*txnLife
	err   error // why it couldn't go on
}

// group is the consumer group whose offsets the transactions commit.
func (ld *txnLoad) group() string { return ld.id + "-group" }

func (ld *txnLoad) config(life *txnLife) native.Config {
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck, cfg.Seed = ld.bootstrap, ld.topics, life.ledger.ack, life.run
	cfg.TransactionalID, cfg.TransactionTimeout = ld.id, ld.mode.timeout
	cfg.RequestTimeout, cfg.DeliveryTimeout = min(5*time.Second, ld.mode.delivery/2), ld.mode.delivery
	cfg.BatchSize, cfg.Linger = 2<<10, 2*time.Millisecond
	cfg.MetadataMaxAge, cfg.MaxBlock = 2*time.Second, 4*time.Second // calls are left pending during a fault, and made again
	cfg.ClientID = clientID
	return cfg
}

// run keeps producers alive until stop is closed; patience bounds what is under way then.
func (ld *txnLoad) run(ctx context.Context, stop <-chan struct{}, patience time.Duration) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-stop:
			if sleep(ctx, patience) == nil {
				cancel()
			}
		case <-ctx.Done():
		}
	}()
	var wg sync.WaitGroup
	defer wg.Wait()
	for twin := range map[bool]int{false: 1, true: 2}[ld.mode.twins] {
		rng := rand.New(rand.NewPCG(ld.seed, uint64(twin)))
		wg.Go(func() {
			for !closed(stop) && ctx.Err() == nil {
				if err := ld.live(ctx, rng, stop); err != nil {
					ld.mu.Lock()
					ld.err = errors.Join(ld.err, err)
					ld.mu.Unlock()
					return
				}
			}
		})
	}
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// live is the life of one producer: it ends with stop, with its time, or when the producer can't go on.
func (ld *txnLoad) live(ctx context.Context, rng *rand.Rand, stop <-chan struct{}) error {
	life := &txnLife{run: rng.Uint64(), ledger: newLedger()}
	p, err := native.New(ctx, ld.config(life))
	if err != nil {
		return sleep(ctx, 50*time.Millisecond) // no broker answers: again
	}
	ld.mu.Lock()
	ld.lives = append(ld.lives, life)
	ld.mu.Unlock()
	ld.meter.open(p)
	defer ld.meter.close(p)
	if ld.mode.lives > 0 {
		// Calls are cancelled in the middle; sometimes the producer is closed there as well.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond+time.Duration(rng.Int64N(int64(ld.mode.lives))))
		defer cancel()
	}
	err = again(ctx, p.InitTransactions)
	for err == nil && !closed(stop) && ctx.Err() == nil {
		err = ld.transact(ctx, p, life, rng)
	}
	if errors.Is(err, native.ErrTransactionFatal) {
		life.fatal = err
	}
	if err := p.Close(); err != nil {
		return err
	}
	life.ledger.close()
	if life.fatal == nil && ld.mode.lives == 0 {
		return err
	}
	return nil
}

// again makes a call until it ends, as Java documents for a TimeoutException.
func again(ctx context.Context, call func(context.Context) error) error {
	for {
		err := call(ctx)
		if !errors.Is(err, native.ErrTransactionPending) || ctx.Err() != nil {
			return err
		}
	}
}

// transact makes one transaction and enters how it ended. An error says that the producer can't go on.
func (ld *txnLoad) transact(ctx context.Context, p *native.Producer, life *txnLife, rng *rand.Rand) error {
	if err := p.BeginTransaction(); err != nil {
		return err
	}
	life.txns = append(life.txns, txn{outcome: aborted})
	t := &life.txns[len(life.txns)-1]
	err := ld.fill(ctx, p, life, rng)
	if err == nil && rng.IntN(3) == 0 {
		t.offset = ld.offsets.Add(1)
		at := native.Offset{Topic: ld.topics[0], Offset: t.offset, LeaderEpoch: -1}
		err = p.SendOffsetsToTransaction(ctx, []native.Offset{at}, native.GroupMetadata{Group: ld.group()})
	}
	if ld.mode.overdue && rng.IntN(6) == 0 {
		t.overdue = true
		time.Sleep(ld.mode.timeout + time.Second)
	}
	if err == nil && rng.IntN(4) > 0 {
		t.outcome = unknown
		if err = again(ctx, p.CommitTransaction); err == nil {
			t.outcome = committed
			return nil
		}
		if !errors.Is(err, native.ErrTransactionAbortable) {
			return err
		}
	}
	if err = again(ctx, p.AbortTransaction); err == nil {
		t.outcome = aborted
	}
	return err
}

// fill produces the records of one transaction.
func (ld *txnLoad) fill(ctx context.Context, p *native.Producer, life *txnLife, rng *rand.Rand) error {
	for range rng.IntN(6) { // none at all, now and then
		var recs []native.Record
		for range 1 + rng.IntN(15) {
			f := fate{topic: rng.Int32N(int32(len(ld.topics))), asked: -1, txn: int32(len(life.txns) - 1), part: -1, offset: -1}
			if rng.IntN(4) > 0 {
				f.asked = rng.Int32N(partitions)
			}
			slot := life.ledger.enter(f)
			noise := make([]byte, noiseLength(rng))
			for i := range noise {
				noise[i] = byte(rng.Uint32())
			}
			recs = append(recs, native.Record{Slot: slot, Topic: f.topic, Partition: f.asked,
				Value: appendValue(nil, life.run, slot, ld.topics[f.topic], f.asked, noise)})
		}
		if err := p.Produce(ctx, recs); err != nil {
			return err
		}
		if err := sleep(ctx, time.Duration(rng.IntN(20))*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// newTxnLoad makes a load whose names end in suffix.
func newTxnLoad(m txnMode, suffix string, bootstrap []string, seed uint64) *txnLoad {
	ld := &txnLoad{mode: m, id: fmt.Sprintf("%s-%s", suffix, m.topic), bootstrap: bootstrap, seed: seed}
	ld.topics = []string{ld.id + "-a", ld.id + "-b"}
	return ld
}
