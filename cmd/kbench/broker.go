package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"kbench/broker"
	"kbench/broker/sink"
)

type brokerOptions struct {
	streams
	brokers    int
	partitions int
	port       int
	dir        string
	cpus       string
	properties []string
	hold       holdFlags
}

func newBroker(s streams) *cobra.Command {
	o := &brokerOptions{streams: s}
	cmd := &cobra.Command{
		Use: "broker sink|fake|kafka[:VERSION]", Short: "Run an embedded broker by itself, for this or any other client",
		Long: `Starts a broker and prints its bootstrap address; Ctrl-C stops it and removes its data.

  sink   takes records as fast as the machine allows, counts them and throws them away
  fake   franz-go's fake cluster: Kafka's semantics in memory, for small amounts of data
  kafka  the real Apache Kafka from its published jars, fetched with Maven on first use (or from KAFKA_HOME);
         needs Java 17

The sink can hold its answers, so that what a benchmark reports can be checked against what is known to be true. --hold
gives one model as NAME:PARAMETER=VALUE,…, and may be given several times: one of the latency and queue models (constant
to mgk), and any of the others; stall even more than once.
The name of a model's first parameter can be left out. TIME is such as 5ms, ERROR is Kafka's name or number.

` + sink.HoldHelp() + `
In a queue, per=request lets each request take one service time, per=record as many as it has records. Queue and cap are
one line for the whole sink, in the order of arrival. What a request goes through: cap, queue or latency, drift, stall.
Answers of one connection keep its order, as Kafka's protocol wants: a slow one delays those behind it. With acks=0
there is no answer to hold. Draws come from --hold-seed, one after the other in the order of arrival.
--hold-log tells when each request arrived and when its answer was to leave and left.`,
		Example: `  kbench broker sink --port 9092
  kbench broker sink --hold lognormal:median=2ms,sigma=0.5 --hold stall:at=10s,for=1s --hold-log times.log
  kbench broker kafka:3.9.1 --brokers 3`,
		Args: wantArgs(1, 1, "sink, fake, kafka or kafka:VERSION"), ValidArgs: []string{"sink", "fake", "kafka"},
		RunE: func(_ *cobra.Command, args []string) error { return o.run(args[0]) },
	}
	flags := cmd.Flags()
	flags.IntVar(&o.brokers, "brokers", 1, "`number` of brokers")
	flags.IntVar(&o.partitions, "partitions", 12, "default `number` of partitions of a topic (sink and fake)")
	flags.IntVar(&o.port, "port", 0, "`port` of the first broker; 0: any free one")
	flags.StringVar(&o.dir, "dir", "", "`folder` for kafka's data (default: the system's temporary folder)")
	flags.StringVar(&o.cpus, "cpus", "", "`CPUs` to pin the broker to, such as 0 or 0,2-3 (Linux)")
	flags.StringArrayVar(&o.properties, "property", nil, "a server setting of kafka, `key=value` (several times)")
	o.hold.register(flags)
	return cmd
}

func (o *brokerOptions) spec(kind string) (broker.Spec, error) {
	spec, err := broker.ParseTarget(kind)
	if err != nil {
		return spec, err
	}
	spec.Brokers, spec.Partitions, spec.Port, spec.Dir = o.brokers, o.partitions, o.port, o.dir
	spec.Log = func(line string) { fmt.Fprintln(o.err, line) }
	spec.Properties = map[string]string{}
	if o.dir != "" && spec.Kind != broker.KindKafka {
		return spec, fmt.Errorf("--dir %q: only kafka keeps data in files, not %s", o.dir, spec.Kind)
	}
	if len(o.properties) > 0 && spec.Kind != broker.KindKafka {
		return spec, fmt.Errorf("--property %q: only kafka has server settings, not %s", o.properties[0], spec.Kind)
	}
	for _, p := range o.properties {
		key, value, ok := strings.Cut(p, "=")
		if !ok {
			return spec, fmt.Errorf("--property %q: want key=value", p)
		}
		spec.Properties[key] = value
	}
	if o.cpus != "" {
		if spec.CPUs, err = parseCPUs(o.cpus); err != nil {
			return spec, fmt.Errorf("--cpus: %w", err)
		}
	}
	if o.brokers < 1 {
		return spec, fmt.Errorf("--brokers=%d: at least 1", o.brokers)
	}
	if o.partitions < 1 || o.partitions > sink.MaxPartitions {
		return spec, fmt.Errorf("--partitions=%d: 1 to %d", o.partitions, sink.MaxPartitions)
	}
	if o.port < 0 || o.port > 65535 {
		return spec, fmt.Errorf("--port=%d: 0 to 65535", o.port)
	}
	if err := o.hold.apply(&spec); err != nil {
		return spec, err
	}
	if err := o.hold.checkLog(""); err != nil {
		return spec, err
	}
	return spec, spec.Check()
}

func (o *brokerOptions) run(kind string) error {
	spec, err := o.spec(kind)
	if err != nil {
		return err
	}
	// A broker has nothing to drain: the first Ctrl-C is the wanted end.
	interrupts := watchInterrupts(context.Background(), io.Discard)
	defer interrupts.done()
	t, err := broker.Start(interrupts.ctx, spec)
	if err != nil {
		return interruptedOr(interrupts, targetError(err))
	}
	fmt.Fprintf(o.out, "%s %s listening on %s\n", t.Kind, t.Version, strings.Join(t.Bootstrap, ","))
	select {
	case <-interrupts.ctx.Done():
		err := t.Close()
		if text := t.TimingError(); text != "" {
			fmt.Fprintln(o.err, text)
		}
		return targetError(err)
	case <-t.Done():
		err := t.Err()
		_ = t.Close() // what ended it is what to tell
		return targetError(err)
	}
}

// newBrokerChild is what an embedded sink or fake runs as: the same binary, started by broker.Start.
func newBrokerChild(streams) *cobra.Command {
	return &cobra.Command{
		Use: "broker-child", Hidden: true, DisableFlagParsing: true,
		Short: "Serve an embedded broker for the process that started this one",
		RunE: func(cmd *cobra.Command, args []string) error {
			return targetError(broker.RunChild(cmd.Context(), args))
		},
	}
}
