package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"kbench/broker"
	"kbench/metrics"
	"kbench/words"
	"kbench/workload"
)

// adminTime bounds the clean-up, which goes on after a Ctrl-C.
const adminTime = 30 * time.Second

// runTopics are the topics of one run: made for it and removed after it, or one that the user named, which is only
// written to.
type runTopics struct {
	cluster    *broker.Cluster
	interrupts *interrupts
	names      []string
	created    bool
	before     map[string][]int64 // end offsets when the run began
	infos      []broker.TopicInfo // as the broker describes them
	note       string             // what the plan asked for and an existing topic doesn't have
}

// oneTopic leaves a plan that is to use an existing topic with one topic, whatever the profile has.
func oneTopic(plan *workload.Plan, existing string) {
	if existing != "" {
		plan.Topics = plan.Topics[:1]
	}
}

// openTopics makes the plan's topics under names of their own, or takes existing instead and adapts the plan to it.
func openTopics(interrupts *interrupts, cluster *broker.Cluster, plan *workload.Plan, existing string) (*runTopics, error) {
	ctx := interrupts.ctx
	t := &runTopics{cluster: cluster, interrupts: interrupts}
	if existing != "" {
		t.names = []string{existing}
	} else if err := t.create(ctx, plan); err != nil {
		return nil, err
	}
	err := t.describe(ctx)
	if err == nil && existing != "" {
		info := t.infos[0]
		if asked := plan.Topics[0]; asked.Partitions != info.Partitions || len(asked.Config) > 0 {
			t.note = fmt.Sprintf("--topic %s is used as it is, with %s: what the profile says of topics is without effect", existing, words.Count(info.Partitions, "partition"))
		}
		plan.Topics = []workload.Topic{{Name: existing, Partitions: info.Partitions, ReplicationFactor: info.ReplicationFactor}}
	}
	if err != nil {
		return nil, errors.Join(err, t.remove())
	}
	return t, nil
}

func (t *runTopics) create(ctx context.Context, plan *workload.Plan) error {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails
	suffix := time.Now().UTC().Format("20060102T150405") + "-" + hex.EncodeToString(id[:])
	var specs []broker.TopicSpec
	for _, topic := range plan.Topics {
		name := "kbench-" + topic.Name + "-" + suffix
		t.names = append(t.names, name)
		specs = append(specs, broker.TopicSpec{Name: name, Partitions: topic.Partitions, ReplicationFactor: topic.ReplicationFactor, Config: topic.Config})
	}
	t.created = true
	if err := t.cluster.CreateTopics(ctx, specs); err != nil {
		return err // CreateTopics removes what it made, or says what it left
	}
	return nil
}

func (t *runTopics) describe(ctx context.Context) (err error) {
	if t.infos, err = t.cluster.DescribeTopics(ctx, t.names); err != nil {
		return err
	}
	t.before, err = t.cluster.EndOffsets(ctx, t.names)
	return err
}

// info is what the result says about the topics.
func (t *runTopics) info() []metrics.TopicInfo {
	out := make([]metrics.TopicInfo, 0, len(t.infos))
	for _, i := range t.infos {
		config := i.Config
		if config == nil {
			config = map[string]string{}
		}
		out = append(out, metrics.TopicInfo{Name: i.Name, Partitions: i.Partitions, ReplicationFactor: i.ReplicationFactor, Created: t.created, Config: config})
	}
	return out
}

// count asks the broker how many records each partition got since openTopics.
func (t *runTopics) count(ctx context.Context) ([]metrics.PartitionCount, error) {
	after, err := t.cluster.EndOffsets(ctx, t.names)
	if err != nil {
		return nil, err
	}
	var out []metrics.PartitionCount
	for _, name := range t.names {
		for p, end := range after[name] {
			start := int64(0)
			if p < len(t.before[name]) {
				start = t.before[name][p]
			}
			out = append(out, metrics.PartitionCount{Topic: name, Partition: int32(p), Records: end - start})
		}
	}
	return out, nil
}

// remove deletes the topics that were made for the run, and no others.
func (t *runTopics) remove() error {
	if !t.created {
		return nil
	}
	ctx, cancel := t.interrupts.cleanup(adminTime)
	defer cancel()
	if err := t.cluster.DeleteTopics(ctx, t.names); err != nil {
		return fmt.Errorf("topics %v are left behind: %w", t.names, err)
	}
	return nil
}
