package main

import (
	"testing"

	"kbench/selftest"
)

// TestSelftestSummary: the last line is a sentence, whatever the numbers.
func TestSelftestSummary(t *testing.T) {
	const pass, fail, unable = selftest.Pass, selftest.Fail, selftest.Unable
	for _, c := range []struct {
		states []selftest.State
		want   string
	}{
		{[]selftest.State{pass}, "1 of 1 claim holds on this machine"},
		{[]selftest.State{pass, pass}, "2 of 2 claims hold on this machine"},
		{[]selftest.State{pass, fail, unable}, "1 of 3 claims holds on this machine, 1 doesn't, 1 couldn't be tried validly"},
		{[]selftest.State{fail, fail}, "0 of 2 claims hold on this machine, 2 don't"},
	} {
		res := &selftest.Result{}
		for _, s := range c.states {
			res.Checks = append(res.Checks, selftest.Finding{Outcome: selftest.Outcome{State: s}})
		}
		if got := selftestSummary(res); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
