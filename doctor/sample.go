package doctor

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kbench/metrics"
	"kbench/metrics/procfs"
)

// sample is what the kernel has counted up to a moment.
type sample struct {
	cpus      procfs.CPUTimes // of the CPUs that this process may use
	self      int64           // this process's CPU time, ns
	processes map[int]procfs.Process
	swapped   int64 // pages
	throttled int64 // periods
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
	usable := m.usable()
	s := sample{throttled: procfs.ThrottledPeriods(m.files), processes: map[int]procfs.Process{},
		cpus: procfs.ParseCPUTimes(m.read("proc/stat"), func(cpu int) bool { return slices.Contains(usable, cpu) })}
	swapped := m.read("proc/vmstat")
	for _, name := range []string{"pswpin", "pswpout"} {
		n, _ := procfs.Count(swapped, name)
		s.swapped += n
	}
	self, _ := procfs.Self(m.files)
	s.self = self.CPU
	for _, p := range procfs.Processes(m.files) {
		if p.ID != self.ID {
			s.processes[p.ID] = p
		}
	}
	return s
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
	all := float64(w.after.cpus.All - w.before.cpus.All)
	if all <= 0 {
		return f.unknown()
	}
	cpus := float64(len(m.usable()))
	others := float64(max(0, (w.after.cpus.Busy-w.before.cpus.Busy)-(w.after.self-w.before.self))) / all * cpus
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
	name, most := "", int64(0)
	for id, p := range w.after.processes {
		if took := p.CPU - w.before.processes[id].CPU; took > most {
			name, most = fmt.Sprintf("%s (process %d)", p.Name, id), took
		}
	}
	return name
}

// someSteal is the share of stolen time that is worth a note; metrics.MaxStealShare makes runs invalid.
const someSteal = 0.001

// steal is what the hypervisor gave to others while this machine wanted to run.
func (m *machine) steal(w window) Finding {
	f := Finding{Check: "steal", Severity: OK, Why: "the hypervisor ran somebody else while this machine had work: the time stands in no other figure, but in latencies it does"}
	all := float64(w.after.cpus.All - w.before.cpus.All)
	if all <= 0 {
		return f.unknown()
	}
	share := float64(w.after.cpus.Stolen-w.before.cpus.Stolen) / all
	f.Values = map[string]float64{"share": share}
	f.Measured = percent(share) + " of the CPUs' time was stolen while this was measured"
	f.Do = []string{"take dedicated CPUs, a larger or another machine, or measure at another time"}
	switch {
	case share > metrics.MaxStealShare:
		f.Severity = Bad
		f.Measured += fmt.Sprintf(": runs with over %g %% are invalid", 100*metrics.MaxStealShare)
	case share > someSteal:
		f.Severity = Note
	default:
		f.Do = nil
	}
	return f
}
