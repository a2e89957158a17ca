package doctor

import (
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"kbench/metrics/procfs"
)

// machine is where the checks look: the kernel's files and the few things that are asked otherwise. Tests make one up.
type machine struct {
	files fs.FS                                    // as seen from /; empty where the system has no such files
	disk  func(dir string) (free int64, err error) // free bytes for this user
	look  func(program string) (string, error)     // the path of a program, as exec.LookPath
	env   func(name string) string                 // a variable of the environment
	cpus  []int                                    // of keepCPUs; nil: as the system says
}

// read is a file's content; "" if it can't be read: not every kernel and container has every file.
func (m *machine) read(name string) string { return procfs.Text(m.files, name) }

// line is a file's only line.
func (m *machine) line(name string) string { return procfs.Line(m.files, name) }

// number is a file's only number.
func (m *machine) number(name string) (float64, bool) {
	v, err := strconv.ParseFloat(m.line(name), 64)
	return v, err == nil
}

// usable are the CPUs that this process may run on; nil where the system doesn't say.
func (m *machine) usable() []int {
	if m.cpus != nil {
		return m.cpus
	}
	return procfs.ParseCPUs(procfs.Field(m.read("proc/self/status"), "Cpus_allowed_list"))
}

// keepCPUs keeps what is usable now: once this process is pinned the system tells of fewer CPUs, and samples can be
// compared only if they are of the same ones.
func (m *machine) keepCPUs() { m.cpus = m.usable() }

// online are the machine's CPUs; nil where the system doesn't say.
func (m *machine) online() []int { return procfs.ParseCPUs(m.line("sys/devices/system/cpu/online")) }

// Texts of figures.

func records(perSecond float64) string { return humanize.Comma(int64(perSecond)) + " records/s" }

func bytesText(n int64) string { return humanize.IBytes(uint64(max(0, n))) }

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }

// times is a time in ns with about three digits.
func times(ns float64) string {
	d := time.Duration(ns)
	switch {
	case d >= time.Second:
		return d.Round(10 * time.Millisecond).String()
	case d >= time.Millisecond:
		return fmt.Sprintf("%.3g ms", ns/1e6)
	case d >= time.Microsecond:
		return fmt.Sprintf("%.3g µs", ns/1e3)
	}
	return fmt.Sprintf("%.3g ns", ns)
}
