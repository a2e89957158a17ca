package wire

// TxnOffsetCommit is what a TxnOffsetCommit request says besides the offsets.
type TxnOffsetCommit struct {
	Txn
	Group string
	// Generation, Member and Instance are the consumer's (KIP-447); −1 and empty if it has none. Sent from version 3 on.
	Generation int32
	Member     string
	Instance   string
}

// TxnOffset is the offset of one partition.
type TxnOffset struct {
	TxnPartition
	Offset      int64
	LeaderEpoch int32 // −1: unknown
	Metadata    string
}

// AppendTxnOffsetCommit appends the body of a TxnOffsetCommit request (versions 0–5). Partitions of one topic stand together.
func AppendTxnOffsetCommit(dst []byte, version int16, c TxnOffsetCommit, offsets []TxnOffset) []byte {
	flex := Flexible(KeyTxnOffsetCommit, version)
	dst = AppendString(dst, c.TransactionalID, flex)
	dst = AppendString(dst, c.Group, flex)
	dst = AppendInt64(dst, c.ProducerID)
	dst = AppendInt16(dst, c.Epoch)
	if version >= 3 {
		dst = AppendInt32(dst, c.Generation)
		dst = AppendString(dst, c.Member, flex)
		if c.Instance == "" {
			dst = AppendNullString(dst, flex)
		} else {
			dst = AppendString(dst, c.Instance, flex)
		}
	}
	dst = appendByTopic(dst, offsets, flex, func(o *TxnOffset) string { return o.Topic }, func(dst []byte, o *TxnOffset) []byte {
		return o.append(dst, version, flex)
	})
	return AppendNoTags(dst, flex)
}

func (o *TxnOffset) append(dst []byte, version int16, flex bool) []byte {
	dst = AppendInt32(dst, o.Partition)
	dst = AppendInt64(dst, o.Offset)
	if version >= 2 {
		dst = AppendInt32(dst, o.LeaderEpoch)
	}
	dst = AppendString(dst, o.Metadata, flex)
	return AppendNoTags(dst, flex)
}
