package workload

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a plan.
const (
	maxPartitions   = 100_000
	maxProducers    = 1024
	maxCardinality  = 4 << 20
	maxInFlight     = 4 << 20
	maxZipfS        = 20
	maxSigma        = 4
	maxCompressible = 0.95
	maxHeaders      = 1000
	maxTopicName    = 200 // Kafka's 249 less what a run adds to make the name unique
	longest         = 30 * 24 * time.Hour
)

// Validate checks every range and every rule between fields of a plan. The errors name the field's path in a profile.
func (p *Plan) Validate() error {
	return p.problems().orNil()
}

// planRules collects what is wrong with a plan.
type planRules struct {
	plan *Plan
	errs problems
}

// problems returns what is wrong with the plan, after settling the producer's settings.
func (p *Plan) problems() problems {
	r := &planRules{plan: p}
	r.topics()
	r.key()
	r.value()
	r.headers()
	r.load()
	r.arrivals()
	p.Producer.settle()
	for _, e := range p.Producer.clashes() {
		e.path = "producer." + e.path
		r.errs = append(r.errs, e)
	}
	if len(r.errs) == 0 {
		r.fits()
	}
	if len(r.errs) == 0 {
		r.supported()
	}
	if strings.Trim(p.Driver, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || p.Driver == "" {
		r.bad("driver", p.Driver, "the name of a driver, such as native or franz")
	}
	for _, o := range p.Objectives {
		if !slices.Contains(ObjectiveMetrics(), o.Metric) {
			r.bad("objectives", o.Metric, strings.Join(ObjectiveMetrics(), ", "))
		} else if o.Latency() && o.Max <= 0 {
			r.bad("objectives."+o.Metric, o.Max, "a duration above 0")
		}
	}
	return r.errs
}

// bad records a value out of its range.
func (r *planRules) bad(path string, value any, allowed string) {
	e := badValue(fmt.Sprint(value), allowed)
	e.path = path
	r.errs = append(r.errs, e)
}

// clash records a contradiction between fields.
func (r *planRules) clash(path, format string, args ...any) {
	r.errs = append(r.errs, &fieldError{path: path, msg: fmt.Sprintf(format, args...), clash: true})
}

// within checks a whole number.
func (r *planRules) within(path string, n, least, most int) {
	if n < least || n > most {
		r.bad(path, n, fmt.Sprintf("%d to %d", least, most))
	}
}

// real checks a number in (least, most], or [least, most] with closed; NaN is outside.
func (r *planRules) real(path string, f, least, most float64, closed bool) {
	if f > least && f <= most || closed && f == least {
		return
	}
	low := "above " + strconv.FormatFloat(least, 'g', -1, 64) + ", up to "
	if closed {
		low = strconv.FormatFloat(least, 'g', -1, 64) + " to "
	}
	r.bad(path, strconv.FormatFloat(f, 'g', -1, 64), low+strconv.FormatFloat(most, 'g', -1, 64))
}

// validTopicRune tells whether Kafka allows c in a topic's name.
func validTopicRune(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

func (r *planRules) topics() {
	if len(r.plan.Topics) == 0 {
		r.clash("topics", "there is none: at least one is needed")
	}
	seen := map[string]bool{}
	for i, t := range r.plan.Topics {
		path := fmt.Sprintf("topics.%d.", i)
		odd := strings.IndexFunc(t.Name, func(c rune) bool { return !validTopicRune(c) })
		if odd >= 0 || t.Name == "" || t.Name == "." || t.Name == ".." || len(t.Name) > maxTopicName {
			r.bad(path+"name", t.Name, fmt.Sprintf("1 to %d letters, digits, '.', '_' and '-'", maxTopicName))
		}
		if seen[t.Name] {
			r.clash(path+"name", "a second topic of the name %q", t.Name)
		}
		seen[t.Name] = true
		r.within(path+"partitions", int(t.Partitions), 1, maxPartitions)
		r.within(path+"replication.factor", int(t.ReplicationFactor), 1, math.MaxInt16)
		if least, err := strconv.Atoi(t.Config["min.insync.replicas"]); err == nil && least > int(t.ReplicationFactor) &&
			r.plan.Producer.Acks == -1 {
			r.clash(path+"config.min.insync.replicas", "%d is above the replication factor %d: no record with acks=all could be written",
				least, t.ReplicationFactor)
		}
	}
}

func (r *planRules) key() {
	k := r.plan.Records.Key
	const path = "records.key."
	if !slices.Contains(keyDistributions(), k.Distribution) {
		r.bad(path+"distribution", k.Distribution, strings.Join(keyDistributions(), ", "))
		return
	}
	if k.Distribution == KeyNone {
		return
	}
	r.within(path+"cardinality", k.Cardinality, 1, maxCardinality)
	digits := len(strconv.Itoa(max(k.Cardinality-1, 0)))
	if k.Size < digits || k.Size > maxArena/max(k.Cardinality, 1) {
		r.bad(path+"size", k.Size, fmt.Sprintf("%d to %d for %d different keys", digits, maxArena/max(k.Cardinality, 1), k.Cardinality))
	}
	switch k.Distribution {
	case KeyZipf:
		r.real(path+"s", k.S, 0, maxZipfS, false)
	case KeyHot:
		if k.HotKeys < 1 || k.HotKeys >= k.Cardinality {
			r.bad(path+"hot.keys", k.HotKeys, fmt.Sprintf("1 to less than the cardinality %d", k.Cardinality))
		}
		r.real(path+"hot.share", k.HotShare, 0, 1, true)
	}
}

func (r *planRules) value() {
	v := r.plan.Records.Value
	if v.File != "" {
		r.file("records.value.file", v.File)
		return
	}
	r.real("records.value.compressibility", v.Compressibility, 0, maxCompressible, true)
	const path = "records.value.size"
	s := v.Size
	switch s.Distribution {
	case SizeFixed:
		r.size(path, s.Bytes, 0)
	case SizeUniform:
		r.size(path+".uniform.min", s.Min, 0)
		r.size(path+".uniform.max", s.Max, s.Min)
	case SizeLognormal:
		r.size(path+".lognormal.median", s.Median, 1)
		r.real(path+".lognormal.sigma", s.Sigma, 0, maxSigma, false)
		if s.Median >= 1 && (s.Min < 0 || s.Min > s.Median) {
			r.bad(path+".lognormal.min", s.Min, fmt.Sprintf("0 to the median %d", s.Median))
		}
		r.size(path+".lognormal.max", s.Max, s.Median)
	case SizeWeighted:
		r.weights(path+".weighted", s.Weights)
	default:
		r.bad(path, s.Distribution, strings.Join(sizeDistributions(), ", "))
	}
}

// size checks a size against the least one; what is too large for the client is found by fits.
func (r *planRules) size(path string, n, least int) {
	if n < least || n > math.MaxInt32 {
		r.bad(path, n, fmt.Sprintf("%d to %d bytes", least, math.MaxInt32))
	}
}

func (r *planRules) weights(path string, weights []SizeWeight) {
	sum := 0.0
	for _, w := range weights {
		at := join(path, strconv.Itoa(w.Bytes))
		r.size(at, w.Bytes, 0)
		r.real(at, w.Weight, 0, 1e9, true)
		sum += w.Weight
	}
	if !(sum > 0) {
		r.bad(path, sum, "weights of which at least one is above 0")
	}
}

// file checks that there is a file with something in it.
func (r *planRules) file(path, name string) bool {
	info, err := os.Stat(name)
	odd := func(msg string) {
		r.bad(path, name, "")
		r.errs[len(r.errs)-1].msg = msg
	}
	switch {
	case err != nil && os.IsNotExist(err):
		odd("no such file:")
	case err != nil:
		r.clash(path, "can't be read: %v", err)
	case info.IsDir():
		odd("a folder, not a file:")
	case info.Mode().IsRegular() && info.Size() == 0:
		odd("the file is empty:")
	default:
		return true
	}
	return false
}

func (r *planRules) headers() {
	if n := len(r.plan.Records.Headers); n > maxHeaders {
		r.clash("records.headers", "%d are too many: allowed %d", n, maxHeaders)
	}
	for _, h := range r.plan.Records.Headers {
		if h.Random {
			r.size("records.headers."+h.Key+".random", h.Size, 1)
		}
	}
}

// LargestValue returns the size in bytes of the largest value that the distribution can give.
func (s SizeSpec) LargestValue() int {
	switch s.Distribution {
	case SizeUniform, SizeLognormal:
		return s.Max
	case SizeWeighted:
		largest := 0
		for _, w := range s.Weights {
			largest = max(largest, w.Bytes)
		}
		return largest
	}
	return s.Bytes
}

// Largest returns the size in bytes of the largest record that the spec can give, as Kafka's producer counts it against
// max.request.size and buffer.memory. Lines of a file count as empty.
func (r RecordSpec) Largest() int {
	var key, value []byte
	if r.Key.Distribution != KeyNone {
		key = make([]byte, max(r.Key.Size, 0))
	}
	if r.Value.File == "" {
		value = []byte{}
	}
	headers := make([]Header, len(r.Headers))
	for i, h := range r.Headers {
		headers[i] = Header{Key: h.Key, Value: []byte(h.Value)}
		if h.Random {
			headers[i].Value = make([]byte, max(h.Size, 0))
		}
	}
	n := RecordSizeUpperBound(key, value, headers)
	if r.Value.File == "" {
		largest := r.Value.Size.LargestValue()
		n += largest + varintSize(largest) - varintSize(0)
	}
	return n
}

// fits checks that the largest record can be sent at all (KafkaProducer.ensureValidRecordSize), and that records have
// bytes if the rate counts them. The lines of a file are checked when they are read.
func (r *planRules) fits() {
	producer := r.plan.Producer
	records, path := r.plan.sized()
	largest, what := records.Largest(), "the largest record"
	if path == "" {
		path = records.largestPart()
	} else {
		trace := r.plan.Load.Trace
		what = fmt.Sprintf("%s: the largest value of %d bytes", trace.largestLine(), trace.Data.largest)
	}
	for _, bound := range []struct {
		name  string
		bytes int64
	}{{"max.request.size", int64(producer.MaxRequestSize)}, {"buffer.memory", producer.BufferMemory}} {
		if int64(largest) > bound.bytes {
			r.clash(path, "%s takes %d bytes with key, headers and framing, which is more than %s=%d", what, largest, bound.name, bound.bytes)
			return
		}
	}
	for i, t := range r.plan.Topics {
		if most, err := strconv.Atoi(t.Config["max.message.bytes"]); err == nil && largest > most && records.Value.File == "" {
			r.clash(fmt.Sprintf("topics.%d.config.max.message.bytes", i), "%s takes %d bytes, which is more than %d", what, largest, most)
		}
	}
	if r.plan.Load.inBytes() && records.Value.File == "" && records.Value.Size.LargestValue() == 0 &&
		records.Key.Distribution == KeyNone && len(records.Headers) == 0 {
		path := "load.rate"
		if l := r.plan.Load; !l.Rate.Bytes {
			path = "load." + l.Arrivals
		}
		r.clash(path, "a rate in bytes needs records with bytes, but key, value and headers are empty")
	}
}

// largestPart is the path of what makes the largest record large.
func (r RecordSpec) largestPart() string {
	value, key := 0, 0
	if r.Value.File == "" {
		value = r.Value.Size.LargestValue()
	}
	if r.Key.Distribution != KeyNone {
		key = r.Key.Size
	}
	switch headers := r.Largest() - value - key; {
	case value >= key && value >= headers:
		return "records.value.size"
	case key >= headers:
		return "records.key.size"
	}
	return "records.headers"
}
