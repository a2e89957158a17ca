//go:build !linux

package selftest

import (
	"context"
	"fmt"
)

// limitProcess needs Linux's control groups.
func limitProcess(context.Context, int, float64) error {
	return fmt.Errorf("%w: CPU quotas are Linux's", ErrUnable)
}
