package sink_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/broker/sink"
)

// records is how many records each client sends in a test.
const records = 5000

// endOffsets sums the end offsets of a topic's partitions, as kadm reads them.
func endOffsets(t *testing.T, addr, topic string) (sum int64, partitions int) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	offsets, err := kadm.NewClient(cl).ListEndOffsets(ctx, topic)
	if err != nil {
		t.Fatal(err)
	}
	offsets.Each(func(o kadm.ListedOffset) {
		if o.Err != nil {
			t.Errorf("partition %d: %v", o.Partition, o.Err)
		}
		sum += o.Offset
		partitions++
	})
	return sum, partitions
}

// counted checks that the sink counted what a client sent. Without acks the sink may still be reading.
func counted(t *testing.T, s *sink.Server, addr, topic string) {
	t.Helper()
	for range 1000 {
		if s.Stats().Records >= records {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if got := s.Stats().Records; got != records {
		t.Errorf("%d records counted, want %d", got, records)
	}
	if sum, partitions := endOffsets(t, addr, topic); sum != records || partitions != 12 {
		t.Errorf("%d partitions end at %d in all, want 12 and %d", partitions, sum, records)
	}
}

func TestFranz(t *testing.T) {
	type opts = []kgo.Opt
	tests := map[string]opts{
		"all, idempotent": {},
		"all":             {kgo.DisableIdempotentWrite()},
		"1":               {kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.LeaderAck())},
		"0":               {kgo.DisableIdempotentWrite(), kgo.RequiredAcks(kgo.NoAck())},
		"round robin":     {kgo.RecordPartitioner(kgo.RoundRobinPartitioner())},
		"none":            {kgo.ProducerBatchCompression(kgo.NoCompression())},
		"gzip":            {kgo.ProducerBatchCompression(kgo.GzipCompression())},
		"snappy":          {kgo.ProducerBatchCompression(kgo.SnappyCompression())},
		"lz4":             {kgo.ProducerBatchCompression(kgo.Lz4Compression())},
		"zstd":            {kgo.ProducerBatchCompression(kgo.ZstdCompression())},
	}
	for name, more := range tests {
		t.Run(name, func(t *testing.T) {
			s, addr := start(t, sink.Options{CheckCRC: true, Brokers: 2, Log: func(err error) { t.Log(err) }})
			cl, err := kgo.NewClient(append(opts{kgo.SeedBrokers(addr), kgo.DefaultProduceTopic("t"), kgo.ProducerLinger(time.Millisecond)}, more...)...)
			if err != nil {
				t.Fatal(err)
			}
			defer cl.Close()
			var failed atomic.Int64
			value := make([]byte, 100)
			for range records {
				cl.Produce(context.Background(), &kgo.Record{Value: value}, func(_ *kgo.Record, err error) {
					if err != nil {
						failed.Add(1)
					}
				})
			}
			if err := cl.Flush(context.Background()); err != nil {
				t.Error(err)
			}
			if n := failed.Load(); n > 0 {
				t.Errorf("%d records failed", n)
			}
			counted(t, s, addr, "t")
		})
	}
}

func TestSarama(t *testing.T) {
	tests := []struct {
		name       string
		acks       sarama.RequiredAcks
		idempotent bool
		codec      sarama.CompressionCodec
		version    sarama.KafkaVersion
	}{
		{"all, idempotent", sarama.WaitForAll, true, sarama.CompressionNone, sarama.V2_1_0_0},
		{"all", sarama.WaitForAll, false, sarama.CompressionGZIP, sarama.V2_1_0_0},
		{"1", sarama.WaitForLocal, false, sarama.CompressionSnappy, sarama.V1_0_0_0},
		{"0", sarama.NoResponse, false, sarama.CompressionLZ4, sarama.V0_11_0_0},
		{"newest", sarama.WaitForAll, false, sarama.CompressionZSTD, sarama.MaxVersion},
		{"newest, idempotent", sarama.WaitForAll, true, sarama.CompressionNone, sarama.MaxVersion},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, addr := start(t, sink.Options{CheckCRC: true, Brokers: 2, Log: func(err error) { t.Log(err) }})
			cfg := sarama.NewConfig()
			cfg.Version = tt.version
			cfg.Producer.RequiredAcks = tt.acks
			cfg.Producer.Idempotent = tt.idempotent
			cfg.Producer.Compression = tt.codec
			if tt.idempotent {
				cfg.Net.MaxOpenRequests = 1
			}
			sendSarama(t, addr, cfg)
			counted(t, s, addr, "t")
		})
	}
}

// TestClientsAreHeld sends with both clients while answers are held by several models at once: all records arrive, some
// batches after a retry, and the log has every one of them once.
func TestClientsAreHeld(t *testing.T) {
	for name, send := range map[string]func(*testing.T, string){"franz": sendFranz, "sarama": func(t *testing.T, addr string) {
		cfg := sarama.NewConfig()
		cfg.Producer.RequiredAcks = sarama.WaitForAll
		cfg.Producer.Retry.Max, cfg.Producer.Retry.Backoff = 20, time.Millisecond
		sendSarama(t, addr, cfg)
	}} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "log")
			models := hold(t, "lognormal:median=500us,sigma=0.5", "cap:100000/s", "stall:at=5ms,for=5ms", "error:NOT_ENOUGH_REPLICAS,share=0.1",
				"throttle:1ms,share=0.1", "drift:from=0s,to=1ms,over=10ms")
			s, addr := start(t, sink.Options{Hold: models, HoldSeed: 11, TimingLog: path, Brokers: 2, Log: func(err error) { t.Log(err) }})
			send(t, addr)
			counted(t, s, addr, "t")
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			_, entries := readLog(t, path)
			sum, depart, last := 0, models.Departures(11), map[uint32]int64{}
			for i, e := range entries {
				if e.Code == 0 {
					sum += int(e.Records)
				}
				last[e.Conn] = max(last[e.Conn], depart(e.Arrival, int(e.Records)))
				if e.Planned != last[e.Conn] || e.Departed < e.Planned {
					t.Errorf("request %d: planned %d, departed %d, want %d", i, e.Planned, e.Departed, last[e.Conn])
				}
			}
			if sum != records {
				t.Errorf("%d records in the log, want %d", sum, records)
			}
		})
	}
}

func sendFranz(t *testing.T, addr string) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic("t"), kgo.ProducerLinger(0), kgo.DisableIdempotentWrite(),
		kgo.MaxProduceRequestsInflightPerBroker(5))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for range records {
		cl.Produce(context.Background(), &kgo.Record{Value: make([]byte, 100)}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
	}
	if err := cl.Flush(context.Background()); err != nil {
		t.Error(err)
	}
}

func sendSarama(t *testing.T, addr string, cfg *sarama.Config) {
	cfg.Producer.Return.Successes = true
	p, err := sarama.NewAsyncProducer([]string{addr}, cfg)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range records {
			p.Input() <- &sarama.ProducerMessage{Topic: "t", Value: sarama.ByteEncoder(make([]byte, 100))}
		}
	}()
	for range records {
		select {
		case <-p.Successes():
		case err := <-p.Errors():
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
}

// TestAdmin does with kadm what a run does around its load.
func TestAdmin(t *testing.T) {
	_, addr := start(t, sink.Options{Brokers: 3})
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	adm := kadm.NewClient(cl)
	value := "zstd"
	created, err := adm.CreateTopic(ctx, 7, 3, map[string]*string{"compression.type": &value}, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	if created.NumPartitions != 7 || created.ReplicationFactor != 3 {
		t.Errorf("created %+v", created)
	}
	if _, err := adm.CreateTopic(ctx, 7, 3, nil, "run-1"); err == nil {
		t.Error("created twice")
	}
	configs, err := adm.DescribeTopicConfigs(ctx, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range configs[0].Configs {
		got[c.Key] = fmt.Sprint(c.MaybeValue(), " ", c.Source)
	}
	want := map[string]string{"compression.type": "zstd DYNAMIC_TOPIC_CONFIG", "max.message.bytes": "1048588 DEFAULT_CONFIG"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("configs (-want +got):\n%s", diff)
	}
	topics, err := adm.ListTopics(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"run-1"}, topics.Names()); diff != "" {
		t.Errorf("topics (-want +got):\n%s", diff)
	}
	if sum, partitions := endOffsets(t, addr, "run-1"); sum != 0 || partitions != 7 {
		t.Errorf("%d partitions end at %d in all", partitions, sum)
	}
	if _, err := adm.DeleteTopic(ctx, "run-1"); err != nil {
		t.Error(err)
	}
	if md := metadata(t, dial(t, addr), 12); len(md.Topics) > 0 { // kadm's own view is a cached one
		t.Errorf("topics after the deletion: %+v", md.Topics)
	}
	if md, err := adm.BrokerMetadata(ctx); err != nil || len(md.Brokers) != 3 {
		t.Errorf("brokers: %+v, %v", md.Brokers, err)
	}
}

// TestConsumersAreTold checks that reading from a sink is an error that a consumer sees, not silence.
func TestConsumersAreTold(t *testing.T) {
	_, addr := start(t, sink.Options{})
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics("t"))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if errs := cl.PollFetches(ctx).Errors(); len(errs) == 0 || ctx.Err() != nil {
		t.Errorf("polled: %v", errs)
	}
}
