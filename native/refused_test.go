package native_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kbench/native"
)

// upTo is what a broker speaks whose Produce API ends with a version.
func upTo(produce int16) kfake.Opt {
	v := kversion.Stable()
	v.SetMaxKeyVersion(int16(kmsg.Produce), produce)
	return kfake.MaxVersions(v)
}

// TestVersionRefused: New says at once that a broker is too old, for this producer or for its codec.
func TestVersionRefused(t *testing.T) {
	for _, tc := range []struct {
		produce int16
		codec   native.Compression
		says    []string // nothing: it works
	}{
		{2, native.CompressionNone, []string{" of Produce", "this producer 3–13"}},
		{6, native.CompressionZstd, []string{"compression.type", "zstd", "version 7", "up to 6"}},
		{6, native.CompressionLZ4, nil},
		{7, native.CompressionZstd, nil},
	} {
		t.Run(fmt.Sprint(tc.produce, " ", tc.codec), func(t *testing.T) {
			c, l := cluster(t, upTo(tc.produce)), newLedger()
			cfg := config(c, l)
			cfg.Compression = tc.codec
			p, err := native.New(ctxFor(t), cfg)
			if err == nil {
				defer p.Close()
			}
			if tc.says == nil {
				if err != nil {
					t.Fatal(err)
				}
				recs := records(0, 300)
				produce(t, p, recs)
				l.check(t, len(recs), false)
				readBack(t, c.ListenAddrs(), l, recs)
				return
			}
			if !errors.Is(err, native.ErrUnsupported) {
				t.Fatalf("%v isn't %v", err, native.ErrUnsupported)
			}
			for _, part := range append(tc.says, cfg.Bootstrap[0]) {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q doesn't say %q", err, part)
				}
			}
		})
	}
}

// TestBatchRefused has a broker refuse what it is sent for one partition, for good: each of the records there ends once, with
// that error, and no other does; what follows goes on.
func TestBatchRefused(t *testing.T) {
	for _, e := range []*kerr.Error{
		kerr.TopicAuthorizationFailed, kerr.InvalidTopicException, kerr.UnsupportedCompressionType, kerr.InvalidRecord, kerr.InvalidTimestamp,
		kerr.PolicyViolation, kerr.UnsupportedForMessageFormat, kerr.InvalidRequiredAcks, kerr.UnknownServerError,
	} {
		for _, idempotent := range []bool{true, false} {
			t.Run(fmt.Sprint(e.Message, " idempotent ", idempotent), func(t *testing.T) {
				t.Parallel()
				c, l := cluster(t), newLedger()
				cfg := config(c, l)
				cfg.EnableIdempotence = idempotent
				p := open(t, cfg)
				c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 1, Partitions: []int32{1}})
				recs := records(0, 20)
				for i := range recs {
					recs[i].Topic, recs[i].Partition = 0, int32(i%2)
				}
				produce(t, p, recs)
				l.check(t, len(recs), true)
				for _, r := range recs {
					got, _ := l.get(r.Slot)
					var ke *native.Error
					switch {
					case r.Partition == 0 && got.err != nil:
						t.Errorf("slot %d of the other partition: %v", r.Slot, got.err)
					case r.Partition == 1 && (!errors.As(got.err, &ke) || ke.Code != e.Code || !errors.Is(got.err, &native.Error{Code: e.Code})):
						t.Errorf("slot %d ended with %v, want %d", r.Slot, got.err, e.Code)
					case r.Partition == 1 && !strings.Contains(got.err.Error(), fmt.Sprintf("%s (%d)", e.Message, e.Code)):
						t.Errorf("%q doesn't name %s", got.err, e.Message)
					}
				}
				more := records(20, 20)
				for i := range more {
					more[i].Topic, more[i].Partition = 0, 1
				}
				produce(t, p, more)
				l.check(t, len(recs)+len(more), true)
				for _, r := range more {
					if got, _ := l.get(r.Slot); got.err != nil {
						t.Fatalf("slot %d, sent later: %v", r.Slot, got.err)
					}
				}
			})
		}
	}
}

// TestRefusalTexts: a record that never leaves says which setting stands against it.
func TestRefusalTexts(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.MaxRequestSize, cfg.BufferMemory, cfg.BatchSize, cfg.MaxBlock = 100_000, 40_000, 1000, 20*time.Millisecond
	p := open(t, cfg)
	produce(t, p, []native.Record{
		{Slot: 0, Partition: -1, Value: make([]byte, 200_000)},
		{Slot: 1, Partition: -1, Value: make([]byte, 50_000)},
		{Slot: 2, Partition: 77, Value: []byte("x")},
		{Slot: 3, Topic: 9, Partition: -1},
	})
	l.check(t, 4, true)
	for slot, want := range []struct {
		is   error
		says []string
	}{
		{native.ErrRecordTooLarge, []string{"max.request.size = 100000"}},
		{native.ErrRecordTooLarge, []string{"buffer.memory = 40000"}},
		{native.ErrUnknownPartition, []string{"77", `"a"`}},
		{native.ErrUnknownTopic, []string{"9"}},
	} {
		e, _ := l.get(uint32(slot))
		if !errors.Is(e.err, want.is) {
			t.Errorf("slot %d ended with %v, want %v", slot, e.err, want.is)
			continue
		}
		for _, part := range want.says {
			if !strings.Contains(e.err.Error(), part) {
				t.Errorf("%q doesn't say %q", e.err, part)
			}
		}
	}
}
