package native_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"kbench/broker"
	"kbench/native"
)

// dumpVersion is the Kafka whose own jars hold DumpLogSegments; later ones have it in another artifact. Segments of all of
// them have the same form.
const dumpVersion = "3.9.1"

// TestTransactionsOnKafka runs transactions on real brokers of both protocols. KBENCH_TEST_KAFKA=1 asks for it.
func TestTransactionsOnKafka(t *testing.T) {
	if os.Getenv("KBENCH_TEST_KAFKA") != "1" {
		t.Skip("KBENCH_TEST_KAFKA=1 runs the tests with real Kafka")
	}
	for _, version := range []string{"3.9.1", "4.3.1"} {
		t.Run(version, func(t *testing.T) {
			k := startKafka(t, version)
			if k.v2 {
				t.Run("upgrade", k.upgrade)
			}
			for name, test := range map[string]func(*testing.T){
				"commits and aborts": k.commitsAndAborts, "offsets": k.offsets, "offsets of a lost member": k.lostMember, "offsets of no topic": k.unknownOffsets,
				"metadata too large": k.largeMetadata,
				"refused record":     k.refusedRecord, "twin": k.twin, "time-out": k.timeOut, "time-out too long": k.timeOutTooLong,
				"close": k.closes, "many": k.many,
				"segments": k.segments, "segments of every codec": k.codecSegments,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(t)
				})
			}
		})
	}
}

// realKafka is one broker.
type realKafka struct {
	v2    bool
	dir   string
	addrs []string
	admin *broker.Cluster
}

func startKafka(t *testing.T, version string) *realKafka {
	t.Helper()
	dir := t.TempDir()
	target, err := broker.Start(ctxFor(t), broker.Spec{Kind: broker.KindKafka, Version: version, Dir: dir, Properties: map[string]string{
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "200"}})
	must(t, err)
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
	admin, err := broker.Connect(ctxFor(t), target.Bootstrap)
	must(t, err)
	t.Cleanup(admin.Close)
	return &realKafka{v2: version[0] >= '4', dir: dir, addrs: target.Bootstrap, admin: admin}
}

// topics makes two topics of three partitions, named after the test.
func (k *realKafka) topics(t *testing.T) []string {
	t.Helper()
	name := regexp.MustCompile(`[^a-zA-Z0-9.-]+`).ReplaceAllString(t.Name(), "-")
	names := []string{name + "-a", name + "-b"}
	must(t, k.admin.CreateTopics(ctxFor(t), []broker.TopicSpec{
		{Name: names[0], Partitions: 3, ReplicationFactor: 1}, {Name: names[1], Partitions: 3, ReplicationFactor: 1}}))
	return names
}

func (k *realKafka) config(topics []string, l *ledger) native.Config {
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck, cfg.TransactionalID = k.addrs, topics, l.ack, topics[0]
	return cfg
}

// reads checks what a read_committed consumer sees.
func (k *realKafka) reads(t *testing.T, topics []string, want []string) {
	t.Helper()
	if got := committed(t, k.addrs, topics...); !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

func (k *realKafka) commitsAndAborts(t *testing.T) {
	topics, l := k.topics(t), newLedger()
	p := open(t, k.config(topics, l))
	must(t, p.InitTransactions(ctxFor(t)))
	commitsAndAborts(t, p)

	must(t, p.BeginTransaction()) // without a record
	must(t, p.AbortTransaction(ctxFor(t)))
	l.check(t, 50, true)
	k.reads(t, topics, values(10, "one", "two", "three"))
	if v := p.Stats().ProduceVersion; (v > 11) != k.v2 {
		t.Errorf("Produce %d", v)
	}
}

// upgrade has the cluster go over to transaction.version 2 under a producer, which follows it between two transactions with a
// new epoch.
func (k *realKafka) upgrade(t *testing.T) {
	finalize(t, k.addrs, 0)
	topics, l := k.topics(t), newLedger()
	cfg := k.config(topics, l)
	// It hears of the change on new connections, and looks whether one is idle request.timeout.ms after its last request.
	cfg.ConnectionsMaxIdle, cfg.RequestTimeout = 50*time.Millisecond, 500*time.Millisecond
	p := open(t, cfg)
	must(t, p.InitTransactions(ctxFor(t)))
	n, want := 0, []string{}
	transaction := func() {
		t.Helper()
		name := fmt.Sprintf("round%03d", n/6)
		must(t, p.BeginTransaction())
		must(t, p.Produce(ctxFor(t), texts(n, 6, name)))
		must(t, p.CommitTransaction(ctxFor(t)))
		n, want = n+6, append(want, values(6, name)...)
	}
	transaction()
	transaction()
	if v := p.Stats().ProduceVersion; v > 11 {
		t.Errorf("Produce %d before the upgrade", v)
	}
	finalize(t, k.addrs, 2)
	for deadline := time.Now().Add(20 * time.Second); p.Stats().ProduceVersion < 12; {
		if time.Now().After(deadline) {
			t.Fatalf("Produce %d after the upgrade", p.Stats().ProduceVersion)
		}
		time.Sleep(600 * time.Millisecond)
		transaction()
	}
	transaction()
	l.check(t, n, false)
	k.reads(t, topics, want)
}

func (k *realKafka) offsets(t *testing.T) {
	topics := k.topics(t)
	p := begin(t, k.config(topics, newLedger()))
	group := native.GroupMetadata{Group: topics[0]}
	commit := func(offset int64, end func() error) {
		t.Helper()
		must(t, p.Produce(ctxFor(t), texts(0, 6, "x")))
		must(t, p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{
			{Topic: topics[1], Partition: 2, Offset: offset, LeaderEpoch: -1, Metadata: "m"},
			{Topic: topics[0], Partition: 1, Offset: offset, LeaderEpoch: -1}}, group))
		must(t, end())
	}
	commit(5, func() error { return p.CommitTransaction(ctxFor(t)) })
	must(t, p.BeginTransaction())
	commit(7, func() error { return p.AbortTransaction(ctxFor(t)) })
	must(t, p.BeginTransaction()) // with offsets alone
	must(t, p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{{Topic: topics[0], Partition: 0, Offset: 3, LeaderEpoch: -1}}, group))
	must(t, p.CommitTransaction(ctxFor(t)))
	want := fmt.Sprintf("%[1]s0=3 %[1]s1=5 %[2]s2=5m", topics[0], topics[1])
	// Kafka shows offsets once the transaction's markers are written, shortly after the commit.
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got := groupOffsets(t, k.addrs, topics[0])
		if got == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the group's offsets are %s, want %s", got, want)
		}
	}
}

// lostMember commits for a member that the group doesn't have: the transaction is to be aborted, and the producer goes on.
func (k *realKafka) lostMember(t *testing.T) {
	topics := k.topics(t)
	p := begin(t, k.config(topics, newLedger()))
	err := p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{{Topic: topics[0], Offset: 3, LeaderEpoch: -1}},
		native.GroupMetadata{Group: topics[0], Member: "gone", Generation: 4})
	var code *native.Error
	if !errors.Is(err, native.ErrTransactionAbortable) || !errors.As(err, &code) || code.Code != 22 && code.Code != 25 {
		t.Errorf("a lost member's offsets: %v", err)
	}
	must(t, p.AbortTransaction(ctxFor(t)))
	must(t, p.BeginTransaction())
	must(t, p.Produce(ctxFor(t), texts(0, 6, "after")))
	must(t, p.CommitTransaction(ctxFor(t)))
	k.reads(t, topics, values(6, "after"))
}

// largeMetadata sends an offset with more metadata than the broker keeps, beside a good one: the transaction is to be aborted,
// and the producer goes on.
func (k *realKafka) largeMetadata(t *testing.T) {
	topics := k.topics(t)
	p := begin(t, k.config(topics, newLedger()))
	must(t, p.Produce(ctxFor(t), texts(0, 6, "lost")))
	group := native.GroupMetadata{Group: topics[0]}
	err := p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{{Topic: topics[0], Offset: 3, LeaderEpoch: -1},
		{Topic: topics[0], Partition: 1, Offset: 4, LeaderEpoch: -1, Metadata: strings.Repeat("m", 5000)}}, group)
	if !errors.Is(err, native.ErrTransactionAbortable) || !errors.Is(err, &native.Error{Code: 12}) || !strings.Contains(err.Error(), "offset.metadata.max.bytes") {
		t.Errorf("metadata too large: %v", err)
	}
	must(t, p.AbortTransaction(ctxFor(t)))
	must(t, p.BeginTransaction())
	must(t, p.Produce(ctxFor(t), texts(6, 6, "after")))
	must(t, p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{{Topic: topics[0], Partition: 1, Offset: 5, LeaderEpoch: -1}}, group))
	must(t, p.CommitTransaction(ctxFor(t)))
	k.reads(t, topics, values(6, "after"))
	if got, want := groupOffsets(t, k.addrs, group.Group), topics[0]+"1=5"; got != want {
		t.Errorf("the group's offsets are %s, want %s", got, want)
	}
}

// unknownOffsets sends offsets of a topic that isn't there, with a transaction's records and alone.
func (k *realKafka) unknownOffsets(t *testing.T) {
	topics, l := k.topics(t), newLedger()
	p := open(t, k.config(topics, l))
	must(t, p.InitTransactions(ctxFor(t)))
	for first := range 2 {
		must(t, p.BeginTransaction())
		if first == 0 {
			must(t, p.Produce(ctxFor(t), texts(0, 6, "lost")))
			must(t, p.Flush(ctxFor(t)))
		}
		send := func(ctx context.Context) error {
			return p.SendOffsetsToTransaction(ctx, []native.Offset{{Topic: "nowhere", Partition: 9, Offset: 1}}, native.GroupMetadata{Group: topics[0]})
		}
		pendingFor(t, send, &native.Error{Code: 3}, native.ErrUnknownTopic.Error(), `partition 9 of topic "nowhere"`)
		pendingFor(t, p.CommitTransaction, &native.Error{Code: 3}, "nowhere")
		must(t, p.AbortTransaction(ctxFor(t)))
	}
	must(t, p.BeginTransaction())
	must(t, p.Produce(ctxFor(t), texts(6, 6, "next")))
	must(t, p.CommitTransaction(ctxFor(t)))
	l.check(t, 12, false)
	k.reads(t, topics, values(6, "next"))
}

// refusedRecord has the leader refuse a record: the transaction is to be aborted, and the producer goes on with a new epoch.
func (k *realKafka) refusedRecord(t *testing.T) {
	topics, l := k.topics(t), newLedger()
	cfg := k.config(topics, l)
	cfg.MaxRequestSize, cfg.Linger = 4<<20, 0
	p := begin(t, cfg)
	must(t, p.Produce(ctxFor(t), texts(0, 6, "before")))
	must(t, p.Flush(ctxFor(t)))
	must(t, p.Produce(ctxFor(t), []native.Record{{Slot: 6, Value: make([]byte, 2<<20)}}))
	must(t, p.Produce(ctxFor(t), texts(7, 6, "behind")))
	if err := p.CommitTransaction(ctxFor(t)); !errors.Is(err, native.ErrTransactionAbortable) || !errors.Is(err, &native.Error{Code: 10}) {
		t.Errorf("commit: %v", err)
	}
	must(t, p.AbortTransaction(ctxFor(t)))
	for i := range 3 {
		must(t, p.BeginTransaction())
		must(t, p.Produce(ctxFor(t), texts(13+6*i, 6, fmt.Sprint("after", i))))
		must(t, p.CommitTransaction(ctxFor(t)))
	}
	l.check(t, 31, true)
	k.reads(t, topics, values(6, "after0", "after1", "after2"))
}

func (k *realKafka) twin(t *testing.T) {
	topics, l := k.topics(t), newLedger()
	p := begin(t, k.config(topics, l))
	must(t, p.Produce(ctxFor(t), texts(0, 6, "first")))
	must(t, p.Flush(ctxFor(t)))
	q := begin(t, k.config(topics, newLedger()))
	must(t, q.Produce(ctxFor(t), texts(0, 6, "twin")))
	must(t, p.Produce(ctxFor(t), texts(6, 6, "late")))
	must(t, q.CommitTransaction(ctxFor(t)))
	err := p.CommitTransaction(ctxFor(t))
	if errors.Is(err, native.ErrTransactionAbortable) { // the leaders refused its records
		err = p.AbortTransaction(ctxFor(t))
	}
	if !errors.Is(err, native.ErrProducerFenced) || !errors.Is(err, native.ErrTransactionFatal) {
		t.Errorf("the first one ends with %v", err)
	}
	if err := p.BeginTransaction(); !errors.Is(err, native.ErrProducerFenced) {
		t.Errorf("the first one's next transaction: %v", err)
	}
	l.check(t, 12, true)
	k.reads(t, topics, values(6, "twin"))
}

// timeOut lets a transaction take longer than transaction.timeout.ms: its coordinator aborts it with a new epoch, and leaders
// refuse the old one. With transaction.version 2 the producer goes on after AbortTransaction; before, it is fenced (KIP-588
// would have changed that, but Java's client ends there too).
func (k *realKafka) timeOut(t *testing.T) {
	topics, l := k.topics(t), newLedger()
	cfg := k.config(topics, l)
	cfg.TransactionTimeout = time.Second
	p := begin(t, cfg)
	must(t, p.Produce(ctxFor(t), texts(0, 6, "old")))
	must(t, p.Flush(ctxFor(t)))
	// A record goes out now and then until one is refused.
	n := 6
	for deadline := time.Now().Add(30 * time.Second); ; n++ {
		time.Sleep(100 * time.Millisecond)
		if err := p.Produce(ctxFor(t), texts(n, 1, "more")); err != nil {
			if !errors.Is(err, native.ErrTransactionAbortable) {
				t.Error("it isn't abortable")
			}
			break
		}
		must(t, p.Flush(ctxFor(t)))
		if time.Now().After(deadline) {
			t.Fatal("the transaction doesn't end")
		}
	}
	if err := p.CommitTransaction(ctxFor(t)); !errors.Is(err, native.ErrTransactionAbortable) {
		t.Errorf("commit: %v", err)
	}
	err := p.AbortTransaction(ctxFor(t))
	l.check(t, n+1, true)
	if k.v2 { // the coordinator tells the epoch that it went on to
		must(t, err)
		must(t, p.BeginTransaction())
	} else {
		if !errors.Is(err, native.ErrProducerFenced) || !errors.Is(err, native.ErrTransactionFatal) {
			t.Errorf("abort: %v", err)
		}
		p = begin(t, cfg)
	}
	must(t, p.Produce(ctxFor(t), texts(1000, 6, "new")))
	must(t, p.CommitTransaction(ctxFor(t)))
	k.reads(t, topics, values(6, "new"))
}

// timeOutTooLong asks for more than the broker allows.
func (k *realKafka) timeOutTooLong(t *testing.T) {
	cfg := k.config(k.topics(t), newLedger())
	cfg.TransactionTimeout = time.Hour
	err := open(t, cfg).InitTransactions(ctxFor(t))
	says(t, "InitTransactions", err, native.ErrTransactionFatal, "transaction.timeout.ms = 3600000", "transaction.max.timeout.ms")
}

// closes in a transaction: it is aborted, so that readers go on at once.
func (k *realKafka) closes(t *testing.T) {
	topics, l := k.topics(t), newLedger()
	p := begin(t, k.config(topics, l))
	must(t, p.Produce(ctxFor(t), texts(0, 6, "open")))
	must(t, p.Flush(ctxFor(t)))
	must(t, p.Produce(ctxFor(t), texts(6, 6, "unsent")))
	must(t, p.Close())
	l.check(t, 12, true)
	q := begin(t, k.config(topics, newLedger()))
	must(t, q.Produce(ctxFor(t), texts(0, 6, "next")))
	must(t, q.CommitTransaction(ctxFor(t)))
	k.reads(t, topics, values(6, "next"))
}

// many goes through a lot of small transactions, every third aborted.
func (k *realKafka) many(t *testing.T) {
	topics, l := k.topics(t), newLedger()
	p := open(t, k.config(topics, l))
	must(t, p.InitTransactions(ctxFor(t)))
	want := []string{}
	const rounds = 60
	began := time.Now()
	for i := range rounds {
		must(t, p.BeginTransaction())
		name := fmt.Sprintf("round%03d", i)
		must(t, p.Produce(ctxFor(t), texts(12*i, 12, name)))
		if i%3 == 2 {
			must(t, p.Flush(ctxFor(t)))
			must(t, p.AbortTransaction(ctxFor(t)))
			continue
		}
		must(t, p.CommitTransaction(ctxFor(t)))
		want = append(want, values(12, name)...)
	}
	t.Logf("%.1f ms a transaction", float64(time.Since(began).Milliseconds())/rounds)
	l.check(t, 12*rounds, false)
	k.reads(t, topics, want)
}

var (
	batchLine   = regexp.MustCompile(`producerId: (\d+) producerEpoch: (\d+) .*isTransactional: (true|false) isControl: (true|false)`)
	controlLine = regexp.MustCompile(`endTxnMarker: (COMMIT|ABORT)`)
)

// segments commits and aborts, and reads Kafka's own dump of what is in the log.
func (k *realKafka) segments(t *testing.T) {
	topics, l := k.topics(t), newLedger()
	p := open(t, k.config(topics, l))
	must(t, p.InitTransactions(ctxFor(t)))
	one := []native.Record{{Topic: 0, Partition: 1, Key: []byte("k"), Value: []byte("v"), Headers: []native.Header{{Key: "h"}}}}
	for i := range 4 {
		must(t, p.BeginTransaction())
		must(t, p.Produce(ctxFor(t), one))
		must(t, p.Flush(ctxFor(t)))
		end := p.CommitTransaction
		if i%2 == 1 {
			end = p.AbortTransaction
		}
		must(t, end(ctxFor(t)))
	}
	k.reads(t, topics, []string{"v", "v"})
	var logs []string
	must(t, filepath.WalkDir(k.dir, func(path string, _ os.DirEntry, err error) error {
		if filepath.Base(filepath.Dir(path)) == topics[0]+"-1" && filepath.Ext(path) == ".log" {
			logs = append(logs, path)
		}
		return err
	}))
	cache, err := os.UserCacheDir()
	must(t, err)
	jars := filepath.Join(cache, "kbench", "kafka", dumpVersion, "*")
	var stderr bytes.Buffer
	cmd := exec.Command("java", "-Xmx64m", "-cp", jars, "kafka.tools.DumpLogSegments", "--print-data-log", "--files", strings.Join(logs, ","))
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("DumpLogSegments: %v\n%s%s", err, out, stderr.Bytes())
	}
	var got []string
	epochs := map[string]bool{}
	for _, line := range strings.Split(string(out), "\n") {
		if m := batchLine.FindStringSubmatch(line); m != nil && strings.HasPrefix(line, "baseOffset") {
			if m[3] != "true" {
				t.Errorf("not transactional: %s", line)
			}
			if m[4] == "false" {
				got = append(got, "DATA")
				epochs[m[2]] = true
			}
			if strings.Contains(line, "isvalid: false") {
				t.Errorf("invalid: %s", line)
			}
		}
		if m := controlLine.FindStringSubmatch(line); m != nil {
			got = append(got, m[1])
		}
	}
	if want := "DATA COMMIT DATA ABORT DATA COMMIT DATA ABORT"; strings.Join(got, " ") != want {
		t.Errorf("the log has %v, want %s\n%s", got, want, out)
	}
	if want := map[bool]int{false: 1, true: 4}[k.v2]; len(epochs) != want {
		t.Errorf("epochs %v, want %d", epochs, want)
	}
}
