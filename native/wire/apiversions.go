package wire

// VersionRange is what a broker offers for one API.
type VersionRange struct {
	Key, Min, Max int16
}

// AppendAPIVersions appends the body of an ApiVersions request (versions 0–3).
func AppendAPIVersions(dst []byte, version int16, software, softwareVersion string) []byte {
	if version < 3 {
		return dst
	}
	dst = AppendString(dst, software, true)
	dst = AppendString(dst, softwareVersion, true)
	return AppendNoTags(dst, true)
}

// DecodeAPIVersions decodes an ApiVersions response (versions 0–3) and returns the broker's error code and its ranges.
func DecodeAPIVersions(r *Reader, version int16) (code int16, ranges []VersionRange, err error) {
	code = r.Int16()
	n := r.ArrayLen()
	if r.err == nil {
		ranges = make([]VersionRange, 0, min(n, 256))
	}
	for ; n > 0 && r.err == nil; n-- {
		ranges = append(ranges, VersionRange{r.Int16(), r.Int16(), r.Int16()})
		r.Tags()
	}
	if version >= 1 {
		r.Int32() // throttle_time_ms
	}
	r.Tags()
	return code, ranges, r.err
}
