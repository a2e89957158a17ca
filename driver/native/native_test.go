package native_test

import (
	"testing"

	"kbench/driver/drivertest"
	"kbench/driver/native"
)

func TestConformance(t *testing.T) { drivertest.Run(t, native.Driver()) }
