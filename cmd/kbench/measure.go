package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kbench/bench"
	"kbench/driver"
	"kbench/metrics"
	"kbench/words"
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

// measure returns the result, complete but unwritten. A result and an error together say that the target or the client
// failed on the way and the result tells what was measured until then.
func (m *measurement) measure() (res *metrics.Result, err error) {
	oneTopic(m.plan, m.topic)
	if m.payloads == nil {
		if m.payloads, err = workload.NewSource(m.plan, workload.SourceOptions{}); err != nil {
			return nil, err
		}
	}
	topics, err := openTopics(m.interrupts, m.target.cluster, m.plan, m.topic)
	if err != nil {
		return nil, targetError(err)
	}
	defer func() { m.cleanUp(topics, res) }()
	res, failed := bench.Run(m.interrupts.ctx, bench.Options{Plan: m.plan, Payloads: m.payloads, Driver: m.driver, Bootstrap: m.target.addrs,
		Topics: topics.names, Abort: m.interrupts.abort, Died: m.target.died(), Observe: m.observe})
	if res == nil {
		return nil, targetError(failed)
	}
	m.complete(res, topics)
	if dead := m.target.dead(); dead != nil {
		failed = dead
	} else if t := res.Totals; failed == nil && t.Failed+t.Censored+t.WarmupFailed+t.WarmupCensored > 0 {
		ctx, cancel := m.interrupts.cleanup(goneTime)
		defer cancel()
		failed = m.target.gone(ctx)
	}
	if failed == nil {
		return res, nothingAcked(res)
	}
	res.Warnings = append(res.Warnings, failed.Error())
	return res, targetError(failed)
}

// goneTime bounds the question whether a cluster is still there.
const goneTime = 10 * time.Second

// cleanUp removes the run's topics, unless they are to be kept or the target is gone and the topics with it.
func (m *measurement) cleanUp(topics *runTopics, res *metrics.Result) {
	switch {
	case m.keepTopics && topics.created:
		fmt.Fprintf(m.stderr, "topics kept: %v\n", topics.names)
		return
	case m.keepTopics || m.target.dead() != nil:
		return
	}
	if left := topics.remove(); left != nil {
		fmt.Fprintf(m.stderr, "kbench: warning: %v\n", left)
		if res != nil {
			res.Warnings = append(res.Warnings, left.Error())
		}
	}
}

// complete adds what the run loop can't know: target, host, and what the broker counted.
func (m *measurement) complete(res *metrics.Result, topics *runTopics) {
	res.Kbench = version()
	res.Target = metrics.TargetInfo{Kind: m.target.kind, Version: m.target.version, Brokers: m.target.brokers, Hold: m.target.hold,
		Topics: topics.info()}
	clock := res.Host.Clock
	res.Host = m.target.host
	res.Host.Clock = clock
	res.Host.GeneratorCPUs, res.Host.TargetCPUs = slices.Concat([]int{}, m.target.cpus), slices.Concat([]int{}, m.target.theirs)
	res.Warnings = append(res.Warnings, m.plan.Producer.Notes()...)
	if m.target.hold != "" && m.plan.Producer.Acks == 0 {
		res.Warnings = append(res.Warnings, "acks=0: there are no answers that could be held")
	}
	if topics.note != "" {
		res.Warnings = append(res.Warnings, topics.note)
	}
	m.checkTopics(res)
	res.Partitions = []metrics.PartitionCount{}
	if m.driver.Client == noClient || m.target.dead() != nil {
		return
	}
	ctx, cancel := m.interrupts.cleanup(adminTime)
	defer cancel()
	counted, err := m.settledCount(ctx, topics, ackedRecords(res))
	if err != nil {
		res.Warnings = append(res.Warnings, fmt.Sprintf("the broker's record counts couldn't be read: %v", err))
		return
	}
	res.Partitions = counted
	m.checkDelivery(res, topics.created)
}

// checkTopics holds the topics that were made for this run against what the broker says of them. A broker that doesn't tell
// a setting isn't doubted.
func (m *measurement) checkTopics(res *metrics.Result) {
	for i, got := range res.Target.Topics {
		if !got.Created || i >= len(m.plan.Topics) {
			continue
		}
		asked, name := m.plan.Topics[i], got.Name
		differs := func(what, asked, got string) {
			res.Verdict.Doubt(metrics.CauseConfiguration, fmt.Sprintf("configuration: %s=%s was asked for topic %s, and the broker has %s", what, asked, name, got))
		}
		if got.Partitions != asked.Partitions {
			differs("partitions", fmt.Sprint(asked.Partitions), fmt.Sprint(got.Partitions))
		}
		if got.ReplicationFactor != asked.ReplicationFactor && asked.ReplicationFactor > 0 {
			differs("replication factor", fmt.Sprint(asked.ReplicationFactor), fmt.Sprint(got.ReplicationFactor))
		}
		for _, name := range slices.Sorted(maps.Keys(asked.Config)) {
			if value, told := got.Config[name]; told && !sameTopicSetting(value, asked.Config[name]) {
				differs(name, asked.Config[name], value)
			}
		}
	}
}

// sameTopicSetting compares two ways to write a topic's setting: lists with and without spaces, 0.5 and 0.50, True and true.
func sameTopicSetting(a, b string) bool {
	a, b = strings.ReplaceAll(strings.ToLower(a), " ", ""), strings.ReplaceAll(strings.ToLower(b), " ", "")
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return a == b || err1 == nil && err2 == nil && x == y
}

// How long the broker's counts may take to reach what was acknowledged: with acks=1 its followers, with acks=0 its own
// sockets lag behind.
const (
	countPoll  = 100 * time.Millisecond
	countStill = 3 * time.Second // without progress: it is over
)

// settledCount asks for the counts until they reach acked or stand still.
func (m *measurement) settledCount(ctx context.Context, topics *runTopics, acked uint64) ([]metrics.PartitionCount, error) {
	best, since := int64(-1), time.Now()
	for {
		counted, err := topics.count(ctx)
		if err != nil {
			return nil, err
		}
		sum := int64(0)
		for _, p := range counted {
			sum += p.Records
		}
		if sum > best {
			best, since = sum, time.Now()
		}
		if sum >= int64(acked) || time.Since(since) > countStill {
			return counted, nil
		}
		select {
		case <-ctx.Done():
			return counted, nil
		case <-time.After(countPoll):
		}
	}
}

// ackedRecords is how many records were acknowledged, warm-up included.
func ackedRecords(res *metrics.Result) uint64 {
	t := res.Totals
	return t.Acked + t.WarmupRecords - t.WarmupFailed - t.WarmupCensored
}

// checkDelivery holds the acknowledged records against what the broker has. More is possible where a failed record
// arrived all the same or a retry was written twice; less is a broken promise, which acks=0 doesn't make.
func (m *measurement) checkDelivery(res *metrics.Result, own bool) {
	t, stored := res.Totals, uint64(0)
	for _, p := range res.Partitions {
		stored += uint64(max(0, p.Records))
	}
	acked := ackedRecords(res)
	unsure := t.Failed + t.Censored + t.WarmupFailed + t.WarmupCensored
	switch {
	case stored < acked && m.plan.Producer.Acks == 0:
		res.Warnings = append(res.Warnings, fmt.Sprintf("delivery: the broker has %d of %s sent with acks=0", stored, words.Count(acked, "record")))
	case stored < acked:
		res.Verdict.Doubt(metrics.CauseAccounting, fmt.Sprintf("delivery: the client had %s acknowledged, the broker has %d", words.Count(acked, "record"), stored))
	case stored > acked+unsure && !own:
		res.Warnings = append(res.Warnings, fmt.Sprintf("delivery: the topic got %s more than this run sent: somebody else writes to it, and the broker's counts prove nothing", words.Count(stored-acked-unsure, "record")))
	case stored > acked+unsure:
		res.Warnings = append(res.Warnings, fmt.Sprintf("delivery: the broker has %s, %d more than were sent: duplicates", words.Count(stored, "record"), stored-acked-unsure))
	}
}

// nothingAcked is the error of a run in which no record at all got through.
func nothingAcked(res *metrics.Result) error {
	t := res.Totals
	if ackedRecords(res) > 0 || t.Scheduled == 0 || res.Interrupted {
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
