package sink_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"kbench/broker/sink"
)

// childEnv makes the test binary a sink in its own process, so that a benchmark can tell the sink's CPU from its own.
const childEnv = "KBENCH_SINK_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) == "" {
		os.Exit(m.Run())
	}
	if err := child(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// usage is what the child says about itself.
type usage struct {
	cpu     int64 // ns
	rss     int64 // largest so far, bytes
	mallocs uint64
	records uint64
}

// child serves a sink until stdin ends: it prints its address, then its usage for each line that it reads.
func child(in io.Reader, out io.Writer) error {
	s, err := sink.Listen("127.0.0.1:0", sink.Options{Log: func(err error) { fmt.Fprintln(os.Stderr, err) }})
	if err != nil {
		return err
	}
	go s.Serve()
	fmt.Fprintln(out, s.Addr())
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var ru syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &ru); err != nil {
			return err
		}
		hwm, err := highWater()
		if err != nil {
			return err
		}
		var ms runtime.MemStats
		runtime.ReadMemStats(&ms)
		fmt.Fprintln(out, ru.Utime.Nano()+ru.Stime.Nano(), hwm, ms.Mallocs, s.Stats().Records)
	}
	return s.Close()
}

// highWater is the process's largest resident size so far. Getrusage's isn't: it starts with the parent's.
func highWater() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kb int64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		return 0, fmt.Errorf("/proc/self/status: VmHWM: %w", err)
	}
	return kb << 10, nil
}

// process is a child that serves.
type process struct {
	b    *testing.B
	addr string
	in   io.Writer
	out  *bufio.Reader
}

// spawn starts a child, on the last CPU alone where taskset can do that.
func spawn(b *testing.B, cpus string) *process {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	if path, err := exec.LookPath("taskset"); err == nil && cpus != "" {
		cmd = exec.Command(path, "-c", cpus, os.Args[0])
	}
	cmd.Env = append(os.Environ(), childEnv+"=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Error(err)
		}
	})
	p := &process{b: b, in: in, out: bufio.NewReader(out)}
	p.addr = p.line()
	return p
}

func (p *process) line() string {
	s, err := p.out.ReadString('\n')
	if err != nil {
		p.b.Fatal(err)
	}
	return strings.TrimSpace(s)
}

func (p *process) usage() usage {
	fmt.Fprintln(p.in, "usage")
	var u usage
	if _, err := fmt.Sscan(p.line(), &u.cpu, &u.rss, &u.mallocs, &u.records); err != nil {
		p.b.Fatal(err)
	}
	return u
}

// lastCPU is where a child runs alone.
func lastCPU() string { return strconv.Itoa(runtime.NumCPU() - 1) }

// load is what a benchmark sends: per request, one batch of at most size bytes with values of so many bytes to
// partition 0, over several connections with at most inflight requests each without an answer.
type load struct {
	value, size     int
	conns, inflight int
}

// count is how many records such a batch has.
func (l load) count() int {
	return max(1, sort.Search(l.size/l.value+1, func(n int) bool { return len(batch(n, l.value)) > l.size })-1)
}

// run sends b.N requests and reports the child's CPU, and what else matters.
func (l load) run(b *testing.B, cpus string) {
	b.Helper()
	p := spawn(b, cpus)
	count := l.count()
	request := encode(produce(9, -1, part{topic: "t", records: batch(count, l.value)}), 1)
	conns := make([]net.Conn, l.conns)
	for i := range conns {
		conns[i] = dial(b, p.addr)
		l.send(b, conns[i], request, 20) // the sink's buffers and the socket's windows grow
	}
	debug.FreeOSMemory()
	before := p.usage()
	b.SetBytes(int64(len(request)))
	b.ReportAllocs()
	b.ResetTimer()
	done := make(chan struct{})
	for i, nc := range conns {
		n := b.N / len(conns)
		if i < b.N%len(conns) {
			n++
		}
		go func() {
			l.send(b, nc, request, n)
			done <- struct{}{}
		}()
	}
	for range conns {
		<-done
	}
	b.StopTimer()
	after := p.usage()
	records := float64(b.N * count)
	if got := after.records - before.records; got != uint64(records) {
		b.Fatalf("the sink counted %d records, want %.0f", got, records)
	}
	b.ReportMetric(float64(after.cpu-before.cpu)/records, "sink-cpu-ns/record")
	b.ReportMetric(float64(after.cpu-before.cpu)/float64(b.N)/1e3, "sink-cpu-µs/request")
	b.ReportMetric(records/b.Elapsed().Seconds()/1e6, "Mrecords/s")
	b.ReportMetric(float64(after.mallocs-before.mallocs)/float64(b.N), "sink-allocs/request")
	b.ReportMetric(float64(after.rss)/1e6, "sink-MB")
}

// send sends a request n times and reads the answers.
func (l load) send(b *testing.B, nc net.Conn, request []byte, n int) {
	window := make(chan struct{}, l.inflight)
	answered := make(chan error, 1)
	go func() {
		r := bufio.NewReader(nc)
		answer := make([]byte, 4+4+1+(1+1+1)+(1+4+2+8+8+8+1+1+1)+1+4+1)
		for range n {
			if _, err := io.ReadFull(r, answer); err != nil {
				answered <- err
				return
			}
			<-window
		}
		answered <- nil
	}()
	for range n {
		window <- struct{}{}
		if _, err := nc.Write(request); err != nil {
			b.Error(err)
			return
		}
	}
	if err := <-answered; err != nil {
		b.Error(err)
	}
}

func BenchmarkProduce10B(b *testing.B)  { load{10, 1 << 20, 1, 5}.run(b, lastCPU()) }
func BenchmarkProduce100B(b *testing.B) { load{100, 1 << 20, 1, 5}.run(b, lastCPU()) }
func BenchmarkProduce1K(b *testing.B)   { load{1 << 10, 1 << 20, 1, 5}.run(b, lastCPU()) }
func BenchmarkProduce10K(b *testing.B)  { load{10 << 10, 1 << 20, 1, 5}.run(b, lastCPU()) }

// Smaller requests, down to one record, with 5 in flight and (Sync) 1.
func BenchmarkRequest128K(b *testing.B)      { load{100, 128 << 10, 1, 5}.run(b, lastCPU()) }
func BenchmarkRequest16K(b *testing.B)       { load{100, 16 << 10, 1, 5}.run(b, lastCPU()) }
func BenchmarkRequest2K(b *testing.B)        { load{100, 2 << 10, 1, 5}.run(b, lastCPU()) }
func BenchmarkRequestOneRecord(b *testing.B) { load{100, 0, 1, 5}.run(b, lastCPU()) }
func BenchmarkSync2K(b *testing.B)           { load{100, 2 << 10, 1, 1}.run(b, lastCPU()) }

// Several connections, against a sink on one CPU and (AllCPUs) on all.
func BenchmarkConnections4(b *testing.B)        { load{100, 1 << 20, 4, 5}.run(b, lastCPU()) }
func BenchmarkConnections16(b *testing.B)       { load{100, 1 << 20, 16, 5}.run(b, lastCPU()) }
func BenchmarkConnections100(b *testing.B)      { load{100, 1 << 20, 100, 5}.run(b, lastCPU()) }
func BenchmarkConnections4AllCPUs(b *testing.B) { load{100, 1 << 20, 4, 5}.run(b, "") }
