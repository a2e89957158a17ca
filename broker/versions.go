package broker

import (
	"fmt"
	"strconv"
	"strings"
)

// knownVersions are the versions of Kafka that were tried, oldest first: the newest one of a line stands for the line.
func knownVersions() []string { return []string{"3.9.1", "4.0.1", "4.1.2", "4.3.1"} }

// newestVersion is what is started when nobody asks for a version.
func newestVersion() string {
	known := knownVersions()
	return known[len(known)-1]
}

// resolveVersion turns what a user asked for into a full version.
func resolveVersion(asked string) (string, error) {
	if asked == "" {
		return newestVersion(), nil
	}
	nums := versionNumbers(asked)
	if nums == nil {
		return "", fmt.Errorf("%q isn't a version of Kafka: want MAJOR.MINOR or MAJOR.MINOR.PATCH; known are %s", asked, strings.Join(knownVersions(), ", "))
	}
	if !supported(nums) {
		return "", fmt.Errorf("kafka %s can't be started: allowed are 3.9 to 4.x; known are %s", asked, strings.Join(knownVersions(), ", "))
	}
	if len(nums) == 3 {
		return asked, nil
	}
	if v := newestOf(asked); v != "" {
		return v, nil
	}
	return "", fmt.Errorf("the newest %s.x isn't known to this version of kbench: give all three numbers, such as %s.0; known are %s",
		asked, asked, strings.Join(knownVersions(), ", "))
}

// newestOf is the newest known version of a line such as "3.9" or "4"; "" if there is none.
func newestOf(line string) string {
	best := ""
	for _, v := range knownVersions() {
		if strings.HasPrefix(v, line+".") {
			best = v
		}
	}
	return best
}

// versionNumbers splits "4.3.1" (or "4.3", or "4") into its numbers; nil if it isn't written like that.
func versionNumbers(v string) []int {
	parts := strings.Split(v, ".")
	if len(parts) > 3 {
		return nil
	}
	nums := make([]int, len(parts))
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || strconv.Itoa(n) != p {
			return nil
		}
		nums[i] = n
	}
	return nums
}

// supported tells whether kbench can start a version: 3.9 (the first whose KRaft mode it was tried with) to 4.x.
func supported(nums []int) bool {
	return nums[0] == 4 || nums[0] == 3 && len(nums) > 1 && nums[1] == 9
}

// satisfies tells whether a full version is what was asked for: the same, of the asked line, or nothing was asked.
func satisfies(version, asked string) bool {
	return asked == "" || version == asked || strings.HasPrefix(version, asked+".")
}
