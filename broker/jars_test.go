package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// tools replaces PATH by a folder with the given shell scripts (and the system's own sh and touch), and gives the test
// a cache of its own. It returns the folder.
func tools(t *testing.T, scripts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range scripts {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nPATH=/usr/bin:/bin\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir)
	t.Setenv("JAVA_HOME", "")
	t.Setenv("KAFKA_HOME", "")
	t.Setenv("XDG_CACHE_HOME", filepath.Join(dir, "cache"))
	return dir
}

// javaScript is a java that tells its version.
func javaScript(version string) string {
	return fmt.Sprintf("echo 'openjdk version \"%s\"' >&2", version)
}

// goodMaven makes the jar that is looked for, and counts its runs in the file runs beside itself.
const goodMaven = `echo run >> "$(dirname "$0")/runs"
sleep 0.2
mkdir libs && touch libs/kafka_2.13-4.3.1.jar`

func TestJavaErrors(t *testing.T) {
	cases := []struct {
		name    string
		scripts map[string]string
		version string
		want    []string
	}{
		{"none", nil, "4.3.1", []string{"no java in PATH", "JAVA_HOME", "Java 17", "apt-get install"}},
		{"broken", map[string]string{"java": "echo no such library >&2; exit 127"}, "4.3.1", []string{"exit status 127", "no such library"}},
		{"silent", map[string]string{"java": "true"}, "4.3.1", []string{"no version"}},
		{"11 for 4.3", map[string]string{"java": javaScript("11.0.2")}, "4.3.1", []string{"4.3.1 needs Java 17", "is Java 11", "kafka:3.9"}},
		{"8 for 3.9", map[string]string{"java": javaScript("1.8.0_391")}, "3.9.1", []string{"3.9.1 needs Java 11", "is Java 8"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			dir := tools(t, tc.scripts)
			fakeHome(t, filepath.Join(dir, "kafka"), tc.version)
			t.Setenv("KAFKA_HOME", filepath.Join(dir, "kafka"))
			_, err := Start(testContext(t), Spec{Kind: KindKafka})
			mustContain(t, err, tc.want...)
		})
	}
	t.Run("JAVA_HOME", func(t *testing.T) {
		dir := tools(t, map[string]string{"java": javaScript("17")})
		t.Setenv("JAVA_HOME", dir)
		_, err := Start(testContext(t), Spec{Kind: KindKafka})
		mustContain(t, err, "JAVA_HOME", dir)
	})
}

// fakeHome makes a folder that looks like an unpacked distribution.
func fakeHome(t *testing.T, home, version string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(home, "libs"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "libs", "kafka_2.13-"+version+".jar"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestKafkaHome(t *testing.T) {
	home := t.TempDir()
	fakeHome(t, home, "4.0.1")
	t.Setenv("KAFKA_HOME", home)
	for _, asked := range []string{"", "4", "4.0", "4.0.1"} {
		j, err := findJars(testContext(t), asked, nil)
		if err != nil || j.version != "4.0.1" || j.dir != filepath.Join(home, "libs") {
			t.Errorf("asked %q: %+v, %v", asked, j, err)
		}
	}
	_, err := findJars(testContext(t), "3.9", nil)
	mustContain(t, err, "KAFKA_HOME", "has Kafka 4.0.1", "3.9 was asked for", "unset KAFKA_HOME", "kafka:4.0.1")
	t.Setenv("KAFKA_HOME", t.TempDir())
	_, err = findJars(testContext(t), "", nil)
	mustContain(t, err, "KAFKA_HOME", "isn't an unpacked Kafka distribution")
	old := t.TempDir()
	fakeHome(t, old, "3.5.0")
	t.Setenv("KAFKA_HOME", old)
	_, err = findJars(testContext(t), "", nil)
	mustContain(t, err, "KAFKA_HOME", "3.5.0", "3.9 to 4.x")
}

func TestMavenErrors(t *testing.T) {
	cases := []struct {
		name    string
		scripts map[string]string
		want    []string
	}{
		{"none", nil, []string{"4.3.1", "install Maven", "KAFKA_HOME"}},
		{"no network", map[string]string{"mvn": `echo "[ERROR] Failed: Could not transfer artifact x: Unknown host repo -> [Help 1]"
echo "[ERROR]"; echo "[ERROR] Re-run Maven with -e"; exit 1`}, []string{"doesn't reach its repository", "Unknown host repo", "KAFKA_HOME"}},
		{"no network at all", map[string]string{"mvn": `echo "[ERROR] No plugin found for prefix 'dependency' in the current project -> [Help 1]"; exit 1`},
			[]string{"doesn't reach its repository", "No plugin found"}},
		{"no such version", map[string]string{"mvn": `printf '\033[31m[ERROR]\033[m Could not find artifact kafka:4.3.1 in central\n'; exit 1`},
			[]string{"no such version", "Could not find artifact", "3.9.1, 4.0.1"}},
		{"other", map[string]string{"mvn": "echo JAVA_HOME is wrong >&2; exit 3"}, []string{"exit status 3", "JAVA_HOME is wrong"}},
		{"nothing fetched", map[string]string{"mvn": "echo fine"}, []string{"fetched no kafka_2.13-4.3.1.jar", "fine"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			dir := tools(t, tc.scripts)
			_, err := findJars(testContext(t), "4.3.1", func(string) {})
			mustContain(t, err, tc.want...)
			if strings.Contains(err.Error(), "[Help 1]") || strings.Contains(err.Error(), "\n") {
				t.Errorf("not condensed: %q", err)
			}
			checkCache(t, dir, 0)
		})
	}
}

// checkCache looks that the cache has so many versions and nothing half done.
func checkCache(t *testing.T, dir string, versions int) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "cache", "kbench", "kafka"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	found := 0
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), asidePrefix):
			t.Errorf("%s is left in the cache", e.Name())
		case e.IsDir():
			found++
		}
	}
	if found != versions {
		t.Errorf("the cache has %d versions, want %d", found, versions)
	}
}

// TestMavenOnceForAll has several ask for the same version at the same time.
func TestMavenOnceForAll(t *testing.T) {
	dir := tools(t, map[string]string{"mvn": goodMaven})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			j, err := findJars(testContext(t), "4.3", func(string) {})
			if err != nil || j.version != "4.3.1" || !hasKafka(j) {
				t.Errorf("%+v, %v", j, err)
			}
		})
	}
	wg.Wait()
	checkCache(t, dir, 1)
	if got := runs(t, dir); got != 1 {
		t.Errorf("mvn ran %d times, want 1", got)
	}
}

// TestMavenInterrupted cancels the context while mvn runs: it ends at once, with what it started, and leaves nothing.
func TestMavenInterrupted(t *testing.T) {
	dir := tools(t, map[string]string{"mvn": "mkdir libs; touch libs/kafka_2.13-4.3.1.jar\nsleep 1000"})
	ctx, cancel := context.WithCancel(testContext(t))
	time.AfterFunc(200*time.Millisecond, cancel)
	if _, err := findJars(ctx, "4.3.1", func(string) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	checkCache(t, dir, 0)
}

// fakeKafka replaces Java by a script that plays the storage tool and then, as a broker, does what body says, in the
// folder of the node.
func fakeKafka(t *testing.T, format, body string) string {
	t.Helper()
	dir := tools(t, map[string]string{"java": fmt.Sprintf(`case "$*" in
*-version*) %s;;
*StorageTool*) %s;;
*) echo run >> "$(dirname "$0")/runs"; %s;;
esac`, javaScript("17.0.1"), format, body)})
	fakeHome(t, filepath.Join(dir, "kafka"), "4.3.1")
	t.Setenv("KAFKA_HOME", filepath.Join(dir, "kafka"))
	return dir
}

// runs is how often the script of fakeKafka or goodMaven ran.
func runs(t *testing.T, dir string) int {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "runs"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return strings.Count(string(raw), "run")
}

// TestKafkaThatFails has brokers that don't come up, and looks at what is said and what is left.
func TestKafkaThatFails(t *testing.T) {
	const anyRuns = -1 // the one that dies ends the others, perhaps before they did anything
	cases := []struct {
		name         string
		format, body string
		brokers      int
		runs         int
		want         []string
	}{
		{"format", "echo bad storage >&2; exit 1", "true", 1, 0, []string{"formatting the storage of broker 1", "exit status 1", "bad storage"}},
		{"dies", "true", "echo the reason > server.log; echo boom >&2; exit 3", 1, 1, []string{"broker 1 of Kafka 4.3.1 ended", "exit status 3", "boom", "the reason"}},
		{"one of three dies", "true", `case "$PWD" in */node-2) exit 3;; esac; sleep 1000`, 3, anyRuns, []string{"broker 2 of Kafka 4.3.1 ended", "exit status 3"}},
		{"port taken", "true", "echo BindException > server.log; exit 1", 1, startAttempts, []string{"port was taken", "BindException"}},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			dir, data := fakeKafka(t, tc.format, tc.body), t.TempDir()
			_, err := Start(testContext(t), Spec{Kind: KindKafka, Brokers: tc.brokers, Dir: data})
			mustContain(t, err, tc.want...)
			if got := runs(t, dir); got != tc.runs && tc.runs != anyRuns {
				t.Errorf("brokers were started %d times, want %d", got, tc.runs)
			}
			checkGone(t, data)
		})
	}
}

// TestKafkaInterrupted cancels the start of brokers that never answer.
func TestKafkaInterrupted(t *testing.T) {
	fakeKafka(t, "true", "sleep 1000")
	data := t.TempDir()
	ctx, cancel := context.WithCancel(testContext(t))
	time.AfterFunc(300*time.Millisecond, cancel)
	_, err := Start(ctx, Spec{Kind: KindKafka, Brokers: 3, Dir: data})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	checkGone(t, data)
}
