package selftest

// Checks is the self-test, in the order in which it runs.
func Checks() []Check {
	return []Check{
		histogramCheck(),
		injectedCheck(),
		queueCheck(),
		stallCheck(),
		pacingCheck(),
		faultsCheck(),
		checksumCheck(),
		costCheck(),
	}
}
