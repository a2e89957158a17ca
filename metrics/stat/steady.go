package stat

// Watched is a per-second series of a run, with the change in it that would matter.
type Watched struct {
	Values    []float64
	Tolerance float64 // change over the measured part, as a share of its mean, that is too small to matter: 0.02 is 2 %
}

// Trend is what is left of a change in one series after the cut.
type Trend struct {
	Change float64 // fitted change over the measured part, as a share of its mean
	P      float64 // two-sided p-value of there being none
	Moves  bool    // significant, and larger than the tolerance
}

// Steadiness says whether a run settled.
type Steadiness struct {
	Cut     int     // seconds to leave out at the start: the warm-up
	Settled bool    // no series moves after the cut
	Judged  bool    // there were enough values to say; otherwise Settled is true for want of knowing better
	Trends  []Trend // of each series, in the order given
}

// WarmupEnd says how many seconds to cut from the start of a run's series (of the same seconds: throughput, p99) and
// whether the run settled at all.
func WarmupEnd(series ...Watched) Steadiness {
	s := Steadiness{Settled: true}
	for _, w := range series {
		if d := MSER5(w.Values); len(w.Values) >= 4*mserBatch {
			s.Judged = true
			if d < 0 {
				s.Settled = false
			}
			s.Cut = max(s.Cut, d)
		}
		s.Trends = append(s.Trends, Trend{P: 1})
	}
	return s
}
