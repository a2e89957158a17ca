package workload

import (
	"math"
	"strconv"
	"strings"
)

// minBeyond is the number of records that have to lie beyond a percentile for a run to support it. With fewer, the
// percentile is one of the run's few largest values, and says more about chance than about the target.
const minBeyond = 10

// neededFor is the number of records that a metric's percentile needs, count·(1 − q) ≥ minBeyond; 0: it isn't one.
func neededFor(metric string) float64 {
	_, stat, _ := strings.Cut(metric, ".")
	digits, ok := strings.CutPrefix(stat, "p") // p999 is 0.999
	share, err := strconv.ParseFloat("0."+digits, 64)
	if !ok || err != nil {
		return 0
	}
	return math.Round(minBeyond / (1 - share))
}

// supported refuses a load of which nothing is measured, and a percentile for an objective which the scheduled number of
// records can't support: what no run of this plan could tell is said before it starts. What closed and max will reach isn't
// known.
func (r *planRules) supported() {
	l := r.plan.Load
	size, known := r.meanRecordBytes()
	due := l.due(size)
	if !l.Scheduled() || due == nil || !known && l.inBytes() {
		return
	}
	warm := due(l.Warmup.Duration)
	count := due(l.Warmup.Duration+l.Duration) - warm
	rate := count / l.Duration.Seconds()
	bounded := l.Records > 0 && float64(l.Records)-warm < count
	if bounded {
		count = max(0, float64(l.Records)-warm)
	}
	number := func(f float64) string { return strconv.FormatFloat(f, 'f', 0, 64) }
	whole := func(f float64) string { return number(math.Floor(f + 1e-6)) } // the sum of a curve's pieces is a hair off
	switch {
	case l.Records > 0 && float64(l.Records) <= warm-0.5:
		r.clash("load.records", "%d, and %s are due in the warm-up of %v: allowed from %s", l.Records, whole(warm), l.Warmup.Duration, whole(warm+1))
		return
	case l.Duration > 0 && count < 1-1e-6 && !bounded && l.Arrivals != ArrivalsTrace:
		r.clash("load.duration", "%v, in which no record is due at %s/s: allowed from %ss", l.Duration,
			strconv.FormatFloat(rate, 'g', 6, 64), strconv.FormatFloat(math.Ceil(1/rate*1000)/1000, 'f', -1, 64))
		return
	}
	for _, o := range r.plan.Objectives {
		needs := neededFor(o.Metric)
		if count >= needs*(1-1e-9) {
			continue
		}
		path := "objectives." + o.Metric
		switch {
		case bounded:
			r.clash(path, "needs at least %s records, load.records %d leaves %s after the warm-up: allowed from %s", number(needs), l.Records,
				whole(count), number(math.Ceil(needs+warm-1e-6)))
		case l.Arrivals == ArrivalsTrace && !l.Repeat:
			r.clash(path, "needs at least %s records, %s gives %s: allowed a longer trace, or load.repeat: true and a load.duration", number(needs),
				l.Trace.File, number(count))
		default:
			r.clash(path, "needs at least %s records, load.duration %v at %s/s gives %s: allowed from %ss", number(needs), l.Duration,
				strconv.FormatFloat(rate, 'g', 6, 64), whole(count), number(math.Ceil(needs/rate*(1-1e-9))))
		}
	}
}

// meanRecordBytes is the mean size of a record as far as it is known before payloads are made: not for a file's lines.
func (r *planRules) meanRecordBytes() (float64, bool) {
	records := r.plan.Records
	sizes, err := newSizer(records.Value.Size)
	if records.Value.File != "" || err != nil {
		return 0, false
	}
	rest := records
	rest.Value = ValueSpec{}
	rest.Value.Size.Distribution = SizeFixed
	return sizes.mean() + float64(rest.bytes()), true
}

// bytes is Record.Size of a record with a value of fixed size.
func (r RecordSpec) bytes() int {
	n := r.Value.Size.Bytes
	if r.Key.Distribution != KeyNone {
		n += r.Key.Size
	}
	for _, h := range r.Headers {
		n += len(h.Key) + len(h.Value)
		if h.Random {
			n += h.Size
		}
	}
	return n
}

// inBytes tells whether any rate of the load counts bytes.
func (l Load) inBytes() bool {
	for _, s := range l.Steps {
		if s.Rate.Bytes {
			return true
		}
	}
	return l.Rate.Bytes || l.Ramp.From.Bytes || l.Ramp.To.Bytes || l.Burst.Base.Bytes || l.Burst.Rate.Bytes
}
