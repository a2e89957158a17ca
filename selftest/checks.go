package selftest

// Checks is the self-test, in the order in which it runs: what needs no target first.
func Checks() []Check {
	return []Check{
		histogramCheck(),
		intervalsCheck(),
		warmupCheck(),
		costCheck(),
		pacingCheck(),
		sinkCheck(),
		injectedCheck(),
		queueCheck(),
		stallCheck(),
		faultsCheck(),
		checksumCheck(),
	}
}
