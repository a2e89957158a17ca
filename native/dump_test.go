package native_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/broker"
	"kbench/native"
)

// dumpVersion is the Kafka whose DumpLogSegments reads the segments: the last one that has it among the broker's own jars.
const dumpVersion = "3.9.1"

// TestDumpLogSegments has Kafka's own tool print the segments that brokers of both lines wrote of the producer's batches, and
// compares every line with what was sent: every codec, headers, null and empty keys and values, transactions.
func TestDumpLogSegments(t *testing.T) {
	if os.Getenv("KBENCH_TEST_KAFKA") != "1" {
		t.Skip("KBENCH_TEST_KAFKA=1 runs the tests with real Kafka")
	}
	for _, version := range []string{dumpVersion, "4.3.1"} {
		t.Run(version, func(t *testing.T) {
			target, err := broker.Start(ctxFor(t), broker.Spec{Kind: broker.KindKafka, Version: version})
			must(t, err)
			t.Cleanup(func() { must(t, target.Close()) })
			data := filepath.Join(filepath.Dir(target.Nodes()[0].Log), "data")
			codecs := []string{"none", "gzip", "snappy", "lz4", "zstd"}
			recs := printable(300)
			for _, codec := range codecs {
				produce(t, open(t, dumped(t, target, codec)), recs)
			}
			few := printable(20)
			cfg := dumped(t, target, "transactions")
			cfg.Compression, cfg.TransactionalID = native.CompressionZstd, "dumped"
			p := begin(t, cfg)
			must(t, p.Produce(ctxFor(t), few[:10]))
			must(t, p.CommitTransaction(ctxFor(t)))
			must(t, p.BeginTransaction())
			must(t, p.Produce(ctxFor(t), few[10:]))
			must(t, p.Flush(ctxFor(t)))
			must(t, p.AbortTransaction(ctxFor(t)))
			// The markers are written after the answer; the next transaction has to wait for them.
			must(t, p.BeginTransaction())
			must(t, p.Produce(ctxFor(t), few[:1]))
			must(t, p.CommitTransaction(ctxFor(t)))
			got := dump(t, data, append(codecs, "transactions")...)
			for _, codec := range codecs {
				compareDump(t, got[codec], recs, codec, false)
			}
			before, _, _ := strings.Cut(got["transactions"], fmt.Sprintf("\nbaseOffset: %d ", len(few)+2))
			compareDump(t, before, few, "zstd", true)
		})
	}
}

// dumped makes a topic of one partition and a configuration for it; a codec's name as the topic's is also the codec.
func dumped(t *testing.T, target *broker.Target, topic string) native.Config {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(target.Bootstrap...))
	must(t, err)
	defer cl.Close()
	resp, err := kadm.NewClient(cl).CreateTopics(ctxFor(t), 1, 1, nil, topic)
	must(t, err)
	must(t, resp.Error())
	awaitLeaders(t, cl, []string{topic})
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck = target.Bootstrap, []string{topic}, func(a native.Ack) {
		if a.Err != nil {
			t.Errorf("%s: %v", topic, a.Err)
		}
	}
	cfg.BatchSize = 4000
	cfg.Compression, _ = native.ParseCompression(topic)
	return cfg
}

// printable makes n records of text with all kinds of keys, values and headers, and times of their own: lately, or the broker
// would put the end of a transaction into a segment of its own.
func printable(n int) []native.Record {
	startMS := time.Now().UnixMilli() - 1000
	recs := make([]native.Record, n)
	for i := range recs {
		r := &recs[i]
		*r = native.Record{Slot: uint32(i), Partition: 0, TimestampMS: startMS + int64(i*i%977), Value: fmt.Appendf(nil, "value-%d", i)}
		switch i % 6 {
		case 1:
			r.Key = fmt.Appendf(nil, "key-%d", i)
		case 2:
			r.Key, r.Headers = []byte{}, []native.Header{{Key: "one", Value: []byte("1")}, {Key: "null"}, {Key: "", Value: []byte{}}}
		case 3:
			r.Value = []byte(strings.Repeat("long ", i))
		case 4:
			r.Key, r.Value = fmt.Append(nil, i), nil
		case 5:
			r.Value, r.Headers = []byte{}, []native.Header{{Key: "schlüssel", Value: []byte("wert")}}
		}
	}
	return recs
}

// dump is what DumpLogSegments prints of the only segments of the topics' partitions, by topic.
func dump(t *testing.T, data string, topics ...string) map[string]string {
	t.Helper()
	cache, err := os.UserCacheDir()
	must(t, err)
	jars := filepath.Join(cache, "kbench", "kafka", dumpVersion, "*")
	var files []string
	for _, topic := range topics {
		files = append(files, filepath.Join(data, topic+"-0", "00000000000000000000.log"))
	}
	out, err := exec.Command("java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-cp", jars,
		"kafka.tools.DumpLogSegments", "--deep-iteration", "--print-data-log", "--files", strings.Join(files, ",")).CombinedOutput()
	if err != nil {
		t.Fatalf("DumpLogSegments: %v: %s", err, out)
	}
	got := map[string]string{}
	for i, text := range strings.Split(string(out), "Dumping ")[1:] {
		got[topics[i]] = text
	}
	return got
}

// line is what DumpLogSegments prints of a record, from its time on.
func line(r *native.Record, sequence int) string {
	size := func(b []byte) int {
		if b == nil {
			return -1
		}
		return len(b)
	}
	var headers []string
	for _, h := range r.Headers {
		headers = append(headers, h.Key)
	}
	s := fmt.Sprintf("CreateTime: %d keySize: %d valueSize: %d sequence: %d headerKeys: [%s]", r.TimestampMS, size(r.Key), size(r.Value), sequence, strings.Join(headers, ","))
	if r.Key != nil {
		s += " key: " + string(r.Key)
	}
	if r.Value != nil {
		s += " payload: " + string(r.Value)
	}
	return s
}

var batchLine = regexp.MustCompile(`^baseOffset: (\d+) lastOffset: (\d+) count: (\d+) baseSequence: (-?\d+) .*isTransactional: (\w+) isControl: (\w+) .*compresscodec: (\w+) crc: \d+ isvalid: (\w+)`)

// compareDump holds the tool's lines against the records, which were sent in order. In transactions, the first half was
// committed and the second aborted, and the sequences of the second may begin anew: with a new epoch they do.
func compareDump(t *testing.T, got string, recs []native.Record, codec string, transactional bool) {
	t.Helper()
	next, base, batches := 0, 0, 0 // record, its sequence less those before it in the batch's epoch
	var markers []string
	for text := range strings.Lines(got) {
		text = strings.TrimRight(text, "\n")
		if m := batchLine.FindStringSubmatch(text); m != nil {
			control := m[6] == "true"
			if m[8] != "true" || m[5] != fmt.Sprint(transactional) || !control && m[7] != codec {
				t.Errorf("%s: %s", codec, text)
			}
			if !control {
				batches++
				if transactional && next == len(recs)/2 && m[4] == "0" {
					base = next
				}
			}
			continue
		}
		_, rest, ok := strings.Cut(text, "CreateTime: ")
		switch {
		case !strings.HasPrefix(text, "| offset: ") || !ok:
		case strings.Contains(rest, "endTxnMarker: "):
			_, marker, _ := strings.Cut(rest, "endTxnMarker: ")
			marker, _, _ = strings.Cut(marker, " ")
			markers = append(markers, fmt.Sprint(next, marker))
		case next == len(recs):
			t.Fatalf("%s: more than was sent: %s", codec, text)
		default:
			if want := line(&recs[next], next-base); "CreateTime: "+rest != want {
				t.Errorf("%s: record %d is printed as\n%s\nwant\n%s", codec, next, "CreateTime: "+rest, want)
			}
			next++
		}
	}
	if next != len(recs) || batches == 0 {
		t.Errorf("%s: %d records in %d batches, want %d:\n%.2000s", codec, next, batches, len(recs), got)
	}
	want := "[]"
	if transactional {
		want = fmt.Sprintf("[%dCOMMIT %dABORT]", len(recs)/2, len(recs))
	}
	if fmt.Sprint(markers) != want {
		t.Errorf("%s: ends of transactions are %v, want %s", codec, markers, want)
	}
}
