package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"kbench/bench"
	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// measurement is one plan on one target: what run does once, and sweep for every cell.
type measurement struct {
	target     *target
	plan       *workload.Plan
	payloads   *workload.Payloads // nil: made by measure
	driver     driver.Driver
	topic      string // an existing topic; "": make the plan's own
	keepTopics bool
	interrupts *interrupts
	observe    func(bench.Progress)
	stderr     io.Writer
}

// measure returns the result, complete but unwritten. A result and an error together say that the target failed on the
// way and the result tells what was measured until then.
func (m *measurement) measure() (res *metrics.Result, err error) {
	oneTopic(m.plan, m.topic)
	if m.payloads == nil {
		if m.payloads, err = workload.NewSource(m.plan, workload.SourceOptions{}); err != nil {
			return nil, err
		}
	}
	topics, err := openTopics(m.interrupts.ctx, m.target.cluster, m.plan, m.topic)
	if err != nil {
		return nil, targetError(err)
	}
	defer func() {
		if m.keepTopics {
			fmt.Fprintf(m.stderr, "topics kept: %v\n", topics.names)
			return
		}
		if left := m.removeTopics(topics); left != nil {
			fmt.Fprintf(m.stderr, "kbench: warning: %v\n", left)
			if res != nil {
				res.Warnings = append(res.Warnings, left.Error())
			}
		}
	}()
	abort, done := m.abort()
	defer done()
	res, err = bench.Run(m.interrupts.ctx, bench.Options{Plan: m.plan, Payloads: m.payloads, Driver: m.driver, Bootstrap: m.target.addrs,
		Topics: topics.names, Abort: abort, Observe: m.observe})
	if err != nil {
		return nil, targetError(err)
	}
	m.complete(res, topics)
	if t := res.Totals; t.Failed+t.Censored+t.WarmupFailed+t.WarmupCensored > 0 {
		if gone := m.target.gone(); gone != nil {
			res.Warnings = append(res.Warnings, gone.Error())
			return res, targetError(gone)
		}
	}
	return res, m.nothingAcked(res)
}

// removeTopics cleans up, unless the target is gone and the topics with it.
func (m *measurement) removeTopics(topics *runTopics) error {
	select {
	case <-m.target.died():
		return nil
	default:
		return topics.remove()
	}
}

// abort is closed at the second Ctrl-C or when the target dies.
func (m *measurement) abort() (abort chan struct{}, done func()) {
	abort = make(chan struct{})
	over := make(chan struct{})
	go func() {
		select {
		case <-m.interrupts.abort:
		case <-m.target.died():
		case <-over:
			return
		}
		close(abort)
	}()
	return abort, func() { close(over) }
}

// complete adds what the run loop can't know: target, host, and what the broker counted.
func (m *measurement) complete(res *metrics.Result, topics *runTopics) {
	res.Kbench = version()
	res.Target = metrics.TargetInfo{Kind: m.target.kind, Version: m.target.version, Brokers: m.target.brokers, Topics: topics.info()}
	clock := res.Host.Clock
	res.Host = m.target.host
	res.Host.Clock = clock
	res.Host.GeneratorCPUs, res.Host.TargetCPUs = slices.Concat([]int{}, m.target.cpus), slices.Concat([]int{}, m.target.theirs)
	res.Warnings = append(res.Warnings, m.plan.Producer.Notes()...)
	res.Partitions = []metrics.PartitionCount{}
	if m.driver.Client == "none" {
		return // a driver that talks to no broker
	}
	ctx, cancel := context.WithTimeout(context.Background(), adminTime)
	defer cancel()
	counted, err := topics.count(ctx)
	if err != nil {
		res.Warnings = append(res.Warnings, fmt.Sprintf("the broker's record counts couldn't be read: %v", err))
		return
	}
	res.Partitions = counted
	m.checkDelivery(res, topics.created)
}

// checkDelivery holds the acknowledged records against what the broker has. More is possible where a failed record
// arrived all the same or a retry was written twice; less is a broken promise, which acks=0 doesn't make.
func (m *measurement) checkDelivery(res *metrics.Result, own bool) {
	t, stored := res.Totals, uint64(0)
	for _, p := range res.Partitions {
		stored += uint64(max(0, p.Records))
	}
	acked := t.Acked + t.WarmupRecords - t.WarmupFailed - t.WarmupCensored
	unsure := t.Failed + t.Censored + t.WarmupFailed + t.WarmupCensored
	switch {
	case stored < acked && m.plan.Producer.Acks == 0:
		res.Warnings = append(res.Warnings, fmt.Sprintf("delivery: the broker has %d records of %d sent with acks=0", stored, acked))
	case stored < acked:
		res.Verdict.State = "invalid"
		res.Verdict.Reasons = append(res.Verdict.Reasons, fmt.Sprintf("delivery: %d records were acknowledged, the broker has %d", acked, stored))
	case stored > acked+unsure && own:
		res.Warnings = append(res.Warnings, fmt.Sprintf("delivery: the broker has %d records, %d more than were sent: duplicates", stored, stored-acked-unsure))
	}
}

// nothingAcked is the error of a run in which no record at all got through.
func (m *measurement) nothingAcked(res *metrics.Result) error {
	t := res.Totals
	if t.Acked > 0 || t.Scheduled == 0 || t.WarmupRecords > t.WarmupFailed+t.WarmupCensored {
		return nil
	}
	first := ""
	for text := range t.Errors {
		if first == "" || text < first {
			first = text
		}
	}
	return targetError(fmt.Errorf("no record was acknowledged in %v: %s", time.Duration(t.DurationNS).Round(time.Millisecond), first))
}
