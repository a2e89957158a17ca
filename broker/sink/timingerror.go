package sink

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// TimingErrors says how well a sink kept to its plan: quantiles of the actual minus the planned departures. The actual one
// is when the answer was handed to the socket; the way through the kernel, some 10 µs, comes on top for every client.
type TimingErrors struct {
	Answers             int // that departed
	P50, P90, P99, P999 time.Duration
	Max                 time.Duration
}

// TimingError computes the errors of a log's answers, exactly. Requests without an answer, and those whose answer never
// left, are left out.
func TimingError(entries []LogEntry) TimingErrors {
	var errs []int64
	for i := range entries {
		if e := &entries[i]; e.Departed != 0 {
			errs = append(errs, e.Departed-e.Planned)
		}
	}
	if len(errs) == 0 {
		return TimingErrors{}
	}
	slices.Sort(errs)
	at := func(q float64) time.Duration {
		return time.Duration(errs[max(int(math.Ceil(q*float64(len(errs)))), 1)-1])
	}
	return TimingErrors{len(errs), at(.5), at(.9), at(.99), at(.999), time.Duration(errs[len(errs)-1])}
}

// String is the errors in a line.
func (t TimingErrors) String() string {
	if t.Answers == 0 {
		return "timing error: no answer was held"
	}
	return fmt.Sprintf("timing error of %s held answers: p50 %s, p99 %s, p99.9 %s, max %s",
		thousands(t.Answers), micros(t.P50), micros(t.P99), micros(t.P999), micros(t.Max))
}

// micros prints a time with at most three significant digits.
func micros(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return d.Round(10 * time.Nanosecond).String()
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	}
	return d.Round(10 * time.Microsecond).String()
}

// thousands separates every three digits.
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
