//go:build !linux && !darwin

package metrics

// describeHost has nothing to add to what the Go runtime knows.
func describeHost(*Host) {}
