package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestClusterOnEmbedded runs the life of topics on the sink and the fake cluster, with one and with three brokers.
func TestClusterOnEmbedded(t *testing.T) {
	for _, kind := range []string{KindSink, KindFake} {
		for _, brokers := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s-%d", kind, brokers), func(t *testing.T) {
				target := start(t, Spec{Kind: kind, Brokers: brokers})
				checkTopicLife(t, target)
			})
		}
	}
}

// checkTopicLife makes, describes, fills and deletes topics.
func checkTopicLife(t *testing.T, target *Target) {
	t.Helper()
	c, brokers := connect(t, target), target.Brokers
	ctx := testContext(t)
	info, err := c.Info(ctx)
	if err != nil || info.Brokers != brokers {
		t.Fatalf("Info: %+v, %v; want %d brokers", info, err, brokers)
	}
	specs := []TopicSpec{
		{Name: "a", Partitions: 3, ReplicationFactor: 1, Config: map[string]string{"max.message.bytes": "2000000"}},
		{Name: "b", Partitions: 1, ReplicationFactor: 1},
	}
	if err := c.CreateTopics(ctx, specs); err != nil {
		t.Fatal(err)
	}
	infos, err := c.DescribeTopics(ctx, []string{"b", "a"})
	if err != nil || len(infos) != 2 {
		t.Fatalf("DescribeTopics: %+v, %v", infos, err)
	}
	if infos[0].Name != "b" || infos[0].Partitions != 1 || infos[1].Name != "a" || infos[1].Partitions != 3 || infos[1].ReplicationFactor != 1 {
		t.Errorf("DescribeTopics: %+v", infos)
	}
	if c.apis[32] && infos[1].Config["max.message.bytes"] != "2000000" {
		t.Errorf("settings of a: %v; want max.message.bytes=2000000", infos[1].Config)
	}
	produce(t, target.Bootstrap, "a", 0, 5)
	produce(t, target.Bootstrap, "a", 2, 7)
	ends, err := c.EndOffsets(ctx, []string{"a", "b"})
	if diff := cmp.Diff(map[string][]int64{"a": {5, 0, 7}, "b": {0}}, ends); err != nil || diff != "" {
		t.Errorf("EndOffsets: %v\n%s", err, diff)
	}
	if err := c.DeleteTopics(ctx, []string{"a", "b", "never-was"}); err != nil {
		t.Fatal(err)
	}
}

// produce writes n records to one partition.
func produce(t *testing.T, addrs []string, topic string, partition int32, n int) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for range n {
		r := &kgo.Record{Topic: topic, Partition: partition, Value: []byte("x")}
		if err := cl.ProduceSync(testContext(t), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCreateTopicsErrors(t *testing.T) {
	c := connect(t, start(t, Spec{Kind: KindFake}))
	ctx := testContext(t)
	if err := c.CreateTopics(ctx, []TopicSpec{{Name: "there", Partitions: 1, ReplicationFactor: 1}}); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		spec TopicSpec
		want []string
	}{
		{TopicSpec{Name: "there", Partitions: 1, ReplicationFactor: 1}, []string{`"there"`, "exists already"}},
		{TopicSpec{Name: "big", Partitions: 1, ReplicationFactor: 3}, []string{`"big"`, "replication.factor 3", "brokers alive: 1"}},
	}
	for _, tc := range cases {
		before := TopicSpec{Name: "before", Partitions: 1, ReplicationFactor: 1}
		mustContain(t, c.CreateTopics(ctx, []TopicSpec{before, tc.spec}), tc.want...)
		if _, err := c.DescribeTopics(ctx, []string{"before"}); !errors.Is(err, kerr.UnknownTopicOrPartition) {
			t.Errorf("%s: the topic made before it is left behind (%v)", tc.spec.Name, err)
		}
	}
	if _, err := c.DescribeTopics(ctx, []string{"there"}); err != nil {
		t.Errorf("a topic that was there before is gone: %v", err)
	}
}

func TestMissingTopic(t *testing.T) {
	c := connect(t, start(t, Spec{Kind: KindFake}))
	ctx := testContext(t)
	if err := c.CreateTopics(ctx, []TopicSpec{{Name: "orders", Partitions: 1, ReplicationFactor: 1}}); err != nil {
		t.Fatal(err)
	}
	_, err := c.DescribeTopics(ctx, []string{"orders", "ordres"})
	mustContain(t, err, `"ordres" doesn't exist`, `did you mean "orders"`)
	_, err = c.EndOffsets(ctx, []string{"nothing"})
	mustContain(t, err, `"nothing" doesn't exist`)
}

// TestConnectErrors connects to what isn't a broker.
func TestConnectErrors(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	closed := listen(t, func(c net.Conn) { c.Close() })
	binary := listen(t, func(c net.Conn) { _, _ = c.Write([]byte("SSH-2.0-OpenSSH_9.6\r\n")) })
	silent := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	nobody := freeAddr(t)

	cases := []struct {
		name, addr string
		want       []string
	}{
		{"nothing there", nobody, []string{nobody, "nothing listens there"}},
		{"web server", web.Listener.Addr().String(), []string{"isn't a Kafka broker", "HTTP/1.1 400"}},
		{"TLS", secure.Listener.Addr().String(), []string{"TLS"}},
		{"closes", closed, []string{closed, "closed the connection"}},
		{"other protocol", binary, []string{"isn't a Kafka broker", "SSH-2.0"}},
		{"silent", silent, []string{silent, "doesn't answer as a Kafka broker"}},
		{"no port", "localhost", []string{`"localhost"`, "want host:port"}},
		{"bad port", "localhost:70000", []string{`"localhost:70000"`, "1 to 65535"}},
		{"no host", "no-such-host.invalid:9092", []string{"no-such-host.invalid:9092"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c, err := Connect(testContext(t), []string{tc.addr})
			if err == nil {
				c.Close()
			}
			mustContain(t, err, tc.want...)
		})
	}
	_, err := Connect(testContext(t), nil)
	mustContain(t, err, "host:port")
	_, err = Connect(testContext(t), []string{nobody, closed})
	mustContain(t, err, nobody, closed, "; ")
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error has several lines: %q", err)
	}
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	if _, err := Connect(ctx, []string{silent}); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}

// TestConnectTakesAnyAddress gives one good address among bad ones.
func TestConnectTakesAnyAddress(t *testing.T) {
	target := start(t, Spec{Kind: KindSink})
	silent := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	c, err := Connect(testContext(t), append([]string{freeAddr(t), silent}, target.Bootstrap...))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Info(testContext(t)); err != nil {
		t.Error(err)
	}
}

// TestAdvertisedAddress has a broker that answers and names an address where nobody is.
func TestAdvertisedAddress(t *testing.T) {
	nobody := freeAddr(t)
	addr := listen(t, func(c net.Conn) { answerAs(c, nobody) })
	_, err := Connect(testContext(t), []string{addr})
	mustContain(t, err, "advertised.listeners", nobody, "nothing listens there")
}

// answerAs plays a broker that knows ApiVersions v0 and Metadata v4 and names one broker at advertised.
func answerAs(c net.Conn, advertised string) {
	defer c.Close()
	host, port, _ := net.SplitHostPort(advertised)
	n, _ := strconv.Atoi(port)
	for {
		var head [12]byte // size, key, version, correlation id
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		if _, err := io.CopyN(io.Discard, c, int64(binary.BigEndian.Uint32(head[:]))-8); err != nil {
			return
		}
		versions, metadata := kmsg.NewApiVersionsResponse(), kmsg.NewMetadataResponse()
		versions.ApiKeys = []kmsg.ApiVersionsResponseApiKey{{ApiKey: 3, MaxVersion: 4}}
		metadata.Version = 4
		metadata.Brokers = []kmsg.MetadataResponseBroker{{NodeID: 1, Host: host, Port: int32(n)}}
		body := versions.AppendTo(nil)
		if binary.BigEndian.Uint16(head[4:]) == 3 {
			body = metadata.AppendTo(nil)
		}
		answer := binary.BigEndian.AppendUint32(nil, uint32(4+len(body)))
		if _, err := c.Write(append(append(answer, head[8:]...), body...)); err != nil {
			return
		}
	}
}

// TestNotAuthorised uses a cluster on which nobody may do anything.
func TestNotAuthorised(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.EnableACLs(), kfake.SeedTopics(1, "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	c, err := Connect(testContext(t), fake.ListenAddrs())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := testContext(t)
	_, err = c.DescribeTopics(ctx, []string{"secret"})
	mustContain(t, err, `topic "secret"`, "isn't authorised", "DESCRIBE")
	_, err = c.EndOffsets(ctx, []string{"secret"})
	mustContain(t, err, `topic "secret"`, "isn't authorised")
	err = c.CreateTopics(ctx, []TopicSpec{{Name: "new", Partitions: 1, ReplicationFactor: 1}})
	mustContain(t, err, `topic "new"`, "isn't authorised", "CREATE")
}

func TestNearest(t *testing.T) {
	names := []string{"sink", "fake", "kafka"}
	cases := map[string]string{"snik": "sink", "kafak": "kafka", "Kafka": "kafka", "faek": "fake", "redpanda": "", "x": "", "": ""}
	for in, want := range cases {
		if got := nearest(in, names); got != want {
			t.Errorf("nearest(%q) = %q, want %q", in, got, want)
		}
	}
}

// listen answers every connection with handle and returns the address.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go handle(c)
		}
	}()
	return l.Addr().String()
}

// freeAddr is an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
