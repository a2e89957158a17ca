package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/spf13/cobra"
)

// streams are where a command reads and writes: stdout carries the result only, stderr everything else.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// run carries out one command line and returns the exit code.
func run(s streams, args []string) int {
	out := &output{w: s.out}
	s.out = out
	root := newRoot(s)
	root.SetArgs(args)
	cmd, err := root.ExecuteC()
	var write *fs.PathError
	if out.err != nil && (err == nil || exitCode(err) == exitUsage && errors.As(err, &write) && write.Op == "write") {
		err = targetError(fmt.Errorf("printing: %w", out.err))
	}
	if err != nil && !isSilent(err) {
		fmt.Fprintf(s.err, "kbench: %s\n", nameVariables(cmd.Flags(), err.Error()))
	}
	return exitCode(err)
}

// output is stdout, and remembers that something couldn't be written: most texts are printed without a look at the error.
type output struct {
	w   io.Writer
	err error // the first
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// newRoot writes out the table of commands.
func newRoot(s streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "kbench",
		Short: "Benchmark Apache Kafka with numbers that can be trusted",
		Long: `kbench generates load for Apache Kafka, with its own producer core or with the clients people use, and measures
response latency from the moment each record was due.

Without a cluster it runs against an embedded broker; a real Kafka is started from its jars with --target kafka.

Exit codes: 0 fine, 1 an objective failed, 2 bad usage or input, 3 invalid measurement, 4 target or client failure,
130 interrupted. Every flag can also be given as an environment variable: --target as KBENCH_TARGET,
--set as KBENCH_SET (one value a line).`,
		Example: `  kbench run
  kbench run orders --target kafka --driver native
  kbench sweep linger-vs-batch --dry-run`,
		Version:       version(),
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return flagsFromEnvironment(cmd.Flags(), os.LookupEnv) },
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.AddCommand(newRun(s), newSweep(s), newReport(s), newProfiles(s), newDrivers(s), newDoctor(s), newSelftest(s), newBroker(s), newBrokerChild(s), newVersion(s))
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w (see %s --help)", flagError(cmd.Flags(), err), cmd.CommandPath())
	})
	return root
}
