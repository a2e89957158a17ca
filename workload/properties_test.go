package workload

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseProperties(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []KV
	}{
		{"plain", "acks=all\nlinger.ms = 5\nbatch.size: 16384\nclient.id x\n", []KV{{"acks", "all", 1}, {"linger.ms", "5", 2}, {"batch.size", "16384", 3}, {"client.id", "x", 4}}},
		{"comments and blank lines", "# a\\\n! b\n\n  \nacks=1  \n", []KV{{"acks", "1", 5}}},
		{"continued", "bootstrap.servers=a:1,\\\n   b:2\nacks=1", []KV{{"bootstrap.servers", "a:1,b:2", 1}, {"acks", "1", 3}}},
		{"even backslashes don't continue", "client.id=a\\\\\nacks=1", []KV{{"client.id", `a\`, 1}, {"acks", "1", 2}}},
		{"windows line ends", "acks=1\r\nclient.id=a\\\r\n  b\r\n", []KV{{"acks", "1", 1}, {"client.id", "ab", 2}}},
		{"equals in the value", "sasl.jaas.config=X required user=\"a\" p=\"b=c\";", []KV{{"sasl.jaas.config", "X required user=\"a\" p=\"b=c\";", 1}}},
		{"no expansion", "client.id=${acks}\nacks=1", []KV{{"client.id", "${acks}", 1}, {"acks", "1", 2}}},
		{"escapes", `client.id=caf\u00e9\tx`, []KV{{"client.id", "café\tx", 1}}},
		{"utf-8", "\ufeffclient.id=café", []KV{{"client.id", "café", 1}}},
		{"latin 1", "client.id=caf\xe9", []KV{{"client.id", "café", 1}}},
		{"no value", "client.id\nclient.rack=", []KV{{"client.id", "", 1}, {"client.rack", "", 2}}},
		{"the same twice", "acks=1\nacks = 1", []KV{{"acks", "1", 1}}},
		{"empty", "", nil},
	} {
		got, err := ParseProperties("f", []byte(c.src))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestBadProperties(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.properties")
	for src, want := range map[string]string{
		"acks=1\n =hunter2":           `:2: not a property: no name before "="`,
		"acks=1\n\nacks=all":          ":3: acks: given twice with different values, first in line 1",
		"a=1\nclient.id=\\u12hunter2": ":2: not a property: a bad \\u escape",
	} {
		if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := ReadProperties(file)
		if got := strings.TrimPrefix(errorText(err), file); got != want {
			t.Errorf("%q: got %s, want %s", src, got, want)
		}
	}
	for name, want := range map[string]string{
		dir:                           dir + ": a folder, not a properties file",
		filepath.Join(dir, "missing"): filepath.Join(dir, "missing") + ": no such file: file does not exist",
	} {
		if _, err := ReadProperties(name); errorText(err) != want {
			t.Errorf("%s: got %v, want %s", name, err, want)
		}
	}
}

func FuzzParseProperties(f *testing.F) {
	f.Add([]byte("acks=1\\\n x\n# c\nclient.id=\\u00e9"))
	f.Add([]byte("a\\"))
	f.Fuzz(func(t *testing.T, src []byte) {
		list, err := ParseProperties("f", src)
		if err != nil {
			return
		}
		lines := 1 + strings.Count(string(src), "\n") + strings.Count(string(src), "\r")
		for _, kv := range list {
			if kv.Line < 1 || kv.Line > lines {
				t.Errorf("line %d of %d", kv.Line, lines)
			}
		}
	})
}
