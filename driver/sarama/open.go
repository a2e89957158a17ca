package sarama

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"kbench/driver"
)

// open connects a client.
func open(ctx context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
	dialer, meter, err := driver.Begin(ctx, Driver(), &cfg)
	if err != nil {
		return driver.Session{}, err
	}
	closing := new(atomic.Bool)
	backoff := driver.Backoff(cfg.Producer.RetryBackoff, cfg.Producer.RetryBackoffMax)
	conf, err := newConfig(&cfg, dialer, func(failures int) time.Duration {
		if closing.Load() {
			return 0
		}
		return backoff(failures)
	})
	if err != nil {
		return driver.Session{}, err
	}
	registry := new(registry)
	conf.MetricRegistry = registry
	client, async, err := connect(&cfg, conf)
	if err != nil {
		dialer.Shut()
		return driver.Session{}, err
	}
	p := newProducer(async, conf, &cfg, ack)
	p.client, p.closing, p.dialer = client, closing, dialer
	go p.receive()
	return driver.Session{
		Producer:      p,
		Effective:     effective(conf, strings.Join(cfg.Bootstrap, ","), &cfg, dialer.Security),
		Stats:         func() driver.Stats { return snapshot(meter, registry, p) },
		Distributions: meter.Distributions,
	}, nil
}

// connect makes the client with the topics' metadata loaded, and the producer on it. Without metadata sarama knows only the
// first bootstrap address and asks that one, dead or alive, for a producer id.
func connect(cfg *driver.Config, conf *sarama.Config) (sarama.Client, sarama.AsyncProducer, error) {
	if err := conf.Validate(); err != nil {
		return nil, nil, fmt.Errorf("sarama refuses the configuration: %w", err)
	}
	failed := func(err error) error {
		return fmt.Errorf("sarama can't start with %s: %w", strings.Join(cfg.Bootstrap, ", "), err)
	}
	client, err := sarama.NewClient(cfg.Bootstrap, conf)
	if err != nil {
		return nil, nil, failed(err)
	}
	async, err := withMetadata(client, cfg.Topics)
	if err != nil {
		client.Close() // its error would only repeat the other
		return nil, nil, failed(err)
	}
	return client, async, nil
}

func withMetadata(client sarama.Client, topics []string) (sarama.AsyncProducer, error) {
	if err := client.RefreshMetadata(topics...); err != nil {
		return nil, err
	}
	return sarama.NewAsyncProducerFromClient(client)
}

func newProducer(async sarama.AsyncProducer, conf *sarama.Config, cfg *driver.Config, ack driver.AckFunc) *producer {
	c := &cfg.Producer
	p := &producer{
		async:      async,
		input:      async.Input(),
		ack:        ack,
		slots:      make([]slot, cfg.Slots),
		topics:     slices.Clone(cfg.Topics),
		maxRequest: driver.NewSizeLimit(c.MaxRequestSize),
		tooLarge:   &driver.TooLargeError{Setting: "max.request.size", Limit: int64(c.MaxRequestSize)},
		overBatch: &driver.TooLargeError{Setting: "batch.size", Limit: int64(conf.Producer.MaxMessageBytes),
			Note: "sarama doesn't send a record that is larger than a batch"},
		wait:       newWaiter(c.MaxBlock),
		compressed: conf.Producer.Compression != sarama.CompressionNone,
		refused:    make(chan *slot, cfg.Slots),
		giveUp:     make(chan struct{}),
		gone:       make(chan struct{}),
	}
	for i := range p.slots {
		p.slots[i].id = uint32(i)
	}
	return p
}

// snapshot returns the counters. UncompressedBytes is what the acknowledged records come to when encoded, within a byte
// or two of each.
func snapshot(meter *driver.WireMeter, r *registry, p *producer) driver.Stats {
	st := meter.Stats()
	st.ThrottleNS = r.throttle.Load()
	st.UncompressedBytes = st.CompressedBytes
	if p.compressed {
		st.UncompressedBytes = p.uncompressed.Load()
	}
	return st
}
