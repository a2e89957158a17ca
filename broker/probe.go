package broker

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native/auth"
)

const (
	dialTime   = 3 * time.Second // to connect to one address
	answerTime = 2 * time.Second // for one answer
	// answerMax bounds what is taken for an answer: whatever isn't Kafka begins with anything.
	answerMax = 64 << 20
)

// probe is one plain connection to what may be a broker. It is for finding out what is there and saying so at once; a
// client would try again and again, and couldn't tell why.
type probe struct {
	addr string
	conn net.Conn
	next int32 // correlation id

	security auth.Config
}

// dialProbe connects to addr.
func dialProbe(ctx context.Context, addr string) (*probe, error) {
	if _, port, err := net.SplitHostPort(addr); err != nil {
		return nil, fmt.Errorf("address %q: want host:port", addr)
	} else if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		return nil, fmt.Errorf("address %q: the port must be 1 to 65535", addr)
	}
	d := net.Dialer{Timeout: dialTime}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, dialError(addr, err)
	}
	return &probe{addr: addr, conn: conn}, nil
}

// dialSecured connects to addr and secures the connection.
func dialSecured(ctx context.Context, addr string, security auth.Config) (*probe, error) {
	p, err := dialProbe(ctx, addr)
	if err != nil {
		return nil, err
	}
	p.security = security
	bounded, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, _, err := security.Secure(bounded, p.conn, addr)
	if err != nil {
		p.close()
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	p.conn = conn
	return p, nil
}

// dialError says in plain words why nobody was reached.
func dialError(addr string, err error) error {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("%s: there is no host named %q: %w", addr, dns.Name, err)
	case isRefused(err):
		return fmt.Errorf("%s: nothing listens there: %w", addr, err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s: no answer to connecting within %v (host down, or a firewall): %w", addr, dialTime, err)
	}
	return fmt.Errorf("%s: can't connect: %w", addr, err)
}

func (p *probe) close() { p.conn.Close() }

// ask sends a request and reads its answer into resp. Both are of versions with the old, inflexible headers.
func (p *probe) ask(ctx context.Context, req kmsg.Request, resp kmsg.Response) error {
	p.next++
	msg := kmsg.NewRequestFormatter(kmsg.FormatterClientID(clientID)).AppendRequest(nil, req, p.next)
	if err := p.conn.SetDeadline(time.Now().Add(answerTime)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { p.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := p.conn.Write(msg); err != nil {
		return p.notKafka(err)
	}
	var head [8]byte
	if n, err := io.ReadFull(p.conn, head[:]); err != nil {
		if auth.IsTLS(head[:n]) {
			return fmt.Errorf("%s: %w (security.protocol)", p.addr, auth.ErrTLSListener)
		}
		if n > 0 && looksForeign(head[:n]) {
			return fmt.Errorf("%s: isn't a Kafka broker: it answers %q", p.addr, head[:n])
		}
		return p.noAnswer(err)
	}
	size, id := int32(binary.BigEndian.Uint32(head[:])), int32(binary.BigEndian.Uint32(head[4:]))
	if size < 4 || size > answerMax || id != p.next {
		if auth.IsTLS(head[:]) {
			return fmt.Errorf("%s: %w (security.protocol)", p.addr, auth.ErrTLSListener)
		}
		return fmt.Errorf("%s: isn't a Kafka broker: its answer begins with %q", p.addr, p.more(head[:]))
	}
	body := make([]byte, size-4)
	if _, err := io.ReadFull(p.conn, body); err != nil {
		return p.notKafka(err)
	}
	if err := resp.ReadFrom(body); err != nil {
		return fmt.Errorf("%s: malformed answer to %s: %w", p.addr, kmsg.NameForKey(req.Key()), err)
	}
	return nil
}

// noAnswer explains an answer that didn't begin. Servers of protocols made of lines wait for the end of a line where a
// broker would have answered: give them one, and their answer says what they are.
func (p *probe) noAnswer(err error) error {
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		return p.notKafka(err)
	}
	if dErr := p.conn.SetWriteDeadline(time.Now().Add(time.Second)); dErr != nil {
		return p.notKafka(err)
	}
	if _, wErr := p.conn.Write([]byte("\r\n\r\n")); wErr != nil {
		return p.notKafka(err)
	}
	if line := p.more(nil); len(line) > 0 {
		return fmt.Errorf("%s: isn't a Kafka broker: its answer begins with %q", p.addr, line)
	}
	return p.notKafka(err)
}

// more adds to head what is there already of a text, for an error that shows what answers.
func (p *probe) more(head []byte) []byte {
	rest := make([]byte, 40)
	if err := p.conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond)); err != nil {
		return head
	}
	n, err := p.conn.Read(rest)
	if err != nil {
		return head
	}
	line, _, _ := bytes.Cut(append(head, rest[:n]...), []byte("\n"))
	return bytes.TrimRight(line, "\r")
}

// looksForeign tells whether the first few bytes can't be the length of an answer.
func looksForeign(head []byte) bool { return head[0] != 0 }

// isHangUp tells whether the other side closed the connection.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isReset(err)
}

// notKafka explains an exchange that broke off.
func (p *probe) notKafka(err error) error {
	var timeout net.Error
	switch {
	case isHangUp(err):
		return fmt.Errorf("%s: closed the connection when asked as a Kafka broker: %w", p.addr, err)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s: connects, but doesn't answer as a Kafka broker within %v (not Kafka, or it hangs): %w", p.addr, answerTime, err)
	}
	return fmt.Errorf("%s: %w", p.addr, err)
}

// apiVersions asks with version 0, which every broker answers.
func (p *probe) apiVersions(ctx context.Context) (*kmsg.ApiVersionsResponse, error) {
	req, resp := kmsg.NewPtrApiVersionsRequest(), kmsg.NewPtrApiVersionsResponse()
	err := p.ask(ctx, req, resp)
	if isHangUp(err) && p.security.TLS == nil && p.security.Curious {
		return nil, fmt.Errorf("%s: %w", p.addr, p.security.HungUp(ctx, p.addr))
	}
	if err != nil {
		return nil, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, fmt.Errorf("%s: ApiVersions: %w", p.addr, err)
	}
	if len(resp.ApiKeys) == 0 {
		return nil, fmt.Errorf("%s: isn't a Kafka broker: it names no API", p.addr)
	}
	return resp, nil
}

// brokers asks for the cluster's live brokers.
func (p *probe) brokers(ctx context.Context) (*kmsg.MetadataResponse, error) {
	req, resp := kmsg.NewPtrMetadataRequest(), kmsg.NewPtrMetadataResponse()
	req.Version, resp.Version = 4, 4 // the last that brokers before 2.4 and after 4.0 share has old headers
	req.Topics = []kmsg.MetadataRequestTopic{}
	if err := p.ask(ctx, req, resp); err != nil {
		return nil, err
	}
	return resp, nil
}
