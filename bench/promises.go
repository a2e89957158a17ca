package bench

import (
	"slices"

	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// brokenPromises are those differences between the asked and the effective configuration that the driver's table doesn't
// allow for: it says that it carries the value out, and the client says otherwise. What the table rules out differs too,
// but only where a default asked for it (anything else is refused before the run), and is known; it is in the result.
func (r *run) brokenPromises(res *metrics.Result) []metrics.Difference {
	var broken []metrics.Difference
	for _, d := range res.Driver.DiffersFromAsked {
		if (r.plan.Producer.Explicit(d.Setting) || promised(r.opts.Driver, r.plan.Producer, d.Setting)) && !r.raised(d) {
			broken = append(broken, d)
		}
	}
	return broken
}

// promised says whether a driver's table allows a configuration's value of a setting. driver.Check asks that of explicit
// settings: so it is made one, and the only one with a row.
func promised(d driver.Driver, config workload.ProducerConfig, setting string) bool {
	d.Capabilities = slices.DeleteFunc(slices.Clone(d.Capabilities), func(c driver.Capability) bool { return c.Setting != setting })
	return config.Set(setting, config.Get(setting)) == nil && driver.Check(d, &config) == nil
}

// raised says whether d is a batch.size that was raised because the run's largest record doesn't fit into the asked one:
// in Kafka's client such a record gets a batch of its own.
func (r *run) raised(d metrics.Difference) bool {
	return d.Setting == "batch.size" && r.payloads.MaxRecordBytes()+recordOverhead > r.plan.Producer.BatchSize
}

// recordOverhead is more than a batch with one record has besides the record's own bytes.
const recordOverhead = 256
