package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	m, err := c.adm.Metadata(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("describing topics: %w", plain(err))
	}
	infos := make([]TopicInfo, len(names))
	for i, name := range names {
		t, ok := m.Topics[name]
		if !ok {
			t.Err = kerr.UnknownTopicOrPartition
		}
		if t.Err != nil {
			return nil, c.topicError(ctx, name, t.Err)
		}
		infos[i] = TopicInfo{Name: name, Partitions: int32(len(t.Partitions)), ReplicationFactor: int16(t.Partitions.NumReplicas()), Config: map[string]string{}}
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
