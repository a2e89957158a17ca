package wire

// InitProducer is what an InitProducerId request asks for.
type InitProducer struct {
	TransactionalID string // empty: none
	TimeoutMS       int32  // transaction.timeout.ms; −1 without TransactionalID
	ProducerID      int64  // the current one, whose epoch is to be bumped (KIP-360), from version 3 on; −1: none
	Epoch           int16
}

// AppendInitProducerID appends the body of an InitProducerId request (versions 0–5) of a producer without
// transactional.id that asks for a new producer id.
func AppendInitProducerID(dst []byte, version int16) []byte {
	return AppendInitProducer(dst, version, InitProducer{TimeoutMS: -1, ProducerID: -1, Epoch: -1})
}

// AppendInitProducer appends the body of an InitProducerId request (versions 0–5).
func AppendInitProducer(dst []byte, version int16, p InitProducer) []byte {
	flex := Flexible(KeyInitProducerID, version)
	if p.TransactionalID == "" {
		dst = AppendNullString(dst, flex)
	} else {
		dst = AppendString(dst, p.TransactionalID, flex)
	}
	dst = AppendInt32(dst, p.TimeoutMS)
	if version >= 3 {
		dst = AppendInt64(dst, p.ProducerID)
		dst = AppendInt16(dst, p.Epoch)
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

// DecodeInitProducerID decodes an InitProducerId response (versions 0–5).
func DecodeInitProducerID(r *Reader) (InitProducerID, error) {
	out := InitProducerID{r.Int32(), r.Int16(), r.Int64(), r.Int16()}
	r.Tags()
	return out, r.err
}
