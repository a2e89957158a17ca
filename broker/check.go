package broker

// Check refuses what Start would refuse before it starts anything: a mistake of the caller's, not a failure.
func (s Spec) Check() error {
	_, err := s.withDefaults()
	return err
}

// CheckCPUs refuses CPUs that this machine doesn't have.
func CheckCPUs(cpus []int) error { return checkCPUs(cpus) }
