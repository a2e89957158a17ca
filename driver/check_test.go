package driver

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kbench/workload"
)

// exampleTable has a row of every kind.
func exampleTable() []Capability {
	return []Capability{
		{Setting: "acks", Support: Limited, Values: []string{"all", "1"}},
		{Setting: "linger.ms", Support: Mapped, How: "Wait"},
		{Setting: "buffer.memory", Support: Unsupported, How: "bounded by records"},
		{Setting: "client.rack", Support: Unsupported, Values: []string{""}},
		{Setting: "retries", Support: Limited, Values: []string{"0 to 10"}, How: "Tries",
			Allows: func(c *workload.ProducerConfig) bool { return c.Retries <= 10 }},
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		settings string // name=value, comma separated
		want     []string
	}{
		{"", nil},
		{"acks=-1", nil}, // another way to write all
		{"acks=1", nil},
		{"acks=0", []string{"driver toy", "acks=0", "all, 1"}},
		{"linger.ms=7", nil},
		{"buffer.memory=1000", []string{"buffer.memory=1000", "no such setting", "bounded by records"}},
		{"client.rack=r1", []string{"client.rack=r1", "(empty)"}},
		{"retries=10", nil},
		{"retries=11", []string{"retries=11", "0 to 10", "Tries"}},
		{"retries=11,acks=0", []string{"retries=11", "acks=0"}},
	}
	for _, tt := range tests {
		p := workload.DefaultProducerConfig()
		for _, kv := range strings.Split(tt.settings, ",") {
			if name, value, ok := strings.Cut(kv, "="); ok {
				if err := p.Set(name, value); err != nil {
					t.Fatal(err)
				}
			}
		}
		err := Check(Driver{Name: "toy", Capabilities: exampleTable()}, &p)
		if (err != nil) != (tt.want != nil) {
			t.Errorf("%q: error %v, want one: %t", tt.settings, err, tt.want != nil)
			continue
		}
		for _, part := range tt.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q: error %q doesn't name %q", tt.settings, err, part)
			}
		}
	}
}

func TestDifferences(t *testing.T) {
	p := workload.DefaultProducerConfig()
	e := Effective{}
	for _, s := range Settings() {
		e.Text(s.Name, p.Get(s.Name))
	}
	delete(e, "buffer.memory")  // Unsupported, and the default isn't what the client does
	delete(e, "client.rack")    // Unsupported, but as good as carried out
	delete(e, "max.block.ms")   // nothing said, no row: believed
	e.Text("acks", "-1")        // the same as all
	e.Int("retries", 10)        // limited
	e.Millis("linger.ms", 5e6)  // 5 ms, the default
	e.Text("batch.size", "999") // a full row that isn't true
	e.Text("bootstrap.servers", "elsewhere:1")
	want := []Difference{
		{Setting: "retries", Asked: "2147483647", Effective: "10", Why: "Tries"},
		{Setting: "batch.size", Asked: "16384", Effective: "999"},
		{Setting: "buffer.memory", Asked: "33554432", Why: "bounded by records"},
	}
	if diff := cmp.Diff(want, Differences(&p, e, exampleTable())); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}
}

func TestBackoff(t *testing.T) {
	backoff := Backoff(100*time.Millisecond, time.Second)
	for failures, base := range map[int]time.Duration{0: 100, 1: 100, 2: 200, 3: 400, 4: 800, 5: 1000, 60: 1000, 1 << 30: 1000} {
		base *= time.Millisecond
		lo, hi := time.Duration(0.8*float64(base)), min(time.Second, time.Duration(1.2*float64(base)))
		for range 200 {
			if d := backoff(failures); d < lo || d > hi {
				t.Fatalf("after %d failures: %v, want %v to %v", failures, d, lo, hi)
			}
		}
	}
	if d := Backoff(0, 0)(5); d != 0 {
		t.Errorf("no backoff asked: %v", d)
	}
}
