package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"kbench/metrics"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"kbench": main})
}

// TestScripts runs the command line as a user would: testdata/script/*.txtar. Those named kafka_* need Java and Maven and
// run where KBENCH_TEST_KAFKA is set, as scripts/test sets it.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var run []string
	for _, f := range files {
		if kafka, _ := filepath.Match("kafka_*", filepath.Base(f)); !kafka || os.Getenv("KBENCH_TEST_KAFKA") != "" {
			run = append(run, f)
		}
	}
	// The jars and their cache belong to the user, not to the script's own home.
	home, cache := os.Getenv("HOME"), os.Getenv("XDG_CACHE_HOME")
	testscript.Run(t, testscript.Params{
		Files: run,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", home)
			if cache != "" {
				env.Setenv("XDG_CACHE_HOME", cache)
			}
			env.Setenv("TMPDIR", env.WorkDir)
			// Whether this machine is quiet enough for a valid measurement isn't what the scripts test.
			env.Setenv("KBENCH_ALLOW_INVALID", "true")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"listen": listen, "freeport": freePort, "counted": counted},
	})
}

// listen http|silent|closing VAR starts a server that isn't Kafka and puts its address into VAR.
func listen(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: listen http|silent|closing VAR")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
	ts.Setenv(args[1], l.Addr().String())
	switch args[0] {
	case "http":
		go func() { _ = http.Serve(l, http.NotFoundHandler()) }()
	case "silent", "closing":
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				if args[0] == "closing" {
					_ = c.Close()
				} else {
					go func() { _, _ = io.Copy(io.Discard, c) }()
				}
			}
		}()
	default:
		ts.Fatalf("listen: unknown kind %q", args[0])
	}
}

// freePort VAR puts an address into VAR at which nothing listens.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

// counted DIR holds a result's acknowledged records against what its partitions count.
func counted(ts *testscript.TestScript, neg bool, args []string) {
	var r metrics.Result
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(filepath.Join(args[0], "result.json"))), &r))
	t := r.Totals
	if t.Failed+t.Censored+t.WarmupFailed+t.WarmupCensored > 0 || t.Acked == 0 {
		ts.Fatalf("not every record was acknowledged: %+v", t)
	}
	stored := uint64(0)
	for _, p := range r.Partitions {
		stored += uint64(p.Records)
	}
	if acked := t.Acked + t.WarmupRecords; stored != acked {
		ts.Fatalf("%d records acknowledged, the broker has %d", acked, stored)
	}
}
