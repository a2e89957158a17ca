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
	topics := 0
	for i := range offsets {
		if i == 0 || offsets[i].Topic != offsets[i-1].Topic {
			topics++
		}
	}
	dst = AppendArrayLen(dst, topics, flex)
	for i := 0; i < len(offsets); {
		end := i + 1
		for end < len(offsets) && offsets[end].Topic == offsets[i].Topic {
			end++
		}
		dst = AppendString(dst, offsets[i].Topic, flex)
		dst = AppendArrayLen(dst, end-i, flex)
		for ; i < end; i++ {
			dst = offsets[i].append(dst, version, flex)
		}
		dst = AppendNoTags(dst, flex)
	}
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
