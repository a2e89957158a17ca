//go:build !linux

package broker

import "errors"

// errNoPinning is what asking for CPUs gets outside Linux.
var errNoPinning = errors.New("pinning to CPUs works on Linux only")

// PinSelf binds this process to CPUs: on Linux only.
func PinSelf([]int) error { return errNoPinning }

func setAffinity(int, []int) error { return nil }

func currentCPUs() ([]int, error) { return nil, nil }

func checkCPUs(cpus []int) error {
	if len(cpus) > 0 {
		return errNoPinning
	}
	return nil
}
