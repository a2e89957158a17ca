package workload

import (
	"fmt"
	"math"
	"slices"
)

// sizer is a distribution of sizes, as a quantile function.
type sizer struct {
	spec SizeSpec
	// lognormal: the share of the untruncated distribution below Min, and between Min and Max.
	below, within float64
	// weighted: entry i has the shares cum[i]…cum[i+1].
	cum []float64
}

// newSizer checks the distribution.
func newSizer(spec SizeSpec) (sizer, error) {
	s := sizer{spec: spec}
	switch spec.Distribution {
	case SizeFixed:
		if spec.Bytes < 0 {
			return s, fmt.Errorf("%d bytes can't be had", spec.Bytes)
		}
	case SizeUniform:
		if spec.Min < 0 || spec.Max < spec.Min {
			return s, fmt.Errorf("min %d to max %d isn't a range of sizes", spec.Min, spec.Max)
		}
	case SizeLognormal:
		return s, s.truncate()
	case SizeWeighted:
		return s, s.accumulate()
	default:
		return s, fmt.Errorf("distribution %q isn't one of %s, %s, %s, %s", spec.Distribution,
			SizeFixed, SizeUniform, SizeLognormal, SizeWeighted)
	}
	return s, nil
}

// truncate prepares a lognormal distribution. "Drawn again when outside" is the distribution given that it is inside.
func (s *sizer) truncate() error {
	p := s.spec
	if p.Median < 1 || !(p.Sigma >= 0) || math.IsInf(p.Sigma, 0) {
		return fmt.Errorf("median %d and sigma %v make no lognormal distribution: median ≥ 1, sigma ≥ 0", p.Median, p.Sigma)
	}
	if p.Min < 0 || p.Max < 0 || p.Max > 0 && p.Max < p.Min {
		return fmt.Errorf("min %d to max %d isn't a range of sizes", p.Min, p.Max)
	}
	s.below = s.share(p.Min)
	s.within = 1 - s.below
	if p.Max > 0 {
		s.within = s.share(p.Max) - s.below
	}
	if s.within < 1e-6 {
		return fmt.Errorf("a lognormal distribution of median %d and sigma %v has hardly anything between min %d and max %d",
			p.Median, p.Sigma, p.Min, p.Max)
	}
	return nil
}

// share is the part of the untruncated lognormal distribution that is below size.
func (s *sizer) share(size int) float64 {
	if size <= 0 {
		return 0
	}
	z := math.Log(float64(size) / float64(s.spec.Median))
	if s.spec.Sigma == 0 { // all values are the median
		z = math.Copysign(math.Inf(1), z)
		return math.Erfc(-z) / 2
	}
	return math.Erfc(-z/(s.spec.Sigma*math.Sqrt2)) / 2
}

// accumulate prepares a weighted distribution.
func (s *sizer) accumulate() error {
	sum := 0.0
	for _, w := range s.spec.Weights {
		if w.Bytes < 0 || !(w.Weight >= 0) || math.IsInf(w.Weight, 0) {
			return fmt.Errorf("%d bytes with weight %v can't be had: both have to be 0 or more", w.Bytes, w.Weight)
		}
		sum += w.Weight
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return fmt.Errorf("%d weights of sum %v make no distribution", len(s.spec.Weights), sum)
	}
	s.cum = []float64{0}
	at := 0.0
	for _, w := range s.spec.Weights {
		at += w.Weight
		s.cum = append(s.cum, at/sum)
	}
	return nil
}

// quantile is the size that a share u of all values are at or below, 0 < u < 1.
func (s *sizer) quantile(u float64) int {
	p := s.spec
	switch p.Distribution {
	case SizeUniform:
		return p.Min + int(u*float64(p.Max-p.Min+1))
	case SizeLognormal:
		z := math.Sqrt2 * math.Erfinv(2*(s.below+u*s.within)-1)
		size := math.Round(float64(p.Median) * math.Exp(p.Sigma*z))
		if p.Max > 0 {
			size = math.Min(size, float64(p.Max))
		}
		return int(math.Max(math.Min(size, maxArena), float64(p.Min)))
	case SizeWeighted:
		i, _ := slices.BinarySearch(s.cum[1:], u)
		return p.Weights[min(i, len(p.Weights)-1)].Bytes
	}
	return p.Bytes
}

// list is n sizes that follow the distribution as closely as n sizes can: its quantiles at (i + ½)/n, in order.
// Note: not n random draws. With 251 values of 1 KiB and a few of 64 KiB, the mean of such draws is off by tens of
// percent, and with it the byte rate of the run; and another seed would be another workload.
//
// Sizes of a weighted distribution that are rarer than that get one value each, so they come somewhat too often.
func (s *sizer) list(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = s.quantile((float64(i) + 0.5) / float64(n))
	}
	if s.cum == nil {
		return out
	}
	common, share := 0, 0.0
	for i, w := range s.spec.Weights {
		if d := s.cum[i+1] - s.cum[i]; d > share {
			common, share = w.Bytes, d
		}
	}
	for i, w := range s.spec.Weights {
		if s.cum[i+1] == s.cum[i] || slices.Contains(out, w.Bytes) {
			continue
		}
		if at := slices.Index(out, common); at >= 0 {
			out[at] = w.Bytes
		}
	}
	return out
}

// mean is the mean size, near enough to make room.
func (s *sizer) mean() float64 {
	sum := 0.0
	const points = 1000
	for _, size := range s.list(points) {
		sum += float64(size)
	}
	return sum / points
}

// most is the largest size that list can give.
func (s *sizer) most() int {
	top := s.quantile(1 - 1e-9)
	for i, w := range s.spec.Weights {
		if s.cum != nil && s.cum[i+1] > s.cum[i] {
			top = max(top, w.Bytes)
		}
	}
	return top
}
