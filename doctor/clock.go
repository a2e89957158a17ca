package doctor

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kbench/metrics"
)

// What reading the clock may cost, in ns: a record takes two to four readings.
const (
	dearClock = 100
	slowClock = 1000
)

// clock looks at where the time comes from, and measures what reading it costs.
func (m *machine) clock() Finding {
	c := metrics.NewClock()
	return m.rateClock(c.Source(), readCost(func() { c.Now() }), readCost(func() { _ = time.Now() }))
}

// readCost is the median over batches of what one call costs, in ns. A batch that was interrupted is one of many.
func readCost(read func()) float64 {
	const batches, calls = 31, 1000
	costs := make([]float64, batches)
	for i := range costs {
		start := time.Now()
		for range calls {
			read()
		}
		costs[i] = float64(time.Since(start)) / calls
	}
	slices.Sort(costs)
	return costs[batches/2]
}

// rateClock judges a clock: ours (tsc or monotonic) costs ours ns, the system's theirs ns.
func (m *machine) rateClock(source string, ours, theirs float64) Finding {
	f := Finding{Check: "clock", Severity: OK, Why: "the harness reads the clock two to four times for every record, and clients do too: where the kernel distrusts the processor's counter, each reading is a system call or slower"}
	f.Values = map[string]float64{"read_ns": ours, "system_read_ns": theirs}
	f.Measured = fmt.Sprintf("%s, %s a reading (the system's: %s)", source, times(ours), times(theirs))
	const dir = "sys/devices/system/clocksource/clocksource0/"
	current, available := m.line(dir+"current_clocksource"), strings.Fields(m.line(dir+"available_clocksource"))
	if current != "" && current != source {
		f.Measured += ", the kernel's source is " + current
	}
	if current == "tsc" && ours < dearClock {
		return f
	}
	switch worst := max(ours, theirs); {
	case worst >= slowClock:
		f.Severity = Bad
	case worst >= dearClock:
		f.Severity = Warning
	case current != "" && current != "tsc":
		f.Severity = Note
	default:
		return f
	}
	if slices.Contains(available, "tsc") {
		f.Do = []string{"echo tsc | sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource"}
	} else {
		f.Do = []string{"boot with tsc=reliable if the machine's counter is sound (dmesg | grep -i tsc says why it wasn't taken)"}
	}
	return f
}
