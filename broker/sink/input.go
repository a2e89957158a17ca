package sink

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
)

// Sizes of the input buffer and of what is read into it.
const (
	// inputBytes holds the longest field that is read as a whole, a string of 32,767 bytes.
	inputBytes = 32 << 10
	// discardBytes is the rest of a batch from which a system call of its own, which copies nothing, is cheaper than
	// reading the rest along with what follows.
	discardBytes = 8 << 10
	// headBytes is read at a time between two discards: the headers of a request and of its first batch, and little more.
	headBytes = 512
)

// source is where a connection's bytes come from.
type source interface {
	// Read is io.Reader's.
	Read(p []byte) (int, error)
	// Discard reads and forgets at most n > 0 bytes and says how many; 0 bytes come with an error.
	Discard(n int) (int, error)
}

// newSource uses the connection's file descriptor where the system can discard and the connection has one.
func newSource(nc net.Conn) (source, error) {
	sc, ok := nc.(syscall.Conn)
	if !ok || !canDiscard {
		return &readerSource{Reader: nc}, nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("no file descriptor: %w", err)
	}
	return newSocket(rc), nil
}

// readerSource discards by reading: for systems without a cheaper way.
type readerSource struct {
	io.Reader
	scrap []byte
}

var _ source = (*readerSource)(nil)

func (s *readerSource) Discard(n int) (int, error) {
	if s.scrap == nil {
		s.scrap = make([]byte, 64<<10)
	}
	return s.Read(s.scrap[:min(n, len(s.scrap))])
}

// input buffers a source: buf[r:w] is what was read and not yet used.
type input struct {
	src    source
	buf    []byte
	r, w   int
	window int  // bytes to ask of src at a time: len(buf), or headBytes where big batches follow each other
	passed bool // the request at hand had bytes discarded
}

func newInput(src source) *input {
	return &input{src: src, buf: make([]byte, inputBytes), window: inputBytes}
}

func (in *input) buffered() int { return in.w - in.r }

// fill makes at least n ≤ len(buf) bytes buffered. io.EOF: the source ended before any of them.
func (in *input) fill(n int) error {
	if in.r == in.w {
		in.r, in.w = 0, 0
	}
	if in.r+n > len(in.buf) {
		in.w = copy(in.buf, in.buf[in.r:in.w])
		in.r = 0
	}
	for in.buffered() < n {
		ask := max(n-in.buffered(), in.window)
		got, err := in.src.Read(in.buf[in.w:min(in.w+ask, len(in.buf))])
		in.w += got
		if err != nil && in.buffered() < n {
			if errors.Is(err, io.EOF) && in.buffered() > 0 {
				return io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// skip uses up n bytes without looking at them.
func (in *input) skip(n int) error {
	have := min(n, in.buffered())
	in.r += have
	n -= have
	switch {
	case n >= discardBytes:
		return in.discard(n)
	case n > 0:
		if err := in.fill(n); err != nil {
			return noEOF(err)
		}
		in.r += n
	}
	return nil
}

// next is called between requests: one that came with big batches is likely to be followed by its like.
func (in *input) next() {
	if !in.passed {
		in.window = len(in.buf)
	}
	in.passed = false
}

// discard has the source forget n bytes; nothing is buffered.
func (in *input) discard(n int) error {
	in.window, in.passed = headBytes, true
	for n > 0 {
		got, err := in.src.Discard(n)
		n -= got
		if err != nil && n > 0 {
			return noEOF(err)
		}
	}
	return nil
}

// noEOF makes an end in the middle of something an error that says so.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
