package native

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"

	"kbench/native/wire"
)

// answering is both ends of a TCP connection: a broker's, and a connection that reads through an inbox.
func answering(t *testing.T) (*net.TCPConn, *conn, *inbox) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	broker, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Close() })
	in := newInbox(nc)
	if in == nil {
		t.Fatal("a TCP connection has no inbox")
	}
	return broker.(*net.TCPConn), &conn{nc: nc, br: bufio.NewReaderSize(in, 1<<10)}, in
}

// answer is a response of n bytes with its length.
func answer(n int, fill byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(n)), bytes.Repeat([]byte{fill}, n)...)
}

// TestInbox reads answers that come whole, in pieces, several at once and too large for the buffer. It never waits where it
// says that it doesn't, or the test would hang.
func TestInbox(t *testing.T) {
	broker, c, in := answering(t)
	send := func(b []byte) {
		t.Helper()
		if _, err := broker.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := in.await(); err != nil { // for some of it
			t.Fatal(err)
		}
	}
	expect := func(want frameState) {
		t.Helper()
		in.look()
		if got, err := c.frameThere(); got != want || err != nil {
			t.Fatalf("frameThere: %v, %v; want %v", got, err, want)
		}
	}
	take := func(n int, fill byte) {
		t.Helper()
		in.waits = true
		frame, err := c.readFrame()
		in.waits = false
		if err != nil || !bytes.Equal(frame, answer(n, fill)[4:]) {
			t.Fatalf("a frame of %d bytes, %v; want %d of %d", len(frame), err, n, fill)
		}
	}
	expect(noFrame)
	send(answer(10, 1))
	expect(wholeFrame)
	take(10, 1)
	expect(noFrame)

	whole := answer(20, 2)
	for i := range whole {
		expect(noFrame)
		send(whole[i : i+1])
	}
	expect(wholeFrame)
	take(20, 2)

	send(append(answer(5, 3), answer(1000, 4)...))
	expect(wholeFrame)
	take(5, 3)
	expect(wholeFrame)
	take(1000, 4)
	expect(noFrame)

	large := answer(100_000, 5)
	send(large[:3])
	expect(noFrame)
	send(large[3:500])
	expect(largeFrame)
	done := make(chan error)
	go func() {
		_, err := broker.Write(large[500:])
		done <- err
	}()
	take(100_000, 5)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	expect(noFrame)
}

// TestInboxEnds holds the ends of a connection against what reading it would say.
func TestInboxEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		sent []byte
		want error
	}{
		{"between answers", nil, io.EOF},
		{"in a length", []byte{0, 0}, io.ErrUnexpectedEOF},
		{"in an answer", answer(20, 1)[:10], io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			broker, c, in := answering(t)
			if _, err := broker.Write(tt.sent); err != nil {
				t.Fatal(err)
			}
			if err := broker.Close(); err != nil {
				t.Fatal(err)
			}
			for range 1000 { // what was sent and the end may come one after the other
				if err := in.await(); err != nil {
					t.Fatal(err)
				}
				in.look()
				if _, err := c.frameThere(); err != nil {
					if !errors.Is(err, tt.want) {
						t.Errorf("%v, want %v", err, tt.want)
					}
					return
				}
			}
			t.Error("the end wasn't noticed")
		})
	}
	t.Run("reset", func(t *testing.T) {
		broker, _, in := answering(t)
		if err := broker.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		if err := broker.Close(); err != nil {
			t.Fatal(err)
		}
		if err := in.await(); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("await: %v, want %v", err, syscall.ECONNRESET)
		}
	})
	t.Run("closed here", func(t *testing.T) {
		_, c, in := answering(t)
		waited := make(chan error)
		go func() { waited <- in.await() }()
		c.nc.Close()
		if err := <-waited; !errors.Is(err, net.ErrClosed) {
			t.Errorf("await: %v, want %v", err, net.ErrClosed)
		}
		in.look()
		if _, err := c.frameThere(); err == nil || errors.Is(err, errNothing) {
			t.Errorf("frameThere: %v, want an error of the connection", err)
		}
	})
}

// flying is a link with requests in flight, without a writer or a reader; the broker is the other end.
func flying(t *testing.T, requests int) (*net.TCPConn, *node, *link) {
	t.Helper()
	_, tp := idle(1, nil)
	broker, c, in := answering(t)
	n := tp.partitions[0].node
	l := &link{conn: c, in: in, version: produceLowest, done: make(chan struct{})}
	n.link = l
	for i := range requests {
		req := &request{correlation: int32(i + 1), version: produceLowest}
		req.written.Store(true)
		l.flight = append(l.flight, req)
	}
	return broker, n, l
}

// produced is an answer to a Produce request without a topic, padded to n bytes.
func produced(correlation int32, n int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(n))
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = binary.BigEndian.AppendUint32(b, 0) // topics
	b = binary.BigEndian.AppendUint32(b, 0) // throttle_time_ms
	return append(b, make([]byte, n-12)...)
}

// TestLookIn settles what was answered on the writer's way, without a reader: no more, and without waiting for the rest of
// anything.
func TestLookIn(t *testing.T) {
	broker, n, l := flying(t, 5)
	look := func(want int) {
		t.Helper()
		if err := l.lookIn(n); err != nil {
			t.Fatal(err)
		}
		if len(l.flight) != want {
			t.Fatalf("%d requests in flight, want %d", len(l.flight), want)
		}
	}
	send := func(b []byte) {
		t.Helper()
		if _, err := broker.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := l.in.await(); err != nil {
			t.Fatal(err)
		}
	}
	look(5)
	send(append(produced(1, 12), produced(2, 12)...))
	look(3)
	send(produced(3, 12)[:7])
	look(3)
	send(produced(3, 12)[7:])
	look(2)
	l.reading.Lock() // as where the reader is at it
	send(produced(4, 12))
	look(2)
	l.reading.Unlock()
	look(1)
	send(append(binary.BigEndian.AppendUint32(nil, 1<<20), 0, 0, 0, 5)) // of an answer larger than the buffer: the reader's
	look(1)
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	look(1)
}

// TestLookInFails where an answer wasn't asked for, and at the connection's end.
func TestLookInFails(t *testing.T) {
	broker, n, l := flying(t, 1)
	if _, err := broker.Write(produced(7, 12)); err != nil {
		t.Fatal(err)
	}
	if err := l.in.await(); err != nil {
		t.Fatal(err)
	}
	if err := l.lookIn(n); !errors.Is(err, wire.ErrMalformed) {
		t.Errorf("an answer to request 7 of 1: %v", err)
	}
	broker, n, l = flying(t, 1)
	n.pr.cfg.Acks = 0 // then the writer settles a request, and nothing is answered
	if _, err := broker.Write(produced(1, 12)); err != nil {
		t.Fatal(err)
	}
	if err := l.in.await(); err != nil {
		t.Fatal(err)
	}
	if err := l.lookIn(n); !errors.Is(err, wire.ErrMalformed) || len(l.flight) != 1 {
		t.Errorf("an answer with acks=0: %v, %d requests in flight", err, len(l.flight))
	}
	broker, n, l = flying(t, 1)
	if err := broker.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.in.await(); err != nil {
		t.Fatal(err)
	}
	if err := l.lookIn(n); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}
