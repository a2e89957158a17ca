package sink_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/broker/sink"
)

// create makes a topic with max.message.bytes; partitions −1: the default number.
func create(t *testing.T, nc io.ReadWriter, name string, partitions int32, maxMessage string) *kmsg.CreateTopicsResponse {
	t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version = 7
	rt := kmsg.NewCreateTopicsRequestTopic()
	rt.Topic, rt.NumPartitions, rt.ReplicationFactor = name, partitions, -1
	if maxMessage != "" {
		rc := kmsg.NewCreateTopicsRequestTopicConfig()
		rc.Name, rc.Value = "max.message.bytes", &maxMessage
		rt.Configs = append(rt.Configs, rc)
	}
	req.Topics = append(req.Topics, rt)
	if _, err := nc.Write(encode(req, 1)); err != nil {
		t.Fatal(err)
	}
	_, body := frame(t, nc)
	return decode[*kmsg.CreateTopicsResponse](t, req, body)
}

// TestEveryVersionListedIsAnswered takes ApiVersions at its word: each version of each API gets an answer that kmsg
// decodes to the last byte.
func TestEveryVersionListedIsAnswered(t *testing.T) {
	_, addr := start(t, sink.Options{Brokers: 2})
	nc := dial(t, addr)
	list := ask[*kmsg.ApiVersionsResponse](t, nc, &kmsg.ApiVersionsRequest{Version: 4})
	if len(list.ApiKeys) < 10 {
		t.Fatalf("%d APIs listed", len(list.ApiKeys))
	}
	name := "a"
	for _, k := range list.ApiKeys {
		if k.ApiKey == 0 {
			continue // TestProduceEveryVersion
		}
		for version := k.MinVersion; version <= k.MaxVersion; version++ {
			req := kmsg.RequestForKey(k.ApiKey)
			req.SetVersion(version)
			switch req := req.(type) {
			case *kmsg.MetadataRequest:
				req.Topics = []kmsg.MetadataRequestTopic{{Topic: &name}}
			case *kmsg.ListOffsetsRequest:
				p := kmsg.ListOffsetsRequestTopicPartition{Timestamp: -1, MaxNumOffsets: 1}
				req.Topics = []kmsg.ListOffsetsRequestTopic{{Topic: name, Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}}}
			case *kmsg.FetchRequest:
				req.Topics = []kmsg.FetchRequestTopic{{Topic: name, Partitions: []kmsg.FetchRequestTopicPartition{{}}}}
			case *kmsg.CreateTopicsRequest:
				req.Topics = []kmsg.CreateTopicsRequestTopic{{Topic: fmt.Sprint("v", version), NumPartitions: 3, ReplicationFactor: 1}}
			case *kmsg.DeleteTopicsRequest:
				topic := fmt.Sprint("v", version)
				req.TopicNames = []string{topic}
				req.Topics = []kmsg.DeleteTopicsRequestTopic{{Topic: &topic}}
			case *kmsg.DescribeConfigsRequest:
				req.Resources = []kmsg.DescribeConfigsRequestResource{{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name}}
			case *kmsg.FindCoordinatorRequest:
				req.CoordinatorKey, req.CoordinatorKeys = "g", []string{"g"}
			}
			resp := ask[kmsg.Response](t, nc, req)
			if text := fmt.Sprintf("%+v", resp); k.ApiKey != 1 && strings.Contains(text, "ErrorCode:") && !onlyZeroCodes(text) {
				t.Errorf("%s v%d: %s", kmsg.NameForKey(k.ApiKey), version, text)
			}
		}
	}
}

// onlyZeroCodes says whether every ErrorCode in the text is 0.
func onlyZeroCodes(text string) bool {
	return strings.Count(text, "ErrorCode:") == strings.Count(text, "ErrorCode:0 ")
}

func TestAPIVersionsFallsBack(t *testing.T) {
	_, addr := start(t, sink.Options{})
	nc := dial(t, addr)
	for _, version := range []int16{5, 99} {
		// kmsg's client side knows no version 99 either, so the answer is decoded as what it must be: version 0.
		b := encode(&kmsg.ApiVersionsRequest{Version: 3}, 5)
		b[6], b[7] = byte(version>>8), byte(version)
		if _, err := nc.Write(b); err != nil {
			t.Fatal(err)
		}
		_, body := frame(t, nc)
		resp := decode[*kmsg.ApiVersionsResponse](t, &kmsg.ApiVersionsRequest{Version: 0}, body)
		if resp.ErrorCode != 35 {
			t.Errorf("v%d: error code %d, want 35", version, resp.ErrorCode)
		}
		i := strings.Index(fmt.Sprint(resp.ApiKeys), "{18 0 4")
		if i < 0 {
			t.Errorf("v%d: ApiVersions 0–4 isn't in %v", version, resp.ApiKeys)
		}
	}
	ask[*kmsg.ApiVersionsResponse](t, nc, &kmsg.ApiVersionsRequest{Version: 4}) // the connection goes on
}

func metadata(t *testing.T, nc io.ReadWriter, version int16, topics ...string) *kmsg.MetadataResponse {
	t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	req.Version = version
	for _, name := range topics {
		req.Topics = append(req.Topics, kmsg.MetadataRequestTopic{Topic: &name})
	}
	if _, err := nc.Write(encode(req, 1)); err != nil {
		t.Fatal(err)
	}
	_, body := frame(t, nc)
	return decode[*kmsg.MetadataResponse](t, req, body)
}

func TestMetadata(t *testing.T) {
	s, addr := start(t, sink.Options{Partitions: 5, Brokers: 3})
	nc := dial(t, addr)
	if got := metadata(t, nc, 12).Topics; len(got) != 0 {
		t.Errorf("a fresh sink has topics: %v", got)
	}
	resp := metadata(t, nc, 12, "b", "a", "not legal")
	for i, want := range []struct {
		name       string
		code       int16
		partitions int
	}{{"b", 0, 5}, {"a", 0, 5}, {"not legal", 17, 0}} {
		got := resp.Topics[i]
		if *got.Topic != want.name || got.ErrorCode != want.code || len(got.Partitions) != want.partitions {
			t.Errorf("%s: code %d, %d partitions; want %+v", *got.Topic, got.ErrorCode, len(got.Partitions), want)
		}
	}
	var leaders []int32
	for _, p := range resp.Topics[0].Partitions {
		leaders = append(leaders, p.Leader)
		if diff := cmp.Diff([]int32{p.Leader}, p.Replicas); diff != "" {
			t.Errorf("replicas (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]int32{0, 1, 2, 0, 1}, leaders); diff != "" {
		t.Errorf("leaders (-want +got):\n%s", diff)
	}
	for i, b := range resp.Brokers {
		if got := fmt.Sprintf("%s:%d", b.Host, b.Port); got != s.Addrs()[i].String() {
			t.Errorf("broker %d is at %s, want %s", i, got, s.Addrs()[i])
		}
	}
	all := metadata(t, nc, 12)
	if len(all.Topics) != 2 || *all.Topics[0].Topic != "a" || *all.Topics[1].Topic != "b" {
		t.Errorf("all topics: %+v", all.Topics)
	}
	if len(metadata(t, nc, 0).Topics) != 2 {
		t.Error("an empty list in v0 doesn't ask for all topics")
	}
	if none := topicsOf(t, nc, 4); len(none) != 0 {
		t.Errorf("an empty list in v4 gives %v", none)
	}

	id := all.Topics[0].TopicID
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 12
	req.Topics = []kmsg.MetadataRequestTopic{{TopicID: id}, {TopicID: [16]byte{9}}}
	byID := ask[*kmsg.MetadataResponse](t, nc, req)
	if got := byID.Topics[0]; got.Topic == nil || *got.Topic != "a" || got.TopicID != id {
		t.Errorf("by id: %+v", got)
	}
	if got := byID.Topics[1].ErrorCode; got != 100 {
		t.Errorf("unknown id: code %d, want 100", got)
	}
}

// topicsOf asks with an empty, non-null list.
func topicsOf(t *testing.T, nc io.ReadWriter, version int16) []kmsg.MetadataResponseTopic {
	t.Helper()
	req := kmsg.NewPtrMetadataRequest()
	req.Version, req.Topics = version, []kmsg.MetadataRequestTopic{}
	if _, err := nc.Write(encode(req, 1)); err != nil {
		t.Fatal(err)
	}
	_, body := frame(t, nc)
	return decode[*kmsg.MetadataResponse](t, req, body).Topics
}

func TestNotTheLeader(t *testing.T) {
	s, _ := start(t, sink.Options{Brokers: 2})
	nc := dial(t, s.Addrs()[1].String())
	req := produce(10, -1, part{topic: "a", index: 0, records: batch(1, 1)}, part{topic: "a", index: 1, records: batch(1, 1)})
	got := replies(ask[*kmsg.ProduceResponse](t, nc, req), nil)
	if diff := cmp.Diff([]reply{{"a", 0, 6, -1}, {"a", 1, 0, 0}}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCreateTopicsRefuses(t *testing.T) {
	_, addr := start(t, sink.Options{Brokers: 2})
	nc := dial(t, addr)
	create(t, nc, "there", 3, "")
	junk := "12kB"
	tests := []struct {
		name string
		rt   kmsg.CreateTopicsRequestTopic
		code int16
		why  string
	}{
		{"exists", kmsg.CreateTopicsRequestTopic{Topic: "there", NumPartitions: 1, ReplicationFactor: 1}, 36, `"there" exists`},
		{"name", kmsg.CreateTopicsRequestTopic{Topic: "a b", NumPartitions: 1, ReplicationFactor: 1}, 17, `"a b"; allowed are`},
		{"no partitions", kmsg.CreateTopicsRequestTopic{Topic: "a", NumPartitions: 0, ReplicationFactor: 1}, 37, "0 partitions"},
		{"too many", kmsg.CreateTopicsRequestTopic{Topic: "a", NumPartitions: 1 << 30, ReplicationFactor: 1}, 37, "allowed are 1 to 1000000"},
		{"replicas", kmsg.CreateTopicsRequestTopic{Topic: "a", NumPartitions: 1, ReplicationFactor: 3}, 38, "number of brokers, 2"},
		{"config", kmsg.CreateTopicsRequestTopic{Topic: "a", NumPartitions: 1, ReplicationFactor: 1,
			Configs: []kmsg.CreateTopicsRequestTopicConfig{{Name: "max.message.bytes", Value: &junk}}}, 40, `"12kB"`},
		{"assignment", kmsg.CreateTopicsRequestTopic{Topic: "a", NumPartitions: -1, ReplicationFactor: -1,
			ReplicaAssignment: []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Partition: 1, Replicas: []int32{0}}}}, 39, "assignment"},
		{"assignment and count", kmsg.CreateTopicsRequestTopic{Topic: "a", NumPartitions: 1, ReplicationFactor: 1,
			ReplicaAssignment: []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Replicas: []int32{0}}}}, 42, "both"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := kmsg.NewPtrCreateTopicsRequest()
			req.Version, req.Topics = 7, []kmsg.CreateTopicsRequestTopic{tt.rt}
			got := ask[*kmsg.CreateTopicsResponse](t, nc, req).Topics[0]
			if got.ErrorCode != tt.code || got.ErrorMessage == nil || !strings.Contains(*got.ErrorMessage, tt.why) {
				t.Errorf("code %d, %v; want %d and %q", got.ErrorCode, got.ErrorMessage, tt.code, tt.why)
			}
		})
	}
	if got := metadata(t, nc, 9); len(got.Topics) != 1 {
		t.Errorf("topics now: %+v", got.Topics)
	}
}

func TestValidateOnlyCreatesNothing(t *testing.T) {
	_, addr := start(t, sink.Options{})
	nc := dial(t, addr)
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Version, req.ValidateOnly = 5, true
	req.Topics = []kmsg.CreateTopicsRequestTopic{{Topic: "a", NumPartitions: 3, ReplicationFactor: 1}}
	if got := ask[*kmsg.CreateTopicsResponse](t, nc, req).Topics[0]; got.ErrorCode != 0 || got.NumPartitions != 3 {
		t.Errorf("%+v", got)
	}
	if got := metadata(t, nc, 9).Topics; len(got) != 0 {
		t.Errorf("topics now: %+v", got)
	}
}

// TestTopicMadeAgainIsAnother checks that ids tell a topic from its successor of the same name, and nothing else changes one.
func TestTopicMadeAgainIsAnother(t *testing.T) {
	_, addr := start(t, sink.Options{})
	nc := dial(t, addr)
	first := create(t, nc, "a", 2, "").Topics[0].TopicID
	if again := topicID(t, nc, "a"); again != first {
		t.Errorf("id %x, then %x", first, again)
	}
	ask[*kmsg.ProduceResponse](t, nc, produce(13, -1, part{"a", first, 1, batch(9, 1)}))
	del := kmsg.NewPtrDeleteTopicsRequest()
	del.Version, del.Topics = 6, []kmsg.DeleteTopicsRequestTopic{{TopicID: first}}
	if got := ask[*kmsg.DeleteTopicsResponse](t, nc, del).Topics[0]; got.ErrorCode != 0 || *got.Topic != "a" {
		t.Errorf("%+v", got)
	}
	if got := ask[*kmsg.DeleteTopicsResponse](t, nc, del).Topics[0]; got.ErrorCode != 100 {
		t.Errorf("deleted twice: %+v", got)
	}
	resp := ask[*kmsg.ProduceResponse](t, nc, produce(13, -1, part{"a", first, 1, batch(9, 1)}))
	if got := resp.Topics[0].Partitions[0].ErrorCode; got != 100 {
		t.Errorf("produced to the deleted topic: code %d", got)
	}
	if second := topicID(t, nc, "a"); second == first || second == ([16]byte{}) {
		t.Errorf("id of the second topic: %x, of the first %x", second, first)
	}
	if end := listOffset(t, nc, "a", 1, -1); end != 0 {
		t.Errorf("the second topic ends at %d", end)
	}
}

func listOffset(t *testing.T, nc io.ReadWriter, topic string, partition int32, at int64) int64 {
	t.Helper()
	req := kmsg.NewPtrListOffsetsRequest()
	req.Version = 7
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Partition, p.Timestamp = partition, at
	req.Topics = []kmsg.ListOffsetsRequestTopic{{Topic: topic, Partitions: []kmsg.ListOffsetsRequestTopicPartition{p}}}
	if _, err := nc.Write(encode(req, 1)); err != nil {
		t.Fatal(err)
	}
	_, body := frame(t, nc)
	got := decode[*kmsg.ListOffsetsResponse](t, req, body).Topics[0].Partitions[0]
	if got.ErrorCode != 0 {
		return -int64(got.ErrorCode) - 100
	}
	return got.Offset
}

func TestListOffsets(t *testing.T) {
	_, addr := start(t, sink.Options{Partitions: 3})
	nc := dial(t, addr)
	ask[*kmsg.ProduceResponse](t, nc, produce(9, -1, part{topic: "a", index: 2, records: batch(42, 1)}))
	for _, tt := range []struct {
		partition int32
		at, want  int64
	}{{2, -1, 42}, {2, -2, 0}, {2, -4, 0}, {0, -1, 0}, {2, -3, -1}, {2, -5, -1}, {2, 1234567, -1}, {3, -1, -103}} {
		if got := listOffset(t, nc, "a", tt.partition, tt.at); got != tt.want {
			t.Errorf("partition %d at %d: %d, want %d", tt.partition, tt.at, got, tt.want)
		}
	}
}

func TestDescribeConfigs(t *testing.T) {
	_, addr := start(t, sink.Options{MaxMessageBytes: 777})
	nc := dial(t, addr)
	create(t, nc, "set", 1, "5000")
	create(t, nc, "unset", 1, "")
	req := kmsg.NewPtrDescribeConfigsRequest()
	req.Version = 4
	for _, name := range []string{"set", "unset", "unknown"} {
		req.Resources = append(req.Resources, kmsg.DescribeConfigsRequestResource{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: name})
	}
	req.Resources = append(req.Resources,
		kmsg.DescribeConfigsRequestResource{ResourceType: kmsg.ConfigResourceTypeTopic, ResourceName: "set", ConfigNames: []string{"retention.ms"}},
		kmsg.DescribeConfigsRequestResource{ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: "0"})
	var got []string
	for _, r := range ask[*kmsg.DescribeConfigsResponse](t, nc, req).Resources {
		line := fmt.Sprintf("%s %d", r.ResourceName, r.ErrorCode)
		for _, c := range r.Configs {
			line += fmt.Sprintf(" %s=%s %v", c.Name, *c.Value, c.Source)
		}
		got = append(got, line)
	}
	want := []string{"set 0 max.message.bytes=5000 DYNAMIC_TOPIC_CONFIG", "unset 0 max.message.bytes=777 DEFAULT_CONFIG",
		"unknown 3", "set 0", "0 0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestInitProducerID(t *testing.T) {
	_, addr := start(t, sink.Options{})
	nc := dial(t, addr)
	req := kmsg.NewPtrInitProducerIDRequest()
	req.Version = 5
	first := ask[*kmsg.InitProducerIDResponse](t, nc, req)
	second := ask[*kmsg.InitProducerIDResponse](t, nc, req)
	if first.ProducerID == second.ProducerID || first.ProducerEpoch != 0 || first.ErrorCode != 0 {
		t.Errorf("first %+v, second %+v", first, second)
	}
	req.ProducerID, req.ProducerEpoch = first.ProducerID, 4
	if got := ask[*kmsg.InitProducerIDResponse](t, nc, req); got.ProducerID != first.ProducerID || got.ProducerEpoch != 5 {
		t.Errorf("bumped: %+v", got)
	}
	req.ProducerEpoch = 32766
	if got := ask[*kmsg.InitProducerIDResponse](t, nc, req); got.ProducerID == first.ProducerID || got.ProducerEpoch != 0 {
		t.Errorf("exhausted: %+v", got)
	}
	id := "tx"
	req.TransactionalID = &id
	if got := ask[*kmsg.InitProducerIDResponse](t, nc, req); got.ErrorCode != 35 {
		t.Errorf("transactional: %+v", got)
	}
}

// TestHeaderTags sends a request whose header has a tagged field.
func TestHeaderTags(t *testing.T) {
	_, addr := start(t, sink.Options{})
	nc := dial(t, addr)
	req := &kmsg.ApiVersionsRequest{Version: 3}
	body := []byte{0, 18, 0, 3, 0, 0, 0, 9, 0xff, 0xff, 1, 5, 2, 'h', 'i'}
	body = req.AppendTo(body)
	if _, err := nc.Write(append(kbin.AppendInt32(nil, int32(len(body))), body...)); err != nil {
		t.Fatal(err)
	}
	_, answer := frame(t, nc)
	decode[*kmsg.ApiVersionsResponse](t, req, answer)
}

func TestListenRefuses(t *testing.T) {
	_, addr := start(t, sink.Options{})
	for _, tt := range []struct {
		addr string
		opts sink.Options
		want string
	}{
		{addr, sink.Options{}, addr},
		{"nonsense", sink.Options{}, `"nonsense"`},
		{"127.0.0.1:0", sink.Options{Partitions: -1}, "Options.Partitions is -1; allowed are 1 to 1000000"},
		{"127.0.0.1:0", sink.Options{Brokers: 101}, "Options.Brokers is 101"},
	} {
		if _, err := sink.Listen(tt.addr, tt.opts); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Listen(%q, %+v): %v; want %q in it", tt.addr, tt.opts, err, tt.want)
		}
	}
}
