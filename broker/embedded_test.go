package broker

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/broker/sink"
)

// TestEmbeddedEndsWithClose also closes twice.
func TestEmbeddedEndsWithClose(t *testing.T) {
	for _, kind := range []string{KindSink, KindFake} {
		t.Run(kind, func(t *testing.T) {
			target := start(t, Spec{Kind: kind, Brokers: 2, Port: freePort(t)})
			nodes := target.Nodes()
			if len(nodes) != 1 || !nodes[0].Running || target.Brokers != 2 || len(target.Bootstrap) != 2 {
				t.Fatalf("%+v %+v", target, nodes)
			}
			for range 2 {
				if err := target.Close(); err != nil {
					t.Error(err)
				}
			}
			if target.Nodes()[0].Running {
				t.Error("the child is still running")
			}
			if conn, err := net.Dial("tcp", target.Bootstrap[0]); err == nil {
				conn.Close()
				t.Error("somebody still listens")
			}
			select {
			case <-target.Done():
				t.Error("Close closed Done")
			default:
			}
		})
	}
}

func TestEmbeddedPort(t *testing.T) {
	port := freePort(t)
	for _, kind := range []string{KindSink, KindFake} {
		target := start(t, Spec{Kind: kind, Brokers: 2, Port: port})
		if want := loopback(port); target.Bootstrap[0] != want {
			t.Errorf("%s listens on %s, want %s", kind, target.Bootstrap[0], want)
		}
		_, err := Start(testContext(t), Spec{Kind: kind, Port: port})
		mustContain(t, err, kind, strconv.Itoa(port), "address already in use")
		if err := target.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTwoAtOnce runs two targets of each kind side by side; ending one leaves the other alone.
func TestTwoAtOnce(t *testing.T) {
	for _, kind := range []string{KindSink, KindFake} {
		one, two := start(t, Spec{Kind: kind}), start(t, Spec{Kind: kind})
		connect(t, one)
		if err := one.Close(); err != nil {
			t.Fatal(err)
		}
		checkTopicLife(t, two)
	}
}

// TestChildDies sees Done closed with the reason, and Kill not closing it.
func TestChildDies(t *testing.T) {
	target := start(t, Spec{Kind: KindSink})
	select {
	case <-target.Done():
		t.Fatal("Done is closed at once")
	default:
	}
	if err := target.Err(); err != nil {
		t.Errorf("Err before the end: %v", err)
	}
	process, err := os.FindProcess(target.Nodes()[0].PID)
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-target.Done()
	mustContain(t, target.Err(), "sink", "signal: killed")

	target = start(t, Spec{Kind: KindFake})
	if err := target.Kill(0); err != nil {
		t.Fatal(err)
	}
	if target.Nodes()[0].Running || target.Err() != nil {
		t.Errorf("after Kill: %+v, %v", target.Nodes(), target.Err())
	}
	mustContain(t, target.Restart(testContext(t), 0), "can't be restarted")
	mustContain(t, target.Kill(1), "no node 1")
	mustContain(t, target.Stop(-1), "no node -1")
}

func TestStopAndContinue(t *testing.T) {
	target := start(t, Spec{Kind: KindSink})
	if err := target.Stop(0); err != nil {
		t.Fatal(err)
	}
	_, err := Connect(testContext(t), target.Bootstrap)
	mustContain(t, err, "doesn't answer as a Kafka broker")
	if err := target.Continue(0); err != nil {
		t.Fatal(err)
	}
	connect(t, target)
	if err := target.Stop(0); err != nil { // Close ends a stopped one too
		t.Fatal(err)
	}
}

// TestSinkHolds starts a sink that holds and logs, and finds both to be so.
func TestSinkHolds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	target := start(t, Spec{Kind: KindSink, Hold: []string{"constant:3ms", "stall:at=1h,for=1s"}, HoldSeed: 1<<64 - 1, TimingLog: path})
	cl, err := kgo.NewClient(kgo.SeedBrokers(target.Bootstrap...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for range 5 {
		if err := cl.ProduceSync(testContext(t), &kgo.Record{Topic: "t", Value: []byte("v")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if got := target.TimingError(); got != "" {
		t.Errorf("before the end it said %q", got)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	if got := target.TimingError(); !strings.HasPrefix(got, "timing error of 5 held answers: p50 ") {
		t.Errorf("at the end it said %q", got)
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	h, entries, err := sink.ReadLog(file)
	if err != nil {
		t.Fatal(err)
	}
	if h.Hold != "constant:time=3ms + stall:at=1h0m0s,for=1s" || h.Seed != 1<<64-1 || len(entries) != 5 {
		t.Errorf("header %+v, %d entries", h, len(entries))
	}
	for _, e := range entries {
		if e.Planned != e.Arrival+3e6 || e.Departed < e.Planned {
			t.Errorf("entry %+v", e)
		}
	}
}

// TestSinkThatCannotLog tells why the log can't be begun, and that it couldn't be ended.
func TestSinkThatCannotLog(t *testing.T) {
	_, err := Start(testContext(t), Spec{Kind: KindSink, TimingLog: filepath.Join(t.TempDir(), "no", "log")})
	mustContain(t, err, "timing log", "no such file")
	target, err := Start(testContext(t), Spec{Kind: KindSink, TimingLog: "x",
		Exec: []string{"/bin/sh", "-c", "echo 127.0.0.1:9; cat; echo no space left >&2; exit 4"}})
	if err != nil {
		t.Fatal(err)
	}
	mustContain(t, target.Close(), "the sink broker ended (exit status 4): no space left")
}

func TestChildThatFails(t *testing.T) {
	cases := []struct {
		name string
		exec []string
		want []string
	}{
		{"missing", []string{"/no/such/program"}, []string{"can't start the sink broker", "/no/such/program"}},
		{"complains", []string{"/bin/sh", "-c", "echo ouch >&2; exit 7"}, []string{"the sink broker ended", "exit status 7", "ouch"}},
		{"ends", []string{"/bin/true"}, []string{"ended", "exit status 0"}},
		{"talks", []string{"/bin/sh", "-c", "echo hello; sleep 1000"}, []string{`told "hello"`, "the addresses of 1 broker"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Start(testContext(t), Spec{Kind: KindSink, Exec: tc.exec})
			mustContain(t, err, tc.want...)
		})
	}
}

func TestStartInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(testContext(t))
	time.AfterFunc(50*time.Millisecond, cancel)
	_, err := Start(ctx, Spec{Kind: KindSink, Exec: []string{"/bin/sh", "-c", "sleep 1000"}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRunChildArguments(t *testing.T) {
	cases := map[string][]string{
		"":                    {"which broker", "sink", "fake"},
		"kafka":               {`"kafka"`, "allowed are sink and fake"},
		"sink --colour=red":   {"colour"},
		"sink extra":          {`"extra"`},
		"sink --partitions=x": {`"x"`},
		"sink --brokers=-1":   {"-1"},
	}
	for args, want := range cases {
		err := runChild(testContext(t), strings.Fields(args), strings.NewReader(""), &childOutput{got: make(chan struct{})})
		mustContain(t, err, want...)
	}
}

// TestRunChildEndsWithItsInput is the portable way in which a child learns that its parent is gone.
func TestRunChildEndsWithItsInput(t *testing.T) {
	for _, kind := range []string{KindSink, KindFake} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		line := &childOutput{got: make(chan struct{})}
		ended := make(chan error, 1)
		go func() { ended <- runChild(testContext(t), []string{kind}, r, line) }()
		<-line.got
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	_, port, err := net.SplitHostPort(freeAddr(t))
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
