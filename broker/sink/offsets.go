package sink

import "github.com/twmb/franz-go/pkg/kmsg"

// Time-stamps of ListOffsets with a meaning of their own; every other one asks for the first record from then on.
const (
	offsetLatest        = -1
	offsetEarliest      = -2
	offsetEarliestLocal = -4
)

// listOffsets knows two offsets: a partition starts at 0 and ends at the number of its records so far. What a time-stamp
// or a tier stands for isn't known: no such record (offset −1).
func (c *conn) listOffsets(q kmsg.Request, r kmsg.Response) {
	req, resp := q.(*kmsg.ListOffsetsRequest), r.(*kmsg.ListOffsetsResponse)
	for _, asked := range req.Topics {
		rt := kmsg.NewListOffsetsResponseTopic()
		rt.Topic = asked.Topic
		t := c.server.topics.byName([]byte(asked.Topic))
		for _, p := range asked.Partitions {
			rp := kmsg.NewListOffsetsResponseTopicPartition()
			rp.Partition, rp.Timestamp, rp.Offset, rp.LeaderEpoch = p.Partition, -1, -1, 0
			rp.ErrorCode = c.checkPartition(t, p.Partition)
			switch {
			case rp.ErrorCode != 0:
			case p.Timestamp == offsetLatest:
				rp.Offset = t.next[p.Partition].Load()
			case p.Timestamp == offsetEarliest, p.Timestamp == offsetEarliestLocal:
				rp.Offset = 0
			}
			if rp.Offset >= 0 && p.MaxNumOffsets > 0 {
				rp.OldStyleOffsets = []int64{rp.Offset}
			}
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
}

// fetch refuses: the sink keeps no records. An error that clients show beats records that never come.
func (c *conn) fetch(q kmsg.Request, r kmsg.Response) {
	req, resp := q.(*kmsg.FetchRequest), r.(*kmsg.FetchResponse)
	for _, asked := range req.Topics {
		rt := kmsg.NewFetchResponseTopic()
		rt.Topic, rt.TopicID = asked.Topic, asked.TopicID
		for _, p := range asked.Partitions {
			rp := kmsg.NewFetchResponseTopicPartition()
			rp.Partition, rp.ErrorCode = p.Partition, errPolicyViolation
			rp.HighWatermark, rp.LastStableOffset, rp.LogStartOffset = -1, -1, -1
			rt.Partitions = append(rt.Partitions, rp)
		}
		resp.Topics = append(resp.Topics, rt)
	}
}

// checkPartition says what is wrong with asking this broker for a partition of t; t nil: no topic has that name.
func (c *conn) checkPartition(t *topic, index int32) int16 {
	switch {
	case t == nil:
		return errInvalidTopic
	case index < 0 || int(index) >= len(t.next):
		return errUnknownTopicOrPartition
	case c.server.leader(index) != c.node:
		return errNotLeader
	}
	return 0
}
