package workload

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// sizeUnits are the accepted units of a size; a number alone means bytes.
var sizeUnits = []string{"KiB", "MiB", "GiB", "TiB", "B", "kB", "MB", "GB", "TB"}

// maxSize bounds every size, in bytes.
const maxSize = 1 << 62

const sizeForms = "bytes such as 1024, 16KiB, 1MB (units B, kB, KiB, MB, MiB, GB, GiB, TB, TiB)"

// ParseSize reads a size in bytes: "16384", "16KiB" (1024-based), "1MB" (1000-based), "1.5 KiB". Fractions of a byte,
// negative numbers and sizes above 2^62 are refused.
func ParseSize(text string) (int64, error) {
	n, err := parseSize(text)
	if err != nil {
		return 0, err
	}
	return n, nil
}

func parseSize(text string) (int64, *fieldError) {
	text = strings.TrimSpace(text)
	amount, bad := parseBytes(text)
	switch {
	case bad != nil:
		return 0, bad
	case !amount.IsInt():
		return 0, &fieldError{msg: "not a whole number of bytes:", value: text, quote: true, allowed: sizeForms}
	case amount.Cmp(new(big.Rat).SetInt64(maxSize)) > 0:
		return 0, &fieldError{msg: "size above 2^62 bytes:", value: text, quote: true}
	}
	return amount.Num().Int64(), nil
}

// parseBytes reads a number with an optional unit, exactly; fractions of a byte pass.
func parseBytes(text string) (*big.Rat, *fieldError) {
	digits := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if digits < 0 {
		digits = len(text)
	}
	number, unit := text[:digits], strings.TrimSpace(text[digits:])
	bad := &fieldError{msg: "bad size", value: text, quote: true, allowed: sizeForms}
	amount, ok := new(big.Rat).SetString(number)
	if !ok || len(number) > 40 {
		return nil, bad
	}
	if unit == "" {
		return amount, nil
	}
	factor, ok := sizeFactor(unit)
	if !ok {
		if near := Nearest(unit, append([]string{unit[:1] + "iB"}, sizeUnits...)); slices.Contains(sizeUnits, near) {
			bad.near = number + near
		}
		return nil, bad
	}
	return amount.Mul(amount, factor), nil
}

// sizeFactor gives the bytes of one unit. Units without B (k, Ki, M) are left out: they mean 1000 to some, 1024 to others.
func sizeFactor(unit string) (*big.Rat, bool) {
	if !strings.HasSuffix(strings.ToLower(unit), "b") || len(unit) > 3 {
		return nil, false
	}
	n, err := humanize.ParseBytes("1" + unit)
	if err != nil || n > 1<<40 {
		return nil, false
	}
	return new(big.Rat).SetInt(new(big.Int).SetUint64(n)), true
}

// FormatSize writes a size the short way if it is a round number of binary units: 16KiB, else plain bytes.
func FormatSize(n int64) string {
	for i, unit := range []string{"TiB", "GiB", "MiB", "KiB"} {
		if f := int64(1) << (40 - 10*i); n >= f && n%f == 0 {
			return strconv.FormatInt(n/f, 10) + unit
		}
	}
	return strconv.FormatInt(n, 10)
}

const durationForms = "a duration such as 500ms, 30s, 5m, 1h30m"

// ParseDuration reads a duration with its unit: "500ms", "30s", "1h30m". A number without a unit is refused.
func ParseDuration(text string) (time.Duration, error) {
	d, err := parseDuration(text)
	if err != nil {
		return 0, err
	}
	return d, nil
}

func parseDuration(text string) (time.Duration, *fieldError) {
	text = strings.TrimSpace(text)
	bad := &fieldError{msg: "bad duration", value: text, quote: true, allowed: durationForms}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		if !strings.HasPrefix(text, "-") && strings.Trim(text, "0123456789.") == "" {
			bad.near = text + "s"
		}
		return 0, bad
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, bad
	}
	return d, nil
}

// Bounds of a rate. The lower one keeps due times within a Duration's 292 years.
const (
	minRate        = 1.0 / 3600
	maxRecordRate  = 1e9
	maxByteRate    = 1 << 40
	rateForms      = "records such as 5000/s, 0.5/s, 90/m, or bytes such as 20MiB/s, or max"
	rateMaxLiteral = "max"
	noRate         = "0/s" // where no load at all is allowed
)

// ParseRate reads a rate: "5000/s", "0.5/s", "5000" (per second), "300/m", "10/h", "20MiB/s", "100MB/s", or "max",
// which is the zero Rate: no limit. Zero, negative and infinite rates are refused.
func ParseRate(text string) (Rate, error) {
	r, err := parseRate(text)
	if err != nil {
		return Rate{}, err
	}
	return r, nil
}

func parseRate(text string) (Rate, *fieldError) {
	text = strings.TrimSpace(text)
	if text == rateMaxLiteral {
		return Rate{}, nil
	}
	bad := &fieldError{msg: "bad rate", value: text, quote: true, allowed: rateForms}
	amount, per, hasPer := strings.Cut(text, "/")
	amount, per = strings.TrimSpace(amount), strings.TrimSpace(per)
	seconds, ok := map[string]float64{"s": 1, "m": 60, "h": 3600}[per]
	if hasPer && !ok {
		bad.near = Nearest(text, []string{amount + "/s", amount + "/m", amount + "/h"})
		return Rate{}, bad
	}
	if !hasPer {
		seconds = 1
	}
	r := Rate{}
	if n, err := strconv.ParseFloat(amount, 64); err == nil && strings.Trim(amount, "0123456789.+-eE") == "" {
		r.PerSecond = n / seconds
	} else if n, err := parseBytes(amount); err == nil {
		if !hasPer {
			bad.near = amount + "/s"
			return Rate{}, bad
		}
		r.PerSecond, _ = n.Float64()
		r.PerSecond, r.Bytes = r.PerSecond/seconds, true
	} else {
		if err.near != "" && len(err.near) == len(amount)-1 { // KiBB, not 5k
			bad.near = err.near + "/" + per
		} else if Nearest(amount, []string{rateMaxLiteral}) != "" {
			bad.near = rateMaxLiteral
		}
		return Rate{}, bad
	}
	return r, r.check(bad)
}

// check returns bad, with the bounds, unless the rate is within them.
func (r Rate) check(bad *fieldError) *fieldError {
	top := float64(maxRecordRate)
	if r.Bytes {
		top = maxByteRate
	}
	if r.PerSecond >= minRate && r.PerSecond <= top && !math.IsNaN(r.PerSecond) {
		return nil
	}
	bad.msg, bad.allowed = "rate out of range", "1/h to 1000000000/s, or bytes up to 1TiB/s, or max"
	return bad
}

// String gives the rate as it is written in a profile: 5000/s, 1048576B/s, max.
func (r Rate) String() string {
	if r.PerSecond == 0 {
		return rateMaxLiteral
	}
	text := strconv.FormatFloat(r.PerSecond, 'f', -1, 64)
	if !r.Bytes {
		return text + "/s"
	}
	if whole := int64(r.PerSecond); float64(whole) == r.PerSecond {
		if text = FormatSize(whole); strings.HasSuffix(text, "B") {
			return text + "/s"
		}
	}
	return text + "B/s"
}
