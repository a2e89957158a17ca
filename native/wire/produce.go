package wire

// produceTopicIDs is the first version of Produce that names topics by their id (KIP-516).
const produceTopicIDs = 13

// produceLeaders is the first version of Produce whose response tells of leaders that moved (KIP-951).
const produceLeaders = 10

// ProduceTopic is a topic of a Produce request, which names it by ID from version 13 on and by Name before.
type ProduceTopic struct {
	Name string
	ID   [16]byte
}

// ProduceHead is what a Produce request says before its topics.
type ProduceHead struct {
	TransactionalID string // empty: none
	Acks            int16
	TimeoutMS       int32 // how long the broker may wait for replicas
	Topics          int
}

// AppendProduceHead appends the start of a Produce request's body (versions 3–13); h.Topics times AppendProduceTopic follow,
// then AppendNoTags.
func AppendProduceHead(dst []byte, version int16, h ProduceHead) []byte {
	flex := Flexible(KeyProduce, version)
	if h.TransactionalID == "" {
		dst = AppendNullString(dst, flex)
	} else {
		dst = AppendString(dst, h.TransactionalID, flex)
	}
	dst = AppendInt16(dst, h.Acks)
	dst = AppendInt32(dst, h.TimeoutMS)
	return AppendArrayLen(dst, h.Topics, flex)
}

// AppendProduceTopic appends the start of a topic; partitions times AppendProducePartition follow, then AppendNoTags.
func AppendProduceTopic(dst []byte, version int16, t ProduceTopic, partitions int) []byte {
	flex := Flexible(KeyProduce, version)
	if version >= produceTopicIDs {
		dst = append(dst, t.ID[:]...)
	} else {
		dst = AppendString(dst, t.Name, flex)
	}
	return AppendArrayLen(dst, partitions, flex)
}

// AppendProducePartition appends the start of a partition; size bytes of a record batch follow, then AppendNoTags.
func AppendProducePartition(dst []byte, version int16, partition int32, size int) []byte {
	dst = AppendInt32(dst, partition)
	return AppendBytesLen(dst, size, Flexible(KeyProduce, version))
}

// ProduceResponse is a Produce response, decoded into the slices of the one before.
type ProduceResponse struct {
	Results    []ProduceResult
	ThrottleMS int32
	// Endpoints are where to find the leaders that Results name (KIP-951); from version 10 on, and only if there are any.
	Endpoints []Broker
}

// ProduceResult is one partition of a Produce response. Topic and Message alias the response.
type ProduceResult struct {
	Topic       []byte   // nil from version 13 on
	TopicID     [16]byte // from version 13 on
	Partition   int32
	Code        int16
	BaseOffset  int64
	LogAppendMS int64         // −1 unless the topic's timestamps are LogAppendTime
	LogStart    int64         // −1: unknown
	Message     []byte        // what the broker says to Code, or nil
	Records     []RecordError // from version 8 on: the records that a batch was refused for (KIP-467)
	Leader      int32         // −1: not told (KIP-951)
	LeaderEpoch int32
}

// RecordError is what is wrong with one record of a batch. Message aliases the response.
type RecordError struct {
	Index   int32 // of the record in its batch
	Message []byte
}

// DecodeProduce decodes a Produce response (versions 3–13) into p, whose slices are used again.
func DecodeProduce(r *Reader, version int16, p *ProduceResponse) error {
	p.Results, p.Endpoints = p.Results[:0], p.Endpoints[:0]
	for n := r.ArrayLen(); n > 0 && r.err == nil; n-- {
		var topic []byte
		var id [16]byte
		if version >= produceTopicIDs {
			copy(id[:], r.Take(len(id)))
		} else {
			topic = r.String()
		}
		for m := r.ArrayLen(); m > 0 && r.err == nil; m-- {
			res := decodeProducePartition(r, version)
			res.Topic, res.TopicID = topic, id
			p.Results = append(p.Results, res)
		}
		r.Tags()
	}
	p.ThrottleMS = r.Int32()
	for n := r.TagCount(); n > 0 && r.err == nil; n-- {
		if tag, f := r.Tag(); tag == 0 && version >= produceLeaders {
			p.Endpoints = appendEndpoints(p.Endpoints, &f)
			if f.err != nil {
				r.fail("its node endpoints are cut off")
			}
		}
	}
	return r.err
}

// appendEndpoints decodes the tagged field NodeEndpoints.
func appendEndpoints(dst []Broker, r *Reader) []Broker {
	for n := r.ArrayLen(); n > 0 && r.err == nil; n-- {
		dst = append(dst, Broker{r.Int32(), string(r.String()), r.Int32(), string(r.String())})
		r.Tags()
	}
	return dst
}

func decodeProducePartition(r *Reader, version int16) ProduceResult {
	res := ProduceResult{
		Partition: r.Int32(), Code: r.Int16(), BaseOffset: r.Int64(), LogAppendMS: r.Int64(),
		LogStart: -1, Leader: -1, LeaderEpoch: -1,
	}
	if version >= 5 {
		res.LogStart = r.Int64()
	}
	if version >= 8 {
		for n := r.ArrayLen(); n > 0 && r.err == nil; n-- {
			res.Records = append(res.Records, RecordError{r.Int32(), r.String()})
			r.Tags()
		}
		res.Message = r.String()
	}
	for n := r.TagCount(); n > 0 && r.err == nil; n-- {
		if tag, f := r.Tag(); tag == 0 && version >= produceLeaders { // CurrentLeader
			leader, epoch := f.Int32(), f.Int32()
			if f.err != nil {
				r.fail("its current leader is cut off")
			} else {
				res.Leader, res.LeaderEpoch = leader, epoch
			}
		}
	}
	return res
}
