package selftest

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc64"
	"time"

	"kbench/bench"
	"kbench/broker"
	"kbench/driver"
	"kbench/workload"
)

func checksumCheck() Check {
	return Check{Name: "seed", Claim: "the same seed gives every client the same records at the same due times, byte for byte, and the same checksum; another seed another",
		Run: runChecksum}
}

// seedRecords is how many records of each run are compared.
const seedRecords = 20_000

// seedPlan has something random in every part of a record.
func seedPlan(seed uint64, client string) workload.Plan {
	plan := newPlan(seed, client, 0)
	plan.Records = workload.RecordSpec{
		Key:     workload.KeySpec{Distribution: workload.KeyZipf, Cardinality: 10_000, S: 1.1, Size: 12},
		Value:   workload.ValueSpec{Compressibility: 0.5, Size: workload.SizeSpec{Distribution: workload.SizeLognormal, Median: 200, Sigma: 0.5, Min: 10, Max: 2000}},
		Headers: []workload.HeaderSpec{{Key: "trace", Random: true, Size: 16}}}
	plan.Load.Rate.PerSecond, plan.Load.Records, plan.Load.Duration = 100_000, seedRecords, time.Minute
	plan.Load.Warmup.Duration = 0
	return plan
}

// sent is what a client was given: a checksum of its records' bytes, and how many they were; and the result's checksum.
type sent struct {
	records  int
	bytes    uint64
	checksum string
}

func runChecksum(ctx context.Context, env *Env) (Outcome, error) {
	var o Outcome
	target, err := broker.Start(ctx, broker.Spec{Kind: broker.KindSink, Partitions: 1})
	if err != nil {
		return o, err
	}
	defer target.Close() // it holds nothing: its end is of no interest
	first, err := sendSeed(ctx, env.Null, target, 1)
	if err != nil {
		return o, err
	}
	again, err := sendSeed(ctx, env.Null, target, 1)
	if err != nil {
		return o, err
	}
	o.Rows = append(o.Rows, sameSent(env.Null.Name+" again", again, first)...)
	for _, d := range env.Clients {
		env.logf("seed: %s", d.Name)
		got, err := sendSeed(ctx, d, target, 1)
		if err != nil {
			return o, err
		}
		o.Rows = append(o.Rows, sameSent(d.Name+" as "+env.Null.Name, got, first)...)
	}
	other, err := sendSeed(ctx, env.Null, target, 2)
	if err != nil {
		return o, err
	}
	o.Rows = append(o.Rows, yes("another seed, other bytes", other.bytes != first.bytes), yes("another seed, another checksum", other.checksum != first.checksum))
	o.Measured = fmt.Sprintf("%d clients and twice the same, %d records each: bytes %016x, checksum %s", len(env.Clients)+1, first.records, first.bytes, first.checksum)
	return judge(o), nil
}

// sameSent holds what one client was sent against what another was.
func sameSent(what string, got, want sent) []Row {
	return []Row{
		bounded(what+", records", float64(got.records), float64(want.records), seedRecords, seedRecords, Count),
		yes(what+", same bytes", got.bytes == want.bytes),
		yes(what+", same checksum of the schedule", got.checksum == want.checksum),
	}
}

// sendSeed runs the plan and looks at what the client is handed.
func sendSeed(ctx context.Context, d driver.Driver, target *broker.Target, seed uint64) (sent, error) {
	plan := seedPlan(seed, d.Name)
	if err := plan.Validate(); err != nil {
		return sent{}, err
	}
	payloads, err := workload.NewSource(&plan, workload.SourceOptions{})
	if err != nil {
		return sent{}, err
	}
	digest := newDigest()
	res, err := bench.Run(ctx, bench.Options{Plan: &plan, Payloads: payloads, Driver: digest.wrap(d), Bootstrap: target.Bootstrap,
		Topics: []string{topicName}, Died: target.Done()})
	if err != nil {
		return sent{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	return sent{digest.records, digest.sum, res.ScheduleChecksum}, nil
}

// digest adds up what one producer is handed.
type digest struct {
	table   *crc64.Table
	buf     []byte
	records int
	sum     uint64
}

func newDigest() *digest { return &digest{table: crc64.MakeTable(crc64.ECMA)} }

// wrap makes a driver look at every record.
func (s *digest) wrap(d driver.Driver) driver.Driver {
	open := d.Open
	d.Open = func(ctx context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
		session, err := open(ctx, cfg, ack)
		if err == nil {
			session.Producer = &digestProducer{session.Producer, s}
		}
		return session, err
	}
	return d
}

// digestProducer looks at the records of each Send before it passes them on.
type digestProducer struct {
	driver.Producer
	digest *digest
}

var _ driver.Producer = (*digestProducer)(nil)

// Send implements driver.Producer.
func (p *digestProducer) Send(ctx context.Context, recs []workload.Record) error {
	for i := range recs {
		p.digest.add(&recs[i])
	}
	return p.Producer.Send(ctx, recs)
}

func (s *digest) add(r *workload.Record) {
	b := binary.LittleEndian.AppendUint32(s.buf[:0], uint32(r.Topic))
	b = appendPart(b, r.Key)
	b = appendPart(b, r.Value)
	for i := range r.Headers {
		b = appendPart(b, []byte(r.Headers[i].Key))
		b = appendPart(b, r.Headers[i].Value)
	}
	s.buf = b
	s.sum = crc64.Update(s.sum, s.table, b)
	s.records++
}

// appendPart appends bytes with their number in front; a null differs from an empty part.
func appendPart(dst, part []byte) []byte {
	size := uint32(len(part))
	if part == nil {
		size = ^uint32(0)
	}
	return append(binary.LittleEndian.AppendUint32(dst, size), part...)
}
