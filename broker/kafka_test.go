package broker

import (
	"os"
	"testing"
)

// needKafka lets tests with real brokers run only where they are asked for: they take seconds, and Maven once.
func needKafka(t *testing.T) {
	t.Helper()
	if os.Getenv("KBENCH_TEST_KAFKA") != "1" {
		t.Skip("KBENCH_TEST_KAFKA=1 runs the tests with real Kafka")
	}
}

func TestKafkaOneNode(t *testing.T) {
	needKafka(t)
	for _, version := range []string{"4.3.1", "3.9"} {
		t.Run(version, func(t *testing.T) {
			target := start(t, Spec{Kind: KindKafka, Version: version})
			t.Logf("%+v", target.Nodes())
			checkTopicLife(t, target)
			c := connect(t, target)
			info, err := c.Info(testContext(t))
			t.Log(info, err)
		})
	}
}
