package selftest

import (
	"encoding/binary"
	"net"
	"slices"
	"strings"
	"testing"

	"kbench/broker/sink"
)

// frames are answers of these lengths, one behind the other.
func frames(lengths ...int) []byte {
	var b []byte
	for _, n := range lengths {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
		b = append(b, make([]byte, n)...)
	}
	return b
}

// TestTapFollows: an answer has come in with its last byte, wherever reads begin and end.
func TestTapFollows(t *testing.T) {
	all := frames(10, 4, 300, 5)
	ends := []int{14, 22, 326, 335}
	for size := 1; size <= len(all); size++ {
		c := new(tappedConn)
		for at := 0; at < len(all); at += size {
			end := min(at+size, len(all))
			c.follow(all[at:end], int64(end))
		}
		var want []int64
		for _, e := range ends { // the end of the read that has it
			want = append(want, int64(min((e+size-1)/size*size, len(all))))
		}
		if !slices.Equal(c.at, want) {
			t.Fatalf("reads of %d: answers came in at %v, want %v", size, c.at, want)
		}
	}
}

// TestTapReceived: answers to records are the last ones of the connection that had most.
func TestTapReceived(t *testing.T) {
	log := []sink.LogEntry{{Conn: 1, Records: 2, Departed: 100}, {Conn: 1, Records: 1}, {Conn: 1, Records: 3, Departed: 200}}
	tp := &tap{conns: []*tappedConn{{at: []int64{7}}, {at: []int64{10, 20, 101, 230}}}}
	came, err := tp.received(log)
	if err != nil {
		t.Fatal(err)
	}
	left, err := answered(came)
	if want := []int64{101, 101, 0, 230, 230, 230}; err != nil || !slices.Equal(left, want) {
		t.Errorf("%v, %v, want %v", left, err, want)
	}
	if log[0].Departed != 100 {
		t.Error("the sink's log was changed")
	}
	for _, c := range []struct {
		at   []int64
		want string
	}{
		{[]int64{300}, "2 answers left the sink, and a connection of the client read 1 at most"},
		{[]int64{10, 20, 101, 230}, ""},
		{[]int64{101, 199, 230}, "an answer to something else"},
		{[]int64{10, 20, 120, 199}, "answer 3 came in 1 ns before it left the sink"},
	} {
		_, err := (&tap{conns: []*tappedConn{{at: c.at}}}).received(log)
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%v: %v", c.at, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%v: %v, want %q", c.at, err, c.want)
		}
	}
}

// TestTapIsOneConnection: what embeds a TCP connection still takes several pieces at once, as net.Buffers asks for it.
func TestTapIsOneConnection(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	other, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tp := newTap(1)
	tapped := tp.conn(c)
	if _, ok := tapped.(interface {
		SetWriteBuffer(int) error
	}); !ok || len(tp.conns) != 1 {
		t.Error("the tapped connection has lost its socket")
	}
	answer := frames(8)
	if _, err := other.Write(answer); err != nil {
		t.Fatal(err)
	}
	if n, err := tapped.Read(make([]byte, 100)); n != len(answer) || err != nil || len(tp.conns[0].at) != 1 || tp.conns[0].at[0] == 0 {
		t.Errorf("read %d, %v; came in at %v", n, err, tp.conns[0].at)
	}
}
