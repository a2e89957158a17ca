package selftest

import (
	"fmt"

	"kbench/broker"
	"kbench/metrics"
)

// Bounds beyond which a machine can't be blamed for nothing.
const (
	stealBound   = 0.005 // of the CPUs' time
	foreignBound = 0.02  // of the CPUs' time, taken by processes other than kbench and its sink
)

// watch notes what took the machine's time during a trial.
type watch struct {
	before    metrics.Pressure
	processes int64 // CPU time of all processes, ns
}

func startWatch() watch { return watch{metrics.ReadPressure(), processesCPU()} }

// trouble says what was in the way since the watch started, in one line with figures; "": nothing to speak of. others is
// the CPU time in ns of processes that belong to the trial.
func (w watch) trouble(others int64) string {
	h := metrics.ReadPressure().Since(w.before)
	if h.AllNS <= 0 {
		return ""
	}
	foreign := float64(processesCPU()-w.processes-h.CPUNS-others) / float64(h.AllNS)
	switch {
	case h.StealShare > stealBound:
		return fmt.Sprintf("the hypervisor took %.1f %% of the CPUs' time", 100*h.StealShare)
	case h.ThrottledNS > 0:
		return fmt.Sprintf("a control group's quota stopped this process for %s", nsText(float64(h.ThrottledNS)))
	case foreign > foreignBound:
		return fmt.Sprintf("other processes took %.0f %% of the CPUs' time", 100*foreign)
	}
	return ""
}

// blame adds to what a watch saw what the run itself says of its generator: a verdict of invalid because of the client.
func blame(trouble string, res *metrics.Result) string {
	if res.Verdict.Cause != metrics.CauseClient || len(res.Verdict.Reasons) == 0 {
		return trouble
	}
	if trouble == "" {
		return res.Verdict.Reasons[0]
	}
	return trouble + "; " + res.Verdict.Reasons[0]
}

// placement says which CPUs the generator and its target get; none for the target: the same as this process.
type placement struct{ all, generator, target []int }

// newPlacement shares out the CPUs that this process may use: all for both, or with own, where there are two, the last
// one for the target and the others for the generator.
func newPlacement(own bool) (placement, error) {
	all, err := usableCPUs()
	if err != nil {
		return placement{}, fmt.Errorf("%w: %w", ErrUnable, err)
	}
	p := placement{all: all, generator: all}
	if own && len(all) >= 2 {
		p.generator, p.target = all[:len(all)-1], all[len(all)-1:]
	}
	return p, nil
}

// enter binds this process to the generator's CPUs, after the target has been started: it would inherit them.
func (p placement) enter() error {
	if len(p.generator) == len(p.all) {
		return nil
	}
	if err := broker.PinSelf(p.generator); err != nil {
		return fmt.Errorf("%w: %w", ErrUnable, err)
	}
	return nil
}

// leave gives this process all its CPUs back.
func (p placement) leave() error {
	if len(p.generator) == len(p.all) {
		return nil
	}
	return broker.PinSelf(p.all)
}
