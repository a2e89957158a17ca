package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"kbench/broker"
	"kbench/broker/sink"
	"kbench/driver"
	"kbench/metrics"
	"kbench/native/auth"
	"kbench/words"
	"kbench/workload"
)

// targetFlags say what to measure against.
type targetFlags struct {
	bootstrap  string
	target     string
	brokers    int
	cpus       string
	targetCPUs string
	hold       holdFlags
	flags      *pflag.FlagSet // which of them were given
}

func (f *targetFlags) register(flags *pflag.FlagSet) {
	f.flags = flags
	flags.StringVar(&f.bootstrap, "bootstrap-server", "", "the cluster to measure, `host:port,...`")
	flags.StringVar(&f.target, "target", "sink", "without --bootstrap-server: the embedded `target` to start: sink, fake, kafka or kafka:VERSION")
	flags.IntVar(&f.brokers, "brokers", 1, "`number` of brokers of an embedded target")
	flags.StringVar(&f.cpus, "cpus", "", "`CPUs` to pin this program to, such as 0 or 0,2-3 (Linux)")
	flags.StringVar(&f.targetCPUs, "target-cpus", "", "`CPUs` to pin the embedded target to (Linux)")
	f.hold.register(flags)
	f.hold.registerOverload(flags)
}

// target is a running target with an admin connection.
type target struct {
	embedded *broker.Target // nil: the user's own cluster
	cluster  *broker.Cluster
	kind     string
	version  string
	brokers  int
	addrs    []string
	security auth.Config // of connections to addrs
	cpus     []int
	theirs   []int
	hold     string       // how it holds its answers; "": it doesn't
	host     metrics.Host // as it was before the load
	logs     bool         // it writes a timing log
	stderr   io.Writer
}

// open starts or finds the target; p says how connections to a cluster are secured, and perhaps where it is. stderr gets
// progress lines; the caller closes the target.
func (f *targetFlags) open(ctx context.Context, p *workload.ProducerConfig, stderr io.Writer) (t *target, err error) {
	bootstrap := p.BootstrapServers
	if f.bootstrap != "" {
		bootstrap = f.bootstrap
	}
	if err := f.check(bootstrap); err != nil {
		return nil, err
	}
	if protocol := p.Security.Protocol; bootstrap == "" && protocol != "PLAINTEXT" {
		return nil, fmt.Errorf("security.protocol=%s: the embedded targets are PLAINTEXT only: give --bootstrap-server", protocol)
	}
	t = &target{host: metrics.Fingerprint(), stderr: stderr}
	if t.security, err = driver.Security(ctx, p); auth.Known(err) {
		return nil, targetError(err)
	} else if err != nil {
		return nil, err
	}
	if err := f.parseCPUs(t); err != nil {
		return nil, err
	}
	if bootstrap != "" {
		if t.addrs, err = parseAddrs(bootstrap); err != nil {
			return nil, err
		}
		t.kind = "cluster"
	} else if err := f.start(ctx, t, stderr); err != nil {
		return nil, err
	}
	// Only now: the target's processes would inherit the generator's CPUs.
	if err := pinSelf(t.cpus); err != nil {
		_ = t.close()
		return nil, err
	}
	if err := t.connect(ctx); err != nil {
		_ = t.close()
		return nil, targetError(err)
	}
	return t, nil
}

// check refuses what can't be, and flags that are for embedded targets where a cluster is given, before anything starts.
// bootstrap is the cluster; "": an embedded target.
func (f *targetFlags) check(bootstrap string) error {
	if err := f.parseCPUs(&target{}); err != nil {
		return err
	}
	if bootstrap == "" {
		_, err := f.spec()
		return err
	}
	for _, name := range []string{"target", "brokers", "target-cpus", "hold", "hold-seed", "hold-log", "allow-overload"} {
		if f.flags.Changed(name) {
			return fmt.Errorf("--%s contradicts --bootstrap-server (or bootstrap.servers) %s: it is for embedded targets", name, bootstrap)
		}
	}
	if _, err := parseAddrs(bootstrap); err != nil {
		return fmt.Errorf("--bootstrap-server (or bootstrap.servers): %w", err)
	}
	return nil
}

// spec is the embedded target as the flags say, but for its CPUs.
func (f *targetFlags) spec() (broker.Spec, error) {
	spec, err := broker.ParseTarget(f.target)
	if err != nil {
		return spec, fmt.Errorf("--target: %w", err)
	}
	if f.brokers < 1 {
		return spec, fmt.Errorf("--brokers=%d: at least 1", f.brokers)
	}
	spec.Brokers = f.brokers
	if err := f.hold.apply(&spec); err != nil {
		return spec, err
	}
	if err := spec.Check(); err != nil {
		return spec, fmt.Errorf("--target %s --brokers %d: %w", f.target, f.brokers, err)
	}
	return spec, nil
}

// pinSelf pins this process, if there is something to pin it to.
func pinSelf(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	if err := broker.PinSelf(cpus); err != nil {
		return fmt.Errorf("--cpus: %w", err)
	}
	return nil
}

// parseCPUs reads the two CPU lists.
func (f *targetFlags) parseCPUs(t *target) (err error) {
	if f.cpus != "" {
		if t.cpus, err = parseCPUs(f.cpus); err != nil {
			return fmt.Errorf("--cpus: %w", err)
		}
	}
	if f.targetCPUs != "" {
		if t.theirs, err = parseCPUs(f.targetCPUs); err != nil {
			return fmt.Errorf("--target-cpus: %w", err)
		}
	}
	return nil
}

// start starts the embedded target.
func (f *targetFlags) start(ctx context.Context, t *target, stderr io.Writer) error {
	spec, err := f.spec()
	if err != nil {
		return err
	}
	spec.CPUs = t.theirs
	spec.Log = func(line string) { fmt.Fprintln(stderr, line) }
	t.hold, t.logs = strings.Join(spec.Hold, " + "), spec.TimingLog != ""
	if t.embedded, err = broker.Start(ctx, spec); err != nil {
		return targetError(fmt.Errorf("--target %s: %w", f.target, err))
	}
	if t.embedded.Kind == broker.KindSink {
		t.embedded.Version = version()
	}
	t.kind, t.version, t.brokers, t.addrs = t.embedded.Kind, t.embedded.Version, t.embedded.Brokers, t.embedded.Bootstrap
	return nil
}

func (t *target) connect(ctx context.Context) (err error) {
	if t.cluster, err = broker.ConnectSecured(ctx, t.addrs, t.security); err != nil {
		return err
	}
	info, err := t.cluster.Info(ctx)
	if err != nil {
		return err
	}
	t.brokers = info.Brokers
	if t.version == "" {
		t.version = info.Version
	}
	return nil
}

// died is closed when an embedded target ended on its own; nil, which never is, for a cluster.
func (t *target) died() <-chan struct{} {
	if t.embedded == nil {
		return nil
	}
	return t.embedded.Done()
}

// dead explains why an embedded target died; nil while it lives.
func (t *target) dead() error {
	select {
	case <-t.died():
		return fmt.Errorf("the %s target died during the run: %w", t.kind, t.embedded.Err())
	default:
		return nil
	}
}

// gone explains a target that can't be reached any more; nil while it is well.
func (t *target) gone(ctx context.Context) error {
	if err := t.dead(); err != nil {
		return err
	}
	again, err := broker.ConnectSecured(ctx, t.addrs, t.security)
	if err != nil {
		return fmt.Errorf("the target went away during the run: %w", err)
	}
	again.Close()
	return nil
}

// close stops what open started.
func (t *target) close() error {
	if t.cluster != nil {
		t.cluster.Close()
	}
	if t.embedded == nil {
		return nil
	}
	err := t.embedded.Close()
	if text := t.embedded.TimingError(); text != "" && t.stderr != nil {
		fmt.Fprintln(t.stderr, text)
	}
	return err
}

// finish closes the target at the end of a command whose error is *failed. That a timing log couldn't be completed is
// told, and is the command's error if that has no more than an exit code so far: a verdict has been printed by then.
func (t *target) finish(failed *error) {
	err := t.close()
	if err == nil || !t.logs {
		return
	}
	err = fmt.Errorf("--hold-log: %w", err)
	if *failed == nil || isSilent(*failed) {
		*failed = targetError(err)
		return
	}
	fmt.Fprintf(t.stderr, "kbench: warning: %v\n", err)
}

// name says what is measured, for telling one sweep from another.
func (f *targetFlags) name() string {
	if f.bootstrap != "" {
		return f.bootstrap
	}
	name := fmt.Sprintf("%s, %s", f.target, words.Count(f.brokers, "broker"))
	if h, err := sink.ParseHold(f.hold.models); err == nil && h.Active() {
		name += fmt.Sprintf(", hold %s, seed %d", h, f.hold.seed)
	}
	return name
}
