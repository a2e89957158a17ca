package broker

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseTarget(t *testing.T) {
	good := map[string]Spec{
		"sink":        {Kind: "sink"},
		"fake":        {Kind: "fake"},
		"kafka":       {Kind: "kafka"},
		"kafka:3.9":   {Kind: "kafka", Version: "3.9"},
		"kafka:4":     {Kind: "kafka", Version: "4"},
		"kafka:4.2.0": {Kind: "kafka", Version: "4.2.0"},
	}
	for in, want := range good {
		got, err := ParseTarget(in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseTarget(%q): %v\n%s", in, err, diff)
		}
	}
	bad := map[string][]string{
		"":               {"empty target", "sink, fake, kafka"},
		"kafak":          {`"kafak"`, "did you mean kafka?", "allowed are sink"},
		"redpanda":       {`"redpanda"`, "allowed are sink"},
		"host:9092":      {`"host:9092"`, "--bootstrap-server"},
		"sink:1":         {`"sink:1"`, "no versions"},
		"kafka:":         {"version after the colon is missing"},
		"kafka:abc":      {`"abc"`, "MAJOR.MINOR", "4.3.1"},
		"kafka:3.8.1":    {"3.8.1", "3.9 to 4.x"},
		"kafka:5.0.0":    {"5.0.0", "3.9 to 4.x"},
		"kafka:4.2":      {"4.2.0"},
		"kafka:4.3.1.2":  {"4.3.1.2"},
		"kafka:4.03.1":   {"4.03.1"},
		"kafka:3":        {"3.9 to 4.x"},
		"kafka:-4.3":     {"-4.3"},
		"kafka:4.3.1-x1": {"4.3.1-x1"},
	}
	for in, want := range bad {
		_, err := ParseTarget(in)
		mustContain(t, err, want...)
	}
}

func TestResolveVersion(t *testing.T) {
	cases := map[string]string{"": "4.3.1", "4": "4.3.1", "3.9": "3.9.1", "4.0": "4.0.1", "4.1": "4.1.2", "4.3": "4.3.1", "3.9.0": "3.9.0", "4.9.12": "4.9.12"}
	for in, want := range cases {
		if got, err := resolveVersion(in); err != nil || got != want {
			t.Errorf("resolveVersion(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestSpecErrors(t *testing.T) {
	cases := []struct {
		spec Spec
		want string
	}{
		{Spec{Kind: "sinc"}, "did you mean sink"},
		{Spec{Kind: KindSink, Version: "1"}, "no versions"},
		{Spec{Kind: KindSink, Brokers: 6}, "1 to 5"},
		{Spec{Kind: KindSink, Brokers: -1}, "1 to 5"},
		{Spec{Kind: KindSink, Partitions: -1}, "at least 1"},
		{Spec{Kind: KindSink, Port: 65536}, "65535"},
		{Spec{Kind: KindFake, Hold: []string{"constant:1ms"}}, "target fake can't hold answers or log their times; only sink can"},
		{Spec{Kind: KindKafka, TimingLog: "x"}, "only sink can"},
		{Spec{Kind: KindSink, Hold: []string{"constnat:1ms"}}, `hold: "constnat:1ms": unknown model "constnat" (did you mean constant?)`},
		{Spec{Kind: KindFake, Properties: map[string]string{"a": "b"}}, "no server properties"},
		{Spec{Kind: KindKafka, Version: "2.8.0"}, "3.9 to 4.x"},
		{Spec{Kind: KindKafka, Properties: map[string]string{"node.id": "7"}}, "node.id=7"},
	}
	for _, tc := range cases {
		target, err := Start(testContext(t), tc.spec)
		if err == nil {
			_ = target.Close()
		}
		mustContain(t, err, tc.want)
	}
}

func TestParseCPUs(t *testing.T) {
	good := map[string][]int{"0": {0}, "0,2-3": {0, 2, 3}, "3,1-2,2": {1, 2, 3}, " 1 , 2": {1, 2}, "5-5": {5}}
	for in, want := range good {
		got, err := ParseCPUs(in)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("ParseCPUs(%q): %v\n%s", in, err, diff)
		}
	}
	for in, want := range map[string]string{"": `""`, "a": `"a"`, "1,": `""`, "2-1": "backwards", "-1": `""`, "1-": `""`, "99999": "99999", "0-2000000000": "2000000000"} {
		_, err := ParseCPUs(in)
		mustContain(t, err, want, "0,2-3")
	}
	for _, list := range []string{"0", "0-1", "0,2-3", "1,3,5-7"} {
		cpus, err := ParseCPUs(list)
		if got := formatCPUs(cpus); err != nil || got != list {
			t.Errorf("formatCPUs(ParseCPUs(%q)) = %q, %v", list, got, err)
		}
	}
}

func TestTail(t *testing.T) {
	tl := &tail{max: 2}
	for _, part := range []string{"one\ntw", "o\r\nthree", "\nfour"} {
		if n, err := tl.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
	}
	if diff := cmp.Diff([]string{"two", "three", "four"}, tl.lines()); diff != "" {
		t.Error(diff)
	}
	if _, err := tl.Write([]byte(strings.Repeat("x", 10*tailLineMax))); err != nil {
		t.Fatal(err)
	}
	if got := len(tl.lines()[2]); got != tailLineMax {
		t.Errorf("a long line keeps %d bytes, want %d", got, tailLineMax)
	}
}

func TestCondense(t *testing.T) {
	lines := []string{"first", "", "java.lang.Oops: it broke", "\tat some.Where", "    at some.Where(Else.java)", "\t... 12 more", "Caused by: this"}
	if got, want := condense(lines), "first | java.lang.Oops: it broke | Caused by: this"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := condense([]string{"1", "2", "3", "4", "5", "6"}); got != "2 | 3 | 4 | 5 | 6" {
		t.Errorf("got %q", got)
	}
}

func TestLogTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := logTail(path); got != "" {
		t.Errorf("without a file: %q", got)
	}
	write("1 WARN a (X)\n2 WARN b (X)\n")
	if got := logTail(path); got != "1 WARN a (X) | 2 WARN b (X)" {
		t.Errorf("without an error: %q", got)
	}
	write("1 WARN a (X)\n2 ERROR cause (X)\njava.X: y\n\tat z\n2 ERROR cause (X)\n3 ERROR c\n4 ERROR d\n5 ERROR e\n6 ERROR f\n")
	if got, want := logTail(path), "2 ERROR cause (X) | java.X: y | 3 ERROR c | 4 ERROR d | 5 ERROR e"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestProperties(t *testing.T) {
	got := string(appendProperties(nil, map[string]string{"b": `C:\x y`, "a.b": " lead", "k=1": "line\nbreak", "ü": "ü\U0001F600"}))
	want := "a.b=\\ lead\nb=C:\\\\x y\nk\\=1=line\\nbreak\n\\u00fc=\\u00fc\\ud83d\\ude00\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestServerPropertiesExtraWins(t *testing.T) {
	n := kafkaNode{id: 1, dir: "/d", port: 1, controllerPort: 2}
	p := serverProperties(n, []kafkaNode{n}, map[string]string{"num.io.threads": "9", "new": "x"})
	if p["num.io.threads"] != "9" || p["new"] != "x" || p["controller.quorum.voters"] != "1@127.0.0.1:2" {
		t.Errorf("got %v", p)
	}
}

func TestJavaMajor(t *testing.T) {
	cases := map[string]int{
		`openjdk version "17.0.15" 2025-04-15`:    17,
		`java version "1.8.0_391"`:                8,
		`openjdk version "21-ea" 2023-09-19`:      21,
		"Picked up X\nopenjdk version \"11.0.2\"": 11,
	}
	for in, want := range cases {
		if got, err := javaMajor(in); err != nil || got != want {
			t.Errorf("javaMajor(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	_, err := javaMajor("bash: nonsense")
	mustContain(t, err, "nonsense")
}

func TestHoldPorts(t *testing.T) {
	h, err := holdPorts(6, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer h.release()
	seen := map[int]bool{}
	for _, p := range h.ports {
		if p < lowestPort || p >= highestPort || seen[p] {
			t.Errorf("ports %v", h.ports)
		}
		seen[p] = true
	}
	_, err = holdPorts(2, h.ports[0])
	mustContain(t, err, "isn't free")
	h.release()
	again, err := holdPorts(2, h.ports[0])
	if err != nil || again.ports[0] != h.ports[0] {
		t.Fatalf("the first port after release: %v, %v", again, err)
	}
	again.release()
}

func TestEnoughSpace(t *testing.T) {
	if err := enoughSpace("/d", 2<<30, 2<<30); err != nil {
		t.Error(err)
	}
	mustContain(t, enoughSpace("/d", 1<<30, 2<<30), "1.0 GiB", "/d", "2.0 GiB")
}

// FuzzParseCPUs: what is read, from users and from the kernel, is sorted and written the same.
func FuzzParseCPUs(f *testing.F) {
	for _, s := range []string{"0", "0-3", "3,1-2,2", "0-1023", "1024", "2-1", "", "0,", "-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cpus, err := ParseCPUs(s)
		if err != nil {
			return
		}
		again, err := ParseCPUs(formatCPUs(cpus))
		if diff := cmp.Diff(cpus, again); err != nil || diff != "" || len(cpus) == 0 || cpus[len(cpus)-1] > maxCPU {
			t.Errorf("%q is %v, written %q: %v %s", s, cpus, formatCPUs(cpus), err, diff)
		}
	})
}
