package sink

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxMessageBytes is the one topic setting that the sink heeds.
const maxMessageBytes = "max.message.bytes"

func (c *conn) createTopics(q kmsg.Request, r kmsg.Response) {
	req, resp := q.(*kmsg.CreateTopicsRequest), r.(*kmsg.CreateTopicsResponse)
	for _, asked := range req.Topics {
		rt := kmsg.NewCreateTopicsResponseTopic()
		rt.Topic = asked.Topic
		rt.NumPartitions, rt.ReplicationFactor = -1, -1
		t, partitions, code, why := c.plan(asked)
		if code == 0 {
			exists := c.server.topics.lookup(asked.Topic) != nil
			if !exists && !req.ValidateOnly {
				exists = !c.server.topics.create(t, partitions)
			}
			if exists {
				code, why = errTopicExists, fmt.Sprintf("topic %q exists", asked.Topic)
			}
		}
		if code != 0 {
			rt.ErrorCode, rt.ErrorMessage = code, &why
			resp.Topics = append(resp.Topics, rt)
			continue
		}
		rt.TopicID, rt.NumPartitions, rt.ReplicationFactor = t.id, int32(partitions), int16(t.replication)
		for _, s := range c.settings(t) {
			rc := kmsg.NewCreateTopicsResponseTopicConfig()
			rc.Name, rc.Value, rc.Source = s.name, &s.value, int8(s.source)
			rt.Configs = append(rt.Configs, rc)
		}
		resp.Topics = append(resp.Topics, rt)
	}
}

// plan turns a topic asked for into one to create, or says with code and text why it can't be.
func (c *conn) plan(asked kmsg.CreateTopicsRequestTopic) (t *topic, partitions int, code int16, why string) {
	if !validTopic(asked.Topic) {
		return nil, 0, errInvalidTopic, fmt.Sprintf("topic name %q; allowed are 1 to 249 of a-z, A-Z, 0-9, '.', '_', '-'", asked.Topic)
	}
	t = &topic{name: asked.Topic, replication: int(asked.ReplicationFactor), config: map[string]string{}}
	partitions = int(asked.NumPartitions)
	if n := len(asked.ReplicaAssignment); n > 0 {
		if partitions != -1 || t.replication != -1 {
			return nil, 0, errInvalidRequest, "both an assignment of replicas and a number of partitions or replicas"
		}
		partitions, t.replication = n, len(asked.ReplicaAssignment[0].Replicas)
		if slices.ContainsFunc(asked.ReplicaAssignment, func(a kmsg.CreateTopicsRequestTopicReplicaAssignment) bool {
			return a.Partition < 0 || int(a.Partition) >= n || len(a.Replicas) != t.replication
		}) {
			return nil, 0, errInvalidAssignment, "the assignment doesn't name each partition with the same number of replicas"
		}
	}
	if partitions == -1 {
		partitions = c.server.opts.Partitions
	}
	if t.replication == -1 {
		t.replication = 1
	}
	if partitions < 1 || partitions > MaxPartitions {
		return nil, 0, errInvalidPartitions, fmt.Sprintf("%d partitions; allowed are 1 to %d, or -1 for %d", partitions, MaxPartitions, c.server.opts.Partitions)
	}
	if t.replication < 1 || t.replication > c.server.opts.Brokers {
		return nil, 0, errInvalidReplicationFactor, fmt.Sprintf("replication factor %d; allowed are 1 to the number of brokers, %d, or -1 for 1", t.replication, c.server.opts.Brokers)
	}
	for _, s := range asked.Configs {
		if s.Value == nil {
			continue // null: the default
		}
		t.config[s.Name] = *s.Value
		if s.Name == maxMessageBytes {
			n, err := strconv.ParseInt(*s.Value, 10, 32)
			if err != nil || n < 0 {
				return nil, 0, errInvalidConfig, fmt.Sprintf("%s is %q; allowed are 0 to 2147483647", s.Name, *s.Value)
			}
			t.maxMessage = max(int(n), 1)
		}
	}
	return t, partitions, 0, ""
}

func (c *conn) deleteTopics(q kmsg.Request, r kmsg.Response) {
	req, resp := q.(*kmsg.DeleteTopicsRequest), r.(*kmsg.DeleteTopicsResponse)
	asked := req.Topics
	for _, name := range req.TopicNames {
		asked = append(asked, kmsg.DeleteTopicsRequestTopic{Topic: &name})
	}
	for _, a := range asked {
		rt := kmsg.NewDeleteTopicsResponseTopic()
		rt.Topic, rt.TopicID = a.Topic, a.TopicID
		var t *topic
		if a.Topic != nil {
			t, rt.ErrorCode = c.server.topics.lookup(*a.Topic), errUnknownTopicOrPartition
		} else {
			t, rt.ErrorCode = c.server.topics.byID(a.TopicID[:]), errUnknownTopicID
		}
		if t != nil && c.server.topics.remove(t) {
			rt.ErrorCode, rt.Topic, rt.TopicID = 0, &t.name, t.id
		}
		resp.Topics = append(resp.Topics, rt)
	}
}

// setting is one entry of a topic's effective configuration.
type setting struct {
	name, value string
	source      kmsg.ConfigSource
}

// settings lists what a topic was created with, and the one setting that is in force whether given or not. Settings that
// the sink has no use for aren't made up.
func (c *conn) settings(t *topic) []setting {
	var list []setting
	for name, value := range t.config {
		list = append(list, setting{name, value, kmsg.ConfigSourceDynamicTopicConfig})
	}
	if _, given := t.config[maxMessageBytes]; !given {
		n := c.server.opts.MaxMessageBytes
		list = append(list, setting{maxMessageBytes, strconv.Itoa(n), kmsg.ConfigSourceDefaultConfig})
	}
	slices.SortFunc(list, func(a, b setting) int {
		if a.name < b.name {
			return -1
		}
		return 1
	})
	return list
}

func (c *conn) describeConfigs(q kmsg.Request, r kmsg.Response) {
	req, resp := q.(*kmsg.DescribeConfigsRequest), r.(*kmsg.DescribeConfigsResponse)
	for _, asked := range req.Resources {
		rr := kmsg.NewDescribeConfigsResponseResource()
		rr.ResourceType, rr.ResourceName = asked.ResourceType, asked.ResourceName
		if asked.ResourceType == kmsg.ConfigResourceTypeTopic {
			t := c.server.topics.lookup(asked.ResourceName)
			if t == nil {
				rr.ErrorCode = errUnknownTopicOrPartition
			} else {
				rr.Configs = c.configs(t, asked.ConfigNames)
			}
		}
		resp.Resources = append(resp.Resources, rr)
	}
}

// configs are the settings of a topic, those named or (nil) all.
func (c *conn) configs(t *topic, names []string) []kmsg.DescribeConfigsResponseResourceConfig {
	var list []kmsg.DescribeConfigsResponseResourceConfig
	for _, s := range c.settings(t) {
		if names != nil && !slices.Contains(names, s.name) {
			continue
		}
		rc := kmsg.NewDescribeConfigsResponseResourceConfig()
		rc.Name, rc.Value, rc.Source = s.name, &s.value, s.source
		rc.IsDefault = s.source == kmsg.ConfigSourceDefaultConfig
		list = append(list, rc)
	}
	return list
}
