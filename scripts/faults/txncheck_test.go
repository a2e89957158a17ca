package main

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/native"
)

// honestTxns is a load of four transactions of two records each, in two topics: committed with offset 1, aborted with offset
// 2, unknown and there, unknown and not there. read is what a consumer finds.
func honestTxns() (ld *txnLoad, read map[string][]*kgo.Record) {
	ld = newTxnLoad(txnModes()[0], "x", nil, 1)
	life := &txnLife{run: 42, ledger: newLedger()}
	ld.lives = []*txnLife{life}
	ld.offsets.Store(2)
	life.txns = []txn{{outcome: committed, offset: 1}, {outcome: aborted, offset: 2}, {}, {}}
	read = map[string][]*kgo.Record{}
	for n := range int32(8) {
		slot := life.ledger.enter(fate{topic: n % 2, asked: 1, txn: n / 2, part: -1, offset: -1})
		offset := int64(n / 2)
		life.ledger.ack(native.Ack{Slots: []uint32{slot}, Partition: 1, BaseOffset: offset})
		if n/2 == 0 || n/2 == 2 {
			topic := ld.topics[n%2]
			read[topic] = append(read[topic], &kgo.Record{Partition: 1, Offset: offset, Value: appendValue(nil, 42, slot, topic, 1, []byte("noise"))})
		}
	}
	return ld, read
}

// TestTxnCheckFinds breaks each guarantee in turn: every one must be noticed.
func TestTxnCheckFinds(t *testing.T) {
	type world struct {
		ld     *txnLoad
		read   map[string][]*kgo.Record
		a, b   string
		offset int64

		omitted *omissions
	}
	there := func(w *world, slot uint32, offset int64) *kgo.Record {
		return &kgo.Record{Topic: w.a, Partition: 1, ProducerID: 3, ProducerEpoch: 7, Offset: offset, Value: appendValue(nil, 42, slot, w.a, 1, []byte("noise"))}
	}
	for name, tc := range map[string]struct {
		spoil func(*world)
		want  string
	}{
		"nothing": {func(*world) {}, ""},
		"lost":    {func(w *world) { w.read[w.a] = w.read[w.a][1:] }, "1 records of committed transactions lost"},
		"visible": {func(w *world) { w.read[w.a] = append(w.read[w.a][:1:1], there(w, 2, 1), w.read[w.a][1]) }, "1 records of aborted transactions there"},
		"visible by omission": {func(w *world) {
			w.read[w.a] = append(w.read[w.a][:1:1], there(w, 2, 1), w.read[w.a][1])
			w.omitted = &omissions{markers: []marker{{w.a, 1, 3, 8, false}}}
		}, ""},
		"visible beside an omission": {func(w *world) {
			w.read[w.a] = append(w.read[w.a][:1:1], there(w, 2, 1), w.read[w.a][1])
			w.omitted = &omissions{markers: []marker{{w.a, 1, 3, 9, false}, {w.a, 2, 3, 8, false}, {w.b, 1, 3, 8, false}, {w.a, 1, 4, 8, false}, {w.a, 1, 3, 8, true}}}
		}, "1 records of aborted transactions there"},
		"lost by omission": {func(w *world) {
			w.read[w.a] = w.read[w.a][1:]
			w.omitted = &omissions{[]marker{{w.a, 1, 3, 8, true}}, map[recordKey]*kgo.Record{{42, 0}: there(w, 0, 0)}}
		}, ""},
		"lost beside an omission": {func(w *world) {
			w.read[w.a] = w.read[w.a][1:]
			w.omitted = &omissions{[]marker{{w.a, 1, 3, 8, true}}, map[recordKey]*kgo.Record{}}
		}, "1 records of committed transactions lost"},
		"offset by omission":     {func(w *world) { w.offset, w.omitted = 2, &omissions{markers: []marker{{offsetsTopic, 0, 3, 8, false}}} }, ""},
		"torn":                   {func(w *world) { w.read[w.a] = w.read[w.a][:1] }, "1 transactions there in part"},
		"twice":                  {func(w *world) { w.read[w.a] = append(w.read[w.a], there(w, 0, 9)) }, "1 records twice"},
		"swapped":                {func(w *world) { r := w.read[w.a]; r[0], r[1] = r[1], r[0] }, "1 records out of order"},
		"another partition":      {func(w *world) { w.read[w.a][0].Partition = 2 }, "1 records misrouted"},
		"another topic":          {func(w *world) { r := w.read; r[w.a], r[w.b] = r[w.b], r[w.a] }, "records of committed transactions lost"},
		"another offset":         {func(w *world) { w.read[w.a][1].Offset = 7 }, "1 records not at their offset"},
		"foreign":                {func(w *world) { w.ld.lives[0].run++ }, "records of committed transactions lost"},
		"no callback":            {func(w *world) { w.ld.lives[0].ledger.enter(fate{asked: 1, txn: 1}) }, "1 records without callback"},
		"committed with failure": {func(w *world) { w.ld.lives[0].ledger.fates[0].ok = false }, "1 transactions committed though a record failed"},
		"aborted offset":         {func(w *world) { w.offset = 2 }, "offset is 2, which was aborted"},
		"lost offset":            {func(w *world) { w.offset = 0 }, "though 1 was committed"},
		"another's offset":       {func(w *world) { w.offset = 5 }, "never sent"},
	} {
		t.Run(name, func(t *testing.T) {
			ld, read := honestTxns()
			w := &world{ld: ld, read: read, a: ld.topics[0], b: ld.topics[1], offset: 1}
			tc.spoil(w)
			got := ld.check(w.read, w.offset, w.omitted)
			if text := got.broken(); (text == "") != (tc.want == "") || !strings.Contains(text, tc.want) {
				t.Errorf("%q, want %q: %+v", text, tc.want, got)
			}
		})
	}
	ld, read := honestTxns()
	if got := ld.check(read, 1, nil); got.committed != 1 || got.aborted != 1 || got.unknown != 2 || got.proved != 1 || got.records != 4 {
		t.Errorf("%+v", got)
	}
}
