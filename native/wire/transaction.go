package wire

// Txn is what every request of a transaction begins with.
type Txn struct {
	TransactionalID string
	ProducerID      int64
	Epoch           int16
}

func (t *Txn) append(dst []byte, flex bool) []byte {
	dst = AppendString(dst, t.TransactionalID, flex)
	dst = AppendInt64(dst, t.ProducerID)
	return AppendInt16(dst, t.Epoch)
}

// TxnPartition is a partition of a transaction.
type TxnPartition struct {
	Topic     string
	Partition int32
}

// AppendAddPartitionsToTxn appends the body of an AddPartitionsToTxn request (versions 0–3; later ones are for brokers).
// Partitions of one topic stand together.
func AppendAddPartitionsToTxn(dst []byte, version int16, t Txn, parts []TxnPartition) []byte {
	flex := Flexible(KeyAddPartitionsToTxn, version)
	dst = t.append(dst, flex)
	dst = appendByTopic(dst, parts, flex, func(p *TxnPartition) string { return p.Topic }, func(dst []byte, p *TxnPartition) []byte {
		return AppendInt32(dst, p.Partition)
	})
	return AppendNoTags(dst, flex)
}

// appendByTopic appends an array of topics, each with its name and an array of its partitions, as each appends them.
// Partitions of one topic stand together.
func appendByTopic[P any](dst []byte, parts []P, flex bool, topic func(*P) string, each func([]byte, *P) []byte) []byte {
	topics := 0
	for i := range parts {
		if i == 0 || topic(&parts[i]) != topic(&parts[i-1]) {
			topics++
		}
	}
	dst = AppendArrayLen(dst, topics, flex)
	for i := 0; i < len(parts); {
		end := i + 1
		for end < len(parts) && topic(&parts[end]) == topic(&parts[i]) {
			end++
		}
		dst = AppendString(dst, topic(&parts[i]), flex)
		dst = AppendArrayLen(dst, end-i, flex)
		for ; i < end; i++ {
			dst = each(dst, &parts[i])
		}
		dst = AppendNoTags(dst, flex)
	}
	return dst
}

// TxnPartitionResult is the broker's answer for one partition. Topic aliases the response.
type TxnPartitionResult struct {
	Topic     []byte
	Partition int32
	Code      int16
}

// DecodeTxnPartitions decodes an AddPartitionsToTxn response (versions 0–3) or a TxnOffsetCommit response (versions 0–5): they
// have the same form.
func DecodeTxnPartitions(r *Reader) ([]TxnPartitionResult, error) {
	var out []TxnPartitionResult
	r.Int32() // throttle_time_ms
	for n := r.ArrayLen(); n > 0 && r.err == nil; n-- {
		topic := r.String()
		for m := r.ArrayLen(); m > 0 && r.err == nil; m-- {
			out = append(out, TxnPartitionResult{topic, r.Int32(), r.Int16()})
			r.Tags()
		}
		r.Tags()
	}
	r.Tags()
	return out, r.err
}

// AppendAddOffsetsToTxn appends the body of an AddOffsetsToTxn request (versions 0–4).
func AppendAddOffsetsToTxn(dst []byte, version int16, t Txn, group string) []byte {
	flex := Flexible(KeyAddOffsetsToTxn, version)
	dst = t.append(dst, flex)
	dst = AppendString(dst, group, flex)
	return AppendNoTags(dst, flex)
}

// DecodeAddOffsetsToTxn decodes an AddOffsetsToTxn response (versions 0–4): the broker's error code.
func DecodeAddOffsetsToTxn(r *Reader) (int16, error) {
	r.Int32() // throttle_time_ms
	code := r.Int16()
	r.Tags()
	return code, r.err
}

// AppendEndTxn appends the body of an EndTxn request (versions 0–5).
func AppendEndTxn(dst []byte, version int16, t Txn, commit bool) []byte {
	flex := Flexible(KeyEndTxn, version)
	dst = t.append(dst, flex)
	dst = AppendBool(dst, commit)
	return AppendNoTags(dst, flex)
}

// EndTxn is an EndTxn response.
type EndTxn struct {
	Code       int16
	ProducerID int64 // of the next transaction, from version 5 on (KIP-890); −1: the same
	Epoch      int16
}

// DecodeEndTxn decodes an EndTxn response (versions 0–5).
func DecodeEndTxn(r *Reader, version int16) (EndTxn, error) {
	r.Int32() // throttle_time_ms
	out := EndTxn{r.Int16(), -1, -1}
	if version >= 5 {
		out.ProducerID, out.Epoch = r.Int64(), r.Int16()
	}
	r.Tags()
	return out, r.err
}
