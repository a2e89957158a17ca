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
// Under the faults whose names begin with txn, the producers are transactional (see txnModes), and the consumer is
// read_committed: a committed transaction is there as a whole, with the offset that it commits for a group, an aborted one
// isn't at all, and one whose producer never learnt of its end is there as a whole or not at all.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
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

// findings are what was found.
type findings struct {
	rows  []row
	txns  []txnRow
	notes []string // what couldn't be done
}

// Exit codes besides 2, for wrong arguments.
const (
	exitHolds    = 0
	exitBroken   = 1 // or the run failed
	exitUntested = 3
)

// exit is the code that the program ends with.
func (f *findings) exit() int {
	code := exitHolds
	if len(f.notes) > 0 {
		code = exitUntested
	}
	for _, v := range f.verdicts() {
		switch {
		case strings.HasPrefix(v, broken):
			return exitBroken
		case strings.HasPrefix(v, untested):
			code = exitUntested
		}
	}
	return code
}

func (f *findings) verdicts() (all []string) {
	for i := range f.rows {
		all = append(all, f.rows[i].Verdict)
	}
	for i := range f.txns {
		all = append(all, f.txns[i].Verdict)
	}
	return all
}

// write writes the tables.
func (f *findings) write(w io.Writer) error {
	err := writeTable(w, f.rows)
	if len(f.rows) > 0 && len(f.txns) > 0 {
		_, wErr := fmt.Fprintln(w)
		err = errors.Join(err, wErr)
	}
	return errors.Join(err, writeTxnTable(w, f.txns))
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

// save writes the results with their environment.
func save(o *options, found *findings, took time.Duration) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	command := strings.TrimSpace("scripts/bench-faults " + strings.Join(slices.DeleteFunc(slices.Clone(o.args), func(a string) bool { return strings.HasPrefix(a, "--out=") }), " "))
	env := map[string]string{
		"command": command, "seed": strconv.FormatUint(o.seed, 10), "time": took.String(), "go": runtime.Version(), "cpu": cpu(),
		"cores": strconv.Itoa(runtime.NumCPU()), "kernel": firstLine(exec.Command("uname", "-sr")), "java": firstLine(exec.Command("java", "-version")),
	}
	raw, err := json.MarshalIndent(map[string]any{"environment": env, "rows": found.rows, "transactions": found.txns, "notes": found.notes}, "", "  ")
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("# The native producer under faults on real Kafka\n\nMade by `" + command + "`; every count and the errors by text are in faults.json.\n\n")
	for _, f := range faults() {
		if slices.ContainsFunc(o.clusters, func(c clusterSpec) bool { return slices.Contains(o.names(c), f.name) }) {
			fmt.Fprintf(&b, "- **%s**: %s\n", f.name, f.what)
		}
	}
	b.WriteString("\nWhere:\n\n")
	for _, spec := range o.clusters {
		fmt.Fprintf(&b, "- Kafka %s, nodes: %d: %s\n", spec.version, spec.nodes, strings.Join(o.names(spec), ", "))
	}
	b.WriteString("\n" + strikeNote)
	if len(found.rows) > 0 {
		b.WriteString(plainNote)
	}
	if len(found.txns) > 0 {
		b.WriteString(txnNote)
	}
	if err := found.write(&b); err != nil {
		return err
	}
	b.WriteString("\n")
	for _, n := range found.notes {
		fmt.Fprintf(&b, "%s\n\n", n)
	}
	for _, k := range []string{"cpu", "cores", "kernel", "go", "java", "time", "seed"} {
		fmt.Fprintf(&b, "- %s: %s\n", k, env[k])
	}
	return errors.Join(os.WriteFile(filepath.Join(o.out, "faults.json"), append(raw, '\n'), 0o644),
		os.WriteFile(filepath.Join(o.out, "README.md"), []byte(b.String()), 0o644))
}

// strikeNote explains both tables.
const strikeNote = "A fault that nobody felt strikes again, for two minutes at most, until each producer that is given the time to get over it has sent something twice since (*seen* in faults.json says how often).\n\n"

// plainNote explains the first table.
const plainNote = "Each fault meets six producers at once, with acks=all idempotent, 1 and 0. acks “all” is idempotent, with delivery.timeout.ms 120 s; “expiring” has 3 s, so that records fail during a fault; “closing” are producers that live up to two seconds each, with little memory, and are closed in the middle of Produce or Flush or have its context cancelled. A record that failed may be there or not, unless its error proves that it was never sent. Under **recreate**, what was acknowledged before the topic was deleted went with it and isn't counted as lost (gone_with_deleted_topic in faults.json).\n\n"

// txnNote explains the second table.
const txnNote = "Under the faults whose names begin with **txn**, the producers are transactional, with a read_committed consumer: “expiring” have a delivery.timeout.ms of 3 s; “closing” live up to two seconds and are closed, or their calls cancelled, anywhere in a transaction; “twins” are two of one transactional.id, which fence each other; “overdue” let some transactions take longer than transaction.timeout.ms. *fenced* are producers that couldn't go on: with another error than PRODUCER_FENCED or INVALID_PRODUCER_EPOCH (or, of “closing”, “twins” and “overdue”, whose transactions others end, INVALID_TXN_STATE) that is a guarantee broken. *unknown* are transactions whose CommitTransaction gave no result (closed, cancelled or fenced meanwhile); each of them is there as a whole or not at all. Calls that ran into max.block.ms were made again, as Java documents. A broker that was killed may, once it is back, complete an end in __transaction_state without its marker in the partitions, so that the end of the next transaction holds for those records as well; that is looked up where something is wrong, and told in the verdict: no producer can cause it. Nor can one help it that a coordinator gives it a new epoch, ends before it has said so, and its successor refuses the same request again (PRODUCER_FENCED), because the epoch before the last one isn't in __transaction_state; that is looked up, too, and isn't counted against the producer.\n\n"

// cpu is the processor's name, where the system tells.
func cpu() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.SplitSeq(string(raw), "\n") {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				return strings.TrimSpace(v)
			}
		}
	}
	return runtime.GOARCH
}

func firstLine(cmd *exec.Cmd) string {
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return strings.TrimSpace(line)
}
