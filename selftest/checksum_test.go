package selftest

import (
	"context"
	"testing"

	"kbench/driver/null"
	"kbench/workload"
)

// TestDigestSeesEverything: a record that differs in any part, or in how its bytes are split, has another sum.
func TestDigestSeesEverything(t *testing.T) {
	base := workload.Record{Topic: 1, Key: []byte("ab"), Value: []byte("cd"), Headers: []workload.Header{{Key: "h", Value: []byte("v")}}}
	sum := func(change func(*workload.Record)) uint64 {
		r := base
		change(&r)
		d := newDigest()
		d.add(&r)
		return d.sum
	}
	want := sum(func(*workload.Record) {})
	for name, change := range map[string]func(*workload.Record){
		"topic":   func(r *workload.Record) { r.Topic = 2 },
		"key":     func(r *workload.Record) { r.Key = []byte("aB") },
		"no key":  func(r *workload.Record) { r.Key = nil },
		"value":   func(r *workload.Record) { r.Value = []byte("ce") },
		"split":   func(r *workload.Record) { r.Key, r.Value = []byte("abc"), []byte("d") },
		"header":  func(r *workload.Record) { r.Headers = []workload.Header{{Key: "h", Value: []byte("w")}} },
		"headers": func(r *workload.Record) { r.Headers = nil },
	} {
		if sum(change) == want {
			t.Errorf("%s: the same sum", name)
		}
	}
	if sum(func(r *workload.Record) { r.Slot = 7 }) != want {
		t.Error("the slot counts, which is the harness's")
	}
}

// TestSeedWithoutBroker: what the null driver is handed depends on the seed alone.
func TestSeedWithoutBroker(t *testing.T) {
	send := func(seed uint64) sent {
		plan := seedPlan(seed, "null")
		d := newDigest()
		res, _, err := runAlone(context.Background(), &plan, d.wrap(null.Driver()))
		if err != nil {
			t.Fatal(err)
		}
		return sent{d.records, d.sum, res.ScheduleChecksum}
	}
	first, again, other := send(1), send(1), send(2)
	if o := judge(Outcome{Rows: sameSent("", again, first)}); o.State != Pass {
		t.Errorf("the same seed: %s", o.Reason)
	}
	if o := judge(Outcome{Rows: sameSent("", other, first)}); o.State != Fail {
		t.Error("another seed passes as the same")
	}
}
