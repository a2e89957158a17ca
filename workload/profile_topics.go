package workload

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// defaultPartitions is the number of partitions of a topic.
const defaultPartitions = 12

// topics reads the topics, by default one with the profile's name:
//
//	topics: [orders, payments]
//	topics:
//	  - {name: orders, partitions: 12, replication.factor: 3, config: {min.insync.replicas: 2, segment.bytes: 64MiB}}
func (d *decoder) topics(n *node, fallback string) []Topic {
	if n == nil || n.kind == nullNode {
		return []Topic{{Name: topicName(fallback), Partitions: defaultPartitions, ReplicationFactor: 1}}
	}
	if n.kind != listNode || len(n.items) == 0 {
		d.failf(n, "topics", "%s where a list of topics is expected, such as [{name: orders, partitions: 12}]", n.kindName())
		return nil
	}
	var topics []Topic
	for i, item := range n.items {
		path := fmt.Sprintf("topics.%d", i)
		t := Topic{Partitions: defaultPartitions, ReplicationFactor: 1}
		if len(n.items) == 1 {
			t.Name = topicName(fallback)
		}
		if item.kind == scalarNode {
			d.text(item, path, &t.Name)
			topics = append(topics, t)
			continue
		}
		m := d.mapping(item, path, "name", "partitions", "replication.factor", "config")
		d.text(m.get("name"), path+".name", &t.Name)
		if t.Name == "" && m != nil {
			d.failf(item, path, "name is missing")
		}
		t.Partitions = int32(d.bounded(m.get("partitions"), path+".partitions", defaultPartitions, maxPartitions))
		t.ReplicationFactor = int16(d.bounded(m.get("replication.factor"), path+".replication.factor", 1, math.MaxInt16))
		t.Config = d.topicConfig(m.get("config"), path+".config")
		topics = append(topics, t)
	}
	return topics
}

// bounded reads a whole number from 1 to most.
func (d *decoder) bounded(n *node, path string, fallback, most int) int {
	s, ok := d.scalar(n, path)
	if !ok {
		return fallback
	}
	i, err := strconv.Atoi(s)
	if err != nil || i < 1 || i > most {
		d.fail(n, path, badValue(s, fmt.Sprintf("1 to %d", most)))
		return fallback
	}
	return i
}

// topicName makes a topic's name of a profile's: other characters than Kafka allows become "-".
func topicName(profile string) string {
	name := strings.Map(func(r rune) rune {
		if validTopicRune(r) {
			return r
		}
		return '-'
	}, profile)
	return name[:min(len(name), maxTopicName)]
}

// topicConfig reads topic settings in Kafka's names; sizes and times may carry a unit.
func (d *decoder) topicConfig(n *node, path string) map[string]string {
	config := map[string]string{}
	for _, f := range d.entries(n, path, "{min.insync.replicas: 1}") {
		full := join(path, f.key)
		text, ok := d.scalar(f.value, full)
		if !ok {
			continue
		}
		if !knownTopicSetting(f.key) {
			d.errs = append(d.errs, &fieldError{at: f.at.String(), path: full, msg: "not a topic setting", near: Nearest(f.key, TopicSettings())})
			continue
		}
		text, err := topicSettingValue(f.key, text)
		if err != nil {
			d.fail(f.value, full, err)
			continue
		}
		config[f.key] = text
	}
	if len(config) == 0 {
		return nil
	}
	return config
}
