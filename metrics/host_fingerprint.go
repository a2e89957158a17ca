package metrics

import "runtime"

// Fingerprint describes this machine as it is now, with warnings about what endangers a measurement on it. What can't be
// found out stays empty or 0. Which CPUs generator and target are pinned to is for the caller to fill in.
func Fingerprint() Host {
	h := Host{
		OS:            runtime.GOOS,
		Arch:          runtime.GOARCH,
		CPUs:          runtime.NumCPU(), // those that this process may use: all, where the system can't say more
		GeneratorCPUs: []int{},
		TargetCPUs:    []int{},
		Go:            runtime.Version(),
		Clock:         "monotonic",
		Warnings:      []string{},
	}
	if counterUsable() {
		h.Clock = "tsc"
	}
	describeHost(&h)
	if h.CPUs == 1 {
		h.Warnings = append(h.Warnings, "the machine has one CPU: the generator, the client and whatever else runs here wait for each other")
	}
	return h
}
