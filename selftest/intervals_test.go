package selftest

import (
	"testing"

	"kbench/metrics/stat/simulate"
)

// TestCoverageRows: intervals that cover too rarely or too often fail, for a kind and for all; unprinted ones don't count.
func TestCoverageRows(t *testing.T) {
	found := func(covered ...int) (rows []simulate.CoverageRow) {
		for i, n := range covered {
			rows = append(rows, simulate.CoverageRow{Scenario: string(rune('a' + i)), Runs: 400, Printed: 400, Covered: n})
		}
		return rows
	}
	for _, c := range []struct {
		name string
		rows []simulate.CoverageRow
		want State
	}{
		{"right", found(380, 382, 376), Pass},
		{"order statistics on a queue", found(380, 380, 164), Fail},
		{"a little too rare everywhere", found(364, 364, 364), Fail},
		{"far too wide", found(400, 400, 400), Fail},
		{"by chance", found(366, 384, 384), Pass},
		{"none printed", []simulate.CoverageRow{{Scenario: "a", Runs: 400}, {Scenario: "b", Runs: 400, Printed: 100, Covered: 95}}, Pass},
		{"nothing printed at all", []simulate.CoverageRow{{Scenario: "a", Runs: 400}}, Unable},
	} {
		if o := judge(Outcome{Rows: coverageRows(c.rows)}); o.State != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, o.State, o.Reason, c.want)
		}
	}
}

func TestSettlingRows(t *testing.T) {
	found := func(steady, drifting, hard int) []simulate.SettlingRow {
		return []simulate.SettlingRow{{Kind: "steady", Settles: true, Runs: 100, Refused: steady}, {Kind: "drift", Runs: 100, Refused: drifting},
			{Kind: "hard", Hard: true, Runs: 100, Refused: hard}}
	}
	for _, c := range []struct {
		steady, drifting, hard int
		want                   State
	}{{0, 100, 100, Pass}, {4, 100, 90, Pass}, {5, 100, 100, Fail}, {0, 99, 100, Fail}, {0, 100, 89, Fail}} {
		if o := judge(Outcome{Rows: settlingRows(found(c.steady, c.drifting, c.hard))}); o.State != c.want {
			t.Errorf("%+v: %s", c, o.State)
		}
	}
}
