package driver

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/workload"
)

// encoded is the length of the record as kmsg encodes it.
func encoded(r *workload.Record, timestampDelta int64, offsetDelta int32) int {
	rec := kmsg.Record{TimestampDelta64: timestampDelta, OffsetDelta: offsetDelta, Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		rec.Headers = append(rec.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
	}
	body := len(rec.AppendTo(nil)) - 1 // without the length, which is 0 in one byte
	rec.Length = int32(body)
	return len(rec.AppendTo(nil))
}

func TestSizes(t *testing.T) {
	big := []byte(strings.Repeat("x", 100000))
	for name, r := range map[string]workload.Record{
		"nulls":   {},
		"empties": {Key: []byte{}, Value: []byte{}},
		"small":   {Key: []byte("key"), Value: []byte("value")},
		"big":     {Key: big[:300], Value: big},
		"headers": {Value: big[:63], Headers: []workload.Header{{Key: "null"}, {Key: "", Value: []byte{}}, {Key: "long", Value: big[:9000]}}},
	} {
		if got, want := EncodedSize(&r), encoded(&r, 3, 64); got != want {
			t.Errorf("%s: EncodedSize %d, want %d", name, got, want)
		}
		if got, least := SizeBound(&r), BatchOverhead+encoded(&r, 1<<40, 1<<30); got < least {
			t.Errorf("%s: SizeBound %d is less than the size %d", name, got, least)
		}
	}
}

// TestSizeLimit goes over every size around a limit: the short cut must agree with SizeBound.
func TestSizeLimit(t *testing.T) {
	for _, limit := range []int{1, 100, 400, 20000} {
		l := NewSizeLimit(limit)
		for headers := range 20 {
			r := workload.Record{Headers: make([]workload.Header, headers)}
			for n := max(0, limit-400); n < limit+10; n++ {
				r.Value = make([]byte, n)
				if got, want := l.Exceeded(&r, r.Size()), SizeBound(&r) > limit; got != want {
					t.Fatalf("limit %d, %d headers, %d bytes: exceeded %t, want %t", limit, headers, n, got, want)
				}
			}
		}
	}
}

// TestSizeBoundIsJavas compares with AbstractRecords.estimateSizeInBytesUpperBound: 61 + 21 + the sizes with their lengths.
func TestSizeBoundIsJavas(t *testing.T) {
	r := workload.Record{Value: make([]byte, 1000)}
	if got, want := SizeBound(&r), 61+21+1+2+1000+1; got != want {
		t.Errorf("SizeBound %d, want %d", got, want)
	}
}
