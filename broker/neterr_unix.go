//go:build unix

package broker

import (
	"errors"
	"syscall"
)

// isRefused tells whether a connection was refused.
func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }

// isReset tells whether the other side broke a connection off.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
