package wire

// AppendSASLHandshake appends the body of a SaslHandshake request (version 1).
func AppendSASLHandshake(dst []byte, mechanism string) []byte {
	return AppendString(dst, mechanism, false)
}

// DecodeSASLHandshake decodes a SaslHandshake response: the broker's error code and the mechanisms that it offers.
func DecodeSASLHandshake(r *Reader) (code int16, mechanisms []string, err error) {
	code = r.Int16()
	for n := r.ArrayLen(); n > 0 && r.err == nil; n-- {
		mechanisms = append(mechanisms, string(r.String()))
	}
	return code, mechanisms, r.err
}

// AppendSASLAuthenticate appends the body of a SaslAuthenticate request (versions 0–2); token is what the mechanism says.
func AppendSASLAuthenticate(dst []byte, version int16, token []byte) []byte {
	flex := Flexible(KeySASLAuthenticate, version)
	dst = AppendBytesLen(dst, len(token), flex)
	dst = append(dst, token...)
	return AppendNoTags(dst, flex)
}

// SASLAuthenticate is a SaslAuthenticate response.
type SASLAuthenticate struct {
	Code       int16  // Kafka's error code
	Message    string // what the broker says of it, or empty
	Token      []byte // what the mechanism says; it aliases the message
	LifetimeMS int64  // how long the session lasts (KIP-368); 0: for ever
}

// DecodeSASLAuthenticate decodes a SaslAuthenticate response (versions 0–2).
func DecodeSASLAuthenticate(r *Reader, version int16) (SASLAuthenticate, error) {
	a := SASLAuthenticate{Code: r.Int16(), Message: string(r.String()), Token: r.Take(r.ArrayLen())}
	if version >= 1 {
		a.LifetimeMS = r.Int64()
	}
	r.Tags()
	return a, r.err
}
