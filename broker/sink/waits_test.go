package sink_test

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"kbench/broker/sink"
)

// TestSmallAfterLarge: what the sink waited for in a large batch isn't waited for in the next request, however small.
func TestSmallAfterLarge(t *testing.T) {
	s, addr := start(t, sink.Options{Hold: hold(t, "constant:1us"), MaxMessageBytes: 4 << 20})
	nc := dial(t, addr)
	if err := nc.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	sizes := []int{300_000, 10, 2 << 20, 70_000, 10, 10, 1 << 20, 60_000}
	for i, size := range sizes {
		request := encode(produce(9, -1, part{topic: "a", records: batch(1, size)}), int32(i))
		for rest, piece := request, 1; len(rest) > 0; piece = piece%100_003*7 + 1 { // in drips of all sizes
			n := min(piece, len(rest))
			if _, err := nc.Write(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
		}
		if got, _ := frame(t, nc); got != int32(i) {
			t.Fatalf("answer to request %d, want %d", got, i)
		}
	}
	if got := s.Stats().Records; got != uint64(len(sizes)) {
		t.Errorf("%d records, want %d", got, len(sizes))
	}
}

// TestClientGoesInTheMiddle has clients leave while the sink waits for the rest of a large batch: it hears of it.
func TestClientGoesInTheMiddle(t *testing.T) {
	request := encode(produce(9, -1, part{topic: "a", records: batch(1, 2<<20)}), 1)
	for _, tt := range []struct {
		name  string
		sent  int
		leave func(*net.TCPConn) error
	}{
		{"closes after the head", 200, (*net.TCPConn).Close},
		{"closes in the middle", 700_000, (*net.TCPConn).Close},
		{"closes its half", 700_000, (*net.TCPConn).CloseWrite},
		{"closes before the last byte", len(request) - 1, (*net.TCPConn).Close},
		{"resets", 700_000, func(nc *net.TCPConn) error { return errors.Join(nc.SetLinger(0), nc.Close()) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			logged := make(chan error, 1)
			s, addr := start(t, sink.Options{MaxMessageBytes: 4 << 20, Log: func(err error) { logged <- err }})
			nc := dial(t, addr).(*net.TCPConn)
			if _, err := nc.Write(request[:tt.sent]); err != nil {
				t.Fatal(err)
			}
			if err := tt.leave(nc); err != nil {
				t.Fatal(err)
			}
			select {
			case err := <-logged:
				if tt.name != "resets" && !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("the sink logs %v", err)
				}
			case <-time.After(time.Minute):
				t.Fatal("the sink goes on waiting")
			}
			if got := s.Stats().Records; got != 0 {
				t.Errorf("%d records counted", got)
			}
		})
	}
}
