package sink

import (
	"bytes"
	"testing"
)

// counting counts calls of a source.
type counting struct {
	*bytes.Reader
	reads, discards int
	read            int // bytes that went through Read
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.reads++
	c.read += n
	return n, err
}

func (c *counting) Discard(n int) (int, error) {
	c.discards++
	n = min(n, c.Len())
	_, err := c.Seek(int64(n), 1)
	return n, err
}

// TestInputAdapts passes over messages of a 100-byte head and a body, and counts system calls and copied bytes.
func TestInputAdapts(t *testing.T) {
	tests := []struct {
		name                    string
		bodies                  []int
		reads, discards, copied int // at most
	}{
		{"small ones are read together", repeat(1000, 100), 4, 0, 110_000},
		{"big ones aren't read", repeat(1<<20, 100), 100, 100, inputBytes + 99*headBytes},
		{"after big ones, small ones are read together again", append(repeat(1<<20, 10), repeat(1000, 100)...), 10 + 2 + 4, 10,
			inputBytes + 9*headBytes + 110_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			size := 0
			for _, n := range tt.bodies {
				size += 100 + n
			}
			src := &counting{Reader: bytes.NewReader(make([]byte, size))}
			in := newInput(src)
			for _, n := range tt.bodies {
				if err := in.fill(100); err != nil {
					t.Fatal(err)
				}
				in.r += 100
				if err := in.skip(n); err != nil {
					t.Fatal(err)
				}
				in.next()
			}
			if src.Len()+in.buffered() > 0 {
				t.Errorf("%d bytes left in the source, %d in the buffer", src.Len(), in.buffered())
			}
			if src.reads > tt.reads || src.discards > tt.discards || src.read > tt.copied {
				t.Errorf("%d reads, %d discards, %d bytes copied; want at most %d, %d, %d",
					src.reads, src.discards, src.read, tt.reads, tt.discards, tt.copied)
			}
		})
	}
}

func repeat(n, times int) []int {
	list := make([]int, times)
	for i := range list {
		list[i] = n
	}
	return list
}
