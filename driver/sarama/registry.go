package sarama

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/rcrowley/go-metrics"
)

// registry takes the place of sarama's metrics. It keeps only the throttle time: bytes and batches are counted on the
// wire, and go-metrics' own meters leave a goroutine behind.
type registry struct {
	throttle atomic.Int64 // ns
}

// throttleMetric is the name of sarama's histogram of throttle_time_ms; others end in -for-broker-N and repeat it.
const throttleMetric = "throttle-time-in-ms"

// GetOrRegister implements metrics.Registry: what it returns depends on the constructor's type, as sarama expects.
func (r *registry) GetOrRegister(name string, constructor any) any {
	switch constructor.(type) {
	case func() metrics.Histogram:
		if strings.HasPrefix(name, throttleMetric) {
			return throttleHistogram{r: r}
		}
		return metrics.NilHistogram{}
	case func() metrics.Meter:
		return metrics.NilMeter{}
	case func() metrics.Counter:
		return metrics.NilCounter{}
	}
	return constructor
}

type throttleHistogram struct {
	metrics.NilHistogram
	r *registry
}

// Update implements metrics.Histogram.
func (h throttleHistogram) Update(ms int64) { h.r.throttle.Add(ms * int64(time.Millisecond)) }

// Each implements metrics.Registry.
func (*registry) Each(func(string, any)) {}

// Get implements metrics.Registry.
func (*registry) Get(string) any { return nil }

// GetAll implements metrics.Registry.
func (*registry) GetAll() map[string]map[string]any { return nil }

// Register implements metrics.Registry.
func (*registry) Register(string, any) error { return nil }

// RunHealthchecks implements metrics.Registry.
func (*registry) RunHealthchecks() {}

// Unregister implements metrics.Registry.
func (*registry) Unregister(string) {}

// UnregisterAll implements metrics.Registry.
func (*registry) UnregisterAll() {}

var _ metrics.Registry = (*registry)(nil)
