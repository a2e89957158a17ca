package driver

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"kbench/native/auth"
)

// Cluster is what Preflight found.
type Cluster struct {
	// Addr is the bootstrap address that answered.
	Addr string
	// Versions holds the range of versions by API key, as the broker advertises them.
	Versions map[int16][2]int16
	// Partitions holds the number of partitions of Config.Topics, in their order; nil if the broker couldn't be asked.
	Partitions []int32
}

// API keys used here.
const (
	keyMetadata    = 3
	keyAPIVersions = 18
)

// maxMetadata is the last version of Metadata before the flexible ones that is needed here: 4 has
// allow_auto_topic_creation.
const maxMetadata = 4

// unknownTopicGrace is how long a topic may be unknown before it counts as missing: brokers learn of a new topic one
// after the other. Kafka's own client waits for max.block.ms, which is a minute for a typing error.
const unknownTopicGrace = 3 * time.Second

// Preflight looks whether producing can work at all, before a client with its endless retries is let loose: is there a
// broker, does it speak Kafka, does it know the topics and let us see them. It waits for what may heal (a topic without
// leader) up to max.block.ms and gives up at once on what can't. dial is how the client connects.
func Preflight(ctx context.Context, cfg Config, dial func(ctx context.Context, network, addr string) (net.Conn, error)) (Cluster, error) {
	if len(cfg.Bootstrap) == 0 {
		return Cluster{}, errors.New("bootstrap.servers is empty: want host:port, …")
	}
	ctx, cancel := context.WithTimeout(ctx, max(cfg.Producer.MaxBlock, time.Second))
	defer cancel()
	var errs []error
	for _, addr := range cfg.Bootstrap {
		p, err := connect(ctx, addr, cfg, dial)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		defer p.conn.Close()
		partitions, err := p.waitForTopics(ctx, cfg.Topics)
		if err != nil {
			return Cluster{}, err
		}
		return Cluster{Addr: addr, Versions: p.versions, Partitions: partitions}, nil
	}
	return Cluster{}, errors.Join(errs...)
}

// probe is one plain connection to a broker.
type probe struct {
	addr     string
	conn     net.Conn
	timeout  time.Duration
	versions map[int16][2]int16
	next     int32 // correlation id
}

func connect(ctx context.Context, addr string, cfg Config, dial func(ctx context.Context, network, addr string) (net.Conn, error)) (*probe, error) {
	conn, err := dial(ctx, "tcp", addr)
	if auth.Known(err) || errors.Is(err, auth.ErrNotKafka) {
		return nil, fmt.Errorf("%s: %w", addr, err)
	}
	if err != nil {
		return nil, fmt.Errorf("no broker at %s: %w", addr, err)
	}
	p := &probe{addr: addr, conn: conn, timeout: min(cfg.Producer.RequestTimeout, cfg.Producer.SocketSetupTimeout)}
	if err := p.apiVersions(ctx); err != nil {
		conn.Close()
		if errors.Is(err, errHungUp) && !cfg.Producer.Security.TLS() {
			err = auth.Config{Curious: true}.HungUp(ctx, addr)
		}
		if auth.Known(err) {
			return nil, fmt.Errorf("%s: %w", addr, err)
		}
		return nil, fmt.Errorf("%s doesn't answer as a Kafka broker (%s): %w", addr, cfg.Producer.Security.Protocol, err)
	}
	return p, nil
}

// apiVersions asks with version 0, which every broker must answer.
func (p *probe) apiVersions(ctx context.Context) error {
	r, err := p.roundTrip(ctx, keyAPIVersions, 0, nil)
	if err != nil {
		return err
	}
	code := r.int16()
	p.versions = map[int16][2]int16{}
	for range r.arrayLen(false) {
		key, lo, hi := r.int16(), r.int16(), r.int16()
		p.versions[key] = [2]int16{lo, hi}
	}
	if r.bad || (code == 0 && len(p.versions) == 0) {
		return errors.New("malformed answer to ApiVersions")
	}
	if code != 0 {
		return fmt.Errorf("ApiVersions answered with error code %d", code)
	}
	return nil
}

// waitForTopics returns the topics' partition counts once all have a leader.
func (p *probe) waitForTopics(ctx context.Context, topics []string) ([]int32, error) {
	if r := p.versions[keyMetadata]; len(topics) == 0 || r[0] > maxMetadata {
		return nil, nil // too new to be asked in our words: the client will find out
	}
	grace, cancel := context.WithTimeout(ctx, unknownTopicGrace)
	defer cancel()
	for {
		partitions, err := p.metadata(ctx, topics)
		var te *TopicError
		switch {
		case err == nil:
			return partitions, nil
		case !errors.As(err, &te) || !te.mayHeal():
			return nil, err
		}
		wait := ctx
		if te.Code == codeUnknownTopic {
			wait = grace
		}
		select {
		case <-wait.Done():
			return nil, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// metadata asks once for the topics.
func (p *probe) metadata(ctx context.Context, topics []string) ([]int32, error) {
	version := min(maxMetadata, p.versions[keyMetadata][1])
	body := binary.BigEndian.AppendUint32(nil, uint32(len(topics)))
	for _, t := range topics {
		body = append(binary.BigEndian.AppendUint16(body, uint16(len(t))), t...)
	}
	if version >= 4 {
		body = append(body, 0) // never create a topic by asking for it
	}
	r, err := p.roundTrip(ctx, keyMetadata, version, body)
	if errors.Is(err, errHungUp) {
		err = fmt.Errorf("%w (does the listener want SASL: security.protocol?)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("metadata from %s: %w", p.addr, err)
	}
	return decodeMetadata(r, version, topics)
}

// roundTrip sends one request with an old header and reads its answer.
func (p *probe) roundTrip(ctx context.Context, key, version int16, body []byte) (*reader, error) {
	const clientID = "kbench"
	p.next++
	req := make([]byte, 4, 64+len(body))
	req = binary.BigEndian.AppendUint16(req, uint16(key))
	req = binary.BigEndian.AppendUint16(req, uint16(version))
	req = binary.BigEndian.AppendUint32(req, uint32(p.next))
	req = append(binary.BigEndian.AppendUint16(req, uint16(len(clientID))), clientID...)
	req = append(req, body...)
	binary.BigEndian.PutUint32(req, uint32(len(req)-4))

	if err := p.conn.SetDeadline(time.Now().Add(p.timeout)); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { p.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := p.conn.Write(req); err != nil {
		return nil, err
	}
	var head [8]byte
	if _, err := io.ReadFull(p.conn, head[:]); err != nil {
		return nil, readError(err)
	}
	if auth.IsTLS(head[:]) {
		return nil, fmt.Errorf("%w (security.protocol)", auth.ErrTLSListener)
	}
	size, id := int32(binary.BigEndian.Uint32(head[:])), int32(binary.BigEndian.Uint32(head[4:]))
	if size < 4 || size > 64<<20 || id != p.next {
		return nil, fmt.Errorf("answer begins with %q, which isn't Kafka's", head)
	}
	rest := make([]byte, size-4)
	if _, err := io.ReadFull(p.conn, rest); err != nil {
		return nil, readError(err)
	}
	return &reader{b: rest}, nil
}

var errHungUp = errors.New("it closed the connection")

func readError(err error) error {
	var ne net.Error
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return errHungUp
	case errors.As(err, &ne) && ne.Timeout():
		return errors.New("no answer in time")
	}
	return err
}

// Codes of Kafka's errors for topics.
const (
	codeUnknownTopic    = 3
	codeLeaderMissing   = 5
	codeTopicForbidden  = 29
	codeInvalidTopic    = 17
	codeReplicaMissing  = 9
	codeListenerMissing = 72
)

// TopicError says what is wrong with one topic.
type TopicError struct {
	Topic string
	Code  int16 // Kafka's error code
}

// Error implements error.
func (e *TopicError) Error() string {
	what := fmt.Sprintf("has Kafka error code %d", e.Code)
	switch e.Code {
	case codeUnknownTopic:
		what = "doesn't exist"
	case codeLeaderMissing, codeListenerMissing:
		what = "has a partition without a leader"
	case codeTopicForbidden:
		what = "isn't authorised for this client"
	case codeInvalidTopic:
		what = "isn't a valid topic name"
	}
	return fmt.Sprintf("topic %q %s", e.Topic, what)
}

func (e *TopicError) mayHeal() bool {
	return e.Code == codeUnknownTopic || e.Code == codeLeaderMissing || e.Code == codeListenerMissing
}

// decodeMetadata reads a Metadata response of version 0 to 4: the first topic that can't be written to is an error.
func decodeMetadata(r *reader, version int16, topics []string) ([]int32, error) {
	if version >= 3 {
		r.int32() // throttle time
	}
	for range r.arrayLen(false) { // brokers
		r.int32()
		r.string()
		r.int32()
		if version >= 1 {
			r.string() // rack
		}
	}
	if version >= 2 {
		r.string() // cluster id
	}
	if version >= 1 {
		r.int32() // controller
	}
	found := map[string]int32{}
	var first error
	for range r.arrayLen(false) {
		code, name, n := decodeTopic(r, version)
		found[name] = n
		if code != 0 && first == nil {
			first = &TopicError{Topic: name, Code: code}
		}
	}
	if r.bad {
		return nil, errors.New("malformed answer to Metadata")
	}
	if first != nil {
		return nil, first
	}
	partitions := make([]int32, len(topics))
	for i, t := range topics {
		if partitions[i] = found[t]; partitions[i] == 0 {
			return nil, &TopicError{Topic: t, Code: codeUnknownTopic}
		}
	}
	return partitions, nil
}

// decodeTopic reads one topic; a partition without a leader counts as the topic's error.
func decodeTopic(r *reader, version int16) (code int16, name string, partitions int32) {
	code, name = r.int16(), strings.Clone(string(r.string()))
	if version >= 1 {
		r.int8() // internal
	}
	for range r.arrayLen(false) {
		pcode := r.int16()
		r.int32()     // index
		r.int32()     // leader
		for range 2 { // replicas, in sync
			r.take(4 * r.arrayLen(false))
		}
		partitions++
		// A missing replica doesn't keep anybody from producing.
		if code == 0 && pcode != 0 && pcode != codeReplicaMissing {
			code = pcode
		}
	}
	return code, name, partitions
}
