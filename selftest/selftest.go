// Package selftest holds what kbench reports against truths that are known otherwise: exact sorting, a sink's own log,
// queueing theory, closed forms, simulation, and faults put in on purpose. It prints nothing.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kbench/driver"
)

// Check is one claim about kbench and how it is tried.
type Check struct {
	Name  string // as in --only
	Claim string // one sentence, with its bounds
	Run   func(ctx context.Context, env *Env) (Outcome, error)
}

// Size says how much is tried.
type Size string

// The sizes.
const (
	Quick    Size = "quick"    // a minute in all: one of each
	Full     Size = "full"     // a quarter of an hour
	Thorough Size = "thorough" // as published: at least 20 of each fault, 100 clean runs
)

// Sizes lists them.
func Sizes() []Size { return []Size{Quick, Full, Thorough} }

// Env is what the checks work with. It isn't changed by them.
type Env struct {
	Size Size
	// Clients are the drivers that talk to a broker, Null the one that acknowledges at once.
	Clients []driver.Driver
	Null    driver.Driver
	// Kbench is this program's file, and what it has to be called (argv[0]) to be this program.
	Kbench [2]string
	// Deadline is when a measurement that the machine spoilt isn't repeated any more; zero: never.
	Deadline time.Time
	// Abort, when closed, ends a run without a drain: ctx has been cancelled before. May be nil.
	Abort <-chan struct{}
	// Dir is a folder for logs and children's results, emptied by the caller.
	Dir string
	// Log is told what goes on, a line at a time; nil: nobody is.
	Log func(line string)
}

func (e *Env) logf(format string, args ...any) {
	if e.Log != nil {
		e.Log(fmt.Sprintf(format, args...))
	}
}

// late says whether there is no time left for another attempt.
func (e *Env) late() bool { return !e.Deadline.IsZero() && time.Now().After(e.Deadline) }

// choose returns the value for the env's size.
func choose[T any](e *Env, quick, full, thorough T) T {
	switch e.Size {
	case Quick:
		return quick
	case Full:
		return full
	}
	return thorough
}

// client finds a driver by name; ok false: it isn't there.
func (e *Env) client(name string) (driver.Driver, bool) {
	i := slices.IndexFunc(e.Clients, func(d driver.Driver) bool { return d.Name == name })
	if i < 0 {
		return driver.Driver{}, false
	}
	return e.Clients[i], true
}

// State says how a row, a check or the whole self-test came out.
type State string

// The states, from best to worst but for Information, which never counts.
const (
	Pass        State = "pass"
	Unable      State = "unable" // couldn't be carried out validly on this machine
	Fail        State = "fail"
	Information State = "info"
)

// Row is one figure of a check.
type Row struct {
	What     string  `json:"what"`
	Measured float64 `json:"measured"`
	Truth    float64 `json:"truth"` // what it should be; where only a bound is claimed, that bound
	Low      float64 `json:"low"`   // the claim: Low ≤ Measured ≤ High
	High     float64 `json:"high"`
	Unit     Unit    `json:"unit"`
	State    State   `json:"state"`
	Note     string  `json:"note,omitempty"`
}

// Unit says what a row's numbers are.
type Unit string

// The units.
const (
	Nanoseconds Unit = "ns"
	Share       Unit = "share" // 0.01 is 1 %
	Count       Unit = "count"
)

// bounded is a row that passes within [low, high].
func bounded(what string, measured, truth, low, high float64, unit Unit) Row {
	r := Row{What: what, Measured: measured, Truth: truth, Low: low, High: high, Unit: unit, State: Fail}
	if low <= measured && measured <= high {
		r.State = Pass
	}
	return r
}

// Outcome is what a check found.
type Outcome struct {
	State    State    `json:"state"`
	Measured string   `json:"measured"` // one line that stands beside the claim
	Reason   string   `json:"reason"`   // why it failed or couldn't be carried out; "" when it passed
	Notes    []string `json:"notes"`    // evidence
	Rows     []Row    `json:"rows"`
}

// judge sets an outcome's state and reason from its rows.
func judge(o Outcome) Outcome {
	o.State = Pass
	var failed, why []string
	unable, passed := 0, 0
	for _, r := range o.Rows {
		switch r.State {
		case Fail:
			failed = append(failed, r.What+withNote(r.Note))
		case Pass:
			passed++
		case Unable:
			if unable++; !slices.Contains(why, r.Note) {
				why = append(why, r.Note)
			}
		}
	}
	switch {
	case len(failed) > 0:
		o.State, o.Reason = Fail, several(failed)
	case unable > 0:
		o.State, o.Reason = Unable, fmt.Sprintf("%d of %d figures: %s", unable, unable+passed, several(why))
	case passed == 0:
		o.State, o.Reason = Unable, "nothing was tried"
	}
	return o
}

func withNote(note string) string {
	if note == "" {
		return ""
	}
	return " (" + note + ")"
}

// several is a list of which only the first few are written out.
func several(items []string) string {
	const shown = 3
	if len(items) <= shown {
		return strings.Join(items, "; ")
	}
	return fmt.Sprintf("%s; and %d more", strings.Join(items[:shown], "; "), len(items)-shown)
}

// Finding is a check and what came of it.
type Finding struct {
	Name    string  `json:"name"`
	Claim   string  `json:"claim"`
	Seconds float64 `json:"seconds"` // that it took
	Outcome
}

// ErrUnable marks what a machine doesn't allow: the check couldn't be carried out.
var ErrUnable = errors.New("couldn't be carried out on this machine")

// Carry runs one check. An error of the check is an outcome as well: unable where it wraps ErrUnable, else failed. Only a
// cancelled ctx is returned as error.
func Carry(ctx context.Context, env *Env, c Check) (Finding, error) {
	begun := time.Now()
	o, err := c.Run(ctx, env)
	if ctx.Err() != nil {
		return Finding{}, ctx.Err()
	}
	if err != nil {
		o.State, o.Reason = Fail, err.Error()
		if errors.Is(err, ErrUnable) {
			o.State = Unable
		}
	}
	if o.Measured == "" {
		o.Measured = "no figure that counts"
	}
	if o.Rows == nil {
		o.Rows = []Row{}
	}
	if o.Notes == nil {
		o.Notes = []string{}
	}
	return Finding{Name: c.Name, Claim: c.Claim, Seconds: time.Since(begun).Seconds(), Outcome: o}, nil
}

// Worst is the state of several findings together: fail before unable before pass.
func Worst(findings []Finding) State {
	worst := Pass
	for _, f := range findings {
		if f.State == Fail || f.State == Unable && worst == Pass {
			worst = f.State
		}
	}
	return worst
}
