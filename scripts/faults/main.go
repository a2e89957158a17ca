// Command faults runs the native producer against real Kafka while things go wrong, and holds what a franz-go consumer then
// finds in the topics against what the producer's callbacks said.
//
//	scripts/bench-faults           everything: about 35 minutes on two cores; results in results/faults
//	scripts/bench-faults --short   a few faults on one node, about a minute
//
// Under each fault six producers run side by side, each with a topic of its own (see modes). Every record carries run,
// sequence number, partition asked and a checksum over value, topic and partition. What acks=all with idempotence has to
// hold: nothing acknowledged is lost, nothing is there twice, each partition keeps the order, nothing is in another topic,
// partition or offset than it should. What every mode has to hold: each record has exactly one callback, and none that was
// refused before it was sent is there. What acks=1 and acks=0 lose is counted.
//
// Exit codes: 0: everything holds; 1: a guarantee is broken, or the run failed; 2: wrong arguments; 3: nothing is broken, but
// something couldn't be tested on this machine: a fault that it doesn't allow, or one that nobody felt ("NOT TESTED").
//
// A fault that must make producers send something twice strikes again where it didn't (see strike).
//
// Under the faults whose names begin with txn, the producers are transactional (see txnModes), and the consumer is
// read_committed: a committed transaction is there as a whole, with the offset that it commits for a group, an aborted one
// isn't at all, and one whose producer never learnt of its end is there as a whole or not at all.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	clusters []clusterSpec
	faults   []string // empty: all
	short    bool
	out      string
	rate     int
	seed     uint64
	args     []string
}

// clusterSpec is a cluster to start: its version and number of nodes, and what to play there.
type clusterSpec struct {
	version string
	nodes   int
	txnOnly bool // the faults of transactions alone
}

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(stderr, "faults: %v\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	began := time.Now()
	found, err := all(ctx, o, stderr)
	took := time.Since(began).Round(time.Second)
	if err := found.write(stdout); err != nil {
		fmt.Fprintf(stderr, "faults: %v\n", err)
		return exitBroken
	}
	for _, n := range found.notes {
		fmt.Fprintln(stdout, n)
	}
	fmt.Fprintf(stdout, "%d lines in %v\n", len(found.rows)+len(found.txns), took)
	if o.out != "" {
		err = errors.Join(err, save(o, found, took))
	}
	if err != nil {
		fmt.Fprintf(stderr, "faults: %v\n", err)
		return exitBroken
	}
	return found.exit()
}

func parse(args []string, stderr io.Writer) (*options, error) {
	o := &options{args: args}
	fs := flag.NewFlagSet("faults", flag.ContinueOnError)
	fs.SetOutput(stderr)
	clusters := fs.String("clusters", "4.3.1:3,3.9.1:3:txn,3.9.1:1,4.0.1:1,4.1.2:1,4.3.1:1", "VERSION:NODES, separated by commas; VERSION:NODES:txn for transactions alone")
	names := fs.String("faults", "", "names of faults, separated by commas; empty: all")
	fs.BoolVar(&o.short, "short", false, "a few faults on one node, about a minute")
	fs.StringVar(&o.out, "out", "", "folder for faults.json and README.md; empty: none")
	fs.IntVar(&o.rate, "rate", 500, "records per second of each of the six producers")
	fs.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of what is random")
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if o.rate < 10 {
		return nil, fmt.Errorf("-rate %d is below 10", o.rate)
	}
	if o.short && !given(fs, "clusters") {
		*clusters = "4.3.1:1"
	}
	for text := range strings.SplitSeq(*clusters, ",") {
		spec, txnOnly := strings.CutSuffix(text, ":txn")
		version, n, ok := strings.Cut(spec, ":")
		nodes, err := strconv.Atoi(n)
		if !ok || err != nil || nodes != 1 && nodes != 3 {
			return nil, fmt.Errorf("-clusters: %q isn't VERSION:1 or VERSION:3, or one of them with :txn", text)
		}
		o.clusters = append(o.clusters, clusterSpec{version, nodes, txnOnly})
	}
	if *names == "" {
		return o, nil
	}
	var known []string
	for _, f := range faults() {
		known = append(known, f.name)
	}
	for name := range strings.SplitSeq(*names, ",") {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("-faults: %q is none of %s", name, strings.Join(known, ", "))
		}
		o.faults = append(o.faults, name)
	}
	return o, nil
}

func given(fs *flag.FlagSet, name string) (yes bool) {
	fs.Visit(func(f *flag.Flag) { yes = yes || f.Name == name })
	return yes
}

// plan is the faults to play on a cluster.
func (o *options) plan(c clusterSpec) []*fault {
	return slices.DeleteFunc(faults(), func(f *fault) bool {
		switch {
		case f.many && c.nodes == 1 || c.txnOnly && !f.transactions:
			return true
		case len(o.faults) > 0:
			return !slices.Contains(o.faults, f.name)
		}
		return o.short && !f.brief
	})
}

// names are those of the faults to play on a cluster.
func (o *options) names(c clusterSpec) (names []string) {
	for _, f := range o.plan(c) {
		names = append(names, f.name)
	}
	return names
}

// all plays every fault on every cluster, one after the other.
func all(ctx context.Context, o *options, stderr io.Writer) (*findings, error) {
	began := time.Now()
	say := func(format string, args ...any) {
		fmt.Fprintf(stderr, "%4.0fs %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}
	found := &findings{}
	for _, spec := range o.clusters {
		if len(o.plan(spec)) == 0 {
			continue
		}
		c, err := startCluster(ctx, spec.version, spec.nodes, say)
		if err != nil {
			return found, err
		}
		for _, f := range o.plan(spec) {
			say("Kafka %s, %d nodes: %s", spec.version, spec.nodes, f.what)
			rows, txns := len(found.rows), len(found.txns)
			err := c.play(ctx, f, o, found)
			if errors.Is(err, errNoMount) {
				found.notes = append(found.notes, fmt.Sprintf("Kafka %s, %d nodes, %s: %v", spec.version, spec.nodes, f.name, err))
				continue
			}
			if err != nil {
				return found, errors.Join(fmt.Errorf("kafka %s, %d nodes, %s: %w", spec.version, spec.nodes, f.name, err), c.close())
			}
			for i := range found.rows[rows:] {
				r := &found.rows[rows+i]
				say("  %-24s sent %d, acked %d, failed %d, read %d, lost %d, retries %d: %s", r.Acks, r.Sent, r.Acked, r.Failed, r.Read, r.Lost, r.Retries, r.Verdict)
				sayErrors(say, r.Errors)
			}
			for i := range found.txns[txns:] {
				r := &found.txns[txns+i]
				say("  %-24s committed %d, aborted %d, unknown %d, read %d, lost %d, fenced %d, retries %d: %s", r.Mode, r.Committed, r.Aborted, r.Unknown, r.Read, r.Lost, r.Fatal, r.Retries, r.Verdict)
				sayErrors(say, r.Errors)
			}
		}
		if err := c.close(); err != nil {
			return found, err
		}
	}
	return found, nil
}

func sayErrors(say func(string, ...any), errs map[string]int) {
	for text, n := range errs {
		say("    %d × %s", n, text)
	}
}
