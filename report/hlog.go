package report

import (
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"kbench/metrics"
)

// WriteHlog writes the result's intervals as a histogram log, version 1.3 of HdrHistogram's interval log format, which
// Java's HistogramLogReader and HistogramLogProcessor (with -tag response) read. Values are nanoseconds; the column with
// the largest value is milliseconds, as is usual there. Every interval has one line for each distribution, tagged
// response, service, generator_lateness, backpressure, with warmup. in front where the records were due in the warm-up.
// Times are seconds from the start of the run, which is the base time.
func WriteHlog(w io.Writer, r *metrics.Result) error {
	log := hdrhistogram.NewHistogramLogWriter(w)
	if err := hlogHeader(w, log, r); err != nil {
		return err
	}
	for i := range r.Intervals {
		if err := hlogInterval(log, &r.Intervals[i]); err != nil {
			return fmt.Errorf("interval %d: %w", i, err)
		}
	}
	return nil
}

// hlogHeader writes the times itself: the library's own lines drop the fraction of the second.
func hlogHeader(w io.Writer, log *hdrhistogram.HistogramLogWriter, r *metrics.Result) error {
	start := r.Started.UTC()
	seconds := float64(start.UnixMilli()) / 1e3
	about := "kbench " + r.Kbench + ", profile " + r.Profile + ": values are nanoseconds; read one tag at a time, such as response"
	if err := log.OutputComment(oneLine(about)); err != nil {
		return err
	}
	if err := log.OutputLogFormatVersion(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "#[StartTime: %.3f (seconds since epoch), %s]\n#[BaseTime: %.3f (seconds since epoch)]\n",
		seconds, start.Format(time.RFC3339), seconds); err != nil {
		return err
	}
	return log.OutputLegend()
}

func hlogInterval(log *hdrhistogram.HistogramLogWriter, i *metrics.Interval) error {
	phase := ""
	if i.Warmup {
		phase = "warmup."
	}
	for _, part := range []struct {
		tag string
		of  *metrics.Histogram
	}{
		{"response", i.Response},
		{"service", i.Service},
		{"generator_lateness", i.Generator},
		{"backpressure", i.Pressure},
	} {
		h := part.of.HDR()
		h.SetTag(phase + part.tag)
		h.SetStartTimeMs(i.Start.Milliseconds())
		h.SetEndTimeMs(i.End.Milliseconds())
		if err := log.OutputIntervalHistogram(h); err != nil {
			return err
		}
	}
	return nil
}
