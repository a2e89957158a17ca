package workload

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/magiconair/properties"
)

// maxProperties bounds a properties file, in bytes.
const maxProperties = 1 << 20

// ReadProperties reads a Java properties file, such as those for Kafka's tools, and returns its entries in order with
// their lines. A file that isn't valid UTF-8 is read as ISO-8859-1, as Java does; "${…}" is left as it is. A name given
// twice with different values is an error. Errors don't show values: they may be secret.
func ReadProperties(path string) ([]KV, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s: no such file: %w", path, fs.ErrNotExist)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s: a folder, not a properties file", path)
	case info.Size() > maxProperties:
		return nil, fmt.Errorf("%s: %d bytes are too much for a properties file: allowed %d", path, info.Size(), maxProperties)
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ParseProperties(path, src)
}

// ParseProperties is ReadProperties for a text; name is its file, for errors.
func ParseProperties(name string, src []byte) ([]KV, error) {
	loader := properties.Loader{Encoding: properties.ISO_8859_1, DisableExpansion: true}
	if utf8.Valid(src) {
		loader.Encoding = properties.UTF8
		src = []byte(strings.TrimPrefix(string(src), "\ufeff"))
	}
	var all []KV
	first := map[string]KV{}
	for _, line := range logicalLines(string(src)) {
		if line.text == "" {
			continue // a backslash before a blank line
		}
		if strings.ContainsAny(line.text[:1], "=:") {
			return nil, fmt.Errorf("%s:%d: not a property: no name before %q", name, line.number, line.text[:1])
		}
		// One entry at a time: the library knows neither lines nor repetitions.
		p, err := loader.LoadBytes([]byte(line.text))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: not a property: a bad \\u escape", name, line.number)
		}
		for _, key := range p.Keys() {
			kv := KV{Name: key, Value: strings.TrimSpace(p.GetString(key, "")), Line: line.number}
			if old, ok := first[key]; ok && old.Value != kv.Value {
				return nil, fmt.Errorf("%s:%d: %s: given twice with different values, first in line %d", name, kv.Line, key, old.Line)
			} else if !ok {
				first[key] = kv
				all = append(all, kv)
			}
		}
	}
	return all, nil
}

// logicalLine is an entry of a properties file with its continuation lines.
type logicalLine struct {
	number int // of its first line, from 1
	text   string
}

// logicalLines cuts a properties file into entries: a line that ends in an odd number of backslashes goes on in the
// next one, but for comments and blank lines, which are left out.
func logicalLines(src string) []logicalLine {
	src = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(src)
	var all []logicalLine
	open := false
	for i, line := range strings.Split(src, "\n") {
		if open {
			all[len(all)-1].text += strings.TrimLeft(line, " \t\f")
		} else {
			start := strings.TrimLeft(line, " \t\f")
			if start == "" || start[0] == '#' || start[0] == '!' {
				continue
			}
			all = append(all, logicalLine{number: i + 1, text: start})
		}
		last := &all[len(all)-1].text
		backslashes := len(line) - len(strings.TrimRight(line, `\`))
		if open = backslashes%2 == 1; open {
			*last = strings.TrimSuffix(*last, `\`)
		}
	}
	return all
}

// ParseKV reads "name=value", as -X takes it: split at the first "=", so that the value may contain others.
func ParseKV(arg string) (KV, error) {
	name, value, ok := strings.Cut(arg, "=")
	name = strings.TrimSpace(name)
	if !ok || name == "" {
		word, _, _ := strings.Cut(name, " ") // what follows may be a secret
		return KV{}, fmt.Errorf("bad setting %q: allowed name=value, such as linger.ms=5", shorten(word))
	}
	return KV{Name: name, Value: strings.TrimSpace(value)}, nil
}
