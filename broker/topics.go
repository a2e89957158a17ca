package broker

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// settleTime bounds how long topics may take to appear at, or disappear from, all brokers.
const settleTime = 30 * time.Second

// TopicSpec says what topic to make.
type TopicSpec struct {
	Name              string
	Partitions        int32             // 0: the broker's default
	ReplicationFactor int16             // 0: the broker's default
	Config            map[string]string // topic settings in Kafka's names
}

// CreateTopics makes topics and waits until every broker knows every partition with a leader. It makes all or none:
// when one can't be made, those made before are deleted again, and none that was there before.
func (c *Cluster) CreateTopics(ctx context.Context, specs []TopicSpec) error {
	if len(specs) == 0 {
		return nil
	}
	made, err := c.create(ctx, specs)
	if err == nil {
		if err = c.waitForTopics(ctx, specs); err != nil {
			err = fmt.Errorf("topics were made, but didn't become ready: %w", err)
		}
	}
	if err == nil {
		return nil
	}
	// The caller's context may be what ended this.
	cleaning, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if cleanErr := c.DeleteTopics(cleaning, made); cleanErr != nil {
		return fmt.Errorf("%w (and what was made is left behind: %w)", err, cleanErr)
	}
	return err
}

// create sends the request and returns the names of what was made.
func (c *Cluster) create(ctx context.Context, specs []TopicSpec) (made []string, err error) {
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = int32(retryTime.Milliseconds())
	for _, s := range specs {
		rt := kmsg.NewCreateTopicsRequestTopic()
		rt.Topic, rt.NumPartitions, rt.ReplicationFactor = s.Name, orDefault(s.Partitions), orDefault(s.ReplicationFactor)
		for k, v := range s.Config {
			rc := kmsg.NewCreateTopicsRequestTopicConfig()
			rc.Name, rc.Value = k, &v
			rt.Configs = append(rt.Configs, rc)
		}
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, c.cl)
	if err != nil {
		return nil, fmt.Errorf("creating topics: %w", plain(err))
	}
	var errs []error
	for _, t := range resp.Topics {
		if err := kerr.ErrorForCode(t.ErrorCode); err != nil {
			i := slices.IndexFunc(specs, func(s TopicSpec) bool { return s.Name == t.Topic })
			if i < 0 {
				return made, fmt.Errorf("creating topics: the broker answers about %q, which wasn't asked for: %w", t.Topic, err)
			}
			errs = append(errs, c.createError(ctx, specs[i], err, deref(t.ErrorMessage)))
			continue
		}
		made = append(made, t.Topic)
	}
	if len(errs) > 0 {
		return made, joinLine(errs)
	}
	return made, nil
}

// orDefault is −1, Kafka's word for the broker's default, for 0.
func orDefault[T int16 | int32](n T) T {
	if n == 0 {
		return -1
	}
	return n
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// createError says why a topic wasn't made. message is the broker's own explanation, which may be empty.
func (c *Cluster) createError(ctx context.Context, s TopicSpec, err error, message string) error {
	why := ""
	switch {
	case errors.Is(err, kerr.TopicAlreadyExists):
		why = "it exists already"
	case errors.Is(err, kerr.InvalidReplicationFactor):
		why = fmt.Sprintf("replication.factor %d can't be met", s.ReplicationFactor)
		if m, mErr := c.adm.BrokerMetadata(ctx); mErr == nil {
			why += fmt.Sprintf(": brokers alive: %d", len(m.Brokers))
		}
	case errors.Is(err, kerr.InvalidPartitions):
		why = fmt.Sprintf("partitions %d aren't allowed", s.Partitions)
	case errors.Is(err, kerr.InvalidConfig):
		why = "a topic setting is refused"
		if message == "" {
			why += " (" + settings(s.Config) + ")"
		}
	case errors.Is(err, kerr.TopicAuthorizationFailed), errors.Is(err, kerr.ClusterAuthorizationFailed):
		why = "this client isn't authorised to (it needs CREATE on the topic or the cluster)"
	case errors.Is(err, kerr.InvalidTopicException):
		why = "the name isn't allowed (letters, digits, '.', '_' and '-', at most 249; not like another but for '.' and '_')"
	case errors.Is(err, kerr.PolicyViolation):
		why = "the cluster's policy forbids it"
	}
	text := fmt.Sprintf("can't create topic %q", s.Name)
	if why != "" {
		text += ": " + why
	}
	if message != "" {
		text += fmt.Sprintf(" (broker: %s)", message)
	}
	return fmt.Errorf("%s: %w", text, err)
}

// settings writes a topic's settings in order.
func settings(config map[string]string) string {
	var kv []string
	for k, v := range config {
		kv = append(kv, k+"="+v)
	}
	slices.Sort(kv)
	return strings.Join(kv, ", ")
}

// DeleteTopics deletes topics and waits until no broker knows them. A topic that isn't there is fine.
func (c *Cluster) DeleteTopics(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	before, err := c.ids(ctx, names)
	if err != nil {
		return fmt.Errorf("deleting topics: %w", err)
	}
	responses, err := c.adm.DeleteTopics(ctx, names...)
	if err != nil {
		return fmt.Errorf("deleting topics: %w", plain(err))
	}
	var errs []error
	gone := map[string][16]byte{}
	for _, r := range responses.Sorted() {
		switch {
		case errors.Is(r.Err, kerr.UnknownTopicOrPartition):
		case r.Err == nil:
			gone[r.Topic] = before[r.Topic]
		case errors.Is(r.Err, kerr.TopicAuthorizationFailed):
			errs = append(errs, fmt.Errorf("can't delete topic %q: this client isn't authorised to: %w", r.Topic, r.Err))
		case errors.Is(r.Err, kerr.TopicDeletionDisabled):
			errs = append(errs, fmt.Errorf("can't delete topic %q: the cluster has delete.topic.enable=false: %w", r.Topic, r.Err))
		default:
			errs = append(errs, fmt.Errorf("can't delete topic %q: %w", r.Topic, r.Err))
		}
	}
	if err := c.waitUntilGone(ctx, gone); err != nil {
		errs = append(errs, err)
	}
	if len(errs) > 0 {
		return joinLine(errs)
	}
	return nil
}

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
				return fmt.Errorf("topic %q has %d partitions instead of %d", s.Name, len(t.Partitions), s.Partitions)
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

// topicsAt asks one broker what it knows about topics.
func topicsAt(ctx context.Context, b *kgo.Broker, names []string) (map[string]kmsg.MetadataResponseTopic, error) {
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

// topicError says what is wrong with a topic that was asked for; for one that doesn't exist, also the nearest one.
func (c *Cluster) topicError(ctx context.Context, name string, err error) error {
	switch {
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		near := ""
		if all, listErr := c.adm.ListTopics(ctx); listErr == nil {
			near = nearest(name, all.Names())
		}
		if near != "" {
			return fmt.Errorf("topic %q doesn't exist (did you mean %q?): %w", name, near, err)
		}
		return fmt.Errorf("topic %q doesn't exist: %w", name, err)
	case errors.Is(err, kerr.TopicAuthorizationFailed):
		return fmt.Errorf("this client isn't authorised to see topic %q (it needs DESCRIBE): %w", name, err)
	case errors.Is(err, kerr.InvalidTopicException):
		return fmt.Errorf("%q isn't a topic name that Kafka allows: %w", name, err)
	}
	return fmt.Errorf("topic %q: %w", name, err)
}
