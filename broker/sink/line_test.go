package sink

import (
	"io"
	"testing"
)

// TestLineIsBounded: a client that reads nothing makes no memory grow, neither by many answers nor by large ones.
func TestLineIsBounded(t *testing.T) {
	g, err := newGate(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name           string
		answers, bytes int
		full           bool
	}{
		{"none", 0, 0, false},
		{"one less", mostWaiting - 1, mostWaitingBytes - 1, false},
		{"many", mostWaiting, 0, true},
		{"large ones", 1, mostWaitingBytes, true},
	} {
		h, err := newHeld(g, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		h.line, h.bytes = make([]waiting, c.answers), make([]byte, c.bytes)
		if c.answers > 0 {
			h.line[0].size = c.bytes
		}
		if h.full() != c.full {
			t.Errorf("%s: full %v", c.name, h.full())
		}
		if h.take(1); c.answers > 0 && h.full() {
			t.Errorf("%s: full though the first answers have left", c.name)
		}
		if err := h.alarm.close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPutWaitsForRoom has the reading goroutine wait until the sender has made room, and until the connection is cut.
func TestPutWaitsForRoom(t *testing.T) {
	g, err := newGate(Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, cut := range []bool{false, true} {
		h, err := newHeld(g, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		h.line, h.bytes = []waiting{{size: mostWaitingBytes}}, make([]byte, mostWaitingBytes)
		put := make(chan error)
		go func() { put <- h.put(&responses{buf: []byte("answer")}) }()
		if cut {
			h.stop()
		} else {
			go h.send()
		}
		if err := <-put; (err != nil) != cut {
			t.Errorf("cut %v: %v", cut, err)
		}
		if cut {
			go h.send()
		} else if len(h.bytes) > mostWaitingBytes {
			t.Errorf("%d bytes in line", len(h.bytes))
		}
		if err := h.finish(); err != nil {
			t.Error(err)
		}
	}
}
