package wire

// API keys.
const (
	KeyProduce            = 0
	KeyMetadata           = 3
	KeyFindCoordinator    = 10
	KeySASLHandshake      = 17
	KeyAPIVersions        = 18
	KeyInitProducerID     = 22
	KeyAddPartitionsToTxn = 24
	KeyAddOffsetsToTxn    = 25
	KeyEndTxn             = 26
	KeyTxnOffsetCommit    = 28
	KeySASLAuthenticate   = 36
)

// flexibleFrom is the first flexible version of an API.
func flexibleFrom(key int16) int16 {
	switch key {
	case KeyProduce, KeyMetadata:
		return 9
	case KeyAPIVersions, KeyFindCoordinator, KeyAddPartitionsToTxn, KeyAddOffsetsToTxn, KeyEndTxn, KeyTxnOffsetCommit:
		return 3
	case KeyInitProducerID, KeySASLAuthenticate:
		return 2
	}
	return 1<<15 - 1
}

// Flexible says whether a version of an API is flexible (KIP-482).
func Flexible(key, version int16) bool { return version >= flexibleFrom(key) }

// AppendRequestHeader appends the header of a request without the frame's length: version 1, or 2 for flexible requests.
func AppendRequestHeader(dst []byte, key, version int16, correlation int32, clientID string) []byte {
	dst = AppendInt16(dst, key)
	dst = AppendInt16(dst, version)
	dst = AppendInt32(dst, correlation)
	dst = AppendString(dst, clientID, false) // not compact in either header version
	return AppendNoTags(dst, Flexible(key, version))
}

// ResponseBody takes the response header (the correlation id and, in flexible versions, tags) off a response.
// ApiVersions responses always have the old header, so that a client can read the refusal of its version.
func ResponseBody(frame []byte, key, version int16) (correlation int32, body Reader) {
	flex := Flexible(key, version)
	r := NewReader(frame, flex)
	correlation = r.Int32()
	if key != KeyAPIVersions {
		r.Tags()
	}
	return correlation, r
}
