package native

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
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

// TestInboxAllocates nothing for an answer.
func TestInboxAllocates(t *testing.T) {
	broker, c, in := answering(t)
	one := answer(100, 1)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := broker.Write(one); err != nil {
			t.Fatal(err)
		}
		if err := in.await(); err != nil {
			t.Fatal(err)
		}
		in.look()
		if there, err := c.frameThere(); there != wholeFrame || err != nil {
			t.Fatal(there, err)
		}
		if _, err := c.readFrame(); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations an answer", allocs)
	}
}
