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

// mode is one way to produce; each has a producer, or one after the other, and a topic of its own.
type mode struct {
	name     string
	acks     int16
	delivery time.Duration // delivery.timeout.ms
	request  time.Duration // request.timeout.ms
	short    bool          // producers live for a moment and are closed, or their context cancelled, in the middle of it
	topic    string        // suffix
	codec    native.Compression
	conns    int
}

// guaranteed says whether a mode promises that nothing is lost, duplicated or reordered.
func (m *mode) guaranteed() bool { return m.acks == -1 }

// modes run at the same time under each fault.
func modes() []mode {
	return []mode{
		{name: "all", acks: -1, delivery: 2 * time.Minute, request: 5 * time.Second, topic: "all"},
		{name: "all, lz4, 3 connections", acks: -1, delivery: 2 * time.Minute, request: 5 * time.Second, topic: "lz4", codec: native.CompressionLZ4, conns: 3},
		{name: "all, expiring", acks: -1, delivery: 3 * time.Second, request: 1500 * time.Millisecond, topic: "expiring"},
		{name: "all, closing", acks: -1, delivery: 20 * time.Second, request: 5 * time.Second, short: true, topic: "closing"},
		{name: "1", acks: 1, delivery: 2 * time.Minute, request: 5 * time.Second, topic: "one"},
		{name: "0", acks: 0, delivery: 2 * time.Minute, request: 5 * time.Second, topic: "zero"},
	}
}

// load produces with one mode until it is told to stop.
type load struct {
	mode       mode
	topic      string
	bootstrap  []string
	seed       uint64
	rate       int          // records a second
	partitions atomic.Int32 // that records may ask for

	meter meter

	mu        sync.Mutex
	instances []*instance
	err       error // why it couldn't go on
}

// instance is the life of one producer.
type instance struct {
	run    uint64
	ledger *ledger
}

func (ld *load) config(l *ledger, run uint64) native.Config {
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck, cfg.Seed = ld.bootstrap, []string{ld.topic}, l.ack, run
	cfg.Acks, cfg.EnableIdempotence = ld.mode.acks, ld.mode.acks == -1
	cfg.RequestTimeout, cfg.DeliveryTimeout = ld.mode.request, ld.mode.delivery
	cfg.Compression, cfg.Connections = ld.mode.codec, ld.mode.conns
	cfg.BatchSize, cfg.Linger = 8<<10, 2*time.Millisecond
	cfg.MetadataMaxAge = 2 * time.Second
	cfg.ClientID = clientID
	if ld.mode.short {
		cfg.BufferMemory = 128 << 10 // Produce waits for memory as soon as the fault begins
		cfg.MaxBlock = 10 * time.Second
	}
	return cfg
}

// run produces until stop is closed, then flushes for at most patience and closes.
func (ld *load) run(ctx context.Context, stop <-chan struct{}, patience time.Duration) {
	rng := rand.New(rand.NewPCG(ld.seed, 7))
	for first := true; first || ld.mode.short; first = false {
		select {
		case <-stop:
			return
		default:
		}
		err := ld.live(ctx, rng, stop, patience)
		if err != nil && !ld.mode.short {
			ld.mu.Lock()
			ld.err = err
			ld.mu.Unlock()
			return
		}
	}
}

// live is the life of one producer.
func (ld *load) live(ctx context.Context, rng *rand.Rand, stop <-chan struct{}, patience time.Duration) error {
	in := &instance{run: rng.Uint64(), ledger: newLedger()}
	opening, cancelOpening := context.WithTimeout(ctx, patience)
	defer cancelOpening()
	if ld.mode.short { // opening may be cut short as well
		opening, cancelOpening = context.WithTimeout(ctx, time.Duration(1+rng.IntN(5000))*time.Millisecond)
		defer cancelOpening()
	}
	p, err := native.New(opening, ld.config(in.ledger, in.run))
	if err != nil {
		time.Sleep(20 * time.Millisecond)
		return err
	}
	ld.mu.Lock()
	ld.instances = append(ld.instances, in)
	ld.mu.Unlock()
	ld.meter.open(p)
	defer ld.meter.close(p)

	producing, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	halt := make(chan struct{})
	go func() { ended <- ld.produce(producing, p, in, rand.New(rand.NewPCG(in.run, 8)), halt) }()
	wait := func() (err error) {
		close(halt)
		return <-ended
	}
	if !ld.mode.short {
		select {
		case <-stop:
		case err = <-ended: // the producer gave up
			ended <- err
		}
		err = wait()
		flushing, cancelFlush := context.WithTimeout(ctx, patience)
		defer cancelFlush()
		err = errors.Join(err, p.Flush(flushing))
	} else {
		select {
		case <-stop:
		case <-time.After(time.Duration(50+rng.IntN(2000)) * time.Millisecond):
		}
		err = nil
		switch rng.IntN(3) {
		case 0: // in the middle of Produce
			cancel()
			_ = wait() // it was cancelled
		case 1: // under a Flush that is cancelled
			_ = wait()
			flushing, cancelFlush := context.WithTimeout(ctx, time.Duration(rng.IntN(100))*time.Millisecond)
			_ = p.Flush(flushing)
			cancelFlush()
		default: // while another goroutine is in Produce
			defer func() { _ = wait() }() // it was closed
		}
	}
	err = errors.Join(err, p.Close())
	if !ld.mode.short { // there, Produce may still be refusing records
		in.ledger.close()
	}
	return err
}

// tick is how often records are produced.
const tick = 10 * time.Millisecond

// produce keeps the rate until halt is closed or the producer refuses. Three of four records ask for a partition.
func (ld *load) produce(ctx context.Context, p *native.Producer, in *instance, rng *rand.Rand, halt <-chan struct{}) error {
	clock := time.NewTicker(tick)
	defer clock.Stop()
	noise := make([]byte, maxNoise)
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	var recs []native.Record
	begun, made := time.Now(), 0
	for {
		select {
		case <-halt:
			return nil
		case <-clock.C:
		}
		due := int(time.Since(begun).Seconds()*float64(ld.rate)) - made
		due = min(due, ld.rate/10) // after a wait the rate goes on, and isn't caught up with
		made = int(time.Since(begun).Seconds() * float64(ld.rate))
		recs = recs[:0]
		for range max(0, due) {
			asked := int32(-1)
			if rng.IntN(4) > 0 {
				asked = rng.Int32N(ld.partitions.Load())
			}
			slot := in.ledger.next(asked)
			at := rng.IntN(maxNoise - 1)
			body := noise[at:min(len(noise), at+noiseLength(rng))]
			recs = append(recs, native.Record{Slot: slot, Partition: asked, Value: appendValue(nil, in.run, slot, ld.topic, asked, body)})
		}
		if err := p.Produce(ctx, recs); err != nil {
			return fmt.Errorf("produce: %w", err)
		}
	}
}
