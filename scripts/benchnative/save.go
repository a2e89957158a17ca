package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// data is data.json.
type data struct {
	Command     string      `json:"command"`
	Started     time.Time   `json:"started"`
	Seconds     float64     `json:"seconds"`
	Seed        uint64      `json:"seed"`
	Environment []string    `json:"environment"`
	Blocks      []blockData `json:"blocks"`
}

type blockData struct {
	Name         string          `json:"name"`
	Target       string          `json:"target"`
	WarmupNS     time.Duration   `json:"warmup_ns"`
	WindowNS     time.Duration   `json:"window_ns"`
	Contenders   []contenderData `json:"contenders"`
	Checks       []checkData     `json:"checks"`
	Measurements []measurement   `json:"measurements"` // in the order in which they were made
}

type contenderData struct {
	Name   string   `json:"name"`
	Setup  *setup   `json:"setup,omitempty"`
	Kbench []string `json:"kbench,omitempty"` // its arguments
}

type checkData struct {
	Row      string      `json:"row"`
	What     string      `json:"what"`
	Metric   string      `json:"metric"`
	Of       string      `json:"of"`
	Against  string      `json:"against,omitempty"`
	Asked    string      `json:"asked"`
	Estimate *float64    `json:"estimate"` // null: nothing was measured
	Interval *[2]float64 `json:"interval"` // null: too few values
	Ratios   []float64   `json:"ratios"`   // or values, without "against"
	Reached  string      `json:"reached"`
}

func (r *report) data() data {
	d := data{Command: r.command(), Started: r.began.UTC(), Seconds: r.took.Seconds(), Seed: r.opts.seed, Environment: r.environment}
	for _, b := range r.blocks {
		bd := blockData{Name: b.block.name, Target: b.block.target, WarmupNS: b.block.warmup, WindowNS: b.block.window, Measurements: b.measurements}
		for _, c := range b.block.contenders {
			cd := contenderData{Name: c.name}
			if c.run != nil {
				cd.Kbench = r.opts.runArgs(&c, &b.block)
			} else {
				cd.Setup = &c.setup
			}
			bd.Contenders = append(bd.Contenders, cd)
		}
		for _, v := range b.verdicts {
			bd.Checks = append(bd.Checks, v.data())
		}
		d.Blocks = append(d.Blocks, bd)
	}
	return d
}

func (v *verdict) data() checkData {
	c := checkData{Row: v.check.row, What: v.check.what, Metric: v.check.metric, Of: v.check.of, Against: v.check.against,
		Asked: v.check.asked(), Ratios: v.pairs, Reached: v.reached}
	if !math.IsNaN(v.estimate.Value) {
		c.Estimate = &v.estimate.Value
	}
	if i := v.estimate.Interval; interval(i) != tooFew {
		c.Interval = &[2]float64{i.Low, i.High}
	}
	return c
}

// preface says what the table is and how to read it.
const preface = `# What the native producer costs

Made by ` + "`%s`" + `; data.json has every single measurement, with the settings of each contender, environment.txt the machine; notes.md says what isn't reached, and why.

- Each client is measured in a process of its own with one CPU (and so GOMAXPROCS 1, Go's other settings as they are by default); the broker has the other CPU. All use acks=all with idempotence, buffer.memory 32 MiB, the system's socket buffers and, where nothing else is said, 12 partitions, batches of 1 MiB, linger 5 ms and 4,096 different values made before the start, without a key. They lie in 256 KiB of memory, where they overlap if they have to: what an application sends it has just made, so it is in a cache. **values apart** is the same with each value in memory of its own, 4 MB of 1 KiB and 40 MB of 10 KiB, shown for comparison.
- **native** is handed bursts of 64 records; **single** is the same with one record a call; **replay** is its template mode, asked for 1,024 records at a time; **limit** writes one request of 1 MiB, encoded before, again and again, five in flight. **franz** is franz-go with records that are made once and go round, one promise, UniformBytesPartitioner; it reads the clock for each record, and **franz-stamped** is given a time for each burst by its caller instead.
- Contenders take turns: in each round all in random order, then in the reverse order. Two neighbours make a pair; a ratio is the Hodges-Lehmann estimate of the pairs' (on logarithms), with the exact interval of Wilcoxon's signed-rank test. What is asked of one contender alone has the same estimate and interval of its values.
- **reached** is yes or no by the estimate, with a question mark where the interval reaches over the bound. 0 allocations are asked as less than one in a million records and one in 200 batches: timers of the process allocate now and then.
- Every record is accounted for: the broker has to have as many as were acknowledged, or the measurement fails.
- Compressed values are JSON events; 16,384 different ones, so that no batch has one twice. Codecs have Kafka's default levels on both sides.
- 10,000 partitions are measured with batch.size 16 KiB and buffer.memory 256 MiB, as is the one that is asked about; one partition has one batch in a request, so it is shown with batches of 1 MiB too.

`

func (r *report) save(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	raw, err := json.MarshalIndent(r.data(), "", " ")
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, preface, r.command())
	if err := r.text(&text); err != nil {
		return err
	}
	env := append(slices.Clone(r.environment), "CPU of clients: "+strconv.Itoa(r.opts.cpu)+", of brokers: "+strconv.Itoa(r.opts.targetCPU),
		"command: "+r.command(), "seed: "+strconv.FormatUint(r.opts.seed, 10))
	return errors.Join(
		os.WriteFile(filepath.Join(dir, "README.md"), []byte(text.String()), 0o644),
		os.WriteFile(filepath.Join(dir, "data.json"), append(raw, '\n'), 0o644),
		os.WriteFile(filepath.Join(dir, "environment.txt"), []byte(strings.Join(env, "\n")+"\n"), 0o644))
}
