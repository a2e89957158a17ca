package sink

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

const canDiscard = true

// Bounds of the mark that a wait for the rest of a batch sets.
const (
	leastMark = 64 << 10 // what loopback hands over at a time: below it there is no wake-up to save
	mostMark  = 1 << 20
)

// socket reads from a TCP socket's descriptor through the runtime's poller. RawConn.Read wants a function that tries;
// one made per call would be an allocation per read, so there is one for the life of the connection, and its argument
// and results are fields.
//
// Where it waits for the rest of a batch, which it forgets anyway, the kernel is to wake it once, when the rest is there
// (SO_RCVLOWAT), and not for each segment. That spares the client more than the sink: on a virtual machine, waking a CPU that
// sleeps costs the thread that does it an interrupt through the hypervisor, and that is the sender's. A write of 1 MiB took
// 250 µs with a wake-up for each 64 KiB, 125 µs with one. A stream that ends and an error wake below the mark, too
// (tcp_data_ready); so does a full receive buffer, but not in every kernel: see canMark.
type socket struct {
	rc  syscall.RawConn
	try func(fd uintptr) bool

	p   []byte // read into p; nil: discard
	max int    // bytes to discard
	n   int
	err error

	mark  int   // bytes from which on the kernel wakes us
	marks marks // whether other marks than 1 are safe here
}

// marks is what is known of SO_RCVLOWAT on a connection.
type marks int8

const (
	marksUntried marks = iota
	marksWork
	marksRefused
)

var _ source = (*socket)(nil)

func newSocket(rc syscall.RawConn) source {
	s := &socket{rc: rc, mark: 1}
	s.try = s.receive
	return s
}

// receive is one attempt; false means: nothing there yet, wait.
func (s *socket) receive(fd uintptr) bool {
	for {
		if s.p != nil {
			s.n, s.err = unix.Read(int(fd), s.p)
		} else {
			s.n, s.err = drop(fd, s.max)
		}
		switch s.err {
		case unix.EINTR:
		case unix.EAGAIN:
			if !s.moveMark(fd) {
				return false
			}
			// What came before the mark was moved need not wake us: look again.
		default:
			return true
		}
	}
}

// moveMark sets the mark for the wait to come, and says whether it was another one: the rest of a batch, or 1 byte for
// anything else. A mark above what is still to come would never be reached.
func (s *socket) moveMark(fd uintptr) bool {
	before, want := s.mark, 1
	if s.p == nil && s.max >= leastMark && s.canMark(fd) { // which may leave the mark elsewhere
		want = min(s.max, mostMark)
	}
	if want != s.mark {
		s.setMark(fd, want)
	}
	return s.mark != before
}

// canMark tries the highest mark once. Linux makes the receive buffer larger than the mark; before 4.18 it doesn't, and a
// client that has filled the buffer below the mark would wait for ever, as would we.
func (s *socket) canMark(fd uintptr) bool {
	if s.marks == marksUntried {
		s.marks = marksRefused
		if s.setMark(fd, mostMark) {
			if size, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF); err == nil && size > mostMark {
				s.marks = marksWork
			}
		}
	}
	return s.marks == marksWork
}

// setMark may be refused: then the mark stays where it is, and the wait is woken more often.
func (s *socket) setMark(fd uintptr, mark int) bool {
	if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT, mark) != nil {
		return false
	}
	s.mark = mark
	return true
}

// drop discards up to n bytes. MSG_TRUNC on a TCP socket takes bytes off the queue without copying them: tcp(7).
func drop(fd uintptr, n int) (int, error) {
	got, _, errno := unix.Syscall6(unix.SYS_RECVFROM, fd, 0, uintptr(n), unix.MSG_TRUNC, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(got), nil
}

// Read fills p with what is there, waiting while nothing is.
func (s *socket) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	s.p = p
	return s.wait()
}

// Discard drops up to n bytes of what is there, waiting while nothing is.
func (s *socket) Discard(n int) (int, error) {
	s.p, s.max = nil, n
	return s.wait()
}

func (s *socket) wait() (int, error) {
	if err := s.rc.Read(s.try); err != nil {
		return 0, err
	}
	if s.err != nil {
		return 0, s.err
	}
	if s.n == 0 {
		return 0, io.EOF
	}
	return s.n, nil
}
