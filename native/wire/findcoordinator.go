package wire

// What a coordinator coordinates (FindCoordinator's key type).
const (
	CoordinatorGroup       int8 = 0
	CoordinatorTransaction int8 = 1
)

// AppendFindCoordinator appends the body of a FindCoordinator request (versions 1–5) for one key of the type kind.
func AppendFindCoordinator(dst []byte, version int16, kind int8, key string) []byte {
	flex := Flexible(KeyFindCoordinator, version)
	if version < 4 {
		dst = AppendString(dst, key, flex)
	}
	dst = AppendInt8(dst, kind)
	if version >= 4 { // several keys in one request (KIP-699)
		dst = AppendArrayLen(dst, 1, flex)
		dst = AppendString(dst, key, flex)
	}
	return AppendNoTags(dst, flex)
}

// Coordinator is the answer of a FindCoordinator response to its one key.
type Coordinator struct {
	Code    int16
	Message string // what the broker says to Code, or empty
	ID      int32
	Host    string
	Port    int32
}

// DecodeFindCoordinator decodes a FindCoordinator response (versions 1–5) to a request with one key; an answer with none or
// several is malformed. The result doesn't alias the message.
func DecodeFindCoordinator(r *Reader, version int16) (Coordinator, error) {
	var c Coordinator
	r.Int32() // throttle_time_ms
	if version < 4 {
		c.Code, c.Message = r.Int16(), string(r.String())
		c.ID, c.Host, c.Port = r.Int32(), string(r.String()), r.Int32()
	} else {
		if n := r.ArrayLen(); n != 1 {
			r.fail("not one coordinator for one key")
		}
		r.String() // key
		c.ID, c.Host, c.Port = r.Int32(), string(r.String()), r.Int32()
		c.Code, c.Message = r.Int16(), string(r.String())
		r.Tags()
	}
	r.Tags()
	return c, r.err
}
