package selftest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"kbench/metrics"
)

// verdicts is a fault whose runs come out one after the other as given; the last one again and again.
func verdicts(cause string, outcomes ...childOutcome) fault {
	n := 0
	return fault{"a fault", cause, func(context.Context, *Env, int) (childOutcome, error) {
		o := outcomes[min(n, len(outcomes)-1)]
		n++
		return o, nil
	}}
}

func invalid(cause, trouble string) childOutcome {
	v := metrics.Verdict{State: "valid"}
	if cause != "" {
		v = metrics.Verdict{State: "invalid", Cause: cause, Reasons: []string{"why"}}
	}
	return childOutcome{v, trouble}
}

// TestTally: verdicts that are never, always or wrongly given fail; what another load spoilt is tried again.
func TestTally(t *testing.T) {
	client, unsteady := metrics.CauseClient, metrics.CauseUnsteady
	for _, c := range []struct {
		name  string
		fault fault
		want  State
		tried int
	}{
		{"right", verdicts(client, invalid(client, "")), Pass, 5},
		{"right on a busy machine", verdicts(client, invalid(client, "busy")), Pass, 5},
		{"never invalid", verdicts(client, invalid("", "")), Fail, 5},
		{"once not", verdicts(client, invalid("", ""), invalid(client, "")), Fail, 5},
		{"another cause", verdicts(client, invalid(unsteady, "")), Fail, 5},
		{"clean", verdicts("", invalid("", "")), Pass, 5},
		{"false alarm", verdicts("", invalid("", ""), invalid(client, ""), invalid("", "")), Fail, 5},
		{"alarm because of others", verdicts("", invalid(client, "busy"), invalid("", "")), Pass, 5},
		{"busy all the time", verdicts("", invalid(client, "busy")), Unable, 0},
	} {
		tally, err := c.fault.tally(context.Background(), &Env{}, 5)
		if err != nil {
			t.Fatal(err)
		}
		if r := tally.row(); r.State != c.want || tally.tried != c.tried {
			t.Errorf("%s: %s of %d (%s), want %s of %d", c.name, r.State, tally.tried, r.Note, c.want, c.tried)
		}
	}
}

func TestCarry(t *testing.T) {
	fails := func(err error) Check {
		return Check{Name: "x", Run: func(context.Context, *Env) (Outcome, error) { return Outcome{State: Pass}, err }}
	}
	for _, c := range []struct {
		err  error
		want State
	}{{nil, Pass}, {errors.New("broken"), Fail}, {fmt.Errorf("%w: no cgroups", ErrUnable), Unable}} {
		f, err := Carry(context.Background(), &Env{}, fails(c.err))
		if err != nil || f.State != c.want || f.Rows == nil || f.Notes == nil {
			t.Errorf("%v: %+v, %v", c.err, f, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Carry(ctx, &Env{}, fails(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestJudge(t *testing.T) {
	row := func(s State) Row { return Row{What: string(s), State: s, Note: "why"} }
	for _, c := range []struct {
		rows []Row
		want State
	}{
		{nil, Unable}, {[]Row{row(Information)}, Unable}, {[]Row{row(Pass), row(Information)}, Pass},
		{[]Row{row(Pass), row(Unable)}, Unable}, {[]Row{row(Unable), row(Fail), row(Pass)}, Fail},
	} {
		if o := judge(Outcome{Rows: c.rows}); o.State != c.want || (o.Reason == "") != (c.want == Pass) {
			t.Errorf("%v: %s (%s), want %s", c.rows, o.State, o.Reason, c.want)
		}
	}
	if got := Worst([]Finding{{Outcome: Outcome{State: Pass}}, {Outcome: Outcome{State: Unable}}, {Outcome: Outcome{State: Fail}}, {Outcome: Outcome{State: Unable}}}); got != Fail {
		t.Errorf("worst: %s", got)
	}
}

// TestRepeatedly: a failure on a machine that was busy is tried again, and told as such in the end; one on a quiet machine
// stands.
func TestRepeatedly(t *testing.T) {
	for _, c := range []struct {
		name    string
		trouble []string
		states  []State
		want    State
		tries   int
	}{
		{"passes", []string{""}, []State{Pass}, Pass, 1},
		{"passes on a busy machine", []string{"busy"}, []State{Pass}, Pass, 1},
		{"fails", []string{""}, []State{Fail}, Fail, 1},
		{"busy at first", []string{"busy", ""}, []State{Fail, Pass}, Pass, 2},
		{"fails after all", []string{"busy", ""}, []State{Fail, Fail}, Fail, 2},
		{"always busy", []string{"busy", "busy", "busy"}, []State{Fail, Fail, Fail}, Unable, 3},
	} {
		n := 0
		rows, notes, err := repeatedly(context.Background(), &Env{}, "x", func() ([]Row, string, error) {
			n++
			return []Row{{State: c.states[n-1]}}, c.trouble[n-1], nil
		})
		if err != nil || rows[0].State != c.want || n != c.tries || len(notes) != n-1 && c.want != Unable {
			t.Errorf("%s: %s after %d tries, %v, %v", c.name, rows[0].State, n, notes, err)
		}
	}
}
