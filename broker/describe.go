package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TopicInfo is a topic as the brokers describe it.
type TopicInfo struct {
	Name              string
	Partitions        int32
	ReplicationFactor int16
	// Config holds the settings in force that aren't Kafka's defaults, and those that decide what a producer sees
	// whatever they are. Empty where the brokers can't tell or this client isn't authorised to ask; never sensitive ones.
	Config map[string]string
}

// alwaysShown are the topic settings that are told even where they have Kafka's defaults.
func alwaysShown() []string {
	return []string{
		"cleanup.policy", "compression.type", "flush.messages", "flush.ms", "max.message.bytes", "message.timestamp.type",
		"min.insync.replicas", "retention.bytes", "segment.bytes", "unclean.leader.election.enable",
	}
}

// DescribeTopics describes topics, in the order of names. The error names the first that doesn't exist or that this
// client isn't authorised to see.
func (c *Cluster) DescribeTopics(ctx context.Context, names []string) ([]TopicInfo, error) {
	if len(names) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	topics, err := topicsAt(ctx, c.cl, names)
	if err != nil {
		return nil, fmt.Errorf("describing topics: %w", err)
	}
	infos := make([]TopicInfo, len(names))
	for i, name := range names {
		t, ok := topics[name]
		err := kerr.ErrorForCode(t.ErrorCode)
		if !ok || err == nil && len(t.Partitions) == 0 {
			err = kerr.UnknownTopicOrPartition
		}
		if err != nil {
			return nil, c.topicError(ctx, name, err)
		}
		infos[i] = TopicInfo{
			Name: name, Partitions: int32(len(t.Partitions)), ReplicationFactor: int16(len(t.Partitions[0].Replicas)),
			Config: map[string]string{},
		}
	}
	return infos, c.describeConfigs(ctx, infos)
}

// describeConfigs fills in the Config of infos.
func (c *Cluster) describeConfigs(ctx context.Context, infos []TopicInfo) error {
	if !c.apis[int16(kmsg.DescribeConfigs)] {
		return nil
	}
	names := make([]string, len(infos))
	for i, info := range infos {
		names[i] = info.Name
	}
	configs, err := c.adm.DescribeTopicConfigs(ctx, names...)
	if cantTell(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("describing the settings of topics: %w", plain(err))
	}
	for _, rc := range configs {
		i := slices.Index(names, rc.Name)
		if i < 0 || cantTell(rc.Err) {
			continue
		}
		if rc.Err != nil {
			return c.topicError(ctx, rc.Name, rc.Err)
		}
		for _, cfg := range rc.Configs {
			if isShown(cfg) {
				infos[i].Config[cfg.Key] = *cfg.Value
			}
		}
	}
	return nil
}

// isShown picks the settings of a topic that a result is to tell.
func isShown(cfg kadm.Config) bool {
	if cfg.Sensitive || cfg.Value == nil {
		return false
	}
	return slices.Contains(alwaysShown(), cfg.Key) || cfg.Source != kmsg.ConfigSourceDefaultConfig && cfg.Source != kmsg.ConfigSourceUnknown
}

// cantTell recognises what a client gets that may produce, but not look at settings.
func cantTell(err error) bool {
	var auth *kadm.AuthError
	return errors.As(err, &auth) || errors.Is(err, kerr.TopicAuthorizationFailed)
}

// EndOffsets returns the end offset of every partition: by topic, in the order of the partitions.
func (c *Cluster) EndOffsets(ctx context.Context, names []string) (map[string][]int64, error) {
	if len(names) == 0 {
		return map[string][]int64{}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for {
		// A leader that the metadata names already may not know of it yet (a new topic, a moved partition).
		ends, err := c.endOffsets(ctx, names)
		if err == nil || !kerr.IsRetriable(err) || errors.Is(err, kerr.UnknownTopicOrPartition) {
			return ends, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(leaderPoll):
		}
	}
}

// leaderPoll is the time between two tries to reach a partition's leader.
const leaderPoll = 50 * time.Millisecond

// endOffsets asks once.
func (c *Cluster) endOffsets(ctx context.Context, names []string) (map[string][]int64, error) {
	listed, err := c.adm.ListEndOffsets(ctx, names...)
	if errors.Is(err, kerr.TopicAuthorizationFailed) {
		return nil, c.topicError(ctx, strings.Join(names, ", "), err)
	}
	if err != nil {
		return nil, fmt.Errorf("asking for end offsets: %w", plain(err))
	}
	ends := make(map[string][]int64, len(names))
	for _, name := range names {
		offsets := make([]int64, len(listed[name]))
		for p, o := range listed[name] {
			if o.Err != nil {
				return nil, c.topicError(ctx, name, o.Err)
			}
			if int(p) >= len(offsets) || p < 0 {
				return nil, fmt.Errorf("end offsets of topic %q: partition %d is missing", name, len(offsets)-1)
			}
			offsets[p] = o.Offset
		}
		if len(offsets) == 0 {
			return nil, c.topicError(ctx, name, kerr.UnknownTopicOrPartition)
		}
		ends[name] = offsets
	}
	return ends, nil
}
