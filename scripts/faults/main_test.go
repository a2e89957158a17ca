package main

import (
	"strings"
	"testing"
)

// TestParse checks what the command line takes and refuses.
func TestParse(t *testing.T) {
	var sink strings.Builder
	for _, bad := range [][]string{{"-clusters", "4.3.1"}, {"-clusters", "4.3.1:2"}, {"-faults", "kill,fire"}, {"-rate", "0"}, {"kill"}} {
		if _, err := parse(bad, &sink); err == nil {
			t.Errorf("%v passes", bad)
		}
	}
	o, err := parse([]string{"--short"}, &sink)
	if err != nil || len(o.clusters) != 1 || o.clusters[0] != (clusterSpec{"4.3.1", 1, false}) {
		t.Fatalf("%+v, %v", o, err)
	}
	for _, f := range o.plan(o.clusters[0]) {
		if !f.brief {
			t.Errorf("%s is part of the short form", f.name)
		}
	}
	o, err = parse([]string{"-clusters", "3.9.1:3", "-faults", "disk,cut"}, &sink)
	if err != nil || len(o.plan(o.clusters[0])) != 2 {
		t.Errorf("%v, %v", o, err)
	}
}

// TestExit checks which code the program ends with.
func TestExit(t *testing.T) {
	rows := func(verdicts ...string) (rs []row) {
		for _, v := range verdicts {
			rs = append(rs, row{Verdict: v})
		}
		return rs
	}
	for _, tc := range []struct {
		found findings
		want  int
	}{
		{findings{rows: rows("holds", "as documented", "nothing lost")}, exitHolds},
		{findings{rows: rows("holds", "NOT TESTED: nothing was sent twice")}, exitUntested},
		{findings{rows: rows("holds"), txns: []txnRow{{Verdict: "NOT TESTED: nobody was fenced"}}}, exitUntested},
		{findings{rows: rows("holds"), notes: []string{"no disk to fill"}}, exitUntested},
		{findings{rows: rows("BROKEN: 1 records twice"), txns: []txnRow{{Verdict: "NOT TESTED: nobody was fenced"}}, notes: []string{"no disk"}}, exitBroken},
		{findings{rows: rows("NOT TESTED: nothing was sent twice"), txns: []txnRow{{Verdict: "BROKEN: x"}}}, exitBroken},
	} {
		if got := tc.found.exit(); got != tc.want {
			t.Errorf("%+v: %d, want %d", tc.found, got, tc.want)
		}
	}
}
