package workload

import (
	"fmt"
	"slices"
	"strings"
)

// Nearest returns the known name that word is most likely a misspelling of, or "" if none is near.
func Nearest(word string, known []string) string {
	flat := flatten(word)
	if flat == "" {
		return ""
	}
	best, bestDistance := "", (len([]rune(flat))+1)/3
	for _, name := range known {
		d := editDistance(flat, flatten(name))
		if d <= bestDistance && (best == "" || d < bestDistance) {
			best, bestDistance = name, d
		}
	}
	if best != "" {
		return best
	}
	for _, name := range known { // a shortened name: linger for linger.ms
		if len(flat) >= 3 && strings.HasPrefix(flatten(name), flat+".") {
			return name
		}
	}
	return ""
}

// flatten makes spellings equal that people mix up: case, and _ or - for the dot.
func flatten(name string) string {
	return strings.NewReplacer("_", ".", "-", ".").Replace(strings.ToLower(strings.TrimSpace(name)))
}

// editDistance counts the insertions, deletions, replacements and swaps of neighbours that lead from a to b
// (optimal string alignment).
func editDistance(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last, next := make([]int, len(t)+1), make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(s); i++ {
		next[0] = i
		for j := 1; j <= len(t); j++ {
			cost := 1
			if s[i-1] == t[j-1] {
				cost = 0
			}
			next[j] = min(last[j]+1, next[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, last, next = last, next, before
	}
	return last[len(t)]
}

// fieldError says what is wrong with one field of a profile or one setting:
// "at: path: msg "value": allowed …; did you mean "near"?".
type fieldError struct {
	at      string // where it was written: file:line:col or a flag
	path    string // the field
	msg     string
	value   string // as written; shown when quote is set
	quote   bool
	allowed string
	near    string
	clash   bool // a contradiction with another field, or a field that another one needs: the value alone is fine
}

// Error gives the whole message in one line.
func (e *fieldError) Error() string {
	var b strings.Builder
	for _, part := range []string{e.at, e.path} {
		if part != "" {
			b.WriteString(part + ": ")
		}
	}
	b.WriteString(e.msg)
	if e.quote {
		fmt.Fprintf(&b, " %q", shorten(e.value))
	}
	if e.allowed != "" {
		b.WriteString(": allowed " + e.allowed)
	}
	if e.near != "" {
		fmt.Fprintf(&b, "; did you mean %q?", e.near)
	}
	return b.String()
}

// shorten keeps a quoted value to a length that can be read.
func shorten(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// badValue is the error for a value that isn't one of the allowed ones.
func badValue(value, allowed string) *fieldError {
	return &fieldError{msg: "bad value", value: value, quote: true, allowed: allowed}
}

// badChoice is the error for a value that isn't one of a few words.
func badChoice(value string, choices []string) *fieldError {
	e := badValue(value, strings.Join(choices, ", "))
	e.near = Nearest(value, choices)
	return e
}

// problems is a list of errors, one a line.
type problems []*fieldError

// Error joins the messages by line ends, the first ones of very many.
func (p problems) Error() string {
	const most = 30
	var lines []string
	for _, e := range p[:min(len(p), most)] {
		lines = append(lines, e.Error())
	}
	if len(p) > most {
		lines = append(lines, fmt.Sprintf("… and %d more", len(p)-most))
	}
	return strings.Join(lines, "\n")
}

// distinct leaves out repetitions of one flag's error for several topics.
func (p problems) distinct() problems {
	type words struct{ at, msg, value, near string }
	seen := map[words]bool{}
	return slices.DeleteFunc(p, func(e *fieldError) bool {
		w := words{e.at, e.msg, e.value, e.near}
		again := seen[w] && strings.HasPrefix(e.path, "topics.")
		seen[w] = true
		return again
	})
}

// orNil returns p as an error, nil if there is none.
func (p problems) orNil() error {
	if len(p) == 0 {
		return nil
	}
	return p
}
