package broker

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// needKafka lets tests with real brokers run only where they are asked for: they take seconds, and Maven once.
func needKafka(t *testing.T) {
	t.Helper()
	if os.Getenv("KBENCH_TEST_KAFKA") != "1" {
		t.Skip("KBENCH_TEST_KAFKA=1 runs the tests with real Kafka")
	}
}

func TestKafkaOneNode(t *testing.T) {
	needKafka(t)
	for asked, version := range map[string]string{"": "4.3.1", "3.9": "3.9.1"} {
		t.Run(version, func(t *testing.T) {
			dir := t.TempDir()
			target := start(t, Spec{Kind: KindKafka, Version: asked, Dir: dir, Properties: map[string]string{"message.max.bytes": "3000000"}})
			if target.Version != version || target.Kind != KindKafka || target.Brokers != 1 {
				t.Errorf("got %+v", target)
			}
			checkTopicLife(t, target)
			checkTopicErrors(t, target)
			c := connect(t, target)
			if info, err := c.Info(testContext(t)); err != nil || !strings.HasPrefix(version, info.Version+".") {
				t.Errorf("Info: %+v, %v; want %s without the last number", info, err, version)
			}
			pid := target.Nodes()[0].PID
			if err := target.Close(); err != nil {
				t.Fatal(err)
			}
			checkGone(t, dir, pid)
		})
	}
}

// checkTopicErrors provokes what only real brokers refuse, and looks at the settings that they report.
func checkTopicErrors(t *testing.T, target *Target) {
	t.Helper()
	c, ctx := connect(t, target), testContext(t)
	one := func(name string, config map[string]string) TopicSpec {
		return TopicSpec{Name: name, Partitions: 1, ReplicationFactor: 1, Config: config}
	}
	if err := c.CreateTopics(ctx, []TopicSpec{one("plain", nil), {Name: "defaults"}}); err != nil {
		t.Fatal(err)
	}
	infos, err := c.DescribeTopics(ctx, []string{"plain"})
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]string{"max.message.bytes": "3000000", "min.insync.replicas": "1", "retention.bytes": "67108864", "flush.ms": "9223372036854775807"} {
		if got := infos[0].Config[k]; got != want {
			t.Errorf("%s is %q, want %q; all: %v", k, got, want, infos[0].Config)
		}
	}
	if got, ok := infos[0].Config["index.interval.bytes"]; ok {
		t.Errorf("a default that isn't of interest is told: index.interval.bytes=%s", got)
	}
	bad := []struct {
		spec TopicSpec
		want []string
	}{
		{one("x", map[string]string{"no.such.setting": "1"}), []string{`"x"`, "setting is refused", "no.such.setting"}},
		{one("x", map[string]string{"min.insync.replicas": "many"}), []string{`"x"`, "min.insync.replicas", "many"}},
		{one("a b", nil), []string{`"a b"`, "name isn't allowed"}},
		{one("plain", nil), []string{`"plain"`, "exists already"}},
		{TopicSpec{Name: "x", Partitions: 1, ReplicationFactor: 3}, []string{`"x"`, "replication.factor 3", "brokers alive: 1"}},
		{TopicSpec{Name: "x", Partitions: -7, ReplicationFactor: 1}, []string{`"x"`, "partitions -7"}},
	}
	for _, tc := range bad {
		mustContain(t, c.CreateTopics(ctx, []TopicSpec{one("before", nil), tc.spec}), tc.want...)
	}
	_, err = c.DescribeTopics(ctx, []string{"plian"})
	mustContain(t, err, `"plian" doesn't exist`, `did you mean "plain"`)
	if _, err := c.DescribeTopics(ctx, []string{"before"}); !errors.Is(err, kerr.UnknownTopicOrPartition) {
		t.Errorf("topic before is left behind: %v", err)
	}
}

// checkGone looks that nothing is left of a target that was closed.
func checkGone(t *testing.T, dir string, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if isAlive(pid) {
			t.Errorf("process %d is still running", pid)
		}
	}
	if left, err := filepath.Glob(filepath.Join(dir, dataPrefix+"*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestKafkaThreeNodes kills and restarts nodes under a producer that wants all acknowledgements.
func TestKafkaThreeNodes(t *testing.T) {
	needKafka(t)
	target := start(t, Spec{Kind: KindKafka, Version: "4.3.1", Brokers: 3})
	c, ctx := connect(t, target), testContext(t)
	topic := TopicSpec{Name: "t", Partitions: 6, ReplicationFactor: 3, Config: map[string]string{"min.insync.replicas": "2"}}
	if err := c.CreateTopics(ctx, []TopicSpec{topic}); err != nil {
		t.Fatal(err)
	}
	infos, err := c.DescribeTopics(ctx, []string{"t"})
	if err != nil || infos[0].ReplicationFactor != 3 || infos[0].Config["min.insync.replicas"] != "2" {
		t.Fatalf("%+v, %v", infos, err)
	}
	p := startProducer(t, target)
	p.produce(t, 200)
	victim := target.Nodes()[0]
	if err := target.Kill(0); err != nil {
		t.Fatal(err)
	}
	if n := target.Nodes()[0]; n.Running || isAlive(victim.PID) {
		t.Errorf("node is running after Kill: %+v", n)
	}
	p.produce(t, 200) // waits until there are new leaders
	if err := target.Restart(ctx, 0); err != nil {
		t.Fatal(err)
	}
	if n := target.Nodes()[0]; !n.Running || n.PID == victim.PID || n.Port != victim.Port {
		t.Errorf("after Restart: %+v, before %+v", n, victim)
	}
	if err := target.Restart(ctx, 1); err != nil { // one that is running
		t.Fatal(err)
	}
	p.produce(t, 200)
	ends, err := c.EndOffsets(ctx, []string{"t"})
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, end := range ends["t"] {
		total += end
	}
	if total != 600 {
		t.Errorf("the topic has %d records, want 600: %v", total, ends)
	}
	select {
	case <-target.Done():
		t.Errorf("Done is closed though nothing ended that wasn't asked to: %v", target.Err())
	default:
	}
	pids := []int{}
	for _, n := range target.Nodes() {
		pids = append(pids, n.PID)
	}
	dir := target.data.path
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	checkGone(t, dir, pids...)
}

type producer struct{ cl *kgo.Client }

func startProducer(t *testing.T, target *Target) producer {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(target.Bootstrap...), kgo.DefaultProduceTopic("t"), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return producer{cl}
}

// produce writes n records and waits for all of them.
func (p producer) produce(t *testing.T, n int) {
	t.Helper()
	records := make([]*kgo.Record, n)
	for i := range records {
		records[i] = kgo.StringRecord("x")
	}
	if err := p.cl.ProduceSync(testContext(t), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}

// TestKafkaDies sees a broker end by itself.
func TestKafkaDies(t *testing.T) {
	needKafka(t)
	target := start(t, Spec{Kind: KindKafka})
	process, err := os.FindProcess(target.Nodes()[0].PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-target.Done()
	mustContain(t, target.Err(), "broker 1 of Kafka 4.3.1", "signal: killed", "last in its log")
}

func TestKafkaStartErrors(t *testing.T) {
	needKafka(t)
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = Start(testContext(t), Spec{Kind: KindKafka, Dir: dir, Port: l.Addr().(*net.TCPAddr).Port})
	mustContain(t, err, "isn't free")
	// The broker can't start with this; what it says about it is in the error.
	_, err = Start(testContext(t), Spec{Kind: KindKafka, Dir: dir, Properties: map[string]string{"num.io.threads": "none"}})
	mustContain(t, err, "num.io.threads", "none")
	checkGone(t, dir)
}

// TestKafkaTwoAtOnce starts two targets at the same time in the same folder; ending one leaves the other alone.
func TestKafkaTwoAtOnce(t *testing.T) {
	needKafka(t)
	dir := t.TempDir()
	type result struct {
		target *Target
		err    error
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			target, err := Start(testContext(t), Spec{Kind: KindKafka, Dir: dir})
			results <- result{target, err}
		}()
	}
	one, two := <-results, <-results
	for _, r := range []result{one, two} {
		if r.err != nil {
			t.Fatal(r.err)
		}
		defer func() {
			if err := r.target.Close(); err != nil {
				t.Error(err)
			}
		}()
	}
	if err := one.target.Close(); err != nil {
		t.Fatal(err)
	}
	checkTopicLife(t, two.target)
}
