package native_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"kbench/broker/sink"
	"kbench/native"
)

// sinkEnv makes the test binary a sink broker: one in its own process, whose CPU and garbage aren't the producer's.
const sinkEnv = "KBENCH_NATIVE_TEST_SINK"

// sinkTLSEnv has that process take TLS alone, with the certificate and the key (PEM) that it holds.
const sinkTLSEnv = "KBENCH_NATIVE_TEST_SINK_TLS"

func TestMain(m *testing.M) {
	if os.Getenv(sinkEnv) == "" {
		os.Exit(m.Run())
	}
	runtime.GOMAXPROCS(1)
	s, err := sink.Listen("127.0.0.1:0", sink.Options{Partitions: 12})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	addr := s.Addr()
	if pem := os.Getenv(sinkTLSEnv); pem != "" {
		if addr, err = terminateTLS([]byte(pem), addr.String()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	fmt.Println(addr)
	go func() { // ends with its parent
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
		s.Close()
	}()
	if err := s.Serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// terminateTLS forwards what comes over TLS to the address given.
func terminateTLS(pem []byte, to string) (net.Addr, error) {
	pair, err := tls.X509KeyPair(pem, pem)
	if err != nil {
		return nil, err
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		return nil, err
	}
	go func() { // ends with the process
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			pass(in, out)
		}
	}()
	return l.Addr(), nil
}

// pass copies both ways between two connections until one of them ends, and closes both.
func pass(a, b net.Conn) {
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			a.Close()
			b.Close()
		}()
	}
}

// startSink starts a sink broker in a process of its own.
func startSink(tb testing.TB, env ...string) string {
	tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), sinkEnv+"=1"), env...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			tb.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// cpu is the processor time of this process in ns.
func cpu(tb testing.TB) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// benchRecords makes 4096 different records without much redundancy.
func benchRecords(size int, keys bool, partition int32) []native.Record {
	recs := make([]native.Record, 4096)
	for i := range recs {
		v := make([]byte, size)
		for j := range v {
			v[j] = "abcdefgh"[(i*j+j>>3)%8]
		}
		recs[i] = native.Record{Slot: uint32(i), Partition: partition, Value: v}
		if keys {
			recs[i].Key = fmt.Appendf(nil, "key-%06d", i)
		}
	}
	return recs
}

// measure warms up with records of size bytes until the pools are full, then sends b.N of them.
func measure(b *testing.B, size int, send func(n int)) {
	send(200_000_000 / (size + 20))
	b.ReportAllocs()
	b.ResetTimer()
	before, began := cpu(b), time.Now()
	send(b.N)
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/record")
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds()/1e6, "Mrecords/s")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkProduce sends to a sink broker in bursts of 64; an operation is one record.
func BenchmarkProduce(b *testing.B) {
	big := func(c *native.Config) { c.BatchSize = 1 << 20; c.MaxRequestSize = 1<<20 + 4096 }
	for _, bm := range []struct {
		name      string
		size      int
		keys      bool
		partition int32
		set       func(*native.Config)
	}{
		{"10B", 10, false, -1, big},
		{"100B", 100, false, -1, big},
		{"1KiB", 1024, false, -1, big},
		{"10KiB", 10240, false, -1, big},
		{"100B/keys", 100, true, -1, big},
		{"100B/roundrobin", 100, false, -1, func(c *native.Config) { big(c); c.Partitioner = native.PartitionerRoundRobin }},
		{"100B/16KiB linger 0", 100, false, -1, func(c *native.Config) { c.Linger = 0 }},
		{"1KiB/lz4", 1024, false, -1, func(c *native.Config) { big(c); c.Compression = native.CompressionLZ4 }},
		{"1KiB/zstd", 1024, false, -1, func(c *native.Config) { big(c); c.Compression = native.CompressionZstd }},
		{"1KiB/snappy", 1024, false, -1, func(c *native.Config) { big(c); c.Compression = native.CompressionSnappy }},
	} {
		b.Run(bm.name, func(b *testing.B) {
			cfg := native.DefaultConfig()
			cfg.Bootstrap, cfg.Topics = []string{startSink(b)}, []string{"t"}
			failed := 0
			cfg.OnAck = func(a native.Ack) {
				if a.Err != nil {
					failed += len(a.Slots)
				}
			}
			bm.set(&cfg)
			p, err := native.New(context.Background(), cfg)
			if err != nil {
				b.Fatal(err)
			}
			defer p.Close()
			recs := benchRecords(bm.size, bm.keys, bm.partition)
			send := func(n int) {
				for i := 0; i < n; i += 64 {
					if err := p.Produce(context.Background(), recs[i&4095:][:min(64, n-i)]); err != nil {
						b.Fatal(err)
					}
				}
				if err := p.Flush(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
			measure(b, bm.size, send)
			if failed > 0 {
				b.Errorf("%d records failed", failed)
			}
		})
	}
}
