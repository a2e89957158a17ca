package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"kbench/broker"
)

// target is a broker in processes of its own, on the CPU that clients don't have.
type target struct {
	t     *broker.Target
	admin *broker.Cluster
	kind  string
	count int // topics made
}

func (o *options) startTarget(ctx context.Context, kind string) (*target, error) {
	t, err := broker.Start(ctx, broker.Spec{Kind: kind, CPUs: []int{o.targetCPU}})
	if err != nil {
		return nil, err
	}
	admin, err := broker.Connect(ctx, t.Bootstrap)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return &target{t: t, admin: admin, kind: kind}, nil
}

func (t *target) close() error {
	t.admin.Close()
	return t.t.Close()
}

// topicConfig keeps a real broker from filling the disk: some hundred MB are written in a second.
func (t *target) topicConfig() map[string]string {
	if t.kind != targetKafka {
		return nil
	}
	return map[string]string{"segment.bytes": "67108864", "retention.bytes": "67108864"}
}

// measure measures a setup in a child process, with a topic of its own, and holds what was acknowledged against what the broker
// has.
func (o *options) measure(ctx context.Context, t *target, s setup) (*sample, error) {
	t.count++
	s.Topic, s.Bootstrap, s.CPU = fmt.Sprintf("bench-%d", t.count), t.t.Bootstrap, o.cpu
	spec := broker.TopicSpec{Name: s.Topic, Partitions: s.Partitions, Config: t.topicConfig()}
	if err := t.admin.CreateTopics(ctx, []broker.TopicSpec{spec}); err != nil {
		return nil, err
	}
	m, err := o.child(ctx, &s)
	if err == nil {
		err = t.holds(ctx, s.Topic, m)
	}
	if t.kind == targetKafka { // the sink keeps nothing
		err = errors.Join(err, t.admin.DeleteTopics(context.WithoutCancel(ctx), []string{s.Topic}))
	}
	return m, err
}

// holds checks that the broker has as many records as were acknowledged.
func (t *target) holds(ctx context.Context, topic string, m *sample) error {
	ends, err := t.admin.EndOffsets(ctx, []string{topic})
	if err != nil {
		return err
	}
	there := int64(0)
	for _, n := range ends[topic] {
		there += n
	}
	if there != m.Acked {
		return fmt.Errorf("%d records were acknowledged, and the broker has %d", m.Acked, there)
	}
	return nil
}

// child runs this program again to measure a setup.
func (o *options) child(ctx context.Context, s *setup) (*sample, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	in, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Warmup+s.Window+time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, self, childArg)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, errors.Join(ctx.Err(), fmt.Errorf("%s: %w: %s", s.Client, err, strings.TrimSpace(stderr.String())))
	}
	m := &sample{}
	if err := json.Unmarshal(stdout.Bytes(), m); err != nil {
		return nil, fmt.Errorf("%s said %q: %w", s.Client, stdout.String(), err)
	}
	return m, nil
}
