package stat

// minBeyond is the number of records that have to lie beyond a percentile before it is shown.
const minBeyond = 10

// Supported says whether count records can carry the q-quantile (0 ≤ q < 1) at all: at least 10 of them lie beyond it,
// count·(1−q) ≥ 10. That is a necessary minimum only: records of one stall are not independent, and an honest interval
// needs enough independent exceedances.
func Supported(count uint64, q float64) bool {
	if !(q >= 0 && q < 1) {
		return false
	}
	const rounding = 1e-9 // 100·(1−0.9) is 9.999999999999998 in binary
	return float64(count)*(1-q) >= minBeyond*(1-rounding)
}
