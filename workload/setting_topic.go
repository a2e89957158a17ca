package workload

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// TopicSettings lists the settings of a topic in Kafka 3.9 to 4.x.
func TopicSettings() []string {
	return []string{
		"cleanup.policy", "compression.gzip.level", "compression.lz4.level", "compression.type", "compression.zstd.level",
		"delete.retention.ms", "file.delete.delay.ms", "flush.messages", "flush.ms", "follower.replication.throttled.replicas",
		"index.interval.bytes", "leader.replication.throttled.replicas", "local.retention.bytes", "local.retention.ms",
		"max.compaction.lag.ms", "max.message.bytes", "message.downconversion.enable", "message.timestamp.after.max.ms",
		"message.timestamp.before.max.ms", "message.timestamp.difference.max.ms", "message.timestamp.type",
		"min.cleanable.dirty.ratio", "min.compaction.lag.ms", "min.insync.replicas", "preallocate", "remote.log.copy.disable",
		"remote.log.delete.on.disable", "remote.storage.enable", "retention.bytes", "retention.ms", "segment.bytes",
		"segment.index.bytes", "segment.jitter.ms", "segment.ms", "unclean.leader.election.enable",
	}
}

// knownTopicSetting tells whether a topic may have this setting; those of brokers that speak Kafka's protocol pass.
func knownTopicSetting(name string) bool {
	for _, vendor := range []string{"redpanda.", "confluent.", "automq."} {
		if strings.HasPrefix(name, vendor) {
			return true
		}
	}
	return slices.Contains(TopicSettings(), name)
}

// topicSettingValue turns a size or a time with a unit into Kafka's plain number; other values stay as they are, for the
// broker to judge.
func topicSettingValue(name, text string) (string, *fieldError) {
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return text, nil
	}
	switch {
	case strings.HasSuffix(name, ".bytes"):
		n, err := parseSize(text)
		if err != nil {
			return "", err
		}
		return strconv.FormatInt(n, 10), nil
	case strings.HasSuffix(name, ".ms"):
		d, err := parseDuration(text)
		if err != nil || d%time.Millisecond != 0 {
			return "", badValue(text, "whole milliseconds such as 60000, 60s or 1h")
		}
		return strconv.FormatInt(d.Milliseconds(), 10), nil
	case strings.TrimSpace(text) == "":
		return "", &fieldError{msg: "empty text"}
	}
	return text, nil
}
