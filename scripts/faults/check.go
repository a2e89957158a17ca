package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// tally is what was found in a topic, held against what its producers were told.
type tally struct {
	counts
	read       int // records in the topic
	lost       int // acknowledged and not there
	gone       int // acknowledged before their topic was deleted, and so not there by intent
	duplicates int
	disorder   int // behind a later one of the same producer in the partition
	misrouted  int // another partition than asked or acknowledged, or the checksum says another topic
	misplaced  int // acknowledged with an offset where something else is
	revived    int // there though the error proves that it was never sent
	foreign    int // of no producer of this load
	indefinite int // failed, and there all the same: allowed
	errs       map[string]int
}

// broken says which guarantee is broken, or "".
func (t *tally) broken(m *mode) string {
	for _, x := range []struct {
		n    int
		hard bool
		what string
	}{
		{t.unanswered, true, "without callback"}, {t.again, true, "callbacks too many"}, {t.sent - t.acked - t.failed, true, "neither acknowledged nor failed"},
		{t.misrouted, true, "misrouted"}, {t.revived, true, "there though refused"}, {t.foreign, true, "foreign"},
		{t.lost, m.guaranteed(), "lost"}, {t.duplicates, m.guaranteed(), "twice"}, {t.disorder, m.guaranteed(), "out of order"},
		{t.misplaced, m.guaranteed(), "not at their offset"},
	} {
		if x.n != 0 && x.hard {
			return fmt.Sprintf(broken+"%d %s", x.n, x.what)
		}
	}
	return ""
}

// place is where a record was found.
type place struct {
	partition int32
	offset    int64
}

// check holds what is in the load's topic against its ledgers. What was acknowledged before until may have gone with a topic
// that was deleted.
func (ld *load) check(recs []*kgo.Record, until time.Time) tally {
	t := tally{read: len(recs), errs: map[string]int{}}
	type seen struct {
		in    *instance
		first []place // by slot; offset −1: not there
		last  map[int32]int64
	}
	byRun := map[uint64]*seen{}
	for _, in := range ld.instances {
		s := &seen{in: in, first: make([]place, len(in.ledger.fates)), last: map[int32]int64{}}
		for i := range s.first {
			s.first[i].offset = -1
		}
		byRun[in.run] = s
		t.add(in.ledger, t.errs)
	}
	for _, r := range recs { // each partition's in the order of their offsets
		v, err := parseValue(r.Value, ld.topic)
		s := byRun[v.run]
		switch {
		case err != nil:
			t.misrouted++
			continue
		case s == nil || int(v.seq) >= len(s.first):
			t.foreign++
			continue
		}
		f := &s.in.ledger.fates[v.seq]
		if f.elsewhere(v.partition, r.Partition) {
			t.misrouted++
		}
		if s.first[v.seq].offset >= 0 {
			t.duplicates++
			continue
		}
		s.first[v.seq] = place{r.Partition, r.Offset}
		if last, ok := s.last[r.Partition]; ok && int64(v.seq) < last {
			t.disorder++
		}
		s.last[r.Partition] = max(s.last[r.Partition], int64(v.seq))
		if f.proven && !f.ok {
			t.revived++
		} else if !f.ok {
			t.indefinite++
		}
	}
	for _, s := range byRun {
		for slot, at := range s.first {
			f := &s.in.ledger.fates[slot]
			switch {
			case !f.ok:
			case at.offset < 0 && f.at.Before(until):
				t.gone++
			case at.offset < 0:
				t.lost++
			case f.offset >= 0 && f.offset != at.offset:
				t.misplaced++
			}
		}
	}
	return t
}

// endOffsets waits until every leader knows its own: after an election it takes a while.
func endOffsets(ctx context.Context, cl *kgo.Client, topics ...string) (kadm.ListedOffsets, error) {
	for {
		ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, topics...)
		if err == nil {
			err = ends.Error()
		}
		if err == nil || sleep(ctx, 200*time.Millisecond) != nil {
			return ends, err
		}
	}
}

// readAll reads a topic from its beginning to its end as franz-go's consumer sees it.
func readAll(ctx context.Context, bootstrap []string, topic string) ([]*kgo.Record, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(bootstrap...), kgo.DisableClientMetrics())
	if err != nil {
		return nil, err
	}
	defer cl.Close()
	return readToEnd(ctx, cl, topic)
}

// readToEnd reads with a client that consumes nothing yet. Control records count if the client keeps them.
func readToEnd(ctx context.Context, cl *kgo.Client, topic string) ([]*kgo.Record, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	ends, err := endOffsets(ctx, cl, topic)
	if err != nil {
		return nil, err
	}
	from, left := map[int32]kgo.Offset{}, map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			from[o.Partition], left[o.Partition] = kgo.NewOffset().At(0), o.Offset
		}
	})
	cl.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: from})
	var recs []*kgo.Record
	for len(left) > 0 {
		fetches := cl.PollFetches(ctx)
		if ctx.Err() != nil {
			return recs, fmt.Errorf("reading %s: ends not reached: %v", topic, left)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if end, ok := left[r.Partition]; ok {
				recs = append(recs, r)
				if r.Offset+1 >= end {
					delete(left, r.Partition)
				}
			}
		})
	}
	return recs, nil
}
