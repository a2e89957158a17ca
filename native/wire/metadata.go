package wire

// AppendMetadata appends the body of a Metadata request (versions 4–13) for the topics named.
func AppendMetadata(dst []byte, version int16, topics []string, autoCreate bool) []byte {
	flex := Flexible(KeyMetadata, version)
	dst = AppendArrayLen(dst, len(topics), flex)
	for _, t := range topics {
		if version >= 10 {
			dst = append(dst, make([]byte, 16)...) // topic_id: asked by name
		}
		dst = AppendString(dst, t, flex)
		dst = AppendNoTags(dst, flex)
	}
	dst = AppendBool(dst, autoCreate)
	if version >= 8 {
		if version <= 10 {
			dst = AppendBool(dst, false) // include_cluster_authorized_operations
		}
		dst = AppendBool(dst, false) // include_topic_authorized_operations
	}
	return AppendNoTags(dst, flex)
}

// Broker is one broker of a Metadata response.
type Broker struct {
	ID   int32
	Host string
	Port int32
	Rack string
}

// PartitionMeta is one partition of a Metadata response.
type PartitionMeta struct {
	Code        int16
	ID          int32
	Leader      int32 // −1: none
	LeaderEpoch int32 // −1: unknown
}

// TopicMeta is one topic of a Metadata response.
type TopicMeta struct {
	Code       int16
	Name       string
	TopicID    [16]byte // zero: unknown
	Partitions []PartitionMeta
}

// Metadata is a Metadata response.
type Metadata struct {
	Code       int16 // of the whole response, from version 13 on (KIP-1102)
	ThrottleMS int32
	Brokers    []Broker
	ClusterID  string
	Topics     []TopicMeta
}

// DecodeMetadata decodes a Metadata response (versions 4–13). The result doesn't alias the message.
func DecodeMetadata(r *Reader, version int16) (Metadata, error) {
	var m Metadata
	m.ThrottleMS = r.Int32()
	for n := r.ArrayLen(); n > 0 && r.err == nil; n-- {
		m.Brokers = append(m.Brokers, Broker{r.Int32(), string(r.String()), r.Int32(), string(r.String())})
		r.Tags()
	}
	m.ClusterID = string(r.String())
	r.Int32() // controller_id
	for n := r.ArrayLen(); n > 0 && r.err == nil; n-- {
		m.Topics = append(m.Topics, decodeTopicMeta(r, version))
	}
	if version >= 8 && version <= 10 {
		r.Int32() // cluster_authorized_operations
	}
	if version >= 13 {
		m.Code = r.Int16()
	}
	r.Tags()
	return m, r.err
}

// maxGap is how many partitions below the highest may be missing in a topic. Kafka numbers them from 0 without gaps; some
// that are just being made may not be told yet. Who keeps them in a table must not run out of memory over a number.
const maxGap = 1000

func decodeTopicMeta(r *Reader, version int16) TopicMeta {
	t := TopicMeta{Code: r.Int16(), Name: string(r.String())}
	if version >= 10 {
		copy(t.TopicID[:], r.Take(16))
	}
	r.Bool() // is_internal
	highest := int32(-1)
	for n := r.ArrayLen(); n > 0 && r.err == nil; n-- {
		p := PartitionMeta{Code: r.Int16(), ID: r.Int32(), Leader: r.Int32(), LeaderEpoch: -1}
		if version >= 7 {
			p.LeaderEpoch = r.Int32()
		}
		skipInt32s(r) // replica_nodes
		skipInt32s(r) // isr_nodes
		if version >= 5 {
			skipInt32s(r) // offline_replicas
		}
		r.Tags()
		highest = max(highest, p.ID)
		t.Partitions = append(t.Partitions, p)
	}
	if int(highest) >= len(t.Partitions)+maxGap {
		r.fail("a partition's number is far above the number of partitions")
	}
	if version >= 8 {
		r.Int32() // topic_authorized_operations
	}
	r.Tags()
	return t
}

func skipInt32s(r *Reader) { r.Take(4 * r.ArrayLen()) }
