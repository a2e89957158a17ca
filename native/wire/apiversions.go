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

// Features are what a cluster finalized (KIP-584): its brokers agree on these levels.
type Features struct {
	Epoch              int64 // grows with each change; −1: the broker doesn't tell
	TransactionVersion int16 // transaction.version (KIP-890); 0: not finalized
}

// DecodeAPIVersions decodes an ApiVersions response (versions 0–3) and returns the broker's error code and its ranges.
func DecodeAPIVersions(r *Reader, version int16) (code int16, ranges []VersionRange, err error) {
	code, ranges, _, err = DecodeFeatures(r, version)
	return code, ranges, err
}

// DecodeFeatures is DecodeAPIVersions with what the cluster finalized.
func DecodeFeatures(r *Reader, version int16) (code int16, ranges []VersionRange, f Features, err error) {
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
	return code, ranges, decodeFeatures(r), r.err
}

// decodeFeatures reads the tagged fields that end the response.
func decodeFeatures(r *Reader) Features {
	f := Features{Epoch: -1}
	for n := r.TagCount(); n > 0 && r.err == nil; n-- {
		tag, field := r.Tag()
		switch tag {
		case 1: // FinalizedFeaturesEpoch
			f.Epoch = field.Int64()
		case 2: // FinalizedFeatures
			for m := field.ArrayLen(); m > 0 && field.err == nil; m-- {
				name, highest := field.String(), field.Int16()
				field.Int16() // MinVersionLevel
				field.Tags()
				if string(name) == "transaction.version" {
					f.TransactionVersion = highest
				}
			}
		}
		if field.err != nil {
			r.fail("its features are cut off")
		}
	}
	return f
}
