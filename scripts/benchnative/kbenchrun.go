package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// runResult is what is read of kbench's result.json.
type runResult struct {
	Verdict struct {
		State   string   `json:"state"`
		Reasons []string `json:"reasons"`
	} `json:"verdict"`
	Totals struct {
		Acked            int64   `json:"acked"`
		Failed           int64   `json:"failed"`
		Censored         int64   `json:"censored"`
		WarmupRecords    int64   `json:"warmup_records"`
		WarmupFailed     int64   `json:"warmup_failed"`
		WarmupCensored   int64   `json:"warmup_censored"`
		RecordsPerSecond float64 `json:"records_per_second"`
	} `json:"totals"`
	Latency struct {
		Response struct {
			P50       int64               `json:"p50"`
			P99       int64               `json:"p99"`
			Intervals map[string][2]int64 `json:"intervals"`
		} `json:"response"`
	} `json:"latency"`
	Runtime struct {
		CPUNSPerRecord  float64 `json:"cpu_ns_per_record"`
		AllocsPerRecord float64 `json:"allocs_per_record"`
	} `json:"runtime"`
	Partitions []struct {
		Records int64 `json:"records"`
	} `json:"partitions"`
}

// values are the metrics of a run, if the broker has all that was acknowledged and nothing else happened.
func (r *runResult) values() (map[string]float64, error) {
	t := &r.Totals
	if lost := t.Failed + t.Censored + t.WarmupFailed + t.WarmupCensored; lost > 0 {
		return nil, fmt.Errorf("%d records failed or didn't end", lost)
	}
	there := int64(0)
	for _, p := range r.Partitions {
		there += p.Records
	}
	if acked := t.Acked + t.WarmupRecords; there != acked || acked == 0 {
		return nil, fmt.Errorf("%d records were acknowledged, and the broker has %d", acked, there)
	}
	return map[string]float64{
		recordsPerSecond: t.RecordsPerSecond,
		cpuPerRecord:     r.Runtime.CPUNSPerRecord,
		allocsPerRecord:  r.Runtime.AllocsPerRecord,
		p50:              float64(r.Latency.Response.P50) / 1e3,
		p99:              float64(r.Latency.Response.P99) / 1e3,
	}, nil
}

func parseRun(raw []byte) (*runResult, error) {
	r := &runResult{}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, fmt.Errorf("result.json: %w", err)
	}
	if r.Verdict.State == "" {
		return nil, errors.New("result.json: no verdict")
	}
	return r, nil
}

// runArgs is the command line of kbench for a contender, but for where the result goes.
func (o *options) runArgs(c *contender, b *block) []string {
	args := []string{"run", "--quiet", "--allow-invalid", "--cpus=" + strconv.Itoa(o.cpu), "--target-cpus=" + strconv.Itoa(o.targetCPU),
		"--warmup=" + b.warmup.String(), "--duration=" + b.window.String()}
	return append(args, c.run...)
}

// kbenchRun measures a contender with kbench itself. A verdict "invalid" is kept, not hidden: the table counts them.
func (o *options) kbenchRun(ctx context.Context, c *contender, b *block) (*runResult, error) {
	dir, err := os.MkdirTemp("", "bench-native")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "result")
	cmd := exec.CommandContext(ctx, o.kbench, append(o.runArgs(c, b), "--out="+out)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it has a target to stop
	cmd.WaitDelay = 20 * time.Second
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("kbench %s: %w: %s", strings.Join(slices.Clone(cmd.Args[1:]), " "), err, lastLine(string(text)))
	}
	raw, err := os.ReadFile(filepath.Join(out, "result.json"))
	if err != nil {
		return nil, err
	}
	return parseRun(raw)
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
