//go:build !linux

package broker

import "errors"

// runPinned has nothing to do here.
func runPinned() error { return errors.ErrUnsupported }
