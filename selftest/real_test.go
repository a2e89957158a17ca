package selftest

import (
	"context"
	"os"
	"testing"

	"kbench/broker"
)

// TestMain lets this test binary stand in for the program that a sink is a child of.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "broker-child" {
		if err := broker.RunChild(context.Background(), os.Args[2:]); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
