package sink

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// serveBytes gives a sink's connection these bytes to read, and returns its answers and how it ended.
func serveBytes(tb testing.TB, r io.Reader, opts Options) (answers []byte, s *Server, err error) {
	tb.Helper()
	opts, err = opts.withDefaults()
	if err != nil {
		tb.Fatal(err)
	}
	s = &Server{opts: opts, topics: newRegistry(opts), listeners: []net.Listener{nobody{}}}
	var out bytes.Buffer
	nc, other := net.Pipe() // for its addresses
	other.Close()
	in := newInput(&readerSource{Reader: r})
	c := &conn{server: s, nc: nc, in: in, frame: frame{in: in}, out: responses{w: &out}}
	err = c.serve()
	s.gone = c.counts.snapshot()
	return out.Bytes(), s, err
}

// nobody is a listener that only has an address.
type nobody struct{ net.Listener }

func (nobody) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9092} }

// framed puts a request's length before it.
func framed(request []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...)
}

// last is a request that is answered with marker as its correlation id.
var last = kmsg.NewRequestFormatter().AppendRequest(nil, &kmsg.ApiVersionsRequest{}, marker)

const marker = 0x6d61726b

// checkRequest gives the sink one request of arbitrary bytes, then a good one. It must not panic; what it does must not
// depend on how the bytes arrive; and if it goes on after the first request, then at the second one's first byte.
func checkRequest(t *testing.T, request []byte, opts Options) {
	t.Helper()
	stream := append(framed(request), last...)
	answers, s, err := serveBytes(t, bytes.NewReader(stream), opts)
	slow, slowServer, slowErr := serveBytes(t, iotest.OneByteReader(bytes.NewReader(stream)), opts)
	if (err == nil) != (slowErr == nil) || !bytes.Equal(answers, slow) || s.gone != slowServer.gone {
		t.Fatalf("in one piece: %v, %+v\n%x\nbyte by byte: %v, %+v\n%x", err, s.gone, answers, slowErr, slowServer.gone, slow)
	}
	var got []uint32
	for rest := answers; len(rest) > 0; {
		if len(rest) < 8 || len(rest)-4 < int(binary.BigEndian.Uint32(rest)) {
			t.Fatalf("answers cut short: %x", answers)
		}
		got = append(got, binary.BigEndian.Uint32(rest[4:]))
		rest = rest[4+binary.BigEndian.Uint32(rest):]
	}
	if err != nil {
		if len(got) > 0 {
			t.Fatalf("%v, but answered %x", err, got)
		}
		// Of a request without acks, the partitions that aren't at fault count.
		if s.gone != (Stats{}) && !strings.Contains(err.Error(), "acks=0") {
			t.Fatalf("%v, but counted %+v", err, s.gone)
		}
		return
	}
	if len(got) == 0 || got[len(got)-1] != marker {
		t.Errorf("the request after wasn't answered: %x", got)
	}
	if len(got) == 2 && binary.BigEndian.Uint16(request) == produceKey {
		checkAnswer(t, request, answers)
	}
}

// checkAnswer compares the answer to a Produce request with the request, both as kmsg decodes them.
func checkAnswer(t *testing.T, request, answers []byte) {
	t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Version = int16(binary.BigEndian.Uint16(request[2:]))
	body := answers[8 : 4+binary.BigEndian.Uint32(answers)]
	if req.IsFlexible() {
		body = body[1:]
	}
	resp := req.ResponseKind().(*kmsg.ProduceResponse)
	if err := resp.ReadFrom(body); err != nil {
		t.Errorf("v%d: answer %x: %v", req.Version, body, err)
		return
	}
	if diff := cmp.Diff(body, resp.AppendTo(nil)); diff != "" {
		t.Errorf("v%d: answer encoded by kmsg (-ours +kmsg):\n%s", req.Version, diff)
	}
}

func FuzzRequest(f *testing.F) {
	for version := range int16(maxProduce + 1) {
		req := kmsg.NewPtrProduceRequest()
		req.Version, req.Acks = version, -1
		b := kmsg.RecordBatch{Length: 61 - 12, Magic: 2, LastOffsetDelta: 2, NumRecords: 3}
		for _, records := range [][]byte{nil, b.AppendTo(nil), b.AppendTo(b.AppendTo(nil))} {
			p := kmsg.ProduceRequestTopicPartition{Partition: 1, Records: records}
			req.Topics = append(req.Topics, kmsg.ProduceRequestTopic{Topic: "t", Partitions: []kmsg.ProduceRequestTopicPartition{p, p}})
		}
		f.Add(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)[4:], false)
	}
	for _, a := range apis() {
		for version := a.lowest; version <= a.highest; version++ {
			req := kmsg.RequestForKey(a.key)
			req.SetVersion(version)
			f.Add(kmsg.NewRequestFormatter(kmsg.FormatterClientID("c")).AppendRequest(nil, req, 1)[4:], true)
		}
	}
	f.Fuzz(func(t *testing.T, request []byte, check bool) {
		checkRequest(t, request, Options{CheckCRC: check})
	})
}

// FuzzStream gives the sink any bytes at all.
func FuzzStream(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"))
	f.Add(append(bytes.Clone(last), last...))
	f.Fuzz(func(t *testing.T, stream []byte) {
		serveBytes(t, bytes.NewReader(stream), Options{MaxRequestBytes: 1 << 20})
	})
}

// TestEveryTruncation cuts a request at every byte, and changes every byte, with the checks of the fuzz test.
func TestEveryTruncation(t *testing.T) {
	req := kmsg.NewPtrProduceRequest()
	b := kmsg.RecordBatch{Length: 61 - 12 + 5, Magic: 2, LastOffsetDelta: 2, NumRecords: 3, Records: make([]byte, 5)}
	p := kmsg.ProduceRequestTopicPartition{Partition: 1, Records: b.AppendTo(nil)}
	req.Topics = []kmsg.ProduceRequestTopic{{Topic: "t", Partitions: []kmsg.ProduceRequestTopicPartition{p, p}}}
	for _, req.Version = range []int16{3, 8, 9, 13} {
		request := kmsg.NewRequestFormatter(kmsg.FormatterClientID("c")).AppendRequest(nil, req, 1)[4:]
		for i := range request {
			checkRequest(t, request[:i], Options{})
			for _, with := range []byte{0, 1, 0x7f, 0x80, 0xff} {
				changed := bytes.Clone(request)
				changed[i] = with
				checkRequest(t, changed, Options{})
			}
		}
	}
}

// TestPortableSource checks that connections without a descriptor, and systems without MSG_TRUNC, discard as well.
func TestPortableSource(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	src, err := newSource(server)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := src.(*readerSource); !ok {
		t.Fatalf("source of a pipe is a %T", src)
	}
	in := newInput(src)
	const skipped = 300_000
	go func() {
		client.Write(make([]byte, skipped))
		client.Write([]byte{42})
		client.Close()
	}()
	if err := in.skip(skipped); err != nil {
		t.Fatal(err)
	}
	if err := in.fill(1); err != nil || in.buf[in.r] != 42 {
		t.Errorf("after the skipped bytes: %v, %d", err, in.buf[in.r])
	}
	in.r++
	if err := in.fill(1); err != io.EOF {
		t.Errorf("at the end: %v, want EOF", err)
	}
}
