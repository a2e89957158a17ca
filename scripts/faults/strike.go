package main

import (
	"context"
	"fmt"
	"time"
)

// strikesFor is how long a fault strikes again where nobody felt it. A transactional producer has records on their way only for a
// part of its time: the rest goes to pauses, and to ends of transactions, which are asked for again without any record being sent
// again. On a single node, 3 of 18 strikes (txn-kill, txn-restart) met none.
const strikesFor = 2 * time.Minute

// strike has a fault take place, and again until each producer that must feel it did, or the time is over: the verdict is NOT
// TESTED then. once is one strike, after which all is well again.
func (s *scene) strike(once func() error, limit time.Duration) error {
	for _, l := range s.outlasting() {
		l.strike()
	}
	began := time.Now()
	for n := 1; ; n++ {
		if err := once(); err != nil {
			return err
		}
		if !s.fault.touching || s.felt() || time.Since(began) >= limit {
			s.strikes = n
			return nil
		}
		s.say("  not everybody felt it: again")
	}
}

// once is one strike, with what it takes until the cluster is well and the producers have noticed.
func (s *scene) once(ctx context.Context) error {
	if err := s.fault.inject(ctx, s); err != nil {
		return err
	}
	if err := s.settle(ctx); err != nil {
		return err
	}
	return sleep(ctx, 2*time.Second)
}

// outlasting are the meters of the producers that get over every fault, and so must have felt one.
func (s *scene) outlasting() (ms []*meter) {
	for _, ld := range s.loads {
		if ld.mode.outlasts() {
			ms = append(ms, &ld.meter)
		}
	}
	for _, ld := range s.txns {
		if ld.mode.outlasts() {
			ms = append(ms, &ld.meter)
		}
	}
	return ms
}

func (s *scene) felt() bool {
	for _, m := range s.outlasting() {
		if !m.felt() {
			return false
		}
	}
	return true
}

// shown is what shows that the fault did take place.
func (s *scene) shown() string {
	switch {
	case s.strikes < 2:
		return s.seen
	case s.seen == "":
		return fmt.Sprintf("struck %d times", s.strikes)
	}
	return fmt.Sprintf("struck %d times; the last time: %s", s.strikes, s.seen)
}
