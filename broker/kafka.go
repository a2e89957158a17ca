package broker

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"kbench/words"
)

const (
	// kafkaStart bounds the start of all brokers: 1.4 s alone, 3.7 s for three on two idle cores.
	kafkaStart = 90 * time.Second
	// aloneGrace and clusterGrace are between SIGTERM and SIGKILL. A broker alone ends within 0.3 s. Of several that end
	// together, the last ones wait for a controller that is gone; and the data is thrown away anyway.
	aloneGrace   = 5 * time.Second
	clusterGrace = time.Second
	// startAttempts is how often other ports are tried when somebody takes one before the broker does.
	startAttempts = 3
)

// errPortTaken says that a broker couldn't listen on a port that was free a moment before.
var errPortTaken = errors.New("a port was taken by another process")

// kafka is what the nodes of one target have in common.
type kafka struct {
	spec  Spec
	java  java
	jars  jars
	data  *dataDir
	nodes []kafkaNode
}

// startKafka starts real brokers from their jars.
func startKafka(ctx context.Context, spec Spec) (*Target, error) {
	if _, err := resolveVersion(spec.Version); err != nil {
		return nil, err
	}
	if err := checkProperties(spec.Properties); err != nil {
		return nil, err
	}
	k := &kafka{spec: spec}
	var err error
	if k.java, err = findJava(ctx); err != nil {
		return nil, err
	}
	if k.jars, err = findJars(ctx, spec.Version, spec.Log); err != nil {
		return nil, err
	}
	if err := k.java.check(k.jars.version); err != nil {
		return nil, err
	}
	if k.data, err = newDataDir(spec.Dir, spec.Brokers, spec.Log); err != nil {
		return nil, err
	}
	spec.Log(fmt.Sprintf("starting Kafka %s, %s", k.jars.version, words.Count(spec.Brokers, "broker")))
	starting, cancel := context.WithTimeout(ctx, kafkaStart)
	defer cancel()
	for range startAttempts {
		var t *Target
		if t, err = k.startAll(starting); err == nil {
			return t, nil
		}
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	if starting.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("kafka %s didn't answer within %v: %w", k.jars.version, kafkaStart, err)
	}
	return nil, errors.Join(err, k.data.remove())
}

// startAll makes one attempt: ports, folders, processes, until every broker knows all others.
func (k *kafka) startAll(ctx context.Context) (*Target, error) {
	held, err := holdPorts(2*k.spec.Brokers, k.spec.Port)
	if err != nil {
		return nil, err
	}
	defer held.release()
	var addrs []string
	k.nodes = nil
	for i := range k.spec.Brokers {
		n := kafkaNode{id: i + 1, dir: filepath.Join(k.data.path, fmt.Sprintf("node-%d", i+1)), port: held.ports[i], controllerPort: held.ports[k.spec.Brokers+i]}
		k.nodes = append(k.nodes, n)
		addrs = append(addrs, loopback(n.port))
	}
	if err := k.prepare(ctx); err != nil {
		return nil, err
	}
	held.release()
	t := newTarget(KindKafka, k.jars.version, addrs)
	for _, n := range k.nodes {
		m, err := k.member(n)
		if err != nil {
			return nil, errors.Join(err, t.abandon())
		}
		t.add(m)
	}
	err = each(ctx, t.members, func(ctx context.Context, m *member) error { return waitReady(ctx, m, m.proc, len(k.nodes)) })
	if err != nil {
		return nil, errors.Join(err, t.abandon())
	}
	t.data = k.data
	return t, nil
}

// prepare writes the nodes' folders: configuration, and storage in Kafka's format with one cluster id.
func (k *kafka) prepare(ctx context.Context) error {
	clusterID := newClusterID(rand.Read)
	return each(ctx, k.nodes, func(ctx context.Context, n kafkaNode) error {
		if err := n.write(k.nodes, k.spec.Properties); err != nil {
			return fmt.Errorf("folder of broker %d: %w", n.id, err)
		}
		format := k.javaCommand(n, []string{"-Xmx128m", "-XX:TieredStopAtLevel=1"}, "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", n.propertiesPath())
		format.name = fmt.Sprintf("formatting the storage of broker %d", n.id)
		stdout, stderr, err := runProcess(ctx, format)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return fmt.Errorf("%s: %w: %s", format.name, err, condense(strings.Split(stdout+"\n"+stderr, "\n")))
		}
		return nil
	})
}

// newClusterID is a random id in Kafka's form. None begins with "-", which StorageTool would take for an option; Kafka's own
// Uuid.randomUuid leaves those out as well. read fills its argument with random bytes, and never fails.
func newClusterID(read func([]byte) (int, error)) string {
	for {
		var id [16]byte
		_, _ = read(id[:])
		if text := base64.RawURLEncoding.EncodeToString(id[:]); text[0] != '-' {
			return text
		}
	}
}

// each calls do for all items at the same time. The first error ends the context of the others and is returned.
func each[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var first error
	var once sync.Once
	var wg sync.WaitGroup
	for _, item := range items {
		wg.Go(func() {
			if err := do(ctx, item); err != nil {
				once.Do(func() { first = err })
				cancel()
			}
		})
	}
	wg.Wait()
	return first
}

// javaCommand is the command line of one of Kafka's programs, run in the node's folder and leaving nothing outside it.
func (k *kafka) javaCommand(n kafkaNode, jvm []string, class string, args ...string) command {
	line := append([]string{k.java.path}, jvm...)
	line = append(line,
		"-XX:+UseSerialGC",
		"-XX:-UsePerfData", // no file in the system's temporary folder
		"-Djava.awt.headless=true",
		"-Djava.io.tmpdir="+n.tmpPath(),
		"-Dlog4j2.configurationFile="+filepath.Join(n.dir, log4j2File),
		"-Dlog4j.configuration=file:"+filepath.Join(n.dir, log4j1File),
		"-cp", filepath.Join(k.jars.dir, "*"), class)
	return command{path: k.java.path, args: append(line, args...), dir: n.dir, cpus: k.spec.CPUs}
}

// member starts a node for the first time.
func (k *kafka) member(n kafkaNode) (*member, error) {
	m := &member{name: fmt.Sprintf("broker %d of Kafka %s", n.id, k.jars.version), id: n.id, port: n.port, log: n.logPath(), grace: aloneGrace}
	if len(k.nodes) > 1 {
		m.grace = clusterGrace
	}
	m.start = func() (*process, error) {
		c := k.javaCommand(n, []string{"-Xms128m", "-Xmx320m"}, "kafka.Kafka", n.propertiesPath())
		c.name = m.name
		return startProcess(c)
	}
	var err error
	m.proc, err = m.start()
	return m, err
}

// waitReady waits until a node's own answer to Metadata has the node itself and at least so many brokers: the node is
// registered then, and knows a controller. A listener that accepts comes a little earlier.
func waitReady(ctx context.Context, m *member, p *process, brokers int) error {
	for {
		err := askReady(ctx, m, brokers)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			if raw, rErr := os.ReadFile(m.log); rErr == nil && containsAny(string(raw), "Address already in use", "BindException") {
				return fmt.Errorf("%w: %w", errPortTaken, m.failure(p))
			}
			return m.failure(p)
		case <-ctx.Done():
			return fmt.Errorf("broker %d isn't ready: %w; last in its log: %s: %w", m.id, err, logTail(m.log), ctx.Err())
		case <-time.After(25 * time.Millisecond):
		}
	}
}

func askReady(ctx context.Context, m *member, brokers int) error {
	p, err := dialProbe(ctx, loopback(m.port))
	if err != nil {
		return err
	}
	defer p.close()
	metadata, err := p.brokers(ctx)
	if err != nil {
		return err
	}
	for _, b := range metadata.Brokers {
		if int(b.NodeID) == m.id && len(metadata.Brokers) >= brokers {
			return nil
		}
	}
	return fmt.Errorf("it knows %d of %s", len(metadata.Brokers), words.Count(brokers, "broker"))
}
