// Package broker provides what kbench measures against: brokers that it starts itself as child processes (the sink,
// franz-go's fake cluster, real Apache Kafka from its jars) and admin access to any cluster.
package broker

import (
	"context"
	"errors"
	"fmt"

	"kbench/broker/sink"
)

// Kinds of targets that Start knows.
const (
	KindSink  = "sink"  // takes records at close to no cost and throws them away
	KindFake  = "fake"  // franz-go's fake cluster: Kafka's semantics in memory
	KindKafka = "kafka" // Apache Kafka from its jars
)

// maxBrokers is how many brokers Start is willing to start.
const maxBrokers = 5

// Spec says what to start.
type Spec struct {
	// Kind is sink, fake or kafka.
	Kind string
	// Version is for kafka: a version such as "4.3.1", a line such as "3.9" (its newest known version), or "" for the
	// newest known one.
	Version string
	// Brokers is how many brokers to start, 1 to 5; 0: 1.
	Brokers int
	// CPUs are those that the children may run on (Linux). None: those that this process may run on when Start is called,
	// so start a target first and call PinSelf afterwards.
	CPUs []int
	// Log receives progress lines, without newline, from the goroutine that called Start; nil: nobody does.
	Log func(line string)
	// Partitions is the number of partitions of topics whose creator doesn't say; 0: 12.
	Partitions int
	// Port is the first broker's; 0: any free one. Further brokers always get free ones.
	Port int
	// Dir is the folder under which kafka's data is kept while it runs; "": the system's temporary folder.
	Dir string
	// Properties are further server.properties of kafka; they win over what Start would set. listeners and
	// advertised.listeners add to its own, which is PLAINTEXT.
	Properties map[string]string
	// Hold are the models by which sink holds its answers, each as sink.ParseHold reads it; none: they leave at once.
	Hold []string
	// HoldSeed makes what is random in Hold the same again.
	HoldSeed uint64
	// TimingLog is the file for sink's true arrivals and departures (sink.ReadLog), complete once Close has returned; "":
	// none.
	TimingLog string
	// Exec is the command line that reaches RunChild, to which Start appends RunChild's arguments.
	// Empty: this program with the argument "broker-child".
	Exec []string
}

// withDefaults fills in what is zero and refuses what can't be.
func (s Spec) withDefaults() (Spec, error) {
	if s.Brokers == 0 {
		s.Brokers = 1
	}
	if s.Partitions == 0 {
		s.Partitions = 12
	}
	if s.Log == nil {
		s.Log = func(string) {}
	}
	switch {
	case s.Kind != KindSink && s.Kind != KindFake && s.Kind != KindKafka:
		return s, unknownKind(s.Kind)
	case s.Version != "" && s.Kind != KindKafka:
		return s, fmt.Errorf("target %s has no versions (asked for %q); only kafka has", s.Kind, s.Version)
	case s.Brokers < 0 || s.Brokers > maxBrokers:
		return s, fmt.Errorf("%d brokers asked for; allowed are 1 to %d", s.Brokers, maxBrokers)
	case s.Partitions < 0:
		return s, fmt.Errorf("%d partitions asked for; at least 1", s.Partitions)
	case s.Port < 0 || s.Port > 65535:
		return s, fmt.Errorf("port %d asked for; allowed are 0 (any) to 65535", s.Port)
	case len(s.Properties) > 0 && s.Kind != KindKafka:
		return s, fmt.Errorf("target %s has no server properties; only kafka has", s.Kind)
	case s.Kind != KindSink && (len(s.Hold) > 0 || s.HoldSeed != 0 || s.TimingLog != ""):
		return s, fmt.Errorf("target %s can't hold answers or log their times; only sink can", s.Kind)
	}
	if _, err := sink.ParseHold(s.Hold); err != nil {
		return s, fmt.Errorf("hold: %w", err)
	}
	if err := checkCPUs(s.CPUs); err != nil {
		return s, err
	}
	return s, nil
}

// Start starts a target and waits until it answers clients. Whatever was started is stopped again when that fails or
// ctx ends; once Start has returned a Target, ctx has no meaning for it, and the caller closes it.
func Start(ctx context.Context, spec Spec) (*Target, error) {
	spec, err := spec.withDefaults()
	if err != nil {
		return nil, err
	}
	if len(spec.CPUs) == 0 {
		if spec.CPUs, err = currentCPUs(); err != nil {
			return nil, err
		}
	}
	t, err := startKind(ctx, spec)
	if err != nil && ctx.Err() != nil && !errors.Is(err, ctx.Err()) {
		return nil, fmt.Errorf("starting %s was interrupted: %w", spec.Kind, ctx.Err())
	}
	return t, err
}

func startKind(ctx context.Context, spec Spec) (*Target, error) {
	if spec.Kind == KindKafka {
		return startKafka(ctx, spec)
	}
	return startEmbedded(ctx, spec)
}
