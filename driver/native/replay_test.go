package native_test

import (
	"testing"

	"kbench/driver/drivertest"
	"kbench/driver/native"
)

// TestReplayConformance leaves out what looks into keys and values: they aren't those that were handed over.
func TestReplayConformance(t *testing.T) {
	drivertest.Run(t, native.Replay(), drivertest.OtherContent())
}
