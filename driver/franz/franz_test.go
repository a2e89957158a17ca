package franz_test

import (
	"testing"

	"kbench/driver/drivertest"
	"kbench/driver/franz"
)

func TestConformance(t *testing.T) { drivertest.Run(t, franz.Driver()) }
