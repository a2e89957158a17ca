package workload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// readValues takes the lines of a file for values, in order and without their line ends (\n or \r\n). A blank line is
// an empty value, except at the end of the file, where blank lines are left out (as Kafka's own tool does).
func readValues(name string, limit int) (*valueSet, error) {
	content, err := readLimited(name, limit)
	if err != nil {
		return nil, fmt.Errorf("records.value.file: %w", err)
	}
	if len(content) == 0 {
		return nil, fmt.Errorf("records.value.file: %s is empty: each line is a value", name)
	}
	end := len(bytes.TrimRight(content, "\r\n"))
	if end == 0 {
		return nil, fmt.Errorf("records.value.file: %s has only blank lines: each line is a value", name)
	}
	v := &valueSet{arena: content, file: true}
	v.spans = make([]span, 0, 1+bytes.Count(content[:end], []byte{'\n'}))
	for at := 0; at < end; {
		size := bytes.IndexByte(content[at:end], '\n')
		next := at + size + 1
		if size < 0 {
			size, next = end-at, end
		}
		if size > 0 && content[at+size-1] == '\r' {
			size--
		}
		v.spans = append(v.spans, span{uint32(at), uint32(size)})
		v.bytes += uint64(size)
		at = next
	}
	v.wheel = newWheel(len(v.spans))
	return v, nil
}

// readLimited reads a file whole, of at most limit bytes. It believes what it reads, not the size that the file system
// gives: a pipe has none.
func readLimited(name string, limit int) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	tooLarge := func(size string) error {
		return fmt.Errorf("%s has %s, more than the %d that a run keeps in memory", name, size, limit)
	}
	switch {
	case info.IsDir():
		return nil, fmt.Errorf("%s is a directory, not a file of lines", name)
	case info.Size() > int64(limit):
		return nil, tooLarge(fmt.Sprintf("%d bytes", info.Size()))
	}
	var content bytes.Buffer
	content.Grow(int(info.Size()) + bytes.MinRead)
	n, err := content.ReadFrom(io.LimitReader(file, int64(limit)+1))
	if errors.Is(err, bytes.ErrTooLarge) || n > int64(limit) {
		return nil, tooLarge("more bytes")
	}
	if err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}
