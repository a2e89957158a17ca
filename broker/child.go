package broker

import (
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"kbench/broker/sink"
)

// childOptions are what Start tells a child.
type childOptions struct {
	kind       string
	partitions int
	brokers    int
	port       int
	hold       []string
	holdSeed   uint64
	timingLog  string
}

// args are the options as a command line, which RunChild reads.
func (o childOptions) args() []string {
	args := []string{o.kind, "--partitions=" + strconv.Itoa(o.partitions), "--brokers=" + strconv.Itoa(o.brokers), "--port=" + strconv.Itoa(o.port)}
	for _, h := range o.hold {
		args = append(args, "--hold="+h)
	}
	if o.holdSeed != 0 {
		args = append(args, "--hold-seed="+strconv.FormatUint(o.holdSeed, 10))
	}
	if o.timingLog != "" {
		args = append(args, "--hold-log="+o.timingLog)
	}
	return args
}

func parseChildArgs(args []string) (childOptions, error) {
	var o childOptions
	if len(args) == 0 {
		return o, fmt.Errorf("which broker? allowed are %s and %s", KindSink, KindFake)
	}
	o.kind = args[0]
	flags := flag.NewFlagSet(o.kind, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.IntVar(&o.partitions, "partitions", 12, "")
	flags.IntVar(&o.brokers, "brokers", 1, "")
	flags.IntVar(&o.port, "port", 0, "")
	flags.Func("hold", "", func(text string) error {
		o.hold = append(o.hold, text)
		return nil
	})
	flags.Uint64Var(&o.holdSeed, "hold-seed", 0, "")
	flags.StringVar(&o.timingLog, "hold-log", "", "")
	if err := flags.Parse(args[1:]); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

// RunChild is what the hidden child process runs: a sink or a fake cluster, as args say. It writes its bootstrap
// addresses, joined by commas, as the first line of standard output, and ends when standard input does or ctx is done. A sink
// that holds or logs ends with a second line, about its timing error.
func RunChild(ctx context.Context, args []string) error {
	return runChild(ctx, args, os.Stdin, os.Stdout)
}

func runChild(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	o, err := parseChildArgs(args)
	if err != nil {
		return fmt.Errorf("broker child: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer cancel()
		// The parent never writes. However the reading ends, the parent is gone.
		_, _ = io.Copy(io.Discard, stdin)
	}()
	switch o.kind {
	case KindSink:
		return serveSink(ctx, o, stdout)
	case KindFake:
		return serveFake(ctx, o, stdout)
	}
	return fmt.Errorf("broker child: unknown kind %q; allowed are %s and %s", o.kind, KindSink, KindFake)
}

func serveSink(ctx context.Context, o childOptions, stdout io.Writer) error {
	hold, err := sink.ParseHold(o.hold)
	if err != nil {
		return fmt.Errorf("hold: %w", err)
	}
	srv, err := sink.Listen(net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port)), sink.Options{
		Partitions: o.partitions, Brokers: o.brokers, Hold: hold, HoldSeed: o.holdSeed, TimingLog: o.timingLog,
	})
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve() }()
	var addrs []string
	for _, a := range srv.Addrs() {
		addrs = append(addrs, a.String())
	}
	if err := announce(stdout, addrs); err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		err := srv.Close()
		if hold.Active() || o.timingLog != "" {
			// A parent that is gone can't be told.
			_, _ = fmt.Fprintln(stdout, srv.TimingError())
		}
		return err
	}
}

// How much of what a fake cluster was sent it remembers: beyond fakeRetention bytes of a partition the oldest go, and
// fakeTrimEvery is how often that is looked at. kfake keeps records in files in memory; only whole ones can be freed,
// so they are kept small. Flooded on 12 partitions, the child stays below 600 MB. Throwing every record away
// (kfake.BlackholeProduce) would cost less still, but then nothing could be read back, and that is what the fake
// cluster is for; the sink is the one that throws away.
const (
	fakeRetention = 16 << 20
	fakeSegment   = 2 << 20
	fakeTrimEvery = 100 * time.Millisecond
	fakeGC        = 25 // per cent: less garbage in a heap that is mostly records
)

func serveFake(ctx context.Context, o childOptions, stdout io.Writer) error {
	debug.SetGCPercent(fakeGC)
	opts := []kfake.Opt{
		kfake.NumBrokers(o.brokers),
		kfake.DefaultNumPartitions(o.partitions),
		kfake.BrokerConfigs(map[string]string{
			"log.retention.bytes": strconv.Itoa(fakeRetention),
			"log.segment.bytes":   strconv.Itoa(fakeSegment),
		}),
	}
	if o.port != 0 {
		ports := make([]int, o.brokers)
		ports[0] = o.port
		opts = append(opts, kfake.Ports(ports...))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return fmt.Errorf("fake cluster: %w", err)
	}
	defer cluster.Close()
	if err := announce(stdout, cluster.ListenAddrs()); err != nil {
		return err
	}
	trim := time.NewTicker(fakeTrimEvery)
	defer trim.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-trim.C:
			cluster.ApplyRetention()
		}
	}
}

func announce(stdout io.Writer, addrs []string) error {
	if _, err := fmt.Fprintln(stdout, strings.Join(addrs, ",")); err != nil {
		return fmt.Errorf("broker child: can't tell its address: %w", err)
	}
	return nil
}
