package sarama_test

import (
	"testing"

	"kbench/driver/drivertest"
	"kbench/driver/sarama"
)

func TestConformance(t *testing.T) { drivertest.Run(t, sarama.Driver()) }
