package report

import (
	"io"
	"strconv"

	"kbench/metrics"
)

// WriteSeries writes the result's series as CSV, one row a second, with the names and units of result.json. The second
// in which the warm-up ended has two rows.
func WriteSeries(w io.Writer, r *metrics.Result) error {
	rows := [][]string{{"at_ns", "warmup", "acked", "failed", "bytes", "response_p50", "response_p99", "response_max",
		"service_p99", "lateness_p99"}}
	whole := func(n int64) string { return strconv.FormatInt(n, 10) }
	natural := func(n uint64) string { return strconv.FormatUint(n, 10) }
	for _, p := range r.Series {
		rows = append(rows, []string{whole(p.AtNS), strconv.FormatBool(p.Warmup), natural(p.Acked), natural(p.Failed),
			natural(p.Bytes), whole(p.ResponseP50), whole(p.ResponseP99), whole(p.ResponseMax), whole(p.ServiceP99), whole(p.LatenessP99)})
	}
	return encodeCSV(w, rows)
}
