//go:build !amd64

package metrics

func counter() uint64 { return 0 }

func counterUsable() bool { return false }
