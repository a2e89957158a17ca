package sink

import (
	"errors"
	"net"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pair is a TCP connection: the client's end and the sink's. What hangs ends after a minute.
func pair(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	for _, nc := range []net.Conn{c, s} {
		t.Cleanup(func() { nc.Close() })
		if err := nc.SetDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	return c.(*net.TCPConn), s.(*net.TCPConn)
}

// lowat is SO_RCVLOWAT; 0 is 1 to the kernel.
func lowat(t *testing.T, nc *net.TCPConn) (mark int) {
	t.Helper()
	rc, err := nc.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var errGet error
	err = rc.Control(func(fd uintptr) { mark, errGet = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT) })
	if err := errors.Join(err, errGet); err != nil {
		t.Fatal(err)
	}
	return max(1, mark)
}

// until returns when the mark is what it should be.
func until(t *testing.T, nc *net.TCPConn, want int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); lowat(t, nc) != want; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("the mark is %d, want %d", lowat(t, nc), want)
		}
	}
}

// TestMarkIsWhatIsWaitedFor looks at the mark in each kind of wait, one after the other on one connection.
func TestMarkIsWhatIsWaitedFor(t *testing.T) {
	client, server := pair(t)
	src, err := newSource(server)
	if err != nil {
		t.Fatal(err)
	}
	in, done := newInput(src), make(chan error)
	for _, w := range []struct {
		name          string
		discard, mark int // discard 0: a head is read
	}{
		{"a head", 0, 1},
		{"a large batch", 300_000, 300_000},
		{"the next head", 0, 1},
		{"more than the most", 5 << 20, 1 << 20},
		{"less than that", 200_000, 200_000},
		{"a small batch", 65_535, 1},
		{"the least", 65_536, 65_536},
		{"a head again", 0, 1},
	} {
		go func() {
			if w.discard > 0 {
				done <- in.skip(w.discard)
				return
			}
			err := in.fill(1)
			in.r = in.w
			done <- err
		}()
		until(t, server, w.mark)
		if _, err := client.Write(make([]byte, max(1, w.discard))); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
	}
}

// TestSmallBuffers has a batch pass through buffers that never hold what is waited for, also where the mark is left to the
// kernel alone.
func TestSmallBuffers(t *testing.T) {
	for _, tt := range []struct {
		name          string
		send, receive int // bytes; 0: the system's
		known, want   marks
	}{
		{"usual", 0, 0, marksUntried, marksWork},
		{"the client's", 4096, 0, marksUntried, marksWork},
		{"the sink's", 0, 16 << 10, marksUntried, marksRefused},
		{"both", 4096, 16 << 10, marksUntried, marksRefused},
		{"the sink's, marked", 0, 16 << 10, marksWork, marksWork},
		{"both, marked", 4096, 16 << 10, marksWork, marksWork},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, server := pair(t)
			if tt.send > 0 {
				if err := client.SetWriteBuffer(tt.send); err != nil {
					t.Fatal(err)
				}
			}
			if tt.receive > 0 {
				if err := server.SetReadBuffer(tt.receive); err != nil {
					t.Fatal(err)
				}
			}
			src, err := newSource(server)
			if err != nil {
				t.Fatal(err)
			}
			k := src.(*socket)
			k.marks = tt.known
			if err := k.rc.Control(func(fd uintptr) { k.canMark(fd) }); err != nil {
				t.Fatal(err)
			}
			if k.marks != tt.want {
				t.Errorf("marks are %d, want %d", k.marks, tt.want)
			}
			const size = 1<<20 + 12_345
			wrote := make(chan error, 1)
			go func() {
				_, err := client.Write(make([]byte, size+1))
				wrote <- err
			}()
			in := newInput(src)
			if err := in.skip(size); err != nil {
				t.Fatal(err)
			}
			if err := in.fill(1); err != nil {
				t.Fatal(err)
			}
			if err := <-wrote; err != nil {
				t.Error(err)
			}
		})
	}
}
