package main

import (
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"kbench/metrics"
	"kbench/metrics/stat"
)

// report is everything that is printed and written.
type report struct {
	opts        *options
	began       time.Time
	took        time.Duration
	environment []string
	blocks      []blockResult
}

// environment is the machine and the versions, a line each.
func environment() []string {
	h := metrics.Fingerprint()
	lines := []string{
		fmt.Sprintf("CPU: %s, %d CPUs", h.CPU, h.CPUs),
		fmt.Sprintf("memory: %.1f GB", float64(h.MemoryBytes)/1e9),
		fmt.Sprintf("kernel: %s %s %s", h.OS, h.Kernel, h.Arch),
		"go: " + h.Go,
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, set := range info.Settings {
			if set.Key == "vcs.revision" {
				lines = append(lines, "commit: "+set.Value)
			}
		}
		for _, m := range info.Deps {
			switch m.Path {
			case "github.com/twmb/franz-go", "github.com/klauspost/compress", "github.com/pierrec/lz4/v4":
				lines = append(lines, m.Path+": "+m.Version)
			}
		}
	}
	for _, w := range h.Warnings {
		lines = append(lines, "warning: "+w)
	}
	return lines
}

// line shows what was measured in one line.
func (m *measurement) line() string {
	var parts []string
	for _, name := range []string{recordsPerSecond, cpuPerRecord, p50, p99, allocsPerRecord, allocsPerBatch, gcs, rssBeyond} {
		if v, ok := m.Values[name]; ok {
			if v == 0 && (name == p50 || name == p99) {
				continue
			}
			parts = append(parts, number(v)+" "+name)
		}
	}
	if m.Run != nil && m.Run.Verdict.State != metrics.StateValid {
		parts = append(parts, m.Run.Verdict.State+": "+strings.Join(m.Run.Verdict.Reasons, "; "))
	}
	return strings.Join(parts, ", ")
}

// number has three digits that count, and thousands set off.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsInf(v, 0) || math.IsNaN(v):
		return "–"
	case v == 0:
		return "0"
	case a >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', digits(a/1e6), 64) + "M"
	case a < 0.001:
		return strconv.FormatFloat(v, 'e', 1, 64)
	default:
		return strconv.FormatFloat(v, 'f', digits(a), 64)
	}
}

// digits is how many decimals show three digits that count.
func digits(a float64) int { return max(0, 2-int(math.Floor(math.Log10(a)))) }

// tooFew stands for the interval of fewer than six values.
const tooFew = "too few"

func interval(i stat.Interval) string {
	if math.IsInf(i.Low, 0) || math.IsInf(i.High, 0) || math.IsNaN(i.Low) || i.Low == 0 && math.IsInf(i.High, 1) {
		return tooFew
	}
	return number(i.Low) + " – " + number(i.High)
}

// asked writes a check's bound.
func (c *check) asked() string {
	if c.bound == 0 {
		return "–"
	}
	sign, times := "≥ ", ""
	if c.atMost {
		sign = "≤ "
	}
	if c.against != "" {
		times = "×"
	}
	return sign + strconv.FormatFloat(c.bound, 'f', -1, 64) + times
}

// verdictTable is the table, in the order of its rows.
func (r *report) verdictTable(w io.Writer) error {
	var vs []verdict
	for _, b := range r.blocks {
		vs = append(vs, b.verdicts...)
	}
	rows := []string{rowCore, rowHarness, rowLimit, rowCPU, rowMemory, rowScaling, rowLatency, rowBatches, rowCompression, rowKafka}
	slices.SortStableFunc(vs, func(a, b verdict) int { return slices.Index(rows, a.check.row) - slices.Index(rows, b.check.row) })
	var lines [][]string
	for _, v := range vs {
		times := ""
		if v.check.against != "" {
			times = "×"
		}
		reached := v.reached
		if !v.ran {
			reached = "not measured"
		} else if r.opts.short {
			reached = "ran"
		}
		lines = append(lines, []string{v.check.row, v.check.what, v.check.metric, v.check.asked(), number(v.estimate.Value) + times,
			interval(v.estimate.Interval), strconv.Itoa(len(v.pairs)), reached})
	}
	return markdown(w, []string{"row", "what", "of", "asked", "measured", "95 % interval", "n", "reached"}, lines)
}

// contenderTable has what each contender did, as medians of its measurements.
func (r *report) contenderTable(w io.Writer) error {
	var lines [][]string
	for _, b := range r.blocks {
		for _, c := range b.block.contenders {
			line := []string{b.block.name, c.name}
			for _, metric := range []string{recordsPerSecond, cpuPerRecord, allocsPerRecord, p50, p99} {
				var xs []float64
				for _, m := range b.measurements {
					if v, ok := m.Values[metric]; ok && m.Contender == c.name {
						xs = append(xs, v)
					}
				}
				if len(xs) == 0 {
					line = append(line, "")
					continue
				}
				line = append(line, number(stat.Median(xs)))
			}
			lines = append(lines, line)
		}
	}
	return markdown(w, []string{"block", "contender", recordsPerSecond, cpuPerRecord, allocsPerRecord, p50, p99}, lines)
}

func markdown(w io.Writer, header []string, lines [][]string) error {
	t := tablewriter.NewTable(w, tablewriter.WithRenderer(renderer.NewMarkdown()), tablewriter.WithHeaderAutoFormat(tw.Off),
		tablewriter.WithTrimSpace(tw.Off), tablewriter.WithRowAutoWrap(tw.WrapNone))
	t.Header(header)
	if err := t.Bulk(lines); err != nil {
		return err
	}
	return t.Render()
}

// text prints the tables.
func (r *report) text(w io.Writer) error {
	if err := r.verdictTable(w); err != nil {
		return err
	}
	fmt.Fprintln(w, "\nMedians of the same measurements:")
	fmt.Fprintln(w)
	if err := r.contenderTable(w); err != nil {
		return err
	}
	if reasons, of := r.invalid(); len(reasons) > 0 {
		fmt.Fprintf(w, "\n%d of %d runs of kbench called themselves invalid", len(reasons), of)
		if r.opts.out != "" {
			fmt.Fprintln(w, "; data.json has the reasons.")
		} else { // nothing is written that could have them
			fmt.Fprintf(w, ":\n\n- %s\n", strings.Join(reasons, "\n- "))
		}
	}
	_, err := fmt.Fprintf(w, "\nTook %v.\n", r.took.Round(time.Second))
	return err
}

// invalid tells of the runs of kbench that called themselves that, one text each, and counts all.
func (r *report) invalid() (reasons []string, of int) {
	for _, b := range r.blocks {
		for _, m := range b.measurements {
			if m.Run == nil {
				continue
			}
			of++
			if v := m.Run.Verdict; v.State != metrics.StateValid {
				reasons = append(reasons, fmt.Sprintf("%s, %s: %s", b.block.name, m.Contender, strings.Join(v.Reasons, "; ")))
			}
		}
	}
	return reasons, of
}

// command is the command line that measures this again.
func (r *report) command() string {
	var args []string
	for i := 0; i < len(r.opts.args); i++ {
		if arg := strings.TrimLeft(r.opts.args[i], "-"); arg == "kbench" { // the script's own: a path of its making
			i++
		} else if !strings.HasPrefix(arg, "kbench=") {
			args = append(args, r.opts.args[i])
		}
	}
	return strings.TrimSpace("scripts/bench-native " + strings.Join(args, " "))
}
