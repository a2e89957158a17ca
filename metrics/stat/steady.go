package stat

import (
	"math"
	"slices"
)

// Watched is a per-second series of a run, with the change in it that would matter.
type Watched struct {
	Values    []float64
	Tolerance float64 // change over the measured part, as a share of its mean, that is too small to matter: 0.02 is 2 %
}

// Tolerances of a run's two series, on which runs and the simulations that vouch for their verdicts agree. A p99 of one
// second is a rough figure: a change of less than 15 % over a run isn't worth refusing it for; with a quarter, some
// drifts to the double would pass.
const (
	ThroughputTolerance = 0.05
	P99Tolerance        = 0.15
)

// Trend is what is left of a change in one series after the cut: a slope or a shift of level, whichever fits better.
type Trend struct {
	// Change is the fitted change from the start to the end of the measured part, as a share of its mean, or of its start
	// where logarithms fit better (latencies): 0.5 is 50 % more. NaN: a value isn't finite.
	Change float64
	P      float64 // p-value of there being none, both signs; 1 where there are too few values to say
	Moves  bool    // significant, and larger than the tolerance
}

// Steadiness says whether a run settled.
type Steadiness struct {
	Cut     int     // seconds to leave out at the start: the warm-up
	Settled bool    // no series moves after the cut
	Judged  bool    // there were at least 5 values to judge by; otherwise Settled is true for want of knowing better
	Trends  []Trend // of each series, in the order given
}

// What makes a change count: found by simulation (package simulate).
const (
	trendAlpha  = 0.002 // p-value below which a series moves …
	shortAlpha  = 5e-4  // … in fewer than 20 values, which can't show how they hang together …
	cutAlpha    = 0.03  // … and where something was cut before: what is left of a drift is smaller, but must not pass
	shortLess   = 20
	trendLeast  = 5    // values that a line needs
	shiftLeast  = 10   // values that a shift of level needs
	shiftMargin = 0.1  // share of the values that a level has to last for
	shiftPlaces = 5    // independent places that a shift is taken to have been chosen from (Bonferroni)
	restLeast   = 10   // values that have to remain after a later cut
	cutMost     = 0.42 // share of a run that may be cut: a shift in the second half must keep values before it
	mserLeast   = 30   // values from which on MSER-5's batches say something
)

// WarmupEnd says how many seconds to cut from the start of a run's series (of the same seconds: throughput, p99) and
// whether the run settled at all.
//
// The cut is the largest that MSER5 finds in any series; a run of less than 30 s isn't cut at first. What remains settled
// when no series moves: each is fitted by a straight line and by a shift of level at the best place, and the better fit
// has to be both significant and larger than the series' tolerance. Significance alone would refuse long runs for changes
// that nobody cares about, and size alone short ones for their noise. The noise's autocorrelation, without which a queue's
// wandering would pass for a trend, is taken from what the fit leaves. Where a series moves, later cuts are tried, up to
// 42 % of the run; after that it never settled.
//
// Periodic patterns (a saw-tooth of collections) are steady as long as the run has several periods. Below 10 values only
// a line is looked for, below 5 nothing. What it takes to be seen: at 60 values all of runs whose p99 doubles or whose
// throughput falls by 15 %, by drift or by a shift, among independent noise of 8 % and 1 %; at 20 nine in ten of them.
func WarmupEnd(series ...Watched) Steadiness {
	n, first := 0, 0
	for _, w := range series {
		n = max(n, len(w.Values))
		if len(w.Values) >= mserLeast {
			if d := MSER5(w.Values); float64(d) <= cutMost*float64(n) {
				first = max(first, d)
			}
		}
	}
	s := judgeFrom(first, series)
	for cut := first; !s.Settled; {
		if cut += max(1, n/20); float64(cut) > cutMost*float64(n) || n-cut < restLeast {
			break
		}
		if later := judgeFrom(cut, series); later.Settled {
			s = later
		}
	}
	if whole := judgeFrom(0, series); !s.Settled && !whole.Settled { // nothing is to be cut: say how the whole moves
		s = whole
	}
	s.Judged = n >= trendLeast
	return s
}

// judgeFrom judges what remains after a cut.
func judgeFrom(cut int, series []Watched) Steadiness {
	s := Steadiness{Cut: cut, Settled: true}
	for _, w := range series {
		alpha := trendAlpha
		switch {
		case cut > 0:
			alpha = cutAlpha
		case len(w.Values) < shortLess:
			alpha = shortAlpha
		}
		t := trend(w.Values[min(cut, len(w.Values)):])
		t.Moves = t.P < alpha && math.Abs(t.Change) > w.Tolerance || math.IsNaN(t.Change)
		s.Trends = append(s.Trends, t)
		s.Settled = s.Settled && !t.Moves
	}
	return s
}

// trend fits a line and a shift of level and tests the one that leaves less: on the values, which tells a large change
// from few of them, and on the normal scores of their ranks, to which a second that stands still is just one second. Of
// the two p-values the smaller counts, doubled.
func trend(values []float64) Trend {
	n := len(values)
	if n < trendLeast {
		return Trend{P: 1}
	}
	if m := mean(values); math.IsNaN(m) || math.IsInf(m, 0) {
		return Trend{Change: math.NaN(), P: 0}
	}
	y, logged := relative(values)
	t := Trend{P: 1}
	shape, places := bestShape(y)
	f := fitTo(y, shape)
	if t.Change = f.change; logged {
		t.Change = math.Expm1(f.change)
	}
	t.P = places * f.p(places)
	scores := normalScores(values)
	shape, places = bestShape(scores)
	t.P = math.Min(1, 2*math.Min(t.P, places*fitTo(scores, shape).p(places)))
	return t
}

// bestShape is the line or the shift of level that leaves less of y, from start to end by 1, and from how many places it
// was chosen.
func bestShape(y []float64) (shape []float64, places float64) {
	n := len(y)
	shape = make([]float64, n)
	for i := range shape {
		shape[i] = float64(i)/float64(n-1) - 0.5
	}
	at, left := bestShift(y)
	if at == 0 || left >= fitTo(y, shape).left {
		return shape, 1
	}
	for i := range shape {
		shape[i] = -float64(n-at) / float64(n) // sums to 0
		if i >= at {
			shape[i]++
		}
	}
	return shape, shiftPlaces
}

// normalScores are the quantiles of the standard normal distribution at rank/(n+1).
func normalScores(values []float64) []float64 {
	ranks, _ := doubledRanks(values)
	scores := make([]float64, len(ranks))
	for i, r := range ranks {
		scores[i] = NormalQuantile(float64(r) / 2 / float64(len(ranks)+1))
	}
	return scores
}

// bestShift is where a shift of level leaves the least Σ residual²: the values from at on lie on another level. 0 where
// there are too few values.
func bestShift(y []float64) (at int, left float64) {
	n := len(y)
	if n < shiftLeast {
		return 0, 0
	}
	centre, total, margin := mean(y), 0.0, max(3, int(shiftMargin*float64(n)))
	for _, v := range y {
		total += (v - centre) * (v - centre)
	}
	most, sum := -1.0, 0.0
	for i, v := range y[:n-margin] {
		sum += v - centre
		// Levels ±: Σ residual² falls by sum²·n/(a·(n−a)) with a values before the shift.
		a := i + 1
		if gain := sum * sum * float64(n) / float64(a) / float64(n-a); a >= margin && gain > most {
			most, at = gain, a
		}
	}
	return at, total - most
}

// relative is the series on the scale on which it is less skewed: logarithms, as latencies have, or shares of the mean,
// as throughput has, where a second that stands still would otherwise be −∞.
func relative(values []float64) (y []float64, logged bool) {
	shares := make([]float64, len(values))
	centre := mean(values)
	if centre == 0 {
		return shares, false
	}
	for i, v := range values {
		shares[i] = v / centre
	}
	if slices.Min(values) <= 0 {
		return shares, false
	}
	logs := make([]float64, len(values))
	for i, v := range values {
		logs[i] = math.Log(v)
	}
	if math.Abs(skewness(logs)) <= math.Abs(skewness(shares)) {
		return logs, true
	}
	return shares, false
}

func skewness(x []float64) float64 {
	centre, square, cube := mean(x), 0.0, 0.0
	for _, v := range x {
		d := v - centre
		square += d * d
		cube += d * d * d
	}
	if square == 0 {
		return 0
	}
	return cube / math.Pow(square, 1.5)
}

// fit is a series fitted by mean + change·shape by least squares.
type fit struct {
	change float64
	left   float64 // Σ residual²
	lag    float64 // first autocorrelation of the residuals
	shape2 float64 // Σ shape²
	n      float64
}

// fitTo fits y; shape sums to 0.
func fitTo(y, shape []float64) fit {
	centre, product := mean(y), 0.0
	f := fit{n: float64(len(y))}
	for i, s := range shape {
		product += (y[i] - centre) * s
		f.shape2 += s * s
	}
	f.change = product / f.shape2
	residuals := make([]float64, len(y))
	for i, s := range shape {
		residuals[i] = y[i] - centre - f.change*s
		f.left += residuals[i] * residuals[i]
	}
	f.lag = autocorrelation(residuals, 0, 1)
	return f
}

// p is the p-value of the change by Student's t: its variance is σ²·τ/Σ shape², where τ = (1+φ)/(1−φ) is how many
// values of the residuals count as one, and n/τ − 2 the degrees of freedom. φ is their lag-1 autocorrelation, corrected
// for the bias that fitting gives it, (2 + 4φ)/n, and half as much again where the shape's place was chosen.
func (f fit) p(places float64) float64 {
	bias := (2 + 4*f.lag) / f.n
	if places > 1 {
		bias *= 1.5
	}
	phi := math.Min(math.Max(0, f.lag+bias), 0.97)
	tau := (1 + phi) / (1 - phi)
	variance := f.left / (f.n - 2) * tau / f.shape2
	if variance <= 1e-24*f.change*f.change {
		if f.change == 0 {
			return 1
		}
		return 0
	}
	return studentTwoSided(f.change/math.Sqrt(variance), math.Max(1, f.n/tau-2))
}
