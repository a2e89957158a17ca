package metrics

// Whether a run can be believed: the values of Verdict.State.
const (
	StateValid   = "valid"
	StateInvalid = "invalid"
)

// Why a run can't be believed: the values of Verdict.Cause.
const (
	CauseClient        = "client"        // the generator or its machine was the limit, not the target
	CauseUnsteady      = "unsteady"      // the load or the target never settled: the figures are those of no state
	CauseConfiguration = "configuration" // what was in force isn't what was asked for
	CauseTarget        = "target"        // the target died
	CauseAccounting    = "accounting"    // records don't add up: scheduled, acknowledged, and what the broker has
	CauseNothing       = "nothing"       // nothing was measured
)

// MaxStealShare of the machine's CPU time may go to other guests of its host in a valid run.
const MaxStealShare = 0.01

// Evidence is what a verdict rests on, taken over the measured part. Shares are 0–1. −1: this system, or this kind of
// load, can't say.
type Evidence struct {
	LateShare         float64 `json:"late_share"`           // records that the generator itself handed over more than 1 ms late
	LateStops         uint64  `json:"late_stops"`           // how often the generator was held up, to hand these over together
	ResponseP99OnTime int64   `json:"response_p99_on_time"` // response p99 without those records, ns
	AchievedShare     float64 `json:"achieved_share"`       // records acknowledged of those due, both within the measured time
	CPUShare          float64 `json:"cpu_share"`            // CPU time of this process, waiting for due times left out, of what its CPUs had
	MachineShare      float64 `json:"machine_share"`        // the same for all processes together
	RunQueueShare     float64 `json:"run_queue_share"`      // time that this process's threads were ready but waited for a CPU, of the time that they ran or waited
	StealShare        float64 `json:"steal_share"`          // time that the hypervisor took from the machine's CPUs
	ThrottledShare    float64 `json:"throttled_share"`      // time for which a control group's quota stopped this process
	GCPauseMaxNS      int64   `json:"gc_pause_max_ns"`      // longest stop of the Go runtime
	SchedulerP99NS    int64   `json:"scheduler_p99_ns"`     // 99 % of goroutines ran within this time of being ready
	InFlightMean      float64 `json:"in_flight_mean"`       // L: records handed over and not acknowledged, averaged over samples in time
	LittleRatio       float64 `json:"little_ratio"`         // L/(λ·W), λ: acknowledged records/s, W: mean service; 1 by Little's law
	ArrivalsP         float64 `json:"arrivals_p"`           // p-value of the Anderson–Darling test of the realised gaps against the model
	WarmupCut         int     `json:"warmup_cut"`           // seconds of the measured part that MSER-5 would cut as warm-up; −1: too few seconds to say
	RateSlope         float64 `json:"rate_slope"`           // fitted change of the throughput over the measured part, as a share of its mean; 0 where it isn't significant
	P99Slope          float64 `json:"p99_slope"`            // the same for the per-second p99 of the response
	Clipped           uint64  `json:"clipped"`              // latencies above the histograms' range
}
