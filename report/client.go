package report

import (
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"

	"kbench/metrics"
)

// clientNotes say what the client told of itself: how full its batches and requests were, how long they were where, and what
// shouldn't have happened. Clients that don't tell have none.
func clientNotes(r *metrics.Result) []note {
	if r.Client == nil {
		return nil
	}
	var parts []string
	for _, part := range [][]string{clientSizes(r.Client), clientTimes(r), clientEvents(r.Client)} {
		if len(part) > 0 {
			parts = append(parts, strings.Join(part, ", "))
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []note{{"client", strings.Join(parts, "; ")}}
}

// clientSizes are the sizes of batches and requests.
func clientSizes(c *metrics.Client) []string {
	var parts []string
	d := &c.Distributions
	if f := d.BatchFill; f != nil {
		parts = append(parts, "batch fill p50 "+percent(float64(f.P50)/1000))
	}
	for _, mean := range []struct {
		of *metrics.Distribution
		is string
	}{{d.BatchRecords, "records/batch"}, {d.RequestBatches, "batches/request"}, {d.RequestRecords, "records/request"}} {
		if mean.of != nil {
			parts = append(parts, digits(mean.of.Mean)+" "+mean.is)
		}
	}
	return parts
}

// clientTimes are how long batches and requests were where, in the unit of the latencies.
func clientTimes(r *metrics.Result) []string {
	u, d := latencyUnit(r), r.Client.Distributions
	if r.Target.Kind == "sink" {
		d.Broker = nil // the sink works on several requests of a connection at once: it bounds nothing there
	}
	var parts []string
	for _, time := range []struct {
		of *metrics.Distribution
		is string
	}{{d.Linger, "linger"}, {d.Queue, "queue"}, {d.Write, "write"}, {d.Flight, "in flight"}, {d.Broker, "broker at most"}, {d.Delivery, "delivery"}} {
		if time.of != nil {
			parts = append(parts, fmt.Sprintf("%s %s/%s", time.is, u.show(float64(time.of.P50)), u.show(float64(time.of.P99))))
		}
	}
	if len(parts) > 0 {
		parts[0] = "p50/p99 in " + u.name + ": " + parts[0]
	}
	return parts
}

// clientEvents are what a client that runs well has none of. Retries and throttling stand with the totals.
func clientEvents(c *metrics.Client) []string {
	var parts []string
	event := func(n *int64, one, many string) {
		switch {
		case n == nil || *n == 0:
		case *n == 1:
			parts = append(parts, "1 "+one)
		default:
			parts = append(parts, known(*n)+" "+many)
		}
	}
	event(c.Counters.BufferWaits, "wait for buffer.memory", "waits for buffer.memory")
	if w := c.Counters.BufferWaitNS; len(parts) > 0 && w != nil {
		parts[0] += " (" + duration(float64(*w)) + " in all)"
	}
	event(c.Counters.BatchesSplit, "batch split", "batches split")
	event(c.Counters.BatchesExpired, "batch expired", "batches expired")
	event(c.Counters.Connections, "connection opened", "connections opened")
	return parts
}

// clientCells are all that a result can have about its client, empty where it wasn't told.
func clientCells(r *metrics.Result) []cell {
	looked := ""
	if r.Client != nil {
		looked = strconv.FormatInt(r.Client.DurationNS, 10)
	}
	c := clientOf(r)
	cells := []cell{{"client.duration_ns", looked}}
	eachOptional(&c.Counters, func(name string, n *int64) {
		value := ""
		if n != nil {
			value = strconv.FormatInt(*n, 10)
		}
		cells = append(cells, cell{"client.counters." + name, value})
	})
	eachOptional(&c.Distributions, func(name string, d *metrics.Distribution) {
		for _, f := range distributionFigures() {
			value := ""
			if d != nil {
				value = float(f.of(d))
			}
			cells = append(cells, cell{"client.distributions." + name + "." + f.name, value})
		}
	})
	return cells
}

// WriteClient writes the histograms behind the client's distributions as CSV, one row a bucket that holds something: low and
// high are both included. Names and units are those of result.json. What was read from a stored result has none.
func WriteClient(w io.Writer, r *metrics.Result) error {
	rows := [][]string{{"distribution", "low", "high", "count"}}
	eachOptional(&clientOf(r).Distributions, func(name string, d *metrics.Distribution) {
		if d == nil {
			return
		}
		for _, b := range d.Buckets {
			rows = append(rows, []string{name, strconv.FormatInt(b.Low, 10), strconv.FormatInt(b.High, 10), strconv.FormatInt(b.Count, 10)})
		}
	})
	return encodeCSV(w, rows)
}

// clientOf is what the client told, or nothing.
func clientOf(r *metrics.Result) *metrics.Client {
	if r.Client == nil {
		return new(metrics.Client)
	}
	return r.Client
}

// eachOptional calls f with the JSON name and value of each field of a struct whose fields are all *T.
func eachOptional[S, T any](s *S, f func(name string, v *T)) {
	v := reflect.ValueOf(s).Elem()
	for i := range v.NumField() {
		f(jsonName(v.Type().Field(i)), v.Field(i).Interface().(*T))
	}
}

// distributionFigure is a figure of a client's distribution.
type distributionFigure struct {
	name string // in JSON
	of   func(*metrics.Distribution) float64
}

func distributionFigures() []distributionFigure {
	return []distributionFigure{
		{"count", func(d *metrics.Distribution) float64 { return float64(d.Count) }},
		{"mean", func(d *metrics.Distribution) float64 { return d.Mean }},
		{"p50", func(d *metrics.Distribution) float64 { return float64(d.P50) }},
		{"p90", func(d *metrics.Distribution) float64 { return float64(d.P90) }},
		{"p99", func(d *metrics.Distribution) float64 { return float64(d.P99) }},
		{"p999", func(d *metrics.Distribution) float64 { return float64(d.P999) }},
		{"max", func(d *metrics.Distribution) float64 { return float64(d.Max) }},
	}
}

// clientFigures are what a sweep compares of its clients, in its files alone: its table is wide enough.
func clientFigures() []figure {
	var all []figure
	for _, x := range []struct {
		name string
		of   func(*metrics.ClientDistributions) *metrics.Distribution
	}{
		{"batch_fill_permille", func(d *metrics.ClientDistributions) *metrics.Distribution { return d.BatchFill }},
		{"linger_ns", func(d *metrics.ClientDistributions) *metrics.Distribution { return d.Linger }},
		{"queue_ns", func(d *metrics.ClientDistributions) *metrics.Distribution { return d.Queue }},
		{"flight_ns", func(d *metrics.ClientDistributions) *metrics.Distribution { return d.Flight }},
	} {
		all = append(all, figure{name: "client.distributions." + x.name + ".p50", of: func(r *metrics.Result) float64 {
			d := x.of(&clientOf(r).Distributions)
			if d == nil {
				return math.NaN()
			}
			return float64(d.P50)
		}})
	}
	return all
}
