package stat

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// NormalQuantile is the p-quantile of the standard normal distribution, 0 < p < 1.
func NormalQuantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }

// normalBelow is P(Z ≤ z) of the standard normal distribution, to full relative accuracy in both tails.
func normalBelow(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// StudentQuantile is the p-quantile, 0 < p < 1, of Student's t distribution with df > 0 degrees of freedom.
func StudentQuantile(p, df float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.Quantile(p)
}

// studentTwoSided is P(|T| ≥ |t|) of Student's t distribution with df degrees of freedom.
func studentTwoSided(t, df float64) float64 {
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: df}.CDF(-math.Abs(t))
}
