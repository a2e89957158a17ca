package doctor

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"kbench/broker"
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
func (m *machine) read(name string) string {
	b, err := fs.ReadFile(m.files, name)
	if err != nil {
		return ""
	}
	return string(b)
}

// line is a file's only line.
func (m *machine) line(name string) string { return strings.TrimSpace(m.read(name)) }

// number is a file's only number.
func (m *machine) number(name string) (float64, bool) {
	v, err := strconv.ParseFloat(m.line(name), 64)
	return v, err == nil
}

// field is the value of the first line "name: value" in a file's text.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// count is the number after the first line's name that is separated by spaces: "name 12 …".
func count(text, name string) (float64, bool) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name {
			v, err := strconv.ParseFloat(f[1], 64)
			return v, err == nil
		}
	}
	return 0, false
}

// usable are the CPUs that this process may run on; nil where the system doesn't say.
func (m *machine) usable() []int {
	if m.cpus != nil {
		return m.cpus
	}
	return cpuSet(field(m.read("proc/self/status"), "Cpus_allowed_list"))
}

// keepCPUs keeps what is usable now: once this process is pinned the system tells of fewer CPUs, and samples can be
// compared only if they are of the same ones.
func (m *machine) keepCPUs() { m.cpus = m.usable() }

// online are the machine's CPUs; nil where the system doesn't say.
func (m *machine) online() []int { return cpuSet(m.line("sys/devices/system/cpu/online")) }

func cpuSet(text string) []int {
	cpus, err := broker.ParseCPUs(text)
	if err != nil {
		return nil
	}
	return cpus
}

// groups are the folders of this process's control group for a controller and those above it, in both versions of the
// hierarchy. In a container the path may be one of the outside, of which only the root is seen; folders that aren't there
// read as empty.
func (m *machine) groups(controller string) []string {
	var dirs []string
	for line := range strings.Lines(m.read("proc/self/cgroup")) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3) // hierarchy:controllers:path
		if len(parts) != 3 {
			continue
		}
		root := "sys/fs/cgroup"
		if parts[1] != "" {
			if !strings.Contains(","+parts[1]+",", ","+controller+",") {
				continue
			}
			root = path.Join(root, controller) // by custom a link to where several are mounted together
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			dirs = append(dirs, path.Join(root, dir))
			if dir == "/" {
				break
			}
		}
	}
	return dirs
}

// Texts of figures.

func records(perSecond float64) string { return humanize.Comma(int64(perSecond)) + " records/s" }

func bytesText(n float64) string { return humanize.IBytes(uint64(max(0, n))) }

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

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
