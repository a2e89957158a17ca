package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kbench/driver"
	"kbench/driver/franz"
	"kbench/driver/native"
	"kbench/driver/null"
	"kbench/driver/sarama"
	"kbench/metrics"
	"kbench/report"
	"kbench/selftest"
)

// Files of a self-test's folder.
const (
	selftestJSON  = "selftest.json"
	selftestTable = "table.md"
)

type selftestOptions struct {
	streams
	quick    bool
	thorough bool
	json     bool
	quiet    bool
	only     []string
	dir      string
	command  string
}

func newSelftest(s streams) *cobra.Command {
	o := &selftestOptions{streams: s}
	cmd := &cobra.Command{
		Use: "selftest", Short: "Show how wrong kbench's own figures are on this machine",
		Long: `Holds what kbench reports against truths that are known otherwise, and prints for each claim what was measured and
whether it holds here: the histograms against exact sorting; responses against the log of a sink that holds its answers;
queues against theory; stalls, a killed target and Ctrl-C against closed forms; pacing; the coverage of intervals; the end
of the warm-up; runs that are spoilt on purpose and have to be called invalid; seeds; the harness's own cost.

It takes up to 15 minutes, with --quick one. It wants a machine that does nothing else: a check that other load or the
hypervisor spoilt is repeated, and then told as one that couldn't be carried out.

Exit codes: 0 every claim holds, 1 one doesn't, 2 bad usage, 3 one couldn't be tried validly on this machine, 4 the result couldn't be
written, 130 interrupted.`,
		Example: `  kbench selftest --quick
  kbench selftest --only histogram --only seed --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.command = strings.Join(append([]string{"kbench"}, selftestArgs(o)...), " ")
			return o.run()
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.quick, "quick", false, "one of everything, in a minute")
	flags.BoolVar(&o.thorough, "thorough", false, "at least 20 of every fault and 100 clean runs, as the published results have it; over half an hour")
	flags.BoolVar(&o.json, "json", false, "print the result as JSON")
	flags.BoolVar(&o.quiet, "quiet", false, "no progress")
	flags.StringArrayVar(&o.only, "only", nil, "only this `check` (several times): "+joined(checkNames()))
	flags.StringVar(&o.dir, "out", "", "`folder` for the result (default results/<time>-selftest)")
	mustRegister(completeFlags(cmd, map[string][]string{"only": checkNames()}))
	cmd.AddCommand(newSelftestHog())
	return cmd
}

// newSelftestHog is what the checks start where something has to take the generator's time.
func newSelftestHog() *cobra.Command {
	return &cobra.Command{Use: "hog", Hidden: true, Args: cobra.NoArgs, Short: "Take CPU time, for the checks",
		Run: func(cmd *cobra.Command, _ []string) { selftest.Hog(cmd.Context()) }}
}

// selftestArgs is the command line again, but for what says how and where it is printed.
func selftestArgs(o *selftestOptions) []string {
	args := []string{"selftest"}
	if o.quick {
		args = append(args, "--quick")
	}
	if o.thorough {
		args = append(args, "--thorough")
	}
	for _, name := range o.only {
		args = append(args, "--only", name)
	}
	return args
}

func checkNames() []string {
	var names []string
	for _, c := range selftest.Checks() {
		names = append(names, c.Name)
	}
	return names
}

// checks are those asked for, in the order of the table.
func (o *selftestOptions) checks() ([]selftest.Check, error) {
	names := checkNames()
	for _, n := range o.only {
		if !slices.Contains(names, n) {
			return nil, fmt.Errorf("--only %q: allowed are %s%s", n, joined(names), didYouMean(n, names))
		}
	}
	if o.quick && o.thorough {
		return nil, errors.New("--quick contradicts --thorough")
	}
	all := selftest.Checks()
	if len(o.only) == 0 {
		return all, nil
	}
	return slices.DeleteFunc(all, func(c selftest.Check) bool { return !slices.Contains(o.only, c.Name) }), nil
}

func (o *selftestOptions) size() selftest.Size {
	switch {
	case o.quick:
		return selftest.Quick
	case o.thorough:
		return selftest.Thorough
	}
	return selftest.Full
}

// env is what the checks work with; its folder is the caller's to remove.
func (o *selftestOptions) env() (*selftest.Env, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("can't find this program: %w", err)
	}
	dir, err := os.MkdirTemp("", "kbench-selftest-")
	if err != nil {
		return nil, targetError(err)
	}
	e := &selftest.Env{Size: o.size(), Clients: []driver.Driver{native.Driver(), franz.Driver(), sarama.Driver()},
		Null: null.Driver(), Kbench: [2]string{exe, os.Args[0]}, Dir: dir}
	if limit := map[selftest.Size]time.Duration{selftest.Quick: 40 * time.Second, selftest.Full: 12 * time.Minute}[e.Size]; limit > 0 {
		e.Deadline = time.Now().Add(limit)
	}
	if !o.quiet {
		e.Log = func(line string) { fmt.Fprintln(o.err, line) }
	}
	return e, nil
}

func (o *selftestOptions) run() error {
	checks, err := o.checks()
	if err != nil {
		return err
	}
	dir := o.dir
	if dir == "" {
		dir = filepath.Join("results", time.Now().Format("20060102-150405.000")+"-selftest")
	}
	if err := report.CreateDir(dir); err != nil {
		return outError(err)
	}
	defer removeEmpty(dir)
	env, err := o.env()
	if err != nil {
		return err
	}
	defer os.RemoveAll(env.Dir) // a folder of our own below the system's temporary one
	interrupts := watchInterrupts(context.Background(), o.err)
	defer interrupts.done()
	env.Abort = interrupts.abort
	res := o.carry(interrupts.ctx, env, checks)
	stored := storeSelftest(dir, res)
	if err := o.print(res); err != nil && stored == nil {
		stored = fmt.Errorf("printing the result (it is in %s): %w", dir, err)
	}
	if stored != nil {
		return targetError(stored)
	}
	if !o.quiet {
		fmt.Fprintf(o.err, "result in %s\n", dir)
	}
	return silent(selftestCode(res))
}

// carry runs the checks; an interrupt leaves those that were done.
func (o *selftestOptions) carry(ctx context.Context, env *selftest.Env, checks []selftest.Check) *selftest.Result {
	res := &selftest.Result{Schema: selftest.Schema, Started: time.Now(), Kbench: version(), Clients: map[string]string{},
		Command: o.command, Size: env.Size, Host: metrics.Fingerprint(), Checks: []selftest.Finding{}}
	for _, d := range env.Clients {
		res.Clients[d.Name] = strings.TrimSpace(d.Client + " " + d.Version)
	}
	for _, c := range checks {
		f, err := selftest.Carry(ctx, env, c)
		if err != nil {
			res.Interrupted = true
			break
		}
		res.Checks = append(res.Checks, f)
		if env.Log != nil {
			env.Log(fmt.Sprintf("%s: %s in %.0f s", f.Name, f.State, f.Seconds))
		}
	}
	res.State = selftest.Worst(res.Checks)
	return res
}

// selftestCode is the exit code of a self-test.
func selftestCode(res *selftest.Result) int {
	switch {
	case res.Interrupted:
		return exitInterrupted
	case res.State == selftest.Fail:
		return exitFailed
	case res.State == selftest.Unable:
		return exitInvalid
	}
	return exitOK
}

func (o *selftestOptions) print(res *selftest.Result) error {
	if o.json {
		return writeJSON(o.out, res)
	}
	return writeSelftest(o.out, res)
}

// storeSelftest writes both files.
func storeSelftest(dir string, res *selftest.Result) error {
	var data, table bytes.Buffer
	if err := writeJSON(&data, res); err != nil {
		return err
	}
	if err := writeSelftestMarkdown(&table, res); err != nil {
		return err
	}
	for name, b := range map[string][]byte{selftestJSON: data.Bytes(), selftestTable: table.Bytes()} {
		write := func(w io.Writer) error { _, err := w.Write(b); return err }
		if err := writeAside(filepath.Join(dir, name), write); err != nil {
			return fmt.Errorf("writing the result: %w", err)
		}
	}
	return nil
}
