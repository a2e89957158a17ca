package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/native"
)

// txnTally is what a read_committed consumer found of transactions, held against what their producer was told.
type txnTally struct {
	counts
	committed, aborted, unknown int // transactions
	proved                      int // unknown ones that turned out to be committed
	records                     int // read
	fatal                       int // producers that couldn't go on
	unfenced                    int // of these: by another error than a fenced one's
	forgotten                   int // epochs that a coordinator forgot: so many producers, at most, were fenced by nobody
	overdue                     int // transactions that took too long on purpose, and weren't committed
	lost                        int // of a committed transaction, and not there
	hollow                      int // committed transactions of which a record failed
	visible                     int // of an aborted transaction, and there
	torn                        int // unknown transactions of which a part is there
	unmarked                    int // records, and an offset, that are there or not because a broker left a marker out
	duplicates, disorder        int
	misrouted, misplaced        int
	foreign                     int
	offset                      string // what is wrong with the group's offset
	errs                        map[string]int
}

// broken says which guarantee is broken, or "".
func (t *txnTally) broken() string {
	for _, x := range []struct {
		n    int
		what string
	}{
		{t.unanswered, "records without callback"}, {t.again, "callbacks too many"}, {t.lost, "records of committed transactions lost"},
		{t.hollow, "transactions committed though a record failed"}, {t.visible, "records of aborted transactions there"},
		{t.torn, "transactions there in part"}, {t.duplicates, "records twice"}, {t.disorder, "records out of order"},
		{t.misrouted, "records misrouted"}, {t.misplaced, "records not at their offset"}, {t.foreign, "foreign records"},
	} {
		if x.n != 0 {
			return fmt.Sprintf(broken+"%d %s", x.n, x.what)
		}
	}
	if t.offset != "" {
		return broken + t.offset
	}
	return ""
}

// check holds what was read of each topic, in the order of offsets, and the group's offset (0: none) against the lives.
func (ld *txnLoad) check(read map[string][]*kgo.Record, offset int64, omitted *omissions) txnTally {
	t := txnTally{errs: map[string]int{}}
	type seen struct {
		life  *txnLife
		first []*kgo.Record // by slot; nil: not there
	}
	byRun := map[uint64]*seen{}
	for _, life := range ld.lives {
		s := &seen{life: life, first: make([]*kgo.Record, len(life.ledger.fates))}
		byRun[life.run] = s
		t.add(life.ledger, t.errs)
		if life.fatal != nil {
			t.fatal++
			t.errs["producer: "+life.fatal.Error()]++
			if !fenced(&ld.mode, life.fatal) {
				t.unfenced++
			}
		}
	}
	for topic, recs := range read {
		last := map[string]uint32{} // by run and partition
		for _, r := range recs {
			t.records++
			v, err := parseValue(r.Value, topic)
			s := byRun[v.run]
			switch {
			case err != nil:
				t.misrouted++
				continue
			case s == nil || int(v.seq) >= len(s.first):
				t.foreign++
				continue
			}
			f := &s.life.ledger.fates[v.seq]
			if f.elsewhere(v.partition, r.Partition) || ld.topics[f.topic] != topic {
				t.misrouted++
			}
			if s.first[v.seq] != nil {
				t.duplicates++
				continue
			}
			s.first[v.seq] = r
			key := fmt.Sprint(v.run, r.Partition)
			if before, ok := last[key]; ok && v.seq < before {
				t.disorder++
			}
			last[key] = max(last[key], v.seq)
		}
	}
	for _, s := range byRun {
		t.checkLife(s.life, s.first, omitted)
	}
	if t.offset = ld.checkOffset(offset); t.offset != "" && omitted.offsets() {
		t.offset = ""
		t.unmarked++
	}
	return t
}

// fenced says whether an error is that of a producer whose place another one took, or whose transaction the coordinator ended.
// PRODUCER_FENCED is INVALID_PRODUCER_EPOCH as well: native reads a coordinator's so. INVALID_TXN_STATE comes where the epoch
// passes still, but the transaction isn't there any more (of transaction.version 2, an epoch just ended passes for an end asked
// again); so of those alone whose transactions others end.
func fenced(m *txnMode, err error) bool {
	return errors.Is(err, native.ErrProducerFenced) || !m.steady() && errors.Is(err, errTxnState)
}

var errTxnState error = &native.Error{Code: kerr.InvalidTxnState.Code, Name: kerr.InvalidTxnState.Message}

// parts are what was found of one transaction: records. open are those of which a broker left out the end.
type parts struct{ there, thereOpen, missing, missingOpen, failed int }

// checkLife holds one producer's transactions against where their records were found.
func (t *txnTally) checkLife(life *txnLife, first []*kgo.Record, omitted *omissions) {
	found := make([]parts, len(life.txns))
	for slot, r := range first {
		f := &life.ledger.fates[slot]
		x := &found[f.txn]
		if !f.ok {
			x.failed++
		}
		if r != nil && f.ok && f.offset >= 0 && f.offset != r.Offset {
			t.misplaced++
		}
		switch {
		case r != nil && omitted.left(r, false):
			x.thereOpen++
		case r != nil:
			x.there++
		case omitted.left(omitted.hidden(life.run, slot), true):
			x.missingOpen++
		default:
			x.missing++
		}
	}
	for i, x := range found {
		if life.txns[i].overdue && life.txns[i].outcome != committed {
			t.overdue++
		}
		switch life.txns[i].outcome {
		case committed:
			t.committed++
			t.lost += x.missing
			t.unmarked += x.missingOpen
			t.hollow += min(x.failed, 1)
		case aborted:
			t.aborted++
			t.visible += x.there
			t.unmarked += x.thereOpen
		case unknown:
			t.unknown++
			t.unmarked += x.thereOpen + x.missingOpen
			if x.there > 0 {
				t.proved++
				t.torn += min(x.missing+x.thereOpen, 1)
			}
		}
	}
}

// checkOffset says what is wrong with the group's offset, or "": it must be the last committed one, or a later one whose
// outcome is unknown. Of twins' it is only known that it mustn't be an aborted one.
func (ld *txnLoad) checkOffset(got int64) string {
	fates := map[int64]outcome{}
	for _, life := range ld.lives {
		for _, x := range life.txns {
			if x.offset > 0 {
				fates[x.offset] = x.outcome
			}
		}
	}
	if got != 0 {
		if o, ok := fates[got]; !ok || o == aborted {
			return fmt.Sprintf("the group's offset is %d, which was aborted or never sent", got)
		}
	}
	if ld.mode.twins {
		return ""
	}
	for n := ld.offsets.Load(); n > got; n-- {
		if fates[n] == committed {
			return fmt.Sprintf("the group's offset is %d, though %d was committed", got, n)
		}
	}
	return ""
}

// readCommitted reads a topic to its end as a read_committed consumer. It waits until no transaction is open there any more.
func readCommitted(ctx context.Context, bootstrap []string, topic string) ([]*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...), kgo.DisableClientMetrics(), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	for {
		ends, err := endOffsets(ctx, cl, topic)
		if err != nil {
			return nil, err
		}
		stable, err := kadm.NewClient(cl).ListCommittedOffsets(ctx, topic)
		if err == nil {
			err = stable.Error()
		}
		open := 0
		ends.Each(func(o kadm.ListedOffset) {
			if s, ok := stable.Lookup(o.Topic, o.Partition); !ok || s.Offset < o.Offset {
				open++
			}
		})
		if err == nil && open == 0 {
			break
		}
		if sleep(ctx, 200*time.Millisecond) != nil {
			return nil, fmt.Errorf("%s: transactions are still open in %d partitions: %w", topic, open, err)
		}
	}
	recs, err := readToEnd(ctx, cl, topic)
	data := recs[:0]
	for _, r := range recs {
		if !r.Attrs.IsControl() {
			data = append(data, r)
		}
	}
	return data, err
}

// groupOffset is what a group has committed for partition 0 of a topic; 0: nothing.
func groupOffset(ctx context.Context, adm *kadm.Client, group, topic string) (int64, error) {
	for {
		resp, err := adm.FetchOffsets(ctx, group)
		if err == nil {
			err = resp.Error()
		}
		if err == nil {
			o, _ := resp.Lookup(topic, 0)
			return max(0, o.At), nil
		}
		if sleep(ctx, 200*time.Millisecond) != nil {
			return 0, fmt.Errorf("offset of group %s: %w", group, err)
		}
	}
}
