package wire

// AppendInitProducerID appends the body of an InitProducerId request (versions 0–4) of a producer without
// transactional.id that asks for a new producer id.
func AppendInitProducerID(dst []byte, version int16) []byte {
	flex := Flexible(KeyInitProducerID, version)
	dst = AppendNullString(dst, flex)
	dst = AppendInt32(dst, -1) // transaction_timeout_ms: not transactional
	if version >= 3 {
		dst = AppendInt64(dst, -1) // producer_id
		dst = AppendInt16(dst, -1) // producer_epoch
	}
	return AppendNoTags(dst, flex)
}

// InitProducerID is an InitProducerId response.
type InitProducerID struct {
	ThrottleMS int32
	Code       int16
	ProducerID int64
	Epoch      int16
}

// DecodeInitProducerID decodes an InitProducerId response (versions 0–4).
func DecodeInitProducerID(r *Reader) (InitProducerID, error) {
	out := InitProducerID{r.Int32(), r.Int16(), r.Int64(), r.Int16()}
	r.Tags()
	return out, r.err
}
