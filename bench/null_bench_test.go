package bench

import (
	"context"
	"fmt"
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
				res, err := Run(context.Background(), Options{Plan: plan, Driver: d, Topics: []string{"t"}, Payloads: payloads(b, plan)})
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

// BenchmarkPacing is how late the generator hands records over, by itself, at several rates.
func BenchmarkPacing(b *testing.B) {
	for _, arrivals := range []string{workload.ArrivalsConstant, workload.ArrivalsPoisson} {
		for _, rate := range []float64{1_000, 10_000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%.0f", arrivals, rate), func(b *testing.B) {
				b.ReportAllocs()
				plan := testPlan(b, func(p *workload.Plan) {
					p.Load.Arrivals, p.Load.Rate.PerSecond, p.Load.Duration = arrivals, rate, 2*time.Second
					p.Load.Warmup.Duration = 200 * time.Millisecond
				})
				for b.Loop() {
					res, err := Run(context.Background(), Options{Plan: plan, Driver: null.Driver(), Topics: []string{"t"}, Payloads: payloads(b, plan)})
					if err != nil {
						b.Fatal(err)
					}
					l := res.Latency.GeneratorLateness
					b.ReportMetric(float64(l.P50)/1e3, "p50-µs")
					b.ReportMetric(float64(l.P99)/1e3, "p99-µs")
					b.ReportMetric(float64(l.P999)/1e3, "p999-µs")
				}
			})
		}
	}
}
