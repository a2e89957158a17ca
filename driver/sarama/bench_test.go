package sarama_test

import (
	"testing"

	"kbench/broker/sink"
	"kbench/driver/drivertest"
	"kbench/driver/sarama"
)

// BenchmarkAdapter is sarama through the adapter; nearly all of it is sarama.
func BenchmarkAdapter(b *testing.B) {
	s, err := sink.Listen("127.0.0.1:0", sink.Options{})
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	drivertest.Bench(b, sarama.Driver(), s.Addr().String(), "bench", map[string]string{
		"batch.size": "1000000", "max.request.size": "1048576", "linger.ms": "5"})
	if err := s.Close(); err != nil {
		b.Error(err)
	}
	<-served
}
