package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"kbench/doctor"
	"kbench/driver/native"
	"kbench/driver/null"
	"kbench/workload"
)

// ceilings are the drivers whose highest rate doctor measures: the harness alone, for both ways in which clients
// acknowledge; the way into the sink alone, with batches encoded beforehand; and a whole client.
func ceilings() []doctor.Ceiling {
	return []doctor.Ceiling{{Driver: null.Driver()}, {Driver: null.Single()}, {Driver: native.Replay(), Sink: true}, {Driver: native.Driver(), Sink: true}}
}

type doctorOptions struct {
	streams
	json         bool
	recordSize   string
	rate         string
	duration     string
	cpus         string
	targetCPUs   string
	quiet        bool
	allowInvalid bool
}

func newDoctor(s streams) *cobra.Command {
	o := &doctorOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Find out whether this machine is fit to generate load, and for what rate it can vouch",
		Long: `Looks at what endangers a measurement on this machine (CPUs, clock, control groups, steal, other load, memory,
sockets), measures the generator's own ceilings and how exactly it keeps a rate, and says up to what rate it can vouch for
its figures at this record size: at most half of the lowest ceiling. At half of its capacity, a queue in front of the
generator is on average no longer than one record's service; at 90 % it is nine times as long, and a run shows that.

Every finding is ok, a note, a warning (figures suffer) or bad (figures would be the machine's), with what was found, why it
matters and what to do about it. Nothing is changed. It takes about 10 seconds.

--json prints an object: schema_version, kbench, fit, interrupted, host, record_bytes, rate_asked,
vouched {records_per_second, bytes_per_second, ceiling, share_of_ceiling, lateness},
ceilings [{driver, target, records_per_second, bytes_per_second, ns_per_record, cpu_ns_per_record, error}],
pacing [{rate_asked, records_per_second, p50_ns, p99_ns, p999_ns, max_ns}],
findings [{check, severity, measured, values, why, do}]. Names stay; new ones may come.

Exit codes: 0 fit, 2 bad usage, 3 unfit (a finding is bad), 4 the report couldn't be written, 130 interrupted; what was found until then
is printed.`,
		Example: `  kbench doctor
  kbench doctor --record-size 100 --rate 50000/s --duration 300ms
  kbench doctor --json --duration 200ms`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return o.run() },
	}
	flags := cmd.Flags()
	flags.BoolVar(&o.json, "json", false, "print a JSON object")
	flags.StringVar(&o.recordSize, "record-size", "1KiB", "`size` of a record's value")
	flags.StringVar(&o.rate, "rate", "", "the `rate` to be fit for: 5000/s, 20MiB/s")
	flags.StringVar(&o.duration, "duration", "1s", "`length` of each measurement under load, 100ms to 1m")
	flags.StringVar(&o.cpus, "cpus", "", "`CPUs` to pin the generator to, such as 0 or 0,2-3 (Linux)")
	flags.StringVar(&o.targetCPUs, "target-cpus", "", "`CPUs` to pin the sink to (Linux)")
	flags.BoolVar(&o.quiet, "quiet", false, "no progress")
	flags.BoolVar(&o.allowInvalid, "allow-invalid", false, "exit 0 although the machine is unfit")
	return cmd
}

func (o *doctorOptions) run() error {
	opts, err := o.options()
	if err != nil {
		return err
	}
	interrupts := watchInterrupts(context.Background(), o.err)
	defer interrupts.done()
	report, err := doctor.Run(interrupts.ctx, opts)
	if err != nil {
		return interruptedOr(interrupts, err)
	}
	report.Kbench = version()
	if err := o.print(report); err != nil {
		return targetError(fmt.Errorf("printing the report: %w", err))
	}
	switch {
	case report.Interrupted:
		return silent(exitInterrupted)
	case !report.Fit && !o.allowInvalid:
		return silent(exitInvalid)
	}
	return nil
}

// options reads the flags.
func (o *doctorOptions) options() (opts doctor.Options, err error) {
	opts = doctor.DefaultOptions()
	opts.Ceilings = ceilings()
	if opts.RecordBytes, err = workload.ParseSize(o.recordSize); err != nil {
		return opts, fmt.Errorf("--record-size: %w", err)
	}
	if err = doctor.CheckRecordBytes(opts.RecordBytes); err != nil {
		return opts, fmt.Errorf("--record-size %q: %w", o.recordSize, err)
	}
	if opts.Duration, err = workload.ParseDuration(o.duration); err != nil {
		return opts, fmt.Errorf("--duration: %w", err)
	}
	if err = doctor.CheckDuration(opts.Duration); err != nil {
		return opts, fmt.Errorf("--duration: %w", err)
	}
	if o.rate != "" {
		if opts.Rate, err = workload.ParseRate(o.rate); err != nil {
			return opts, fmt.Errorf("--rate: %w", err)
		}
		if opts.Rate.PerSecond == 0 {
			return opts, fmt.Errorf("--rate %q: the most that can be vouched for is found out without --rate", o.rate)
		}
	}
	for _, list := range []struct {
		flag, text string
		to         *[]int
	}{{"--cpus", o.cpus, &opts.CPUs}, {"--target-cpus", o.targetCPUs, &opts.TargetCPUs}} {
		if list.text == "" {
			continue
		}
		if *list.to, err = parseCPUs(list.text); err != nil {
			return opts, fmt.Errorf("%s: %w", list.flag, err)
		}
	}
	if !o.quiet {
		opts.Progress = func(what string) { fmt.Fprintf(o.err, "measuring %s\n", what) }
	}
	return opts, nil
}

// print writes the report in the form asked for.
func (o *doctorOptions) print(r *doctor.Report) error {
	if !o.json {
		return writeDoctor(o.out, r)
	}
	enc := json.NewEncoder(o.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
