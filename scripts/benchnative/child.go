package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"kbench/broker"
	"kbench/metrics"
)

// client is one producer to be measured. Its methods but send are called by one goroutine.
type client interface {
	// send sends records until stop is set, as goroutine number g.
	send(g int, stop *atomic.Bool) error
	// counts are the records acknowledged and failed so far, and the batches written (−1: unknown). They may lag a little.
	counts() (acked, failed, batches int64)
	// finish waits for all acknowledgements and closes; counts are exact afterwards.
	finish() error
}

// runChild measures what the setup on its standard input says and writes a sample to its standard output.
func runChild(stdin io.Reader, stdout io.Writer) error {
	var s setup
	if err := json.NewDecoder(stdin).Decode(&s); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	// From here on the scheduler has one processor, as it would have in a container with one CPU.
	if err := broker.PinSelf([]int{s.CPU}); err != nil {
		return err
	}
	values, bytes := s.makeValues()
	c, err := openClient(context.Background(), &s, values)
	if err != nil {
		return err
	}
	m, err := measure(&s, c)
	if err != nil {
		return err
	}
	m.Payload = bytes
	return json.NewEncoder(stdout).Encode(m)
}

func openClient(ctx context.Context, s *setup, values [][]byte) (client, error) {
	switch s.Client {
	case clientNative, clientSingle:
		return openNative(ctx, s, values)
	case clientReplay:
		return openReplay(ctx, s, values)
	case clientLimit:
		return openLimit(s)
	case clientFranz, clientFranzStamped:
		return openFranz(ctx, s, values)
	}
	return nil, fmt.Errorf("client %q is none of %s", s.Client, strings.Join([]string{clientNative, clientSingle, clientReplay, clientLimit, clientFranz, clientFranzStamped}, ", "))
}

// reading is one look at the process and the client's counts.
type reading struct {
	at      time.Time
	cpu     int64
	acked   int64
	batches int64
}

func read(c client) (r reading) {
	r.acked, _, r.batches = c.counts()
	r.cpu, r.at = metrics.ReadUsage().CPUNS, time.Now()
	return r
}

// patience is by how many times 10 ms a window grows in which nothing is acknowledged: a short one, with a broker that has just
// started.
const patience = 1000

// measure sends for the warm-up and the window without a break between them, and counts what was acknowledged within the window.
func measure(s *setup, c client) (*sample, error) {
	var stop atomic.Bool
	failed := make(chan error, s.Goroutines)
	for g := range s.Goroutines {
		go func() { failed <- c.send(g, &stop) }()
	}
	time.Sleep(s.Warmup)
	endProfile, err := startProfile(s.Profile)
	if err != nil {
		return nil, err
	}
	var memBefore, memAfter runtime.MemStats
	before := read(c)
	runtime.ReadMemStats(&memBefore) // after reading the rest, which allocates
	time.Sleep(s.Window)
	for i := 0; i < patience && len(failed) == 0; i++ {
		if acked, _, _ := c.counts(); acked > before.acked {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	runtime.ReadMemStats(&memAfter)
	after := read(c)
	stop.Store(true)
	err = endProfile()
	for range s.Goroutines {
		if sendErr := <-failed; err == nil {
			err = sendErr
		}
	}
	if finishErr := c.finish(); err == nil {
		err = finishErr
	}
	if err != nil {
		return nil, err
	}
	m := &sample{
		Seconds: after.at.Sub(before.at).Seconds(), Records: after.acked - before.acked, CPUNS: after.cpu - before.cpu,
		Mallocs: memAfter.Mallocs - memBefore.Mallocs, GCs: memAfter.NumGC - memBefore.NumGC, Batches: -1,
		PeakRSS: peakRSS(),
	}
	if after.batches >= 0 {
		m.Batches = after.batches - before.batches
	}
	m.Acked, m.Failed, _ = c.counts()
	return m, nil
}

// startProfile profiles the CPU into a file until the function that it returns is called.
func startProfile(path string) (end func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		f.Close()
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

// peakRSS is the most memory that this process has had resident, in bytes. Its rusage isn't used: there, Linux counts what the
// process that started it had, too.
func peakRSS() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return parsePeakRSS(string(status))
}

func parsePeakRSS(status string) int64 {
	for line := range strings.Lines(status) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" && f[2] == "kB" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err == nil {
				return kb << 10
			}
		}
	}
	return 0
}
