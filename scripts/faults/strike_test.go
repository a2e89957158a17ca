package main

import (
	"errors"
	"testing"
	"time"

	"kbench/broker"
)

// TestStrike has faults meet something on its way the third time only, and never: it must be struck again until then, and what
// never met anything mustn't pass for tested.
func TestStrike(t *testing.T) {
	for name, tc := range map[string]struct {
		touching bool
		meets    int // the strike that meets something; 0: none does
		limit    time.Duration
		strikes  int
		seen     string
		verdict  string
	}{
		"at once":         {true, 1, time.Hour, 1, "", "holds"},
		"the third time":  {true, 3, time.Hour, 3, "struck 3 times", "holds"},
		"too late":        {true, 3, 0, 1, "", "NOT TESTED: nothing was sent twice"},
		"nothing to meet": {false, 0, time.Hour, 1, "", "holds"},
	} {
		t.Run(name, func(t *testing.T) {
			ld, read := honestTxns()
			hasty, _ := honestTxns()
			hasty.mode = txnModes()[1]   // needn't feel it
			ld.meter.ended.Retries = 100 // before the fault: they tell nothing of it
			s := &scene{cluster: &cluster{target: &broker.Target{}, say: t.Logf}, fault: &fault{touching: tc.touching}, txns: []*txnLoad{ld, hasty}}
			n := 0
			err := s.strike(func() error {
				switch n++; n {
				case tc.meets:
					ld.meter.ended.Retries++
				case 9:
					return errors.New("struck again and again")
				}
				return nil
			}, tc.limit)
			if err != nil || n != tc.strikes {
				t.Fatalf("%d strikes, %v; want %d", n, err, tc.strikes)
			}
			tally := ld.check(read, 1, nil)
			if r := newTxnRow(s, ld, &tally); r.Verdict != tc.verdict || r.Seen != tc.seen {
				t.Errorf("%q, seen %q; want %q, %q", r.Verdict, r.Seen, tc.verdict, tc.seen)
			}
		})
	}
	s := &scene{fault: &fault{touching: true}}
	if err := s.strike(func() error { return errNoMount }, time.Hour); !errors.Is(err, errNoMount) {
		t.Errorf("%v, want what broke the strike off", err)
	}
}
