//go:build !unix

package broker

import (
	"errors"
	"syscall"
)

// isRefused tells whether a connection was refused: Windows' WSAECONNREFUSED.
func isRefused(err error) bool { return errors.Is(err, syscall.Errno(10061)) }

// isReset tells whether the other side broke a connection off: Windows' WSAECONNRESET.
func isReset(err error) bool { return errors.Is(err, syscall.Errno(10054)) }
