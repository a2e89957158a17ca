package doctor

import (
	"slices"

	"kbench/metrics"
)

// SchemaVersion is the version of Report's JSON form. Names are added within a version, never removed or given another
// meaning.
const SchemaVersion = 1

// Report is everything that was found. Times are nanoseconds, sizes bytes.
type Report struct {
	SchemaVersion int             `json:"schema_version"`
	Kbench        string          `json:"kbench"` // version of this program; the caller's to fill in
	Fit           bool            `json:"fit"`    // nothing bad was found
	Interrupted   bool            `json:"interrupted"`
	Host          metrics.Host    `json:"host"`
	RecordBytes   int64           `json:"record_bytes"`
	RateAsked     float64         `json:"rate_asked"` // records/s; 0: none
	Vouched       Vouched         `json:"vouched"`
	Ceilings      []CeilingResult `json:"ceilings"`
	Pacing        []Pacing        `json:"pacing"`
	Findings      []Finding       `json:"findings"` // in the order of Checks
}

// Severity says how bad a finding is.
type Severity string

// Severities, the best first.
const (
	OK      Severity = "ok"
	Note    Severity = "note"    // to know, or unknown on this system
	Warning Severity = "warning" // figures suffer
	Bad     Severity = "bad"     // figures would be those of the generator or its machine
)

// Finding is the result of one check.
type Finding struct {
	Check    string             `json:"check"` // one of Checks
	Severity Severity           `json:"severity"`
	Measured string             `json:"measured"` // what was found, in words
	Values   map[string]float64 `json:"values"`   // the figures in it by stable names, which end in their unit; counts have none
	Why      string             `json:"why"`      // why it matters
	Do       []string           `json:"do"`       // what to do about it; commands stand alone
}

// Checks are the names of all checks, in the order of a report's findings.
func Checks() []string {
	return []string{"system", "cores", "siblings", "governor", "cpu-quota", "steal", "other-load", "clock", "naps", "pacing", "ceilings", "rate",
		"memory", "swapping", "huge-pages", "socket-buffers", "listen-backlog", "open-files", "ports", "disk", "java"}
}

// CeilingResult is the highest rate that a driver reached. Without Error it was measured.
type CeilingResult struct {
	Driver           string  `json:"driver"`
	Target           string  `json:"target"` // none or sink
	RecordsPerSecond float64 `json:"records_per_second"`
	BytesPerSecond   float64 `json:"bytes_per_second"`
	NSPerRecord      float64 `json:"ns_per_record"`     // elapsed
	CPUNSPerRecord   float64 `json:"cpu_ns_per_record"` // processor time of this process
	Error            string  `json:"error"`
}

// Pacing tells how late the generator hands records over by itself, with a driver that costs next to nothing.
type Pacing struct {
	RateAsked        float64 `json:"rate_asked"` // records/s, Poisson
	RecordsPerSecond float64 `json:"records_per_second"`
	Lateness
}

// Lateness is the distribution of the time between when records were due and when they were handed over, without what the
// client held them up.
type Lateness struct {
	P50NS  int64 `json:"p50_ns"`
	P99NS  int64 `json:"p99_ns"`
	P999NS int64 `json:"p999_ns"`
	MaxNS  int64 `json:"max_ns"`
}

// Vouched is the rate up to which the generator on this machine is not what a run measures.
type Vouched struct {
	RecordsPerSecond float64  `json:"records_per_second"` // 0: none
	BytesPerSecond   float64  `json:"bytes_per_second"`   // of values
	Ceiling          string   `json:"ceiling"`            // the driver with the lowest ceiling
	ShareOfCeiling   float64  `json:"share_of_ceiling"`   // at most MaxShare
	Lateness         Lateness `json:"lateness"`           // measured at this rate, with that driver
}

// add appends findings.
func (r *Report) add(f ...Finding) { r.Findings = append(r.Findings, f...) }

// finish puts the findings in order and sums them up.
func (r *Report) finish() {
	order := Checks()
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return slices.Index(order, a.Check) - slices.Index(order, b.Check) })
	r.Fit = r.Count(Bad) == 0 && !r.Interrupted
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Values == nil {
			f.Values = map[string]float64{}
		}
		if f.Do == nil {
			f.Do = []string{}
		}
	}
}

// Count is the number of findings of a severity.
func (r *Report) Count(s Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// worse raises a finding's severity to s, and never lowers it.
func (f *Finding) worse(s Severity) {
	order := []Severity{OK, Note, Warning, Bad}
	if slices.Index(order, s) > slices.Index(order, f.Severity) {
		f.Severity = s
	}
}

// unknown turns a finding into one about what can't be found out here.
func (f Finding) unknown() Finding {
	f.Severity, f.Measured = Note, "not known on this system"
	f.Values, f.Do = nil, nil
	return f
}
