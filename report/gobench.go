package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"kbench/metrics"
)

// WriteGoBench writes the result in the Go benchmark format, for benchstat: a comment, configuration lines, then one benchmark
// line whose iterations are the acknowledged records and whose ns/op is wall time per record.
// Unsupported percentiles are left out.
func WriteGoBench(w io.Writer, r *metrics.Result) error {
	var out bytes.Buffer
	out.WriteString("# " + verdictTitle(r) + " · " + benchComment(r) + "\n")
	for _, c := range benchConfig(r) {
		if c.value != "" {
			fmt.Fprintf(&out, "%s: %s\n", c.name, oneLine(c.value))
		}
	}
	out.WriteString("Unit records/s better=higher\nUnit MB/s better=higher\nUnit records/request better=higher\n")
	// Without the number of CPUs at its end, a name such as driver=x-2 would be read as x on 2 CPUs.
	fmt.Fprintf(&out, "BenchmarkKbench/profile=%s/driver=%s-%d\t%d", benchName(r.Profile), benchName(r.Driver.Name),
		max(1, r.Host.CPUs), r.Totals.Acked)
	for _, c := range benchValues(r) {
		fmt.Fprintf(&out, "\t%s %s", c.value, c.name)
	}
	out.WriteByte('\n')
	return writeAll(w, &out)
}

// benchConfig has only what makes runs incomparable: benchstat puts results whose configuration differs into separate
// tables, so what changes from run to run, or is being compared, stands in a comment instead.
func benchConfig(r *metrics.Result) []cell {
	config := []cell{
		{"goos", r.Host.OS},
		{"goarch", r.Host.Arch},
		{"cpu", r.Host.CPU},
		{"target", targetText(r.Target)},
		{"load", loadText(r)},
		{"verdict", verdictText(r.Verdict)},
	}
	if r.Interrupted {
		config = append(config, cell{"interrupted", "true"})
	}
	return config
}

// benchComment says what else belongs to the run.
func benchComment(r *metrics.Result) string {
	return oneLine(fmt.Sprintf("kbench %s, client %s %s, started %s, seed %d", r.Kbench, r.Driver.Client, r.Driver.Version,
		r.Started.UTC().Format(time.RFC3339), r.Seed))
}

func benchValues(r *metrics.Result) []cell {
	t, u := r.Totals, r.Runtime
	perRecord := 0.0
	if t.RecordsPerSecond > 0 {
		perRecord = 1e9 / t.RecordsPerSecond
	}
	values := []cell{
		{"ns/op", benchNumber(perRecord)},
		{"records/s", benchNumber(t.RecordsPerSecond)},
		{"MB/s", benchNumber(t.BytesPerSecond / 1e6)},
	}
	for _, p := range percentiles() {
		if supported(&r.Latency.Response, p.name) {
			values = append(values, cell{p.name + "-ns", fmt.Sprint(p.of(&r.Latency.Response))})
		}
	}
	if r.Latency.Response.Count > 0 {
		values = append(values, cell{"max-ns", fmt.Sprint(r.Latency.Response.Max)})
	}
	values = append(values,
		cell{"cpu-ns/op", benchNumber(u.CPUNSPerRecord)},
		cell{"B/op", benchNumber(u.AllocBytesPerRecord)},
		cell{"allocs/op", benchNumber(u.AllocsPerRecord)})
	if t.RecordsPerReq > 0 {
		values = append(values, cell{"records/request", benchNumber(t.RecordsPerReq)})
	}
	return append(values, cell{"failed", fmt.Sprint(t.Failed)}, cell{"censored", fmt.Sprint(t.Censored)})
}

// benchNumber is a number in the way Go's own benchmarks print theirs.
func benchNumber(v float64) string { return fmt.Sprintf("%.6g", v) }

// benchName makes one part of a benchmark's name: no space, no slash, nothing unprintable.
func benchName(s string) string {
	if s == "" {
		return "none"
	}
	return strings.Map(func(c rune) rune {
		if c == '/' || unicode.IsSpace(c) || !unicode.IsPrint(c) {
			return '_'
		}
		return c
	}, s)
}
