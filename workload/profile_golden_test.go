package workload

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files")

// golden holds lines "input => output" of a file in testdata against what run makes of each input.
// Blank lines and those that begin with # are left as they are.
func golden(t *testing.T, file string, run func(input string) string) {
	t.Helper()
	path := filepath.Join("testdata", file)
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for line := range strings.Lines(string(src)) {
		line = strings.TrimSuffix(line, "\n")
		want = append(want, line)
		if line == "" || line[0] == '#' {
			got = append(got, line)
			continue
		}
		input, _, _ := strings.Cut(line, " => ")
		got = append(got, input+" => "+strings.ReplaceAll(run(input), "\n", " // "))
	}
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(got, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// errorText is the text of an error that has to be there.
func errorText(err error) string {
	if err == nil {
		return "NO ERROR"
	}
	return err.Error()
}

// TestBadProfiles: every profile of the archive is refused with the text that follows it.
func TestBadProfiles(t *testing.T) {
	path := filepath.Join("testdata", "bad_profiles.txtar")
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []txtar.File
	for _, f := range archive.Files {
		if !strings.HasSuffix(f.Name, ".yaml") {
			continue
		}
		err := profileError(f)
		got = append(got, f, txtar.File{Name: strings.TrimSuffix(f.Name, ".yaml") + ".err", Data: []byte(errorText(err) + "\n")})
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(&txtar.Archive{Comment: archive.Comment, Files: got}), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(archive.Files, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func profileError(f txtar.File) error {
	p, err := ParseProfile(f.Name, f.Data)
	if err != nil {
		return err
	}
	_, err = p.Plan()
	return err
}

func TestBadSettings(t *testing.T) {
	golden(t, "bad_settings.txt", func(input string) string {
		c := DefaultProducerConfig()
		for _, arg := range strings.Split(input, " + ") {
			kv, err := ParseKV(arg)
			if err != nil {
				return errorText(err)
			}
			if err := c.Set(kv.Name, kv.Value); err != nil {
				return errorText(err)
			}
		}
		return errorText(c.Validate())
	})
}

func TestBadUnits(t *testing.T) {
	golden(t, "bad_units.txt", func(input string) string {
		kind, text, _ := strings.Cut(input, " ")
		text = strings.ReplaceAll(text, "_", " ")
		var err error
		switch kind {
		case "size":
			_, err = ParseSize(text)
		case "duration":
			_, err = ParseDuration(text)
		case "rate":
			_, err = ParseRate(text)
		}
		return errorText(err)
	})
}

const overrideBase = `
name: base
topics: [{name: a, partitions: 3}, b]
records: {key: zipf, value: {size: 1KiB, compressibility: 0.5}}
load: {arrivals: poisson, rate: 1000/s, duration: 1s, warmup: 0s}
`

func TestBadOverrides(t *testing.T) {
	golden(t, "bad_overrides.txt", func(input string) string {
		p, err := ParseProfile("base.yaml", []byte(overrideBase))
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range strings.Split(input, " + ") {
			path, value, _ := strings.Cut(set, "=")
			if err := p.Override("--set", path, value); err != nil {
				return errorText(err)
			}
		}
		_, err = p.Plan()
		return errorText(err)
	})
}
