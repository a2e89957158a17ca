package sink

import (
	"io"
	"syscall"

	"golang.org/x/sys/unix"
)

const canDiscard = true

// socket reads from a TCP socket's descriptor through the runtime's poller. RawConn.Read wants a function that tries;
// one made per call would be an allocation per read, so there is one for the life of the connection, and its argument
// and results are fields.
type socket struct {
	rc  syscall.RawConn
	try func(fd uintptr) bool

	p   []byte // read into p; nil: discard
	max int    // bytes to discard
	n   int
	err error
}

var _ source = (*socket)(nil)

func newSocket(rc syscall.RawConn) source {
	s := &socket{rc: rc}
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
		if s.err != unix.EINTR {
			return s.err != unix.EAGAIN
		}
	}
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
