package bench

import (
	"context"
	"testing"
	"time"

	"kbench/driver"
	"kbench/driver/null"
	"kbench/workload"
)

// BenchmarkNull is the harness's own cost: whole runs into the driver that acknowledges at once.
func BenchmarkNull(b *testing.B) {
	for _, d := range []driver.Driver{null.Driver(), null.Single()} {
		b.Run(d.Name, func(b *testing.B) {
			b.ReportAllocs()
			plan := testPlan(b, func(p *workload.Plan) {
				p.Load = workload.Load{Arrivals: workload.ArrivalsMax, Producers: 1, Send: workload.SendAsync, Duration: time.Second,
					Warmup: workload.Warmup{Duration: 200 * time.Millisecond}}
			})
			var cpu, allocs, records float64
			for b.Loop() {
				res, err := Run(context.Background(), Options{Plan: plan, Driver: d, Topics: []string{"t"}})
				if err != nil {
					b.Fatal(err)
				}
				cpu += res.Runtime.CPUNSPerRecord
				allocs += res.Runtime.AllocsPerRecord
				records += res.Totals.RecordsPerSecond
			}
			n := float64(b.N)
			b.ReportMetric(cpu/n, "cpu-ns/record")
			b.ReportMetric(allocs/n, "allocs/record")
			b.ReportMetric(records/n, "records/s")
			b.ReportMetric(1e9/(records/n), "ns/record")
		})
	}
}
