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

	"kbench/broker"
	"kbench/native"
)

// codecSegments sends the same records with every codec, and compares each line that Kafka's own tool prints of the segments
// with what was sent: headers, null and empty keys and values, times, sequences.
func (k *realKafka) codecSegments(t *testing.T) {
	recs := printable(300)
	codecs := []string{"none", "gzip", "snappy", "lz4", "zstd"}
	var topics []broker.TopicSpec
	for _, codec := range codecs {
		topics = append(topics, broker.TopicSpec{Name: "codec-" + codec, Partitions: 1, ReplicationFactor: 1})
	}
	must(t, k.admin.CreateTopics(ctxFor(t), topics))
	for i, codec := range codecs {
		l := newLedger()
		cfg := k.config([]string{topics[i].Name}, l)
		cfg.TransactionalID, cfg.BatchSize = "", 4000
		cfg.Compression, _ = native.ParseCompression(codec)
		produce(t, open(t, cfg), recs)
		l.check(t, len(recs), false)
	}
	for i, text := range k.dump(t, topics) {
		compareDump(t, text, recs, codecs[i])
	}
}

// printable makes n records of text with all kinds of keys, values and headers, and times of their own: lately, or the broker
// would delete them.
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

// dump is what DumpLogSegments prints of the only segment of each topic's only partition.
func (k *realKafka) dump(t *testing.T, topics []broker.TopicSpec) []string {
	t.Helper()
	cache, err := os.UserCacheDir()
	must(t, err)
	jars := filepath.Join(cache, "kbench", "kafka", dumpVersion, "*")
	var files []string
	for _, topic := range topics {
		found, err := filepath.Glob(filepath.Join(k.dir, "*", "*", "data", topic.Name+"-0", "*.log"))
		if err != nil || len(found) != 1 {
			t.Fatalf("segments of %s: %v, %v", topic.Name, found, err)
		}
		files = append(files, found[0])
	}
	out, err := exec.Command("java", "-Xmx128m", "-Dfile.encoding=UTF-8", "-Dstdout.encoding=UTF-8", "-cp", jars,
		"kafka.tools.DumpLogSegments", "--deep-iteration", "--print-data-log", "--files", strings.Join(files, ",")).CombinedOutput()
	if err != nil {
		t.Fatalf("DumpLogSegments: %v: %s", err, out)
	}
	got := strings.Split(string(out), "Dumping ")[1:]
	if len(got) != len(topics) {
		t.Fatalf("DumpLogSegments: %s", out)
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
	s := fmt.Sprintf("CreateTime: %d keySize: %d valueSize: %d sequence: %d headerKeys: [%s]",
		r.TimestampMS, size(r.Key), size(r.Value), sequence, strings.Join(headers, ","))
	if r.Key != nil {
		s += " key: " + string(r.Key)
	}
	if r.Value != nil {
		s += " payload: " + string(r.Value)
	}
	return s
}

// codecLine is what DumpLogSegments prints of a batch: codec, and whether its checksum is right.
var codecLine = regexp.MustCompile(`^baseOffset: .* compresscodec: (\w+) crc: \d+ isvalid: (\w+)`)

// compareDump holds the tool's lines against the records, which were sent in order.
func compareDump(t *testing.T, got string, recs []native.Record, codec string) {
	t.Helper()
	next, batches := 0, 0
	for text := range strings.Lines(got) {
		text = strings.TrimRight(text, "\n")
		if m := codecLine.FindStringSubmatch(text); m != nil {
			batches++
			if m[1] != codec || m[2] != "true" {
				t.Errorf("%s: %s", codec, text)
			}
			continue
		}
		_, rest, ok := strings.Cut(text, "CreateTime: ")
		switch {
		case !strings.HasPrefix(text, "| offset: ") || !ok:
		case next == len(recs):
			t.Fatalf("%s: more than was sent: %s", codec, text)
		default:
			if want := line(&recs[next], next); "CreateTime: "+rest != want {
				t.Errorf("%s: record %d is printed as\n%s\nwant\n%s", codec, next, "CreateTime: "+rest, want)
			}
			next++
		}
	}
	if next != len(recs) || batches < 2 {
		t.Errorf("%s: %d records in %d batches, want %d:\n%.2000s", codec, next, batches, len(recs), got)
	}
}
