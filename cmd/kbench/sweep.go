package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kbench/metrics"
	"kbench/report"
	"kbench/words"
	"kbench/workload"
)

// cellOverhead is what a cell takes besides its load: topics, connections, drain, clean-up.
const cellOverhead = 1500 * time.Millisecond

type sweepOptions struct {
	streams
	plan           planFlags
	target         targetFlags
	output         outputFlags
	vary           []string
	repeats        int
	referenceEvery int
	dryRun         bool
	args           []string
}

func newSweep(s streams) *cobra.Command {
	o := &sweepOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "sweep [PROFILE]",
		Short: "Run a workload over all combinations of some settings, and print one table",
		Long: `Runs every combination of the values given with --vary (or in the profile's sweep block), in random order. Any producer
setting is an axis, as are driver, rate, size, partitions, producers, topic.<topic setting> and any field of the profile.

With --repeats the whole set is run again, each time in another order. The first combination is the reference cell: it
is run again after every few cells, to show drift of the machine or the target. Each cell's own result is kept under
--out; the same command with the same --out goes on where it stopped.`,
		Example: `  kbench sweep linger-vs-batch --dry-run
  kbench sweep orders --vary linger.ms=0,5 --vary acks=1,all --driver native,franz --rate 2000/s --duration 1s --warmup 0s`,
		Args:              wantArgs(0, 1, "one PROFILE"),
		ValidArgsFunction: profileNames,
		RunE: func(_ *cobra.Command, args []string) error {
			o.args = args
			return o.run()
		},
	}
	flags := cmd.Flags()
	o.plan.register(flags)
	o.target.register(flags)
	flags.StringArrayVar(&o.vary, "vary", nil, "an axis and its values, `name=a,b,…` (several times)")
	flags.IntVar(&o.repeats, "repeats", 1, "`times` to run every cell")
	flags.IntVar(&o.referenceEvery, "reference-every", workload.DefaultReferenceEvery, "run the reference cell again after so `many` cells; 0: never")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the cells and the time they take, and run nothing")
	flags.Lookup("driver").Usage = "`client` to measure; several, divided by commas, are an axis"
	mustRegister(o.output.register(cmd, report.SweepFormats()))
	mustRegister(completeFlags(cmd, map[string][]string{"driver": driverNames(), "target": {"sink", "fake", "kafka"}}))
	return cmd
}

func (o *sweepOptions) run() error {
	if err := report.CheckSweepFormat(o.output.format); err != nil {
		return fmt.Errorf("--format: %w", err)
	}
	sweep, err := o.sweepPlan()
	if err != nil {
		return err
	}
	if o.dryRun {
		return printSweepPlan(o.out, sweep)
	}
	dir := o.output.folder(sweepProfile(sweep) + "-sweep")
	if err := o.target.hold.checkLog(dir); err != nil {
		return err
	}
	store, err := openSweepStore(dir, o.output.dir != "", sweep, o.target.name())
	if err != nil {
		return outError(err)
	}
	if err := printSweepPlan(o.err, sweep); err != nil {
		return err
	}
	if n := len(store.done); n > 0 {
		fmt.Fprintf(o.err, "going on in %s: %d of %s done\n", store.dir, n, words.Count(len(sweep.Cells), "cell"))
	}
	interrupts := watchInterrupts(context.Background(), o.err)
	defer interrupts.done()
	failed := o.cells(sweep, store, interrupts)
	rows := sweepRows(sweep, store)
	stored := store.writeTable(sweepAxes(sweep), rows)
	if err := report.WriteSweep(o.out, o.output.format, sweepAxes(sweep), rows); err != nil && stored == nil {
		stored = fmt.Errorf("printing the table: %w", err)
	}
	if stored != nil && failed != nil && !isSilent(failed) {
		stored = errors.Join(failed, stored)
	}
	if stored != nil {
		return targetError(stored)
	}
	if !o.output.quiet {
		fmt.Fprintf(o.err, "results in %s\n", store.dir)
	}
	if failed != nil {
		return failed
	}
	if interrupts.interrupted() {
		return silent(exitInterrupted)
	}
	return silent(sweepCode(rows, o.output.allowInvalid))
}

// sweepPlan puts profile, flags and axes together, and refuses what no cell could run.
func (o *sweepOptions) sweepPlan() (*workload.SweepPlan, error) {
	var axes []workload.Axis
	for _, v := range o.vary {
		axis, err := workload.ParseVary(v)
		if err != nil {
			return nil, err
		}
		if axis.Name == "driver" && o.plan.driver != "" {
			return nil, fmt.Errorf("--vary driver=… and --driver %s: give one of them", o.plan.driver)
		}
		if o.plan.topic != "" && (axis.Name == "partitions" || strings.HasPrefix(axis.Name, "topic.") || strings.HasPrefix(axis.Name, "topics")) {
			return nil, fmt.Errorf("--vary %s: contradicts --topic %s, which is used as it is", axis.Name, o.plan.topic)
		}
		axes = append(axes, axis)
	}
	if strings.Contains(o.plan.driver, ",") {
		axis, err := workload.ParseVary("driver=" + o.plan.driver)
		if err != nil {
			return nil, fmt.Errorf("--driver: %w", err)
		}
		axes = append(axes, axis)
		o.plan.driver = ""
	}
	profile, err := o.plan.profile(o.args)
	if err != nil {
		return nil, err
	}
	if len(o.vary) == 0 {
		axes = append(profile.Axes(), axes...)
	}
	if len(axes) == 0 {
		return nil, errors.New("nothing to vary: give --vary name=a,b,…, or a profile with a sweep block (kbench profiles)")
	}
	if o.repeats < 1 {
		return nil, fmt.Errorf("--repeats=%d: at least 1", o.repeats)
	}
	if o.referenceEvery < 0 {
		return nil, fmt.Errorf("--reference-every=%d: 0 (never) or more", o.referenceEvery)
	}
	sweep, err := workload.Cells(profile, axes, workload.SweepOptions{Seed: o.seed(profile), Repeats: o.repeats, ReferenceEvery: o.referenceEvery, Overhead: cellOverhead})
	if err != nil {
		return nil, err
	}
	for i := range sweep.Cells {
		if err := o.target.checkPlan(&sweep.Cells[i].Plan, nil); err != nil {
			return nil, fmt.Errorf("cell %s: %w", cellName(sweep.Axes, &sweep.Cells[i]), err)
		}
	}
	return sweep, refuseByDriver(sweep)
}

// seed orders the sweep by the same seed that its records come from.
func (o *sweepOptions) seed(p *workload.Profile) uint64 {
	plan, err := p.Plan()
	if err != nil {
		return 0 // the sweep's own resolution tells why
	}
	return plan.Seed
}

// refuseByDriver takes the cells out of the plan that their driver can't express, and lists them as refused.
func refuseByDriver(sweep *workload.SweepPlan) error {
	listed := map[int]bool{}
	var left []workload.Cell
	for _, c := range sweep.Cells {
		if _, err := findDriver(c.Plan.Driver); err != nil {
			return err
		}
		_, c.Refused = checkedDriver(&c.Plan)
		if c.Refused == nil {
			left = append(left, c)
			continue
		}
		if estimate, ok := c.Plan.Estimate(); ok {
			sweep.Total -= estimate
		}
		sweep.Total -= cellOverhead
		if !listed[c.Index] {
			listed[c.Index] = true
			sweep.Refused = append(sweep.Refused, c)
		}
	}
	if sweep.Cells = left; len(left) == 0 {
		return fmt.Errorf("no combination can run: %w", sweep.Refused[0].Refused)
	}
	return nil
}

// cells runs what isn't done yet. An error means that the target is gone; a cell that fails by itself is a row.
func (o *sweepOptions) cells(sweep *workload.SweepPlan, store *sweepStore, interrupts *interrupts) (failure error) {
	todo := 0
	for _, c := range sweep.Cells {
		if !store.has(c.ID) {
			todo++
		}
	}
	if todo == 0 {
		return nil
	}
	target, err := o.target.open(interrupts.ctx, &sweep.Cells[0].Plan.Producer, o.err)
	if err != nil {
		return interruptedOr(interrupts, err)
	}
	defer func() { target.finish(&failure) }()
	for i := range sweep.Cells {
		c := &sweep.Cells[i]
		if store.has(c.ID) {
			continue
		}
		if interrupts.interrupted() {
			return nil
		}
		title := fmt.Sprintf("cell %d of %d: %s", i+1, len(sweep.Cells), cellName(sweep.Axes, c))
		if err := o.cell(c, cellPlace{title, store, target, interrupts}); err != nil {
			return err
		}
	}
	return nil
}

// cellPlace is what a cell runs in.
type cellPlace struct {
	title      string
	store      *sweepStore
	target     *target
	interrupts *interrupts
}

// cell runs one cell and stores its result.
func (o *sweepOptions) cell(c *workload.Cell, where cellPlace) error {
	d, err := checkedDriver(&c.Plan)
	if err != nil {
		return err
	}
	live := newLive(o.err, o.output.quiet, where.title)
	plan := c.Plan // the topics may change it
	m := measurement{target: where.target, plan: &plan, driver: d, topic: o.plan.topic, keepTopics: o.plan.keepTopics,
		interrupts: where.interrupts, observe: live.observe, stderr: o.err}
	res, failed := m.measure()
	live.finish()
	if res != nil && res.Interrupted || res == nil && where.interrupts.interrupted() {
		return nil // a cell cut short isn't a cell: it is run again when the sweep goes on
	}
	if failed != nil {
		where.store.fail(c.ID, res, failed)
		return o.cellFailed(c, where, failed)
	}
	if err := where.store.put(c.ID, res); err != nil {
		return targetError(fmt.Errorf("cell %s: writing the result: %w", c.ID, err))
	}
	if !o.output.quiet {
		fmt.Fprintf(o.err, "  %s\n", cellSummary(res))
	}
	return nil
}

// cellFailed tells why a cell failed; it is run again when the sweep goes on. It returns an error if the target is gone and
// with it all further cells.
func (o *sweepOptions) cellFailed(c *workload.Cell, where cellPlace, failed error) error {
	fmt.Fprintf(o.err, "kbench: cell %s: %v\n", c.ID, failed)
	ctx, cancel := where.interrupts.cleanup(goneTime)
	defer cancel()
	if gone := where.target.gone(ctx); gone != nil {
		return targetError(gone)
	}
	return nil
}

// cellName is a cell's place on the axes.
func cellName(axes []workload.Axis, c *workload.Cell) string {
	parts := make([]string, 0, len(axes)+1)
	if c.Reference {
		parts = append(parts, "reference")
	}
	for i, a := range axes {
		parts = append(parts, a.Name+"="+c.Values[i])
	}
	return strings.Join(parts, " ")
}

// sweepProfile is the name of the profile that is swept.
func sweepProfile(s *workload.SweepPlan) string { return s.Cells[0].Plan.Profile }

// cellSummary is one cell's result in a line.
func cellSummary(r *metrics.Result) string {
	line := fmt.Sprintf("%.0f records/s  p50 %s  p99 %s", r.Totals.RecordsPerSecond,
		shortTime(time.Duration(r.Latency.Response.P50)), shortTime(time.Duration(r.Latency.Response.P99)))
	if r.Totals.Failed+r.Totals.Censored > 0 {
		line += fmt.Sprintf("  %d failed, %d censored", r.Totals.Failed, r.Totals.Censored)
	}
	if r.Verdict.State != metrics.StateValid {
		line += "  " + r.Verdict.State + ": " + strings.Join(r.Verdict.Reasons, "; ")
	}
	return line
}

func sweepAxes(s *workload.SweepPlan) []string {
	names := make([]string, 0, len(s.Axes))
	for _, a := range s.Axes {
		names = append(names, a.Name)
	}
	return names
}

// sweepRows is one row for each cell, in the order of the plan, and then the refused ones.
func sweepRows(s *workload.SweepPlan, store *sweepStore) []report.SweepRow {
	var rows []report.SweepRow
	for i := range s.Cells {
		c := &s.Cells[i]
		row := report.SweepRow{Cell: c.ID, Values: c.Values, Repeat: c.Repeat, Reference: c.Reference, Result: store.done[c.ID]}
		if err := store.failed[c.ID]; err != nil && row.Result == nil {
			row.Err = err.Error()
		}
		rows = append(rows, row)
	}
	for i := range s.Refused {
		c := &s.Refused[i]
		rows = append(rows, report.SweepRow{Cell: c.ID, Values: c.Values, Refused: c.Refused.Error()})
	}
	return rows
}

// sweepCode is the exit code that the rows ask for: a failed cell weighs more than an invalid one, that more than an
// objective that isn't met.
func sweepCode(rows []report.SweepRow, allowInvalid bool) int {
	invalid, missed := false, false
	for _, r := range rows {
		if r.Err != "" {
			return exitTarget
		}
		if r.Result == nil {
			continue
		}
		switch verdictCode(r.Result, allowInvalid) {
		case exitInvalid:
			invalid = true
		case exitFailed:
			missed = true
		}
	}
	switch {
	case invalid:
		return exitInvalid
	case missed:
		return exitFailed
	}
	return exitOK
}
