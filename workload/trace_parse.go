package workload

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// isTraceHeader tells whether a line that begins with this word names the columns.
func isTraceHeader(word []byte) bool {
	word = bytes.ToLower(bytes.Trim(word, `"`))
	if bytes.HasPrefix(word, []byte("time")) {
		return true
	}
	switch string(word) {
	case "t", "ts", "at", "due", "offset", "seconds":
		return true
	}
	return false
}

// addSize reads the size of a record's value.
func (r *traceReader) addSize(text string) error {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > math.MaxInt32 {
		size, bad := parseSize(text)
		if bad != nil || size > math.MaxInt32 {
			return fmt.Errorf("bad size %q", shorten(text))
		}
		n = uint64(size)
	}
	r.sizes = append(r.sizes, uint32(n))
	r.bytes += n
	if int(n) > r.largest || r.largestLine == 0 {
		r.largest, r.largestLine = int(n), r.line
	}
	return nil
}

// parseTraceTime reads a time in ns: seconds as a decimal number, taken exactly and rounded to the nearest ns, or a
// duration with its unit. What is beyond longestTrace comes out beyond it.
func parseTraceTime(text string) (int64, error) {
	bad := fmt.Errorf("bad time %q", shorten(text))
	if strings.HasPrefix(text, "-") {
		return 0, fmt.Errorf("negative time %q", shorten(text))
	}
	ns, err := parseSeconds(text)
	if err != nil {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 || strings.HasPrefix(text, "+") {
			return 0, bad
		}
		ns = int64(d)
	}
	return ns, nil
}

var errNotSeconds = errors.New("not a number of seconds")

// parseSeconds reads a decimal number of seconds. Note: not by ParseFloat, which at a day from the start is a few ps
// off, and at ten years 30 ns; it serves for exponents only.
func parseSeconds(text string) (int64, error) {
	const beyond = int64(2 * longestTrace)
	whole, fraction, _ := strings.Cut(text, ".")
	if whole+fraction == "" || strings.HasPrefix(text, "+") {
		return 0, errNotSeconds
	}
	if strings.Trim(whole+fraction, "0123456789") != "" {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || strings.Trim(text, "0123456789.eE+-") != "" || !(f >= 0) {
			return 0, errNotSeconds
		}
		return int64(math.Round(min(f*1e9, float64(beyond)))), nil
	}
	seconds := int64(0)
	for _, c := range []byte(whole) {
		if seconds = seconds*10 + int64(c-'0'); seconds > int64(longestTrace/time.Second) {
			return beyond, nil
		}
	}
	ns, unit := int64(0), int64(time.Second)
	for i, c := range []byte(fraction) {
		if unit /= 10; i == 9 { // the tenth decimal rounds
			if c >= '5' {
				ns++
			}
			break
		}
		ns += int64(c-'0') * unit
	}
	return seconds*int64(time.Second) + ns, nil
}
