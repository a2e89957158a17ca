//go:build !linux

package selftest

import "fmt"

// limitProcess needs Linux's control groups.
func limitProcess(int, float64) (undo func() error, err error) {
	return nothing, fmt.Errorf("%w: CPU quotas are Linux's", ErrUnable)
}
