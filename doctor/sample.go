package doctor

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sample is what the kernel has counted up to a moment. Processor times are in its ticks of 10 ms.
type sample struct {
	busy, stolen, all float64 // of the CPUs that this process may use
	self              float64 // this process's
	processes         map[string]process
	swapped           float64 // pages
	throttled         float64 // periods
}

// process is another process, by its id.
type process struct {
	name  string
	ticks float64
}

// window is the time between two samples.
type window struct{ before, after sample }

// quietTime is how long others are watched.
const quietTime = time.Second

// quietSecond watches the machine while this process does nothing; false if ctx ended.
func (m *machine) quietSecond(ctx context.Context, o *Options) (window, bool) {
	o.Progress("what else runs here")
	w := window{before: m.sample()}
	end := time.NewTimer(quietTime)
	defer end.Stop()
	select {
	case <-ctx.Done():
		return w, false
	case <-end.C:
	}
	w.after = m.sample()
	return w, true
}

// sample reads the counters.
func (m *machine) sample() sample {
	s := sample{processes: map[string]process{}, throttled: m.throttled()}
	usable := m.usable()
	for line := range strings.Lines(m.read("proc/stat")) {
		f := strings.Fields(line)
		number, ok := strings.CutPrefix(first(f), "cpu")
		cpu, err := strconv.Atoi(number)
		if !ok || err != nil || len(f) < 9 || !slices.Contains(usable, cpu) {
			continue
		}
		// user nice system idle iowait irq softirq steal; what guests had is part of user: proc(5).
		t := make([]float64, 8)
		for i := range t {
			t[i], _ = strconv.ParseFloat(f[i+1], 64)
			s.all += t[i]
		}
		s.busy += t[0] + t[1] + t[2] + t[5] + t[6]
		s.stolen += t[7]
	}
	for _, name := range []string{"pswpin", "pswpout"} {
		n, _ := count(m.read("proc/vmstat"), name)
		s.swapped += n
	}
	_, s.self = processTimes(m.read("proc/self/stat"))
	m.sampleProcesses(s.processes)
	return s
}

func first(fields []string) string {
	if len(fields) == 0 {
		return ""
	}
	return fields[0]
}

// sampleProcesses reads all processes' times. Those that end meanwhile are left out.
func (m *machine) sampleProcesses(to map[string]process) {
	dirs, err := fs.ReadDir(m.files, "proc")
	if err != nil {
		return
	}
	self, _, _ := strings.Cut(m.read("proc/self/stat"), " ")
	for _, d := range dirs {
		if _, err := strconv.Atoi(d.Name()); err != nil || d.Name() == self {
			continue
		}
		if name, ticks := processTimes(m.read("proc/" + d.Name() + "/stat")); name != "" {
			to[d.Name()] = process{name, ticks}
		}
	}
}

// processTimes is the name and the processor time, user and system, in a line of /proc/…/stat. The name stands in
// parentheses and may contain anything, so the fields are counted from the last one: proc(5).
func processTimes(line string) (name string, ticks float64) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return "", 0
	}
	const user, system = 14 - 3, 15 - 3
	fields := strings.Fields(line[end+1:])
	if len(fields) <= system {
		return "", 0
	}
	u, _ := strconv.ParseFloat(fields[user], 64)
	s, _ := strconv.ParseFloat(fields[system], 64)
	return line[open+1 : end], u + s
}

// Others' processor time, in CPUs and as a share of all.
const (
	someLoad  = 0.1
	busyLoad  = 0.5
	fullShare = 0.75
)

// otherLoad is what other processes took of the usable CPUs in the quiet second.
func (m *machine) otherLoad(w window) Finding {
	f := Finding{Check: "other-load", Severity: OK, Why: "a thread that is due waits while another program has the CPU: some ms each time"}
	all := w.after.all - w.before.all
	if all <= 0 {
		return f.unknown()
	}
	cpus := float64(len(m.usable()))
	others := max(0, (w.after.busy-w.before.busy)-(w.after.self-w.before.self)) / all * cpus
	f.Values = map[string]float64{"cpus_busy": others}
	f.Measured = fmt.Sprintf("others kept %.2f of %.0f CPUs busy in the sampled second", others, cpus)
	if others < someLoad {
		return f
	}
	f.Severity = Note
	if top := busiest(w); top != "" {
		f.Measured += ", most of all " + top
	}
	if others >= busyLoad {
		f.Severity = Warning
	}
	if others >= fullShare*cpus {
		f.Severity = Bad
	}
	f.Do = []string{"end what needn't run, or pin it elsewhere: taskset -acp CPUS PID"}
	return f
}

// busiest names the process that took the most within the window; "" if none stands out.
func busiest(w window) string {
	name, most := "", 0.0
	for id, p := range w.after.processes {
		if took := p.ticks - w.before.processes[id].ticks; took > most {
			name, most = fmt.Sprintf("%s (process %s)", p.name, id), took
		}
	}
	return name
}

// Shares of stolen time: a run with more than muchSteal is invalid.
const (
	someSteal = 0.001
	muchSteal = 0.01
)

// steal is what the hypervisor gave to others while this machine wanted to run.
func (m *machine) steal(w window) Finding {
	f := Finding{Check: "steal", Severity: OK, Why: "the hypervisor ran somebody else while this machine had work: the time stands in no other figure, but in latencies it does"}
	all := w.after.all - w.before.all
	if all <= 0 {
		return f.unknown()
	}
	share := (w.after.stolen - w.before.stolen) / all
	f.Values = map[string]float64{"share": share}
	f.Measured = percent(share) + " of the CPUs' time was stolen while this was measured"
	f.Do = []string{"take dedicated CPUs, a larger or another machine, or measure at another time"}
	switch {
	case share > muchSteal:
		f.Severity = Bad
		f.Measured += ": runs with over 1 % are invalid"
	case share > someSteal:
		f.Severity = Note
	default:
		f.Do = nil
	}
	return f
}
