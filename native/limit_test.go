package native_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"

	"kbench/native"
	"kbench/native/wire"
)

// BenchmarkReplay sends a template to a sink broker; an operation is one record.
func BenchmarkReplay(b *testing.B) {
	for _, bm := range []struct {
		name  string
		size  int
		burst int
		set   func(*native.Config)
	}{
		{"10B", 10, 64, func(*native.Config) {}},
		{"100B", 100, 64, func(*native.Config) {}},
		{"1KiB", 1024, 64, func(*native.Config) {}},
		{"10KiB", 10240, 64, func(*native.Config) {}},
		{"100B/bursts of 4096", 100, 4096, func(*native.Config) {}},
		{"100B/4 connections", 100, 64, func(c *native.Config) { c.Connections = 4 }},
		{"100B/16KiB linger 0", 100, 64, func(c *native.Config) { c.BatchSize, c.Linger = 16384, 0 }},
		{"1KiB/zstd", 1024, 64, func(c *native.Config) { c.Compression = native.CompressionZstd }},
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
			cfg.BatchSize, cfg.MaxRequestSize = 1<<20, 1<<20+4096
			bm.set(&cfg)
			template := benchRecords(bm.size, false, -1)
			for len(template)*bm.size < cfg.BatchSize {
				template = append(template, template...)
			}
			rp, err := native.NewReplayer(context.Background(), cfg, template)
			if err != nil {
				b.Fatal(err)
			}
			defer rp.Close()
			burst := slots(0, bm.burst)
			measure(b, bm.size, func(n int) {
				for i := 0; i < n; i += len(burst) {
					if err := rp.Replay(context.Background(), 0, -1, burst[:min(len(burst), n-i)]); err != nil {
						b.Fatal(err)
					}
				}
				if err := rp.Flush(context.Background()); err != nil {
					b.Fatal(err)
				}
			})
			if failed > 0 {
				b.Errorf("%d records failed", failed)
			}
		})
	}
}

// BenchmarkLimit writes one pre-encoded request of a megabyte again and again, up to five in flight: what any producer on one
// connection can reach here. An operation is one record.
func BenchmarkLimit(b *testing.B) {
	for _, size := range []int{10, 100, 1024, 10240} {
		b.Run(fmt.Sprintf("%dB", size), func(b *testing.B) {
			req, count := wholeRequest(size)
			nc, err := net.Dial("tcp", startSink(b))
			if err != nil {
				b.Fatal(err)
			}
			defer nc.Close()
			if err := nc.(*net.TCPConn).SetWriteBuffer(native.DefaultConfig().SendBuffer); err != nil {
				b.Fatal(err)
			}
			tokens, answers := make(chan struct{}, 5), make(chan error, 1)
			measure(b, size, func(n int) {
				rounds := (n + count - 1) / count
				go func() { answers <- readAnswers(nc, rounds, tokens) }()
				for range rounds {
					tokens <- struct{}{}
					if _, err := nc.Write(req); err != nil {
						b.Fatal(err)
					}
				}
				if err := <-answers; err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// wholeRequest is a Produce request with one batch of a megabyte, and the number of its records.
func wholeRequest(size int) (req []byte, count int) {
	value := make([]byte, size)
	batch := make([]byte, wire.BatchHeaderSize)
	for ; len(batch)+size+20 < 1<<20; count++ {
		batch = wire.AppendRecord(batch, wire.RecordBodySize(0, count, nil, value, 1), 0, count, nil, value, nil)
	}
	records := batch[wire.BatchHeaderSize:]
	wire.PutBatchHeader(batch, wire.BatchHeader{Count: int32(count), ProducerID: -1, Epoch: -1, Sequence: -1},
		wire.NewBlock(len(records), wire.CRC32C(0, records)))
	const version = 9
	req = wire.AppendRequestHeader(make([]byte, 4), wire.KeyProduce, version, 1, "limit")
	req = wire.AppendProduceHead(req, version, wire.ProduceHead{Acks: -1, TimeoutMS: 30000, Topics: 1})
	req = wire.AppendProduceTopic(req, version, wire.ProduceTopic{Name: "t"}, 1)
	req = wire.AppendProducePartition(req, version, 0, len(batch))
	req = append(req, batch...)
	req = append(req, 0, 0, 0) // no tagged fields of the partition, the topic, the request
	binary.BigEndian.PutUint32(req, uint32(len(req)-4))
	return req, count
}

// readAnswers reads n responses without looking into them, and gives a token back for each.
func readAnswers(r io.Reader, n int, tokens <-chan struct{}) error {
	var buf [4096]byte
	for range n {
		if _, err := io.ReadFull(r, buf[:4]); err != nil {
			return err
		}
		if _, err := io.ReadFull(r, buf[:binary.BigEndian.Uint32(buf[:])]); err != nil {
			return err
		}
		<-tokens
	}
	return nil
}
