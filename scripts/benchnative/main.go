// Command benchnative measures what the native producer costs, against franz-go and against the limit of the machine.
//
//	scripts/bench-native                   the whole table: about 20 minutes on two cores; results in results/native
//	scripts/bench-native --short           every row once, for some hundred ms each; writes nothing
//	scripts/bench-native --only core,cpu   some rows
//
// Every client is measured in a child process of its own, which has one CPU; the broker has another one. Contenders take
// turns: in each round all of them in random order, and then in the reverse order. Two neighbours make a pair, and of pairs'
// ratios the table has the Hodges-Lehmann estimate with the exact interval of Wilcoxon's signed-rank test. What is measured on
// one contender alone has the same estimate of its values. Every record is accounted for: the broker has to have as many
// records as were acknowledged.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"kbench/broker"
)

// childArg and brokerArg make this program a child process: a client that is measured, or the sink.
const (
	childArg  = "measure-child"
	brokerArg = "broker-child"
)

type options struct {
	short     bool
	only      []string // rows; empty: all
	out       string   // "": nothing is written
	rounds    int
	seed      uint64
	kbench    string // path of the program
	cpu       int    // of clients
	targetCPU int
	profiles  string // folder for a CPU profile of each contender; "": none
	args      []string
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case len(args) > 0 && args[0] == brokerArg:
		err = broker.RunChild(ctx, args[1:])
	case len(args) > 0 && args[0] == childArg:
		err = runChild(os.Stdin, stdout)
	default:
		var o *options
		if o, err = parse(args, stderr); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				return 0
			}
			fmt.Fprintf(stderr, "bench-native: %v\n", err)
			return 2
		}
		if o.out != "" { // not found out after twenty minutes of measuring
			if err := os.MkdirAll(o.out, 0o755); err != nil {
				fmt.Fprintf(stderr, "bench-native: -out: %v\n", err)
				return 2
			}
		}
		err = o.all(ctx, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "bench-native: %v\n", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{args: args}
	fs := flag.NewFlagSet("bench-native", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.BoolVar(&o.short, "short", false, "every row once, for some hundred ms each; writes nothing unless -out is given")
	only := fs.String("only", "", "rows, separated by commas; empty: all")
	fs.StringVar(&o.out, "out", "results/native", "folder for the table, the data and the environment")
	fs.IntVar(&o.rounds, "rounds", 5, "how often contenders are measured there and back; at least 3 for an interval")
	fs.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of the order")
	fs.StringVar(&o.kbench, "kbench", "dist/kbench", "the kbench program")
	fs.IntVar(&o.cpu, "cpu", 0, "CPU of the clients")
	fs.IntVar(&o.targetCPU, "target-cpu", 1, "CPU of the broker")
	fs.StringVar(&o.profiles, "profiles", "", "folder for a CPU profile of each contender's last window; empty: none")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.rounds < 1 {
		return nil, fmt.Errorf("-rounds %d is below 1", o.rounds)
	}
	if o.cpu == o.targetCPU {
		return nil, fmt.Errorf("-cpu and -target-cpu are both %d: client and broker would share it", o.cpu)
	}
	out := false
	fs.Visit(func(f *flag.Flag) { out = out || f.Name == "out" })
	if o.short && !out {
		o.out = ""
	}
	if *only != "" {
		o.only = strings.Split(*only, ",")
	}
	var known []string
	for _, b := range blocks() {
		for _, c := range b.checks {
			if !slices.Contains(known, c.row) {
				known = append(known, c.row)
			}
		}
	}
	for _, row := range o.only {
		if !slices.Contains(known, row) {
			return nil, fmt.Errorf("-only: %q is none of %s", row, strings.Join(known, ", "))
		}
	}
	return o, nil
}

// selected are the blocks, with only those checks that were asked for and the contenders that these need.
func (o *options) selected() []block {
	var some []block
	for _, b := range blocks() {
		if len(o.only) > 0 {
			b.checks = slices.DeleteFunc(b.checks, func(c check) bool { return !slices.Contains(o.only, c.row) })
			b.contenders = slices.DeleteFunc(b.contenders, func(c contender) bool {
				return !slices.ContainsFunc(b.checks, func(k check) bool { return k.of == c.name || k.against == c.name })
			})
		}
		if o.short {
			b.warmup, b.window = min(b.warmup, 150*time.Millisecond), min(b.window, 250*time.Millisecond)
		}
		if b.rounds == 0 {
			b.rounds = o.rounds
		}
		if len(b.contenders) > 0 {
			some = append(some, b)
		}
	}
	return some
}

// blockResult is a block and what was measured.
type blockResult struct {
	block        block
	measurements []measurement
	verdicts     []verdict
}

// all measures block after block, prints the table and writes the results. A block that fails doesn't keep the others from
// being measured.
func (o *options) all(ctx context.Context, stdout, stderr io.Writer) error {
	began := time.Now()
	rng := rand.New(rand.NewPCG(o.seed, 0))
	say := func(format string, args ...any) {
		fmt.Fprintf(stderr, "%5.0fs %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	r := report{opts: o, began: began, environment: environment()}
	var errs []error
	for _, b := range o.selected() {
		ms, err := o.play(ctx, &b, rng, say)
		if ctx.Err() != nil {
			return errors.New("interrupted; nothing was written")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", b.name, err))
			say("%v", errs[len(errs)-1])
		}
		done := blockResult{block: b, measurements: ms}
		for _, c := range b.checks {
			done.verdicts = append(done.verdicts, judge(c, ms))
		}
		r.blocks = append(r.blocks, done)
	}
	r.took = time.Since(began)
	if err := r.text(stdout); err != nil {
		return err
	}
	if o.out != "" {
		errs = append(errs, r.save(o.out))
	}
	return errors.Join(errs...)
}

// play measures a block. Of what fails, the rest is kept.
func (o *options) play(ctx context.Context, b *block, rng *rand.Rand, say func(string, ...any)) (ms []measurement, err error) {
	var t *target
	if b.target != targetOwn {
		if t, err = o.startTarget(ctx, b.target); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, t.close()) }()
	}
	halves := order(len(b.contenders), b.rounds, rng)
	if o.short {
		halves = halves[:1]
	} else if b.target == targetKafka { // a JVM is slow before it has compiled what it runs
		for i := range b.contenders {
			if _, err := o.once(ctx, t, b, &b.contenders[i]); err != nil {
				return nil, err
			}
		}
	}
	for half, turn := range halves {
		for _, i := range turn {
			m, err := o.once(ctx, t, b, &b.contenders[i])
			if err != nil {
				return ms, err
			}
			m.Half = half
			ms = append(ms, m)
			say("%s, %s: %s", b.name, m.Contender, m.line())
		}
	}
	return ms, nil
}

// once measures a contender once.
func (o *options) once(ctx context.Context, t *target, b *block, c *contender) (m measurement, err error) {
	m.Contender = c.name
	defer func() {
		if err != nil {
			err = fmt.Errorf("%s: %w", c.name, err)
		}
	}()
	if c.run != nil {
		if m.Run, err = o.kbenchRun(ctx, c, b); err != nil {
			return m, err
		}
		m.Values, err = m.Run.values()
		return m, err
	}
	s := c.setup
	s.Warmup, s.Window = b.warmup, b.window
	if o.profiles != "" {
		s.Profile = filepath.Join(o.profiles, strings.NewReplacer(" ", "-", ",", "").Replace(b.name+"-"+c.name)+".pprof")
	}
	if m.Sample, err = o.measure(ctx, t, s); err != nil {
		return m, err
	}
	m.Values, err = m.Sample.values(&s)
	return m, err
}
