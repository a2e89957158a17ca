package main

import (
	"maps"
	"slices"
	"testing"

	"kbench/metrics"
	"kbench/workload"
)

func TestCheckTopics(t *testing.T) {
	good := metrics.TopicInfo{Name: "kbench-t-1", Partitions: 3, ReplicationFactor: 1, Created: true,
		Config: map[string]string{"min.insync.replicas": "1", "cleanup.policy": "compact,delete", "segment.bytes": "1048576", "retention.ms": "7"}}
	tests := []struct {
		name   string
		change func(*metrics.TopicInfo)
		want   []string
	}{
		{"as asked", func(*metrics.TopicInfo) {}, nil},
		{"another way to write it", func(i *metrics.TopicInfo) { i.Config["cleanup.policy"] = "Compact, Delete" }, nil},
		{"a broker that says nothing", func(i *metrics.TopicInfo) { i.Config = nil }, nil},
		{"the user's own topic", func(i *metrics.TopicInfo) { i.Created, i.Partitions = false, 9 }, nil},
		{"other settings", func(i *metrics.TopicInfo) {
			i.Config["min.insync.replicas"], i.Config["segment.bytes"] = "2", "1073741824"
		},
			[]string{"configuration: min.insync.replicas=1 was asked for topic kbench-t-1, and the broker has 2",
				"configuration: segment.bytes=1048576 was asked for topic kbench-t-1, and the broker has 1073741824"}},
		{"other shape", func(i *metrics.TopicInfo) { i.Partitions, i.ReplicationFactor = 1, 3 },
			[]string{"configuration: partitions=3 was asked for topic kbench-t-1, and the broker has 1",
				"configuration: replication factor=1 was asked for topic kbench-t-1, and the broker has 3"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			plan := &workload.Plan{Topics: []workload.Topic{{Name: "t", Partitions: 3, ReplicationFactor: 1,
				Config: map[string]string{"min.insync.replicas": "1", "cleanup.policy": "compact,delete", "segment.bytes": "1048576"}}}}
			info := good
			info.Config = maps.Clone(good.Config)
			tt.change(&info)
			res := &metrics.Result{Verdict: metrics.Verdict{State: metrics.StateValid}, Target: metrics.TargetInfo{Topics: []metrics.TopicInfo{info}}}
			(&measurement{plan: plan}).checkTopics(res)
			if !slices.Equal(res.Verdict.Reasons, tt.want) {
				t.Errorf("reasons %q, want %q", res.Verdict.Reasons, tt.want)
			}
			if invalid := res.Verdict.State == metrics.StateInvalid && res.Verdict.Cause == metrics.CauseConfiguration; invalid != (tt.want != nil) {
				t.Errorf("verdict %+v", res.Verdict)
			}
		})
	}
}
