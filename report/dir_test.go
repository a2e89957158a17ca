package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"kbench/metrics"
)

func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// has fails the test unless err says all the words.
func has(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q doesn't say %q", err, w)
		}
	}
}

func TestWriteDirAndRead(t *testing.T) {
	dir := t.TempDir()
	want := fixture(t)
	want.Client.Distributions.RequestRecords.Buckets = []metrics.Bucket{{Low: 60, High: 61, Count: 100}, {Low: 120, High: 123, Count: 300}}
	want.Client.Distributions.Flight.Buckets = []metrics.Bucket{{Low: 819_200, High: 851_967, Count: 399}}
	files, err := WriteDir(dir, want)
	if err != nil {
		t.Fatal(err)
	}
	wantFiles := []string{filepath.Join(dir, "result.json"), filepath.Join(dir, "latency.hlog"), filepath.Join(dir, "series.csv"),
		filepath.Join(dir, "client.csv")}
	if diff := cmp.Diff(wantFiles, files); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"client.csv", "latency.hlog", "result.json", "series.csv"}, listing(t, dir)); diff != "" {
		t.Error(diff)
	}
	series, err := os.ReadFile(files[2])
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "series.csv", series)
	client, err := os.ReadFile(files[3])
	if err != nil {
		t.Fatal(err)
	}
	const buckets = "distribution,low,high,count\nrequest_records,60,61,100\nrequest_records,120,123,300\nflight_ns,819200,851967,399\n"
	if diff := cmp.Diff(buckets, string(client)); diff != "" {
		t.Error(diff)
	}

	for _, path := range []string{dir, files[0]} {
		got, err := ReadResult(path)
		if err != nil {
			t.Fatal(err)
		}
		compact := cmp.Transformer("compact", func(m json.RawMessage) string {
			var b bytes.Buffer
			if err := json.Compact(&b, m); err != nil {
				return err.Error()
			}
			return b.String()
		})
		if diff := cmp.Diff(want, got, compact, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(metrics.Result{}, "Intervals", "Checksum"),
			cmpopts.IgnoreFields(metrics.Distribution{}, "Buckets")); diff != "" {
			t.Errorf("read from %s (-want +got):\n%s", path, diff)
		}
	}
}

func TestWriteFileKeepsWhatWasThere(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"disk full at once": func(io.Writer) error { return syscall.ENOSPC },
		"disk full later": func(w io.Writer) error {
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				return err
			}
			return syscall.ENOSPC
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "result.json")
			if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			err := writeFile(path, write)
			has(t, err, path, "no space left")
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%v doesn't wrap ENOSPC", err)
			}
			if diff := cmp.Diff([]string{"result.json"}, listing(t, dir)); diff != "" {
				t.Error(diff)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != "old" {
				t.Errorf("got %q, %v; want old", got, err)
			}
		})
	}
}

func TestWriteDirNamesEachFile(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	files, err := WriteDir(gone, fixture(t))
	has(t, err, filepath.Join(gone, "result.json"), filepath.Join(gone, "latency.hlog"), filepath.Join(gone, "series.csv"))
	if len(files) != 0 {
		t.Errorf("says it wrote %v", files)
	}

	// A client that tells nothing has no file.
	silent := fixture(t)
	silent.Client = nil
	if files, err := WriteDir(t.TempDir(), silent); err != nil || len(files) != 3 {
		t.Errorf("wrote %v, %v", files, err)
	}

	// A folder under the name of one file keeps the others from nothing.
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "latency.hlog"), 0o755); err != nil {
		t.Fatal(err)
	}
	files, err = WriteDir(dir, fixture(t))
	has(t, err, "latency.hlog")
	if diff := cmp.Diff([]string{filepath.Join(dir, "result.json"), filepath.Join(dir, "series.csv"), filepath.Join(dir, "client.csv")}, files); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"client.csv", "latency.hlog", "result.json", "series.csv"}, listing(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestCreateDir(t *testing.T) {
	base := t.TempDir()
	fresh := filepath.Join(base, "a", "b")
	for range 2 { // the second time it exists and is empty
		if err := CreateDir(fresh); err != nil {
			t.Fatal(err)
		}
		if got := listing(t, fresh); len(got) != 0 {
			t.Errorf("left %v behind", got)
		}
	}
	full := filepath.Join(base, "full")
	if err := os.MkdirAll(full, 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(full, "result.json")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	has(t, CreateDir(full), full, "holds 1 file", "result.json")
	has(t, CreateDir(file), file, "not a directory")
	has(t, CreateDir(filepath.Join(file, "below")), file, "not a directory")
	has(t, CreateDir("/proc/kbench"), "/proc/kbench")
}

// sealed is a stored result with the checksum that fits it.
func sealed(t *testing.T, text string) string {
	t.Helper()
	var probe struct{ Checksum string }
	if err := json.Unmarshal([]byte(text), &probe); err != nil {
		t.Fatal(err)
	}
	sum, err := Checksum([]byte(text), probe.Checksum)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Replace(text, probe.Checksum, sum, 1)
}

func TestReadResultRefuses(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJSON(&out, fixture(t)); err != nil {
		t.Fatal(err)
	}
	whole := out.String()
	edited := func(from, to string) string {
		if !strings.Contains(whole, from) {
			t.Fatalf("the fixture has no %q", from)
		}
		return strings.Replace(whole, from, to, 1)
	}
	// replaced has a checksum that fits, so that what else is wrong shows.
	replaced := func(from, to string) string { return sealed(t, edited(from, to)) }
	for _, c := range []struct {
		name, data string
		words      []string
	}{
		{"edited", edited(`"acked": 25000,`, `"acked": 25001,`), []string{"edited after it was written", "sha256:"}},
		{"edited text", edited(`"name": "franz"`, `"name": "franZ"`), []string{"edited after it was written"}},
		{"edited checksum", edited(`"checksum": "sha256:`, `"checksum": "sha256:0`), []string{"edited after it was written"}},
		{"a line left out", edited(`"acked": 25000,`, ``), []string{"edited after it was written"}},
		{"without a checksum", edited(`"checksum"`, `"sum"`), []string{"field checksum is missing"}},
		{"a number as checksum", edited(`"checksum": "sha256:`, `"checksum": 1, "sum": "`), []string{"field checksum", "number"}},
		{"empty", " \n", []string{"is empty"}},
		{"cut off", whole[:700], []string{"cut off at byte 700"}},
		{"cut off before the last brace", whole[:len(whole)-2], []string{"cut off at byte"}},
		{"not JSON", `{"schema": 1,` + "\n" + `oops}`, []string{"not JSON at byte 15 (line 2)", "'o'"}},
		{"two results", whole + whole, []string{"not JSON at byte"}},
		{"a list", "[]", []string{"not a kbench result"}},
		{"other JSON", `{"name": "x"}`, []string{"not a kbench result", `no "schema"`}},
		{"list", `[]`, []string{"not a kbench result: it is a list, where an object begins with {"}},
		{"text", `"x"`, []string{"it is a text"}},
		{"null", ` null`, []string{"it is null"}},
		{"newer", replaced(`"schema": 2`, `"schema": 3`), []string{"schema 3 is newer", "up to 2"}},
		{"older", replaced(`"schema": 2`, `"schema": 1`), []string{"schema 1 is older", "knows 2", "run it again"}},
		{"schema 0", replaced(`"schema": 2`, `"schema": 0`), []string{"schema 0 is wrong", "whole number"}},
		{"schema text", replaced(`"schema": 2`, `"schema": "one"`), []string{`schema "one" is wrong`}},
		{"missing", replaced(`"acked": 25000,`, ``), []string{"field totals.acked is missing"}},
		{"missing at the top", replaced(`"seed": 42,`, ``), []string{"field seed is missing"}},
		{"missing in a list", replaced(`"replication_factor": 3,`, ``), []string{"field target.topics[0].replication_factor is missing"}},
		{"misspelt", replaced(`"seed": 42,`, `"seed": 42, "sede": 1,`), []string{"field sede is unknown", `"seed"`}},
		{"null", replaced(`"acked": 25000,`, `"acked": null,`), []string{"field totals.acked is null"}},
		{"wrong type", replaced(`"acked": 25000,`, `"acked": "many",`), []string{"totals.acked", "at byte", "string", "uint64"}},
		{"negative count", replaced(`"acked": 25000,`, `"acked": -1,`), []string{"totals.acked", "-1"}},
		{"verdict", replaced(`"state": "valid"`, `"state": "great"`), []string{`verdict.state "great"`, "valid, invalid"}},
		{"cause", replaced(`"cause": ""`, `"cause": "weather"`), []string{`verdict.cause "weather"`, "client, unsteady, configuration"}},
		{"causes", replaced(`"causes": []`, `"causes": ["client"]`), []string{"verdict.causes has 1 causes of 0 reasons"}},
		{"unknown causes", sealed(t, strings.Replace(edited(`"reasons": [],`, `"reasons": ["why"],`), `"causes": []`, `"causes": ["weather"]`, 1)), []string{`verdict.causes names "weather"`, "client, unsteady"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "result.json")
			if err := os.WriteFile(path, []byte(c.data), 0o644); err != nil {
				t.Fatal(err)
			}
			r, err := ReadResult(path)
			has(t, err, append(c.words, path)...)
			if r != nil {
				t.Error("a result came with the error")
			}
		})
	}
	_, err := ReadResult(t.TempDir())
	has(t, err, "holds no result.json")
	_, err = ReadResult("no/such/place")
	has(t, err, `there is no file or folder "no/such/place"`)
}

func TestWriteJSONNamesWhatIsNotFinite(t *testing.T) {
	r := fixture(t)
	r.Totals.RecordsPerReq = math.NaN()
	has(t, WriteJSON(io.Discard, r), "totals.records_per_request", "NaN")
	r = fixture(t)
	r.Latency.Service.Needs = map[string]float64{"p99": math.Inf(1)}
	has(t, WriteJSON(io.Discard, r), "latency.service.needs.p99", "+Inf")
}

// TestWriteJSONLeavesTheResultAlone: filling empty lists happens in a copy.
func TestWriteJSONLeavesTheResultAlone(t *testing.T) {
	r := fixture(t)
	r.Target.Topics[0].Config = nil
	if err := WriteJSON(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	if r.Target.Topics[0].Config != nil || r.Verdict.Reasons != nil || r.Intervals == nil {
		t.Error("the caller's result was changed")
	}
}

// TestChecksum holds the checksum against its definition, worked out in another way, and shows what may change.
func TestChecksum(t *testing.T) {
	r := fixture(t)
	r.Warnings = []string{`a warning with "checksum":"" in it`}
	var out bytes.Buffer
	if err := WriteJSON(&out, r); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	field := regexp.MustCompile(`"checksum": "(sha256:[0-9a-f]{64})"`).FindStringSubmatch(text)
	if field == nil {
		t.Fatalf("no checksum in\n%s", text)
	}
	// No text of the fixture ends in what looks like a field's name, so white space can be taken out line by line.
	var plain strings.Builder
	for line := range strings.Lines(strings.Replace(text, field[0], `"checksum": ""`, 1)) {
		name, value, found := strings.Cut(strings.TrimSpace(line), `": `)
		if found && strings.HasPrefix(line, " ") {
			name += `":`
		}
		plain.WriteString(name + value)
	}
	if want := fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(plain.String()))); field[1] != want {
		t.Errorf("checksum %s, want %s of\n%s", field[1], want, plain.String())
	}

	var compact, again bytes.Buffer
	if err := json.Compact(&compact, out.Bytes()); err != nil {
		t.Fatal(err)
	}
	for name, same := range map[string]string{"compact": compact.String(), "other line ends": strings.ReplaceAll(text, "\n", "\r\n")} {
		if _, err := parseResult([]byte(same)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	read, err := parseResult(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteJSON(&again, read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(text, again.String()); diff != "" {
		t.Errorf("read and written again it differs:\n%s", diff)
	}
}

// TestEveryByteCounts: no byte of a stored result can be changed into another token or text unnoticed.
func TestEveryByteCounts(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJSON(&out, fixture(t)); err != nil {
		t.Fatal(err)
	}
	data := out.Bytes()
	for i := range data {
		if strings.IndexByte(" \n", data[i]) >= 0 {
			continue
		}
		old := data[i]
		data[i] = '7'
		if old == '7' {
			data[i] = '8'
		}
		if _, err := parseResult(data); err == nil {
			t.Errorf("byte %d changed from %q to %q: not noticed", i, old, data[i])
		}
		data[i] = old
	}
}

// TestEveryCutIsNoticed: a file that ends early is refused, wherever it ends.
func TestEveryCutIsNoticed(t *testing.T) {
	var out bytes.Buffer
	if err := WriteJSON(&out, fixture(t)); err != nil {
		t.Fatal(err)
	}
	data := bytes.TrimSpace(out.Bytes())
	for n := range data {
		if _, err := parseResult(data[:n]); err == nil {
			t.Errorf("the first %d of %d bytes pass", n, len(data))
		}
	}
}
