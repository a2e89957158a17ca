package native

import (
	"io"
	"net"
	"syscall"
)

// inbox reads a TCP socket without waiting, and waits without reading. So whichever goroutine comes by takes the answers
// that are there, while another one waits for more: see link.takeAnswers. Go's scheduler looks at the network only where it
// has nothing to run, so on one processor a caller that produces without pause would keep answers from being read until
// buffer.memory is exhausted, and every batch would be written to memory that no cache has.
type inbox struct {
	rc     syscall.RawConn
	drawn  bool // the last read took all there was
	waits  bool // Read waits all the same: for the rest of an answer that is larger than the buffer
	toRead []byte
	n      int
	err    error
	peeked [1]byte
	failed error // of peekNow, which takes it off the socket

	// RawConn wants functions, and ones made for each call would be allocated.
	read func(fd uintptr)
	peek func(fd uintptr) bool
}

// newInbox is nil where nc isn't a plain TCP connection.
func newInbox(nc net.Conn) *inbox {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nil
	}
	rc, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	in := &inbox{rc: rc}
	in.read, in.peek = in.readNow, in.peekNow
	return in
}

// readNow is one attempt to read.
func (in *inbox) readNow(fd uintptr) {
	for {
		if in.n, in.err = syscall.Read(int(fd), in.toRead); in.err != syscall.EINTR {
			return
		}
	}
}

// peekNow says whether a read would return at once: with bytes, at the end, or with an error.
func (in *inbox) peekNow(fd uintptr) bool {
	for {
		switch _, _, err := syscall.Recvfrom(int(fd), in.peeked[:], syscall.MSG_PEEK); err {
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			in.failed = err
			return true
		}
	}
}

// look has the next Read ask the system, whatever the last one found.
func (in *inbox) look() { in.drawn = false }

// Read is io.Reader's; where nothing is there it returns errNothing. One goroutine at a time may call it.
func (in *inbox) Read(p []byte) (int, error) {
	for {
		if in.drawn && !in.waits {
			return 0, errNothing
		}
		in.toRead = p
		err := in.rc.Control(in.read)
		in.toRead = nil
		switch {
		case err != nil:
			return 0, err
		case in.err == syscall.EAGAIN:
			in.drawn = true
			if !in.waits {
				return 0, errNothing
			}
			if err := in.await(); err != nil {
				return 0, err
			}
		case in.err != nil:
			return 0, in.err
		case in.n == 0:
			return 0, io.EOF
		default:
			in.drawn = in.n < len(p)
			return in.n, nil
		}
	}
}

// await waits until Read has something to return, bytes or the end, or returns what is wrong with the connection. It may be
// called beside Read, by one goroutine at a time.
func (in *inbox) await() error {
	if err := in.rc.Read(in.peek); err != nil {
		return err
	}
	return in.failed
}
