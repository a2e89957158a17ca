// Package null is the driver that acknowledges every record at once and never touches the network: what a run costs with
// it is what the harness itself costs, the ceiling beside which every other result stands.
package null

import (
	"context"

	"kbench/driver"
	"kbench/workload"
)

// Driver acknowledges each Send with one call for the whole burst, as clients with batched acknowledgements do.
func Driver() driver.Driver {
	return driver.Driver{
		Name:    "null",
		Client:  "none",
		Version: "built in",
		About:   "acknowledges at once, whole bursts: the harness's ceiling",
		Open:    open(false),
	}
}

// Single acknowledges each record with a call of its own, as clients with a callback per record do.
func Single() driver.Driver {
	return driver.Driver{
		Name:    "null-single",
		Client:  "none",
		Version: "built in",
		About:   "acknowledges at once, record by record: the harness's ceiling for clients with a callback per record",
		Open:    open(true),
	}
}

func open(single bool) func(context.Context, driver.Config, driver.AckFunc) (driver.Session, error) {
	return func(_ context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
		p := &producer{ack: ack, acks: make([]driver.Ack, 0, cfg.Slots)}
		s := driver.Session{Producer: p, Effective: echo(&cfg.Producer)}
		if single {
			s.Producer = (*singleProducer)(p)
		}
		return s, nil
	}
}

// echo returns the settings as asked: with nothing sent, every one of them is in force.
func echo(cfg *workload.ProducerConfig) map[string]string {
	e := map[string]string{}
	for _, s := range driver.Settings() {
		e[s.Name] = cfg.Get(s.Name)
	}
	return e
}

type producer struct {
	ack  driver.AckFunc
	acks []driver.Ack // reused by every Send
}

// Send implements driver.Producer.
func (p *producer) Send(_ context.Context, recs []workload.Record) error {
	acks := p.acks[:0]
	for i := range recs {
		acks = append(acks, driver.Ack{Slot: recs[i].Slot, Partition: recs[i].Partition, Offset: -1})
	}
	p.acks = acks
	p.ack(acks)
	return nil
}

// Flush implements driver.Producer.
func (p *producer) Flush(context.Context) error { return nil }

// Close implements driver.Producer.
func (p *producer) Close() error { return nil }

// singleProducer acknowledges record by record.
type singleProducer producer

// Send implements driver.Producer.
func (p *singleProducer) Send(_ context.Context, recs []workload.Record) error {
	one := p.acks[:1]
	for i := range recs {
		one[0] = driver.Ack{Slot: recs[i].Slot, Partition: recs[i].Partition, Offset: -1}
		p.ack(one)
	}
	return nil
}

// Flush implements driver.Producer.
func (p *singleProducer) Flush(context.Context) error { return nil }

// Close implements driver.Producer.
func (p *singleProducer) Close() error { return nil }

var (
	_ driver.Producer = (*producer)(nil)
	_ driver.Producer = (*singleProducer)(nil)
)
