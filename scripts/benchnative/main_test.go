package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kbench/metrics"

	"kbench/broker/sink"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		args, out, err string
		rounds         int
	}{
		{"", "results/native", "", 5},
		{"-short", "", "", 5},
		{"-short -out x", "x", "", 5},
		{"-only core,cpu -rounds 3", "results/native", "", 3},
		{"-only cor", "", `-only: "cor" is none of core, cpu, limit, harness, memory, scaling, small-batches, compression, latency, kafka`, 0},
		{"-rounds 0", "", "-rounds 0 is below 1", 0},
		{"-cpu 1", "", "-cpu and -target-cpu are both 1: client and broker would share it", 0},
		{"core", "", `unexpected argument "core"`, 0},
	} {
		o, err := parse(strings.Fields(tt.args), io.Discard)
		if err != nil || tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%q: error %v, want %q", tt.args, err, tt.err)
			}
			continue
		}
		if o.out != tt.out || o.rounds != tt.rounds {
			t.Errorf("%q: out %q, rounds %d; want %q, %d", tt.args, o.out, o.rounds, tt.out, tt.rounds)
		}
	}
}

// TestTable checks that every check finds its contenders, and that a selection takes nothing else along.
func TestTable(t *testing.T) {
	for _, b := range blocks() {
		var names []string
		for _, c := range b.contenders {
			names = append(names, c.name)
		}
		for _, c := range b.checks {
			if !slices.Contains(names, c.of) || c.against != "" && !slices.Contains(names, c.against) {
				t.Errorf("block %q, %q: %q or %q is none of %q", b.name, c.what, c.of, c.against, names)
			}
		}
		if b.warmup == 0 || b.window == 0 {
			t.Errorf("block %q has no warm-up or window", b.name)
		}
	}
	some := (&options{only: []string{rowLimit}, rounds: 7, short: true}).selected()
	if len(some) != 2 || some[0].name != "100 B" || len(some[0].contenders) != 3 || len(some[0].checks) != 2 {
		t.Fatalf("row limit selects %+v", some)
	}
	if some[0].rounds != 7 || some[0].window != 250*time.Millisecond {
		t.Errorf("rounds %d, window %v", some[0].rounds, some[0].window)
	}
}

func TestParseRun(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "report", "testdata", "full.json"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := parseRun(raw)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.values(); err == nil || err.Error() != "5 records failed or didn't end" {
		t.Errorf("a run with failures: %v", err)
	}
	r.Totals.Failed, r.Totals.Censored = 0, 0
	if _, err := r.values(); err == nil || err.Error() != "30000 records were acknowledged, and the broker has 12345" {
		t.Errorf("a run with records missing: %v", err)
	}
	r.Partitions[0].Records = 30000
	v, err := r.values()
	if err != nil || v[cpuPerRecord] != 812.4 || v[p50] != 1608.192 || v[p99] != 4278.272 || v[recordsPerSecond] == 0 {
		t.Errorf("values %v, %v", v, err)
	}
	for _, bad := range []string{"", "{}", "{"} {
		if _, err := parseRun([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), "result.json: ") {
			t.Errorf("parseRun(%q): %v", bad, err)
		}
	}
}

func TestSampleValues(t *testing.T) {
	s := base(clientNative, 100)
	m := sample{Seconds: 2, Records: 1000, CPUNS: 50000, Mallocs: 10, GCs: 1, Batches: 5, PeakRSS: s.Memory + 3e6}
	v, err := m.values(&s)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{recordsPerSecond: 500, cpuPerRecord: 50, allocsPerRecord: 0.01, allocsPerBatch: 2, gcs: 1, rssBeyond: 3} {
		if v[name] != want {
			t.Errorf("%s: %v, want %v", name, v[name], want)
		}
	}
	m.Failed = 1
	if _, err := m.values(&s); err == nil {
		t.Error("a failed record isn't an error")
	}
	if _, err := (&sample{Seconds: 1}).values(&s); err == nil {
		t.Error("no record isn't an error")
	}
}

func TestParsePeakRSS(t *testing.T) {
	for text, want := range map[string]int64{"VmPeak:\t 9 kB\nVmHWM:\t    2048 kB\n": 2 << 20, "VmHWM: 7\n": 0, "": 0} {
		if got := parsePeakRSS(text); got != want {
			t.Errorf("parsePeakRSS(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestValues(t *testing.T) {
	for _, s := range []setup{{}, {Apart: true}, {JSON: true}} {
		s.Values, s.Size = 500, 1024
		seen := map[string]bool{}
		values, bytes := s.makeValues()
		for _, v := range values {
			if len(v) != 1024 || seen[string(v)] {
				t.Fatalf("%+v: a value of %d bytes, or one that was there before", s, len(v))
			}
			seen[string(v)] = true
		}
		want := int64(cached + 1024)
		if s.Apart || s.JSON {
			want = 500 * 1024
		}
		if len(values) != 500 || bytes != want {
			t.Errorf("%+v: %d values in %d bytes, want 500 in %d", s, len(values), bytes, want)
		}
	}
	s := setup{Values: 1, Size: 1024, JSON: true}
	if v, _ := s.makeValues(); !strings.HasPrefix(string(v[0]), `{"order_id":"`) {
		t.Errorf("value %.40q", v[0])
	}
}

// TestClients measures each client for a moment against a sink, which has to have what was acknowledged.
func TestClients(t *testing.T) {
	for _, client := range []string{clientNative, clientSingle, clientReplay, clientLimit, clientFranz, clientFranzStamped} {
		t.Run(client, func(t *testing.T) {
			srv, err := sink.Listen("127.0.0.1:0", sink.Options{})
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan error, 1)
			go func() { served <- srv.Serve() }()
			defer func() {
				if err := srv.Close(); err != nil {
					t.Error(err)
				}
				<-served
			}()
			s := base(client, 100)
			s.Bootstrap, s.Topic, s.Values = []string{srv.Addr().String()}, "t", 256
			s.Warmup, s.Window = 20*time.Millisecond, 50*time.Millisecond
			if client == clientNative {
				s.Goroutines, s.InTurn, s.Codec, s.JSON = 3, true, "lz4", true
			}
			values, _ := s.makeValues()
			c, err := openClient(context.Background(), &s, values)
			if err != nil {
				t.Fatal(err)
			}
			m, err := measure(&s, c)
			if err != nil {
				t.Fatal(err)
			}
			if there := srv.Stats().Records; m.Acked != int64(there) || m.Acked == 0 || m.Failed != 0 {
				t.Errorf("acknowledged %d, failed %d, the sink has %d", m.Acked, m.Failed, there)
			}
			if m.Records > m.Acked || m.CPUNS <= 0 || m.Seconds < 0.05 {
				t.Errorf("sample %+v", m)
			}
		})
	}
	if _, err := openClient(context.Background(), &setup{Client: "x"}, nil); err == nil || !strings.Contains(err.Error(), `client "x" is none of native, single`) {
		t.Errorf("unknown client: %v", err)
	}
}

// broken is a client whose sending fails.
type broken struct{}

func (broken) send(int, *atomic.Bool) error           { return io.ErrUnexpectedEOF }
func (broken) counts() (acked, failed, batches int64) { return 0, 0, -1 }
func (broken) finish() error                          { return nil }

func TestMeasureFails(t *testing.T) {
	if _, err := measure(&setup{Goroutines: 2}, broken{}); err != io.ErrUnexpectedEOF {
		t.Errorf("error %v", err)
	}
}

func TestSave(t *testing.T) {
	b := core10()
	ms := []measurement{
		{Contender: clientNative, Values: map[string]float64{recordsPerSecond: 12e6, cpuPerRecord: 20}, Sample: &sample{Records: 1}},
		{Contender: clientFranz, Values: map[string]float64{recordsPerSecond: 1e6}},
	}
	r := report{opts: &options{args: []string{"--kbench", "/x/kbench", "-rounds", "1"}, seed: 7}, environment: []string{"CPU: x"}, took: time.Minute,
		blocks: []blockResult{{block: b, measurements: ms, verdicts: []verdict{judge(b.checks[0], ms), judge(b.checks[1], ms)}}, {block: harness(), verdicts: []verdict{judge(harness().checks[0], nil)}}}}
	dir := filepath.Join(t.TempDir(), "native")
	if err := r.save(dir); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range []string{"README.md", "data.json", "environment.txt"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(raw)
	}
	for _, want := range []string{"`scripts/bench-native -rounds 1`", "12.0×", "≥ 10×", "| yes?", "not measured", "| 12.0M"} {
		if !strings.Contains(files["README.md"], want) {
			t.Errorf("README.md has no %q:\n%s", want, files["README.md"])
		}
	}
	if want := "CPU: x\nCPU of clients: 0, of brokers: 0\ncommand: scripts/bench-native -rounds 1\nseed: 7\n"; files["environment.txt"] != want {
		t.Errorf("environment.txt %q, want %q", files["environment.txt"], want)
	}
	var d data
	dec := json.NewDecoder(bytes.NewReader([]byte(files["data.json"])))
	if err := dec.Decode(&d); err != nil || len(d.Blocks) != 2 || d.Blocks[0].Checks[0].Reached != "yes?" || *d.Blocks[0].Checks[0].Estimate < 11.9 ||
		d.Blocks[0].Checks[0].Interval != nil || d.Blocks[1].Checks[0].Estimate != nil || d.Blocks[0].Measurements[0].Sample.Records != 1 {
		t.Errorf("data.json: %v, %+v", err, d)
	}
}

// TestInvalidRuns tells of runs that called themselves invalid: by their reasons where nothing is written.
func TestInvalidRuns(t *testing.T) {
	doubted, fit := runResult{}, runResult{}
	doubted.Verdict.State, doubted.Verdict.Reasons = metrics.StateInvalid, []string{"it was late"}
	fit.Verdict.State = metrics.StateValid
	r := report{opts: &options{}, blocks: []blockResult{{block: harness(), measurements: []measurement{
		{Contender: clientNative, Run: &doubted}, {Contender: clientFranz, Run: &fit}, {Contender: clientFranz}}}}}
	for out, want := range map[string]string{
		"":  "1 of 2 runs of kbench called themselves invalid:\n\n- " + harness().name + ", native: it was late\n",
		"x": "1 of 2 runs of kbench called themselves invalid; data.json has the reasons.\n",
	} {
		r.opts.out = out
		var b strings.Builder
		if err := r.text(&b); err != nil || !strings.Contains(b.String(), want) {
			t.Errorf("-out %q: %v, %s", out, err, b.String())
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1.2345: "1.23", 12.345: "12.3", 123.45: "123", 123456: "123456", 12345678: "12.3M", 0.0123: "0.0123", 0.00001234: "1.2e-05"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}
