package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/native"
)

// honest is a load of ten acknowledged records and what a consumer finds: record n asks for partition n % 2, the last one for
// none, and is acknowledged in partition 1.
func honest() (*load, []*kgo.Record) {
	ld := &load{topic: "t"}
	in := &instance{run: 42, ledger: newLedger()}
	ld.instances = []*instance{in}
	var recs []*kgo.Record
	ends := map[int32]int64{}
	for n := range uint32(10) {
		asked := int32(n % 2)
		if n == 9 {
			asked = -1
		}
		slot := in.ledger.next(asked)
		p := int32(n % 2)
		recs = append(recs, &kgo.Record{Partition: p, Offset: ends[p], Value: appendValue(nil, 42, slot, "t", asked, []byte("noise"))})
		in.ledger.ack(native.Ack{Slots: []uint32{slot}, Partition: p, BaseOffset: ends[p]})
		ends[p]++
	}
	return ld, recs
}

// TestCheckFinds breaks each guarantee in turn: every one must be noticed, and nothing else.
func TestCheckFinds(t *testing.T) {
	fail := func(in *instance, slot uint32, err error) {
		in.ledger.fates[slot] = fate{asked: in.ledger.fates[slot].asked, part: -1, offset: -1}
		in.ledger.ack(native.Ack{Slots: []uint32{slot}, Partition: -1, BaseOffset: -1, Err: err})
	}
	for name, tc := range map[string]struct {
		spoil func(ld *load, in *instance, recs []*kgo.Record) []*kgo.Record
		want  func(t *tally)
		holds bool
	}{
		"nothing": {func(_ *load, _ *instance, r []*kgo.Record) []*kgo.Record { return r }, func(*tally) {}, true},
		"lost": {func(_ *load, _ *instance, r []*kgo.Record) []*kgo.Record { return slices.Delete(r, 3, 4) },
			func(t *tally) { t.lost, t.read = 1, 9 }, false},
		"twice": {func(_ *load, _ *instance, r []*kgo.Record) []*kgo.Record {
			again := *r[4]
			again.Offset = 77
			return append(r, &again)
		}, func(t *tally) { t.duplicates, t.read = 1, 11 }, false},
		"swapped": {func(_ *load, _ *instance, r []*kgo.Record) []*kgo.Record {
			r[2].Value, r[4].Value = r[4].Value, r[2].Value
			return r
		}, func(t *tally) { t.disorder, t.misplaced = 1, 2 }, false},
		"another partition": {func(_ *load, _ *instance, r []*kgo.Record) []*kgo.Record {
			r[2].Partition = 1
			return r
		}, func(t *tally) { t.misrouted = 1 }, false},
		"another partition than acknowledged": {func(_ *load, _ *instance, r []*kgo.Record) []*kgo.Record {
			r[9].Partition = 0
			return r
		}, func(t *tally) { t.misrouted = 1 }, false},
		"another topic": {func(ld *load, _ *instance, r []*kgo.Record) []*kgo.Record {
			r[2].Value = appendValue(nil, 42, 2, "other", 0, []byte("noise"))
			return r
		}, func(t *tally) { t.misrouted, t.lost = 1, 1 }, false},
		"a bit": {func(_ *load, _ *instance, r []*kgo.Record) []*kgo.Record {
			r[8].Value[headerBytes] ^= 1
			return r
		}, func(t *tally) { t.misrouted, t.lost = 1, 1 }, false},
		"foreign run": {func(_ *load, _ *instance, r []*kgo.Record) []*kgo.Record {
			return append(r, &kgo.Record{Offset: 70, Value: appendValue(nil, 43, 1, "t", 0, nil)})
		}, func(t *tally) { t.foreign, t.read = 1, 11 }, false},
		"two callbacks": {func(_ *load, in *instance, r []*kgo.Record) []*kgo.Record {
			in.ledger.ack(native.Ack{Slots: []uint32{0}, BaseOffset: 0})
			return r
		}, func(t *tally) { t.again = 1 }, false},
		"no callback": {func(_ *load, in *instance, r []*kgo.Record) []*kgo.Record {
			in.ledger.next(0)
			return r
		}, func(t *tally) { t.sent, t.unanswered = 11, 1 }, false},
		"a callback after Close": {func(_ *load, in *instance, r []*kgo.Record) []*kgo.Record {
			in.ledger.close()
			in.ledger.ack(native.Ack{Slots: []uint32{0}, BaseOffset: 0})
			return r
		}, func(t *tally) { t.again = 1 }, false},
		"refused and there": {func(_ *load, in *instance, r []*kgo.Record) []*kgo.Record {
			fail(in, 5, native.ErrBufferExhausted)
			return r
		}, func(t *tally) { t.acked, t.failed, t.revived = 9, 1, 1 }, false},
		"failed and there": {func(_ *load, in *instance, r []*kgo.Record) []*kgo.Record {
			fail(in, 5, native.ErrDeliveryTimeout)
			return r
		}, func(t *tally) { t.acked, t.failed, t.indefinite = 9, 1, 1 }, true},
	} {
		ld, recs := honest()
		recs = tc.spoil(ld, ld.instances[0], recs)
		got := ld.check(recs, time.Time{})
		want := tally{counts: counts{sent: 10, acked: 10}, read: 10}
		tc.want(&want)
		if !equal(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		if broken := got.broken(&mode{acks: -1}); (broken == "") != tc.holds {
			t.Errorf("%s: verdict %q", name, broken)
		}
	}
}

func equal(a, b tally) bool {
	return a.counts == b.counts && a.read == b.read && a.lost == b.lost && a.gone == b.gone && a.duplicates == b.duplicates &&
		a.disorder == b.disorder && a.misrouted == b.misrouted && a.misplaced == b.misplaced && a.revived == b.revived &&
		a.foreign == b.foreign && a.indefinite == b.indefinite
}

// TestGone checks that only what was acknowledged before a topic was made again may be missing.
func TestGone(t *testing.T) {
	ld, recs := honest()
	fates := ld.instances[0].ledger.fates
	until := fates[0].at.Add(time.Hour)
	fates[3].at = until.Add(time.Second)
	got := ld.check(recs[4:], until)
	if got.gone != 3 || got.lost != 1 {
		t.Errorf("gone %d, lost %d; want 3 and 1", got.gone, got.lost)
	}
}

// TestDocumentedLoss checks that what acks=1 and acks=0 lose is counted and breaks nothing, but misrouting does.
func TestDocumentedLoss(t *testing.T) {
	for _, acks := range []int16{0, 1} {
		m := &mode{acks: acks}
		if b := (&tally{lost: 3, duplicates: 2, disorder: 1}).broken(m); b != "" {
			t.Errorf("acks=%d: %s", acks, b)
		}
		if b := (&tally{misrouted: 1}).broken(m); b == "" {
			t.Errorf("acks=%d may misroute", acks)
		}
	}
}

// TestValue checks that a value is read as it was written, and nothing else passes.
func TestValue(t *testing.T) {
	v := appendValue(nil, 7, 8, "topic", -1, []byte{1, 2, 3})
	got, err := parseValue(v, "topic")
	if err != nil || got != (parsedValue{7, 8, -1}) {
		t.Fatalf("%+v, %v", got, err)
	}
	for i := range v {
		v[i] ^= 0x10
		if _, err := parseValue(v, "topic"); !errors.Is(err, errForeign) {
			t.Errorf("byte %d changed: %v", i, err)
		}
		v[i] ^= 0x10
	}
	if _, err := parseValue(v[:19], "topic"); err == nil {
		t.Error("half a header passes")
	}
}
