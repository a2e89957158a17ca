// Command checksweep consumes every record of a sweep's topics and holds the counts against the sweep's results.
//
//	kbench sweep … --bootstrap-server HOST:PORT --keep-topics --out DIR
//	go run ./scripts/checksweep HOST:PORT DIR
//
// It shares no code with kbench's own counting: franz-go's consumer reads each partition from its start to its end
// offset. It exits with 1 if any count differs.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// result is the part of result.json that counts.
type result struct {
	Target struct{ Topics []struct{ Name string } }
	Totals struct {
		Acked, Failed, Censored uint64
		Warmup                  uint64 `json:"warmup_records"`
		WarmFailed              uint64 `json:"warmup_failed"`
		WarmCensored            uint64 `json:"warmup_censored"`
	}
	Partitions []struct {
		Topic     string
		Partition int32
		Records   int64
	}
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) != 2 {
		fmt.Fprintln(stderr, "usage: checksweep HOST:PORT DIR")
		return 2
	}
	if err := check(args[0], args[1], stdout); err != nil {
		fmt.Fprintf(stderr, "checksweep: %v\n", err)
		return 1
	}
	return 0
}

func check(addr, dir string, out io.Writer) error {
	paths, err := filepath.Glob(filepath.Join(dir, "cells", "*", "result.json"))
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return fmt.Errorf("no results under %s/cells", dir)
	}
	var wrong []error
	var records, offsets uint64
	for _, path := range paths {
		consumed, ends, err := checkCell(addr, path)
		records += consumed
		offsets += ends
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", path, err))
		}
	}
	fmt.Fprintf(out, "%d cells: %d records consumed, end offsets add up to %d, %d cells differ from their result\n", len(paths), records, offsets, len(wrong))
	return errors.Join(wrong...)
}

// checkCell consumes one cell's topics and compares the counts of each partition, and their sum with what was acknowledged.
func checkCell(addr, path string) (consumed, ends uint64, err error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	var r result
	if err := json.Unmarshal(src, &r); err != nil {
		return 0, 0, err
	}
	for _, topic := range r.Target.Topics {
		counts, end, err := consume(addr, topic.Name)
		if err != nil {
			return consumed, ends, err
		}
		for p, n := range counts {
			consumed += uint64(n)
			ends += uint64(end[p])
			if n != end[p] {
				return consumed, ends, fmt.Errorf("%s/%d: %d records consumed, end offset %d", topic.Name, p, n, end[p])
			}
		}
		for _, p := range r.Partitions {
			if p.Topic == topic.Name && p.Records != counts[p.Partition] {
				return consumed, ends, fmt.Errorf("%s/%d: %d records consumed, the result has %d", topic.Name, p.Partition, counts[p.Partition], p.Records)
			}
		}
	}
	t := r.Totals
	acked := t.Acked + t.Warmup - t.WarmFailed - t.WarmCensored
	if t.Failed+t.Censored+t.WarmFailed+t.WarmCensored == 0 && consumed != acked {
		return consumed, ends, fmt.Errorf("%d records consumed, %d acknowledged", consumed, acked)
	}
	return consumed, ends, nil
}

// consume counts the records of each partition of a topic up to its end offset now.
func consume(addr, topic string) (counts, ends map[int32]int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return nil, nil, err
	}
	defer client.Close()
	if ends, err = endOffsets(ctx, client, topic); err != nil {
		return nil, nil, err
	}
	counts = map[int32]int64{}
	left := 0
	for p, end := range ends {
		counts[p] = 0
		if end > 0 {
			left++
		}
	}
	for left > 0 {
		fetches := client.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", topic, err)
		}
		fetches.EachRecord(func(rec *kgo.Record) {
			counts[rec.Partition]++
			if rec.Offset == ends[rec.Partition]-1 {
				left--
			}
		})
	}
	return counts, ends, nil
}

// endOffsets asks each partition's leader for its end offset.
func endOffsets(ctx context.Context, client *kgo.Client, topic string) (map[int32]int64, error) {
	meta := kmsg.NewPtrMetadataRequest()
	name := kmsg.NewMetadataRequestTopic()
	name.Topic = kmsg.StringPtr(topic)
	meta.Topics = append(meta.Topics, name)
	described, err := meta.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	list := kmsg.NewPtrListOffsetsRequest()
	list.ReplicaID = -1
	asked := kmsg.NewListOffsetsRequestTopic()
	asked.Topic = topic
	for _, t := range described.Topics {
		for _, p := range t.Partitions {
			one := kmsg.NewListOffsetsRequestTopicPartition()
			one.Partition, one.Timestamp = p.Partition, -1
			asked.Partitions = append(asked.Partitions, one)
		}
	}
	if len(asked.Partitions) == 0 {
		return nil, fmt.Errorf("%s: no such topic", topic)
	}
	list.Topics = append(list.Topics, asked)
	resp, err := list.RequestWith(ctx, client)
	if err != nil {
		return nil, err
	}
	ends := map[int32]int64{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return nil, fmt.Errorf("%s/%d: error code %d", topic, p.Partition, p.ErrorCode)
			}
			ends[p.Partition] = p.Offset
		}
	}
	return ends, nil
}
