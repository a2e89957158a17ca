package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/words"
)

// settleTime bounds how long topics may take to appear at, or disappear from, all brokers.
const settleTime = 30 * time.Second

// waitForTopics waits until the metadata of every broker shows every partition with a leader.
func (c *Cluster) waitForTopics(ctx context.Context, specs []TopicSpec) error {
	names := make([]string, len(specs))
	for i, s := range specs {
		names[i] = s.Name
	}
	return c.everywhere(ctx, names, func(topics map[string]kmsg.MetadataResponseTopic) error {
		for _, s := range specs {
			t, ok := topics[s.Name]
			if err := kerr.ErrorForCode(t.ErrorCode); err != nil || !ok {
				return fmt.Errorf("topic %q isn't known yet: %w", s.Name, err)
			}
			if s.Partitions > 0 && len(t.Partitions) != int(s.Partitions) || len(t.Partitions) == 0 {
				return fmt.Errorf("topic %q has %s instead of %d", s.Name, words.Count(len(t.Partitions), "partition"), s.Partitions)
			}
			for _, p := range t.Partitions {
				if p.Leader < 0 || p.ErrorCode == kerr.LeaderNotAvailable.Code {
					return fmt.Errorf("partition %d of topic %q has no leader", p.Partition, s.Name)
				}
			}
		}
		return nil
	})
}

// waitUntilGone waits until no broker knows the topics. Where topics have ids, another one of the same name may be there:
// some brokers (the sink among them) make a topic as soon as somebody asks for it.
func (c *Cluster) waitUntilGone(ctx context.Context, ids map[string][16]byte) error {
	names := slices.Sorted(maps.Keys(ids))
	return c.everywhere(ctx, names, func(topics map[string]kmsg.MetadataResponseTopic) error {
		for _, name := range names {
			t, ok := topics[name]
			if ok && t.TopicID == ids[name] && !errors.Is(kerr.ErrorForCode(t.ErrorCode), kerr.UnknownTopicOrPartition) {
				return fmt.Errorf("topic %q is still there", name)
			}
		}
		return nil
	})
}

// ids looks up the ids of topics; all zero where there is no topic, or brokers before 2.8.
func (c *Cluster) ids(ctx context.Context, names []string) (map[string][16]byte, error) {
	var ids map[string][16]byte
	err := c.onceEverywhere(ctx, names, func(topics map[string]kmsg.MetadataResponseTopic) error {
		ids = map[string][16]byte{}
		for name, t := range topics {
			ids[name] = t.TopicID
		}
		return nil
	})
	return ids, err
}

// everywhere asks every live broker for topics until check accepts all answers, for at most settleTime.
func (c *Cluster) everywhere(ctx context.Context, names []string, check func(map[string]kmsg.MetadataResponseTopic) error) error {
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	pause := 10 * time.Millisecond
	for {
		err := c.onceEverywhere(ctx, names, check)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
			pause = min(2*pause, 500*time.Millisecond)
		}
	}
}

func (c *Cluster) onceEverywhere(ctx context.Context, names []string, check func(map[string]kmsg.MetadataResponseTopic) error) error {
	m, err := c.adm.BrokerMetadata(ctx)
	if err != nil {
		return fmt.Errorf("asking for the brokers: %w", plain(err))
	}
	for _, b := range m.Brokers {
		topics, err := topicsAt(ctx, c.cl.Broker(int(b.NodeID)), names)
		if err == nil {
			err = check(topics)
		}
		if err != nil {
			return fmt.Errorf("broker %d (%s:%d): %w", b.NodeID, b.Host, b.Port, err)
		}
	}
	return nil
}

// topicsAt asks one broker, or whichever a client likes, what it knows about topics.
func topicsAt(ctx context.Context, b kmsg.Requestor, names []string) (map[string]kmsg.MetadataResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range names {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = &name
		req.Topics = append(req.Topics, rt)
	}
	raw, err := b.Request(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("asking for topics: %w", plain(err))
	}
	resp, ok := raw.(*kmsg.MetadataResponse)
	if !ok {
		return nil, fmt.Errorf("asking for topics: answer is %T", raw)
	}
	topics := map[string]kmsg.MetadataResponseTopic{}
	for _, t := range resp.Topics {
		topics[deref(t.Topic)] = t
	}
	return topics, nil
}
