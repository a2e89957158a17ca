package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"kbench/metrics"
	"kbench/report"
	"kbench/words"
	"kbench/workload"
)

// outputFlags say where a result goes.
type outputFlags struct {
	dir          string
	format       string
	quiet        bool
	allowInvalid bool
}

func (f *outputFlags) register(cmd *cobra.Command, formats []string) error {
	flags := cmd.Flags()
	flags.StringVar(&f.dir, "out", "", "`folder` for the result (default results/<time>-<profile>)")
	flags.StringVar(&f.format, "format", "table", "`form` of what is printed: "+joined(formats))
	flags.BoolVar(&f.quiet, "quiet", false, "no progress")
	flags.BoolVar(&f.allowInvalid, "allow-invalid", false, "exit 0 although the measurement is invalid")
	return completeFlags(cmd, map[string][]string{"format": formats})
}

// folder is where the result goes.
func (f *outputFlags) folder(profile string) string {
	if f.dir != "" {
		return f.dir
	}
	return filepath.Join("results", time.Now().Format("20060102-150405.000")+"-"+strings.Map(fileRune, profile))
}

// fileRune makes a profile's name fit for a folder: it may hold anything.
func fileRune(r rune) rune {
	if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') {
		return r
	}
	return '-'
}

type runOptions struct {
	streams
	plan   planFlags
	target targetFlags
	output outputFlags
	args   []string
}

func newRun(s streams) *cobra.Command {
	o := &runOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "run [PROFILE]",
		Short: "Run one workload and print its throughput and latency",
		Long: `Runs a workload profile (a shipped one by name, or a YAML file) with one client against one target.

Latency is counted from the moment each record was due. Every scheduled record is accounted for: acknowledged, failed, or
censored (unfinished at its time-out, and counted with its age as a lower bound). The result goes to stdout, and with all
its details into a folder. Its first word is the verdict: INVALID where the generator, its machine, an unsteady target or
another configuration than the asked one make the figures, and then the exit code is 3 unless --allow-invalid.

On a cluster given with --bootstrap-server the run makes topics of its own and removes them at the end; --topic writes to
an existing one instead.`,
		Example: `  kbench run
  kbench run orders --target kafka --driver native
  kbench run quickstart --rate 20000/s --duration 10s -X linger.ms=20 --format json`,
		Args:              wantArgs(0, 1, "one PROFILE"),
		ValidArgsFunction: profileNames,
		RunE: func(_ *cobra.Command, args []string) error {
			o.args = args
			return o.run()
		},
	}
	o.plan.register(cmd.Flags())
	o.target.register(cmd.Flags())
	mustRegister(o.output.register(cmd, report.Formats()))
	mustRegister(completeFlags(cmd, map[string][]string{"driver": driverNames(), "target": {"sink", "fake", "kafka"}}))
	return cmd
}

func (o *runOptions) run() (failure error) {
	if err := report.CheckFormat(o.output.format); err != nil {
		return fmt.Errorf("--format: %w", err)
	}
	profile, err := o.plan.profile(o.args)
	if err != nil {
		return err
	}
	plan, d, err := resolve(profile)
	if err != nil {
		return err
	}
	oneTopic(plan, o.plan.topic)
	payloads, err := workload.NewSource(plan, workload.SourceOptions{})
	if err != nil {
		return err
	}
	if err := o.target.checkPlan(plan, payloads); err != nil {
		return err
	}
	dir := o.output.folder(plan.Profile)
	if err := o.target.hold.checkLog(dir); err != nil {
		return err
	}
	if err := report.CreateDir(dir); err != nil {
		return outError(err)
	}
	defer removeEmpty(dir)
	interrupts := watchInterrupts(context.Background(), o.err)
	defer interrupts.done()
	target, err := o.target.open(interrupts.ctx, &plan.Producer, o.err)
	if err != nil {
		return interruptedOr(interrupts, err)
	}
	defer func() { target.finish(&failure) }()
	live := newLive(o.err, o.output.quiet, runTitle(plan, d.Name, target))
	m := measurement{target: target, plan: plan, payloads: payloads, driver: d, topic: o.plan.topic, keepTopics: o.plan.keepTopics,
		interrupts: interrupts, observe: live.observe, stderr: o.err}
	res, failed := m.measure()
	live.finish()
	if res == nil {
		return interruptedOr(interrupts, failed)
	}
	if err := o.deliver(dir, res); err != nil {
		return err
	}
	if failed != nil {
		return failed
	}
	return silent(verdictCode(res, o.output.allowInvalid))
}

// deliver stores the result, and prints it even if it couldn't be stored.
func (o *runOptions) deliver(dir string, res *metrics.Result) error {
	stored := storeResult(dir, res)
	if err := report.Write(o.out, o.output.format, res); err != nil && stored == nil {
		stored = fmt.Errorf("printing the result (it is in %s): %w", dir, err)
	}
	if stored == nil && !o.output.quiet {
		fmt.Fprintf(o.err, "result in %s\n", dir)
	}
	return targetError(stored)
}

// storeResult writes a result's files, but never over another result.
func storeResult(dir string, res *metrics.Result) error {
	if _, err := os.Stat(filepath.Join(dir, report.ResultFile)); err == nil {
		return fmt.Errorf("writing the result: %s holds another run's result by now", dir)
	}
	if _, err := report.WriteDir(dir, res); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// removeEmpty removes a result's folder if nothing was written into it, and results/ if that leaves it empty.
func removeEmpty(dir string) {
	if os.Remove(dir) == nil && filepath.Base(filepath.Dir(dir)) == "results" {
		_ = os.Remove(filepath.Dir(dir)) // it may hold others
	}
}

// runTitle is the line that says what is about to run.
func runTitle(plan *workload.Plan, driver string, t *target) string {
	return fmt.Sprintf("%s: %s on %s %s (%s)", plan.Profile, driver, t.kind, t.version, words.Count(t.brokers, "broker"))
}

// verdictCode is the exit code that a result by itself asks for.
func verdictCode(res *metrics.Result, allowInvalid bool) int {
	switch {
	case res.Interrupted:
		return exitInterrupted
	case res.Verdict.State != metrics.StateValid && !allowInvalid:
		return exitInvalid
	}
	for _, o := range res.Objectives {
		if !o.Met {
			return exitFailed
		}
	}
	return exitOK
}

// interruptedOr is the error of something that a Ctrl-C may have ended.
func interruptedOr(i *interrupts, err error) error {
	if i.interrupted() {
		return silent(exitInterrupted)
	}
	return err
}
