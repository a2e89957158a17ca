package native

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"time"

	"kbench/native/auth"
	"kbench/native/wire"
)

const (
	softwareName    = "kbench-native"
	softwareVersion = "1"

	// maxResponse bounds a response: a longer length comes from something that isn't Kafka.
	maxResponse = 64 << 20

	// handshakeTimeout bounds the wait for the first answer of a new connection.
	handshakeTimeout = 5 * time.Second
)

// conn is a connection to a broker. One goroutine at a time reads it, and one writes it.
type conn struct {
	nc          net.Conn
	br          *bufio.Reader
	clientID    string
	versions    []wire.VersionRange
	features    wire.Features
	correlation int32
	frame       []byte    // of the response being read
	used        time.Time // when call was called last

	security auth.Config
	addr     string    // host:port, for the security
	renewAt  time.Time // when to authenticate again (KIP-368); zero: never
}

// dialing is how to connect.
type dialing struct {
	setup time.Duration // bounds connecting
	first bool          // nobody of the cluster answered yet: find out what is wrong
}

// dial connects, secures the connection and negotiates versions.
func dial(ctx context.Context, cfg *Config, addr string, how dialing) (*conn, error) {
	nc, err := connect(ctx, cfg, addr, how.setup)
	if err != nil {
		return nil, err
	}
	if tcp, ok := nc.(interface {
		SetWriteBuffer(bytes int) error
		SetReadBuffer(bytes int) error
	}); ok {
		if cfg.SendBuffer > 0 {
			err = errors.Join(err, tcp.SetWriteBuffer(cfg.SendBuffer))
		}
		if cfg.ReceiveBuffer > 0 {
			err = errors.Join(err, tcp.SetReadBuffer(cfg.ReceiveBuffer))
		}
	}
	c := &conn{nc: nc, clientID: cfg.ClientID, security: cfg.security(), addr: addr}
	c.security.Curious = how.first
	patience := min(handshakeTimeout, cfg.RequestTimeout)
	if err == nil {
		err = c.secure(ctx, patience)
	}
	if err == nil {
		c.br = bufio.NewReaderSize(c.nc, 16<<10)
		err = c.negotiate(ctx, patience)
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	return c, nil
}

// connect opens a connection within setup.
func connect(ctx context.Context, cfg *Config, addr string, setup time.Duration) (net.Conn, error) {
	if cfg.Dialer == nil {
		return (&net.Dialer{Timeout: setup}).DialContext(ctx, "tcp", addr)
	}
	ctx, cancel := context.WithTimeout(ctx, setup)
	defer cancel()
	nc, err := cfg.Dialer(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return nc, checkDialed(nc, addr)
}

// checkDialed is an error if what Config.Dialer returned without one is of no use; it is closed then.
func checkDialed(nc net.Conn, addr string) error {
	if nc == nil {
		return fmt.Errorf("%s: Config.Dialer returned neither a connection nor an error", addr)
	}
	if err := nc.SetDeadline(time.Time{}); err != nil { // as through an SSH tunnel
		nc.Close()
		return fmt.Errorf("%s: Config.Dialer's connection doesn't keep deadlines: %w", addr, err)
	}
	return nil
}

// negotiate learns which versions the broker speaks.
func (c *conn) negotiate(ctx context.Context, timeout time.Duration) error {
	for _, version := range []int16{3, 0} { // a broker that doesn't know 3 answers in the form of 0
		body, err := c.call(ctx, wire.KeyAPIVersions, version, timeout, func(dst []byte) []byte {
			return wire.AppendAPIVersions(dst, version, softwareName, softwareVersion)
		})
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if errors.Is(err, auth.ErrTLSListener) {
				return fmt.Errorf("%w (security.protocol)", err)
			}
			if hungUp(err) && c.security.TLS == nil {
				return c.security.HungUp(ctx, c.addr)
			}
			return fmt.Errorf("%w: %s", ErrNotKafka, handshakeProblem(err, timeout))
		}
		if version > 0 {
			peek := body
			if peek.Int16() == codeUnsupported {
				continue
			}
		}
		code, ranges, features, err := wire.DecodeFeatures(&body, version)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotKafka, err)
		}
		if code != codeNone {
			return fmt.Errorf("ApiVersions: %w", newError(code, ""))
		}
		c.versions, c.features = ranges, features
		return nil
	}
	return fmt.Errorf("%w: it refuses every version of ApiVersions", ErrNotKafka)
}

// hungUp tells whether the peer closed the connection.
func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

// handshakeProblem says what a failed first exchange looked like.
func handshakeProblem(err error, timeout time.Duration) string {
	var ne net.Error
	switch {
	case hungUp(err):
		return "it closed the connection without an answer"
	case errors.As(err, &ne) && ne.Timeout():
		return fmt.Sprintf("it didn't answer within %v", timeout)
	}
	return err.Error()
}

// pick chooses the highest version that both sides speak.
func (c *conn) pick(key, lowest, highest int16) (int16, error) {
	for _, r := range c.versions {
		if r.Key == key {
			if r.Max < lowest || r.Min > highest {
				return 0, fmt.Errorf("%s: %w: it speaks versions %d–%d of %s, this producer %d–%d",
					c.addr, ErrUnsupported, r.Min, r.Max, apiName(key), lowest, highest)
			}
			return min(r.Max, highest), nil
		}
	}
	return 0, fmt.Errorf("%s: %w: it doesn't offer %s", c.addr, ErrUnsupported, apiName(key))
}

// apiName is what Kafka calls an API.
func apiName(key int16) string {
	switch key {
	case wire.KeyProduce:
		return "Produce"
	case wire.KeyMetadata:
		return "Metadata"
	case wire.KeyInitProducerID:
		return "InitProducerId"
	case wire.KeyFindCoordinator:
		return "FindCoordinator"
	case wire.KeyAddPartitionsToTxn:
		return "AddPartitionsToTxn"
	case wire.KeyAddOffsetsToTxn:
		return "AddOffsetsToTxn"
	case wire.KeyEndTxn:
		return "EndTxn"
	case wire.KeyTxnOffsetCommit:
		return "TxnOffsetCommit"
	}
	return fmt.Sprintf("API %d", key)
}

// call sends one request and waits for its response, whose body aliases the connection's buffer until the next call.
func (c *conn) call(ctx context.Context, key, version int16, timeout time.Duration, body func([]byte) []byte) (wire.Reader, error) {
	stop := context.AfterFunc(ctx, func() { c.nc.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c.used = time.Now()
	if err := c.nc.SetDeadline(c.used.Add(timeout)); err != nil {
		return wire.Reader{}, err
	}
	if err := ctx.Err(); err != nil {
		return wire.Reader{}, err
	}
	c.correlation++
	req := wire.AppendRequestHeader(make([]byte, 4, 256), key, version, c.correlation, c.clientID)
	req = body(req)
	binary.BigEndian.PutUint32(req, uint32(len(req)-4))
	if _, err := c.nc.Write(req); err != nil {
		return wire.Reader{}, err
	}
	frame, err := c.readFrame()
	if err != nil {
		return wire.Reader{}, err
	}
	correlation, r := wire.ResponseBody(frame, key, version)
	if err := r.Err(); err != nil {
		return r, err
	}
	if correlation != c.correlation {
		return r, fmt.Errorf("%w: response %d to request %d", wire.ErrMalformed, correlation, c.correlation)
	}
	return r, c.nc.SetDeadline(time.Time{})
}

// errNothing is what an inbox returns where a socket would wait.
var errNothing = errors.New("nothing to read yet")

// What of the next response is there.
type frameState int

const (
	noFrame    frameState = iota // it isn't there, or not all of it
	largeFrame                   // it has begun, and is larger than the buffer
	wholeFrame                   // readFrame won't wait
)

// frameThere says what of the next response is there. It reads, but uses nothing up.
func (c *conn) frameThere() (frameState, error) {
	head, err := c.br.Peek(4)
	if err == nil {
		n := binary.BigEndian.Uint32(head)
		switch {
		case n > maxResponse: // for readFrame to refuse
		case n > uint32(c.br.Size()-4):
			return largeFrame, nil
		default:
			_, err = c.br.Peek(4 + int(n))
		}
	}
	switch {
	case err == nil:
		return wholeFrame, nil
	case errors.Is(err, errNothing):
		return noFrame, nil
	case c.br.Buffered() > 0:
		err = noEOF(err)
	}
	return noFrame, err
}

// noEOF makes an end in the middle of a response an error that says so.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readFrame reads one response without its length. It is valid until the next call.
func (c *conn) readFrame() ([]byte, error) {
	head, err := c.br.Peek(4)
	if err != nil {
		if len(head) > 0 {
			err = noEOF(err)
		}
		return nil, err
	}
	n := binary.BigEndian.Uint32(head)
	if head[0] == 0x15 && head[1] == 3 { // an alert
		return nil, auth.ErrTLSListener
	}
	if n < 4 || n > maxResponse {
		return nil, fmt.Errorf("%w: it answers with %q, which is no length of a response", wire.ErrMalformed, head)
	}
	if _, err := c.br.Discard(4); err != nil {
		return nil, err
	}
	c.frame, err = readGrowing(c.br, c.frame[:0], int(n))
	return c.frame, err
}

// readGrowing reads n bytes into dst, growing it only as bytes arrive: a hostile length doesn't allocate by itself.
func readGrowing(r io.Reader, dst []byte, n int) ([]byte, error) {
	const step = 64 << 10
	for len(dst) < n {
		m := min(step, n-len(dst))
		at := len(dst)
		for cap(dst) < at+m {
			dst = append(dst[:cap(dst)], 0)
		}
		dst = dst[:at+m]
		if _, err := io.ReadFull(r, dst[at:]); err != nil {
			return dst, noEOF(err)
		}
	}
	return dst, nil
}
