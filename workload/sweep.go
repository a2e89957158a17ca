package workload

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"kbench/words"
)

// maxCombinations bounds a sweep: more would run for weeks.
const maxCombinations = 10_000

// DefaultReferenceEvery is a good SweepOptions.ReferenceEvery.
const DefaultReferenceEvery = 10

// autoWarmup is what an automatic warm-up is taken for in estimates.
const autoWarmup = 5 * time.Second

// SweepOptions says how the cells of a sweep are ordered and repeated.
type SweepOptions struct {
	Seed           uint64        // of the order
	Repeats        int           // runs of each combination; 0 and 1: one
	ReferenceEvery int           // run the reference cell again after so many others; 0: never
	Overhead       time.Duration // of one cell besides warm-up and measurement, for the estimate
}

// Cell is one run of a sweep.
type Cell struct {
	ID        string   // stable, fit for a folder: c012-r1, ref-03
	Index     int      // number of the combination, from 0, the last axis running fastest
	Repeat    int      // from 1
	Reference bool     // an additional run of the reference combination, to see drift
	Values    []string // one for each axis
	Plan      Plan     // resolved; without a sweep
	Notes     []string // what was settled without having been asked, see ProducerConfig.Notes
	Refused   error    // why this combination can't run; nil if it can
}

// SweepPlan is a whole sweep, worked out before anything runs.
type SweepPlan struct {
	Axes        []Axis
	Cells       []Cell        // in the order to run them
	Refused     []Cell        // combinations that contradict themselves, once each
	Reference   []string      // values of the reference cell
	Total       time.Duration // estimate for all cells
	Unestimated int           // cells left out of Total: bounded by records alone, at no known rate
	Fingerprint string        // of axes, options and all plans: two sweeps with the same one have the same cells
}

// Cells works out a sweep over the axes, or over the profile's own sweep block if axes is nil. Unknown axes and values
// that are wrong by themselves are an error; combinations that contradict themselves are listed as refused. Each repeat
// is a block of all combinations in an order drawn from the seed; the reference cell, the first runnable combination,
// comes again at the start, after every ReferenceEvery cells and at the end of sweeps longer than that.
func Cells(base *Profile, axes []Axis, opts SweepOptions) (*SweepPlan, error) {
	own := axes == nil
	if own {
		axes = base.Axes()
	}
	if len(axes) == 0 {
		return nil, fmt.Errorf("nothing to sweep: give --vary name=value,value or a sweep block in the profile")
	}
	_, errs := base.resolve()
	if errs = lasting(errs); len(errs) > 0 {
		return nil, errs
	}
	resolved, errs := base.resolveAxes(axes, own)
	if len(errs) > 0 {
		return nil, errs
	}
	n := 1
	for _, a := range axes {
		if n *= len(a.Values); n > maxCombinations {
			return nil, fmt.Errorf("--vary: more than %d combinations", maxCombinations)
		}
	}
	opts.Repeats = max(opts.Repeats, 1)
	if n*opts.Repeats > maxCombinations {
		return nil, fmt.Errorf("%s with %s: allowed %d cells", words.Count(n, "combination"), words.Count(opts.Repeats, "repeat"), maxCombinations)
	}
	s := &SweepPlan{Axes: axes}
	var runnable []Cell
	for i := range n {
		cell, err := base.cell(resolved, i, len(fmt.Sprint(n-1)))
		switch {
		case err != nil:
			return nil, err
		case cell.Refused != nil:
			s.Refused = append(s.Refused, cell)
		default:
			runnable = append(runnable, cell)
		}
	}
	if len(runnable) == 0 {
		return nil, fmt.Errorf("no combination can run: %w", s.Refused[0].Refused)
	}
	s.order(runnable, opts)
	s.estimate(opts.Overhead)
	return s, s.sign(opts)
}

// cell works out combination i. An error is one that no combination is to blame for.
func (p *Profile) cell(axes []sweepAxis, i, width int) (Cell, error) {
	c := Cell{ID: fmt.Sprintf("c%0*d", max(width, 3), i), Index: i, Values: make([]string, len(axes))}
	choice := make([]int, len(axes))
	for k := len(axes) - 1; k >= 0; k-- {
		choice[k] = i % len(axes[k].Values)
		i /= len(axes[k].Values)
		c.Values[k] = axes[k].Values[choice[k]]
	}
	plan, errs := p.vary(axes, choice)
	if len(lasting(errs)) > 0 {
		return c, errs
	}
	c.Plan, c.Refused, c.Notes = plan, errs.orNil(), plan.Producer.Notes()
	return c, nil
}

// lasting leaves out the contradictions: the errors that no other value of another field can heal.
func lasting(errs problems) problems {
	return slices.DeleteFunc(slices.Clone(errs), func(e *fieldError) bool { return e.clash })
}

// order lays out the runs: a shuffled block for each repeat, and the reference in between.
func (s *SweepPlan) order(runnable []Cell, opts SweepOptions) {
	random := rand.New(rand.NewPCG(opts.Seed, 0x5eeb))
	reference := runnable[0]
	s.Reference = reference.Values
	every := opts.ReferenceEvery
	drift := every > 0 && len(runnable)*opts.Repeats > every
	references := 0
	addReference := func() {
		references++
		c := reference
		c.ID, c.Repeat, c.Reference = fmt.Sprintf("ref-%02d", references), references, true
		s.Cells = append(s.Cells, c)
	}
	done := 0
	for repeat := 1; repeat <= opts.Repeats; repeat++ {
		for _, i := range random.Perm(len(runnable)) {
			if drift && done%every == 0 {
				addReference()
			}
			c := runnable[i]
			c.ID, c.Repeat = fmt.Sprintf("%s-r%d", c.ID, repeat), repeat
			s.Cells = append(s.Cells, c)
			done++
		}
	}
	if drift {
		addReference()
	}
}

// estimate adds up the expected times.
func (s *SweepPlan) estimate(overhead time.Duration) {
	for i := range s.Cells {
		s.Total += overhead
		if d, ok := s.Cells[i].Plan.Estimate(); ok {
			s.Total += d
		} else {
			s.Unestimated++
		}
	}
}

// Estimate is the expected time of a run of the plan, warm-up included; false if it is bounded by records alone and
// their rate isn't known.
func (p *Plan) Estimate() (time.Duration, bool) {
	warmup := p.Load.Warmup.Duration
	if p.Load.Warmup.Auto {
		warmup = autoWarmup
	}
	total := warmup + p.Load.Duration
	if p.Load.Records == 0 {
		return total, true
	}
	if rate := p.Load.Rate; rate.PerSecond > 0 && !rate.Bytes {
		return min(total, time.Duration(min(float64(p.Load.Records)/rate.PerSecond, longest.Seconds())*float64(time.Second))), true
	}
	if due := p.Load.due(0); due != nil {
		second := func(i int) time.Duration { return time.Duration(i) * time.Second }
		n := sort.Search(int(total.Seconds()), func(i int) bool { return due(second(i)) >= float64(p.Load.Records) })
		return min(total, second(n)), true
	}
	return total, p.Load.Duration < unlimited
}

// sign computes the fingerprint.
func (s *SweepPlan) sign(opts SweepOptions) error {
	opts.Overhead = 0
	type run struct {
		ID   string
		Plan Plan
	}
	content := struct {
		Version int
		Axes    []Axis
		Options SweepOptions
		Cells   []run
	}{Version: 1, Axes: s.Axes, Options: opts}
	for _, c := range s.Cells {
		content.Cells = append(content.Cells, run{c.ID, c.Plan})
	}
	text, err := json.Marshal(content)
	if err != nil {
		return fmt.Errorf("fingerprint of the sweep: %w", err)
	}
	sum := sha256.Sum256(text)
	s.Fingerprint = hex.EncodeToString(sum[:16])
	return nil
}
