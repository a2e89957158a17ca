package broker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

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
