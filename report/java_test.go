package report

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kbench/metrics"
)

// hdrVersion is the version of org.hdrhistogram:HdrHistogram that Kafka 4.3 has among its jars.
const hdrVersion = "2.2.2"

// TestJavaReadsTheHlog writes a results folder, reads its log with the Java library and compares every percentile with
// result.json: both have to lie in the same bucket of the histogram, that is, agree to three digits.
// It needs Java and Maven, so it runs where KBENCH_TEST_JAVA=1 asks for it, as scripts/test does.
func TestJavaReadsTheHlog(t *testing.T) {
	if os.Getenv("KBENCH_TEST_JAVA") != "1" {
		t.Skip("KBENCH_TEST_JAVA isn't 1")
	}
	jar := hdrJar(t)
	dir := t.TempDir()
	if _, err := WriteDir(dir, fixture(t)); err != nil {
		t.Fatal(err)
	}
	r, err := ReadResult(dir)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("java", "-cp", jar, "testdata/Check.java", filepath.Join(dir, HlogFile)).CombinedOutput()
	if err != nil {
		t.Fatalf("java: %v\n%s", err, out)
	}
	read := map[string][]int64{}
	for line := range strings.Lines(string(out)) {
		var tag string
		n := make([]int64, 11)
		if _, err := fmt.Sscan(line, &tag, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &n[9], &n[10]); err != nil {
			t.Fatalf("java printed %q: %v", line, err)
		}
		read[tag] = n
	}
	if len(read) != 8 {
		t.Errorf("java found %d tags, want 4 measured and 4 of the warm-up:\n%s", len(read), out)
	}
	buckets := (*metrics.Histogram)(nil).HDR()
	start := r.Started.UnixMilli()
	for _, d := range distributions(r) {
		got := read[d.name]
		if got == nil {
			t.Errorf("java found no tag %s", d.name)
			continue
		}
		if got[0] != 5 || got[1] != start+1000 || got[2] != start+6000 {
			t.Errorf("%s: java found %d intervals from %d to %d, want 5 from %d to %d", d.name, got[0], got[1], got[2], start+1000, start+6000)
		}
		if uint64(got[3]) != d.of.Count {
			t.Errorf("%s: java counts %d, want %d", d.name, got[3], d.of.Count)
		}
		for i, p := range percentiles() {
			if want := p.of(d.of); !buckets.ValuesAreEquivalent(got[4+i], want) {
				t.Errorf("%s %s: java says %d, result.json %d", d.name, p.name, got[4+i], want)
			}
		}
		if !buckets.ValuesAreEquivalent(got[10], d.of.Max) {
			t.Errorf("%s max: java says %d, result.json %d", d.name, got[10], d.of.Max)
		}
	}
}

// hdrJar is the path of the jar, brought by Maven into the user's cache on first use: aside, then renamed.
func hdrJar(t *testing.T) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "kbench", "test")
	name := "HdrHistogram-" + hdrVersion + ".jar"
	jar := filepath.Join(dir, name)
	if _, err := os.Stat(jar); err == nil {
		return jar
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	aside, err := os.MkdirTemp(dir, "hdr-*")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.RemoveAll(aside); err != nil {
			t.Error(err)
		}
	}()
	pom := `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>kbench</groupId><artifactId>test</artifactId><version>1</version><packaging>pom</packaging>
<dependencies><dependency><groupId>org.hdrhistogram</groupId><artifactId>HdrHistogram</artifactId><version>` + hdrVersion + `</version></dependency></dependencies></project>`
	if err := os.WriteFile(filepath.Join(aside, "pom.xml"), []byte(pom), 0o644); err != nil {
		t.Fatal(err)
	}
	mvn := exec.Command("mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=libs", "-DincludeScope=runtime")
	mvn.Dir = aside
	if out, err := mvn.CombinedOutput(); err != nil {
		t.Fatalf("mvn: %v\n%s", err, out)
	}
	if err := os.Rename(filepath.Join(aside, "libs", name), jar); err != nil {
		t.Fatal(err)
	}
	return jar
}
