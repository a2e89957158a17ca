package broker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// loggingVersion is log4j's binding for SLF4J 1.7, which Kafka logs through.
const loggingVersion = "2.25.3"

// asidePrefix begins the names of folders in the cache that aren't complete yet.
const asidePrefix = ".fetching-"

// jars is a folder with the jars of one version of Kafka.
type jars struct {
	dir     string
	version string
}

// findJars finds the jars of the asked version: in KAFKA_HOME if that is set, else in the cache, else with Maven.
func findJars(ctx context.Context, asked string, log func(string)) (jars, error) {
	if home := os.Getenv("KAFKA_HOME"); home != "" {
		return homeJars(home, asked)
	}
	version, err := resolveVersion(asked)
	if err != nil {
		return jars{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return jars{}, fmt.Errorf("no cache folder for Kafka's jars: %w (or set KAFKA_HOME to an unpacked Kafka distribution)", err)
	}
	cache = filepath.Join(cache, "kbench", "kafka")
	j := jars{dir: filepath.Join(cache, version), version: version}
	if hasKafka(j) {
		return j, nil
	}
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return jars{}, fmt.Errorf("the jars of Kafka %s aren't in %s yet: either install Maven, which fetches them (Debian, Ubuntu: apt-get install maven), "+
			"or set KAFKA_HOME to an unpacked Kafka distribution", version, cache)
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return jars{}, fmt.Errorf("cache folder for Kafka's jars: %w", err)
	}
	lock, err := waitLock(ctx, filepath.Join(cache, "lock"), func() { log("waiting for another kbench that fetches Kafka's jars") })
	if err != nil {
		return jars{}, fmt.Errorf("cache folder for Kafka's jars: %w", err)
	}
	defer lock.unlock()
	if hasKafka(j) {
		return j, nil // the other one fetched the same
	}
	log(fmt.Sprintf("fetching Kafka %s with Maven, once (about 45 MB)", version))
	return j, fetch(ctx, mvn, cache, j)
}

// hasKafka tells whether a folder has the broker's jar. A folder in the cache is complete or absent.
func hasKafka(j jars) bool {
	version, err := kafkaIn(j.dir)
	return err == nil && version == j.version
}

// kafkaIn reads the version of Kafka off the name of the broker's jar.
func kafkaIn(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	name := regexp.MustCompile(`^kafka_2\.1[23]-(\d+\.\d+\.\d+)\.jar$`)
	for _, e := range entries {
		if m := name.FindStringSubmatch(e.Name()); m != nil {
			return m[1], nil
		}
	}
	return "", fmt.Errorf("no kafka_2.13-VERSION.jar in %s", dir)
}

// homeJars takes the jars of an unpacked distribution.
func homeJars(home, asked string) (jars, error) {
	dir := filepath.Join(home, "libs")
	version, err := kafkaIn(dir)
	if err != nil {
		return jars{}, fmt.Errorf("KAFKA_HOME is %q, which isn't an unpacked Kafka distribution: %w", home, err)
	}
	if !satisfies(version, asked) {
		return jars{}, fmt.Errorf("KAFKA_HOME is %q, which has Kafka %s, but %s was asked for: unset KAFKA_HOME to have that fetched, or ask for kafka:%s", home, version, asked, version)
	}
	if _, err := resolveVersion(version); err != nil {
		return jars{}, fmt.Errorf("KAFKA_HOME is %q: %w", home, err)
	}
	return jars{dir: dir, version: version}, nil
}

// waitLock takes a lock, waiting for whoever has it; waiting is called once if there is a wait.
func waitLock(ctx context.Context, path string, waiting func()) (*fileLock, error) {
	for first := true; ; first = false {
		lock, err := tryLock(path)
		if !errors.Is(err, errLocked) {
			return lock, err
		}
		if first {
			waiting()
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// fetch has Maven put the jars into a folder aside and renames that when it is complete. The caller holds the cache's
// lock, so folders aside that are there already were left by somebody who was killed.
func fetch(ctx context.Context, mvn, cache string, j jars) error {
	if stale, err := filepath.Glob(filepath.Join(cache, asidePrefix+"*")); err == nil {
		for _, dir := range stale {
			if err := os.RemoveAll(dir); err != nil {
				return fmt.Errorf("cache folder for Kafka's jars: %w", err)
			}
		}
	}
	aside, err := os.MkdirTemp(cache, asidePrefix)
	if err != nil {
		return fmt.Errorf("cache folder for Kafka's jars: %w", err)
	}
	defer os.RemoveAll(aside) // what is left of it, when all is done or nothing worked, the next one removes
	if err := os.WriteFile(filepath.Join(aside, "pom.xml"), []byte(pom(j.version)), 0o644); err != nil {
		return fmt.Errorf("cache folder for Kafka's jars: %w", err)
	}
	// -U: a failure of last time, which Maven remembers for a day, isn't to be repeated.
	args := []string{mvn, "-q", "-B", "-U", "dependency:copy-dependencies", "-DoutputDirectory=libs", "-DincludeScope=runtime"}
	stdout, stderr, err := runProcess(ctx, command{name: "mvn", path: mvn, args: args, dir: aside})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return mavenError(j.version, strings.Split(stdout+"\n"+stderr, "\n"), err)
	}
	libs := filepath.Join(aside, "libs")
	if !hasKafka(jars{dir: libs, version: j.version}) {
		return fmt.Errorf("mvn fetched no kafka_2.13-%s.jar, though it says it worked: %s", j.version, condense([]string{stdout, stderr}))
	}
	// A folder that is in the way has no broker's jar in it, or it would have been taken.
	if err := os.RemoveAll(j.dir); err != nil {
		return fmt.Errorf("cache folder for Kafka's jars: %w", err)
	}
	if err := os.Rename(libs, j.dir); err != nil {
		return fmt.Errorf("cache folder for Kafka's jars: %w", err)
	}
	return nil
}

// pom names what a broker needs, for Maven.
func pom(version string) string {
	return fmt.Sprintf(`<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>kbench</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>%s</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>%s</version></dependency>
  </dependencies>
</project>
`, version, loggingVersion)
}

// mavenError says why Maven couldn't fetch: its own first words, and what they mean.
func mavenError(version string, lines []string, err error) error {
	said := ""
	for _, l := range lines {
		if text, ok := strings.CutPrefix(stripColour(l), "[ERROR]"); ok && strings.TrimSpace(text) != "" {
			said, _, _ = strings.Cut(strings.TrimSpace(text), " -> [Help")
			break
		}
	}
	if said == "" {
		said = condense(lines)
	}
	if len(said) > 2*shownMax {
		said = said[:2*shownMax] + "…"
	}
	meaning := "mvn couldn't fetch Kafka " + version
	switch {
	case containsAny(said, "Could not transfer", "No plugin found for prefix", "Unknown host", "name resolution", "Connection refused", "timed out", "unreachable", "offline mode"):
		meaning += ": it doesn't reach its repository (network, proxy or mirror settings in ~/.m2/settings.xml; or set KAFKA_HOME to an unpacked Kafka distribution)"
	case containsAny(said, "Could not find artifact", "was not found in"):
		meaning += fmt.Sprintf(": its repository has no such version (known to work are %s)", strings.Join(knownVersions(), ", "))
	}
	return fmt.Errorf("%s: %w: %s", meaning, err, said)
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// stripColour removes a terminal's colour codes.
func stripColour(s string) string {
	return regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(s, "")
}
