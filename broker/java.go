package broker

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// java is the Java that brokers run on.
type java struct {
	path  string
	major int // 17 for "17.0.15", 8 for "1.8.0_391"
}

// needJava is the oldest Java that a version of Kafka's broker runs on.
func needJava(kafka string) int {
	if nums := versionNumbers(kafka); len(nums) > 0 && nums[0] < 4 {
		return 11
	}
	return 17
}

// findJava finds Java in JAVA_HOME, else in PATH, and asks it for its version.
func findJava(ctx context.Context) (java, error) {
	const ways = "Kafka's broker needs Java 17 or newer (Debian, Ubuntu: apt-get install openjdk-17-jre-headless)"
	path := ""
	if home := os.Getenv("JAVA_HOME"); home != "" {
		path = filepath.Join(home, "bin", "java")
		if _, err := os.Stat(path); err != nil {
			return java{}, fmt.Errorf("JAVA_HOME is %q, but there is no Java: %w; %s", home, err, ways)
		}
	} else {
		var err error
		if path, err = exec.LookPath("java"); err != nil {
			return java{}, fmt.Errorf("no java in PATH, and JAVA_HOME isn't set: %s", ways)
		}
	}
	stdout, stderr, err := runProcess(ctx, command{name: path, path: path, args: []string{path, "-version"}})
	if ctx.Err() != nil {
		return java{}, ctx.Err()
	}
	if err != nil {
		return java{}, fmt.Errorf("%s -version failed: %w: %s; %s", path, err, condense([]string{stderr, stdout}), ways)
	}
	major, err := javaMajor(stderr + "\n" + stdout)
	if err != nil {
		return java{}, fmt.Errorf("%s -version: %w", path, err)
	}
	return java{path: path, major: major}, nil
}

// javaMajor reads the version out of what java -version writes, which every vendor words a little differently.
func javaMajor(text string) (int, error) {
	m := regexp.MustCompile(`version "(\d+)(?:\.(\d+))?`).FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("no version in %q", condense([]string{text}))
	}
	if m[1] == "1" && m[2] != "" {
		m[1] = m[2] // up to Java 8: 1.8.0
	}
	return strconv.Atoi(m[1])
}

// check refuses a Java that is too old for a version of Kafka.
func (j java) check(kafka string) error {
	need := needJava(kafka)
	if j.major >= need {
		return nil
	}
	way := ""
	if j.major >= needJava("3.9") {
		way = "; Kafka 3.9 runs on it: ask for kafka:3.9"
	}
	return fmt.Errorf("kafka %s needs Java %d or newer, but %s is Java %d (JAVA_HOME and PATH decide which is taken)%s", kafka, need, j.path, j.major, way)
}
