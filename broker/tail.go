package broker

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"sync"
)

const (
	tailLines   = 40   // lines of a child's output that are kept
	tailLineMax = 2000 // bytes of a line that are kept
	shownLines  = 5    // lines that an error shows
	shownMax    = 400  // bytes of a line that an error shows
)

// tail is a writer that keeps the last lines written to it.
type tail struct {
	max int

	mu   sync.Mutex
	kept []string
	part []byte // the line that isn't complete yet
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			t.part = appendBounded(t.part, p)
			return n, nil
		}
		t.part = appendBounded(t.part, p[:i])
		t.kept = append(t.kept, strings.TrimRight(string(t.part), "\r"))
		if len(t.kept) > t.max {
			t.kept = append(t.kept[:0], t.kept[1:]...)
		}
		t.part = t.part[:0]
		p = p[i+1:]
	}
}

func appendBounded(dst, p []byte) []byte {
	return append(dst, p[:min(len(p), max(0, tailLineMax-len(dst)))]...)
}

// lines returns what is kept, with an incomplete last line.
func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := append([]string(nil), t.kept...)
	if len(t.part) > 0 {
		lines = append(lines, string(t.part))
	}
	return lines
}

// text is the last few lines in one, for an error.
func (t *tail) text() string { return condense(t.lines()) }

// condense joins the last lines that say something into one, for an error.
func condense(lines []string) string {
	said := telling(lines)
	return strings.Join(said[max(0, len(said)-shownLines):], " | ")
}

// telling picks the lines that say something: no blank ones, no stack of Java or Go, none twice; long ones cut.
func telling(lines []string) []string {
	var said []string
	for _, l := range lines {
		trimmed := strings.TrimSpace(l)
		if trimmed == "" || strings.HasPrefix(l, "\t") || strings.HasPrefix(trimmed, "at ") {
			continue
		}
		if len(trimmed) > shownMax {
			trimmed = trimmed[:shownMax] + "…"
		}
		if !slices.Contains(said, trimmed) {
			said = append(said, trimmed)
		}
	}
	return said
}

// logTail picks from a log file of Kafka what is worth an error, in one line: from the first error on, since those after
// it mostly follow from it; the last lines if there is no error; "" if there is nothing to show.
func logTail(path string) string {
	if path == "" {
		return ""
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return "" // it never came to writing a log
	}
	const most = 256 << 10
	lines := strings.Split(string(raw[max(0, len(raw)-most):]), "\n")
	first := slices.IndexFunc(lines, func(l string) bool { return containsAny(l, " ERROR ", " FATAL ") })
	if first < 0 {
		return condense(lines)
	}
	said := telling(lines[first:])
	return strings.Join(said[:min(len(said), shownLines)], " | ")
}
