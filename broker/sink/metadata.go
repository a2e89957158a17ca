package sink

import (
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// clusterID is the same for every sink: there is nothing behind it.
const clusterID = "kbench-sink"

// metadata describes topics. Every topic asked for exists, also where the client doesn't ask for its creation: the sink
// takes anything.
func (c *conn) metadata(q kmsg.Request, r kmsg.Response) {
	req, resp := q.(*kmsg.MetadataRequest), r.(*kmsg.MetadataResponse)
	id := clusterID
	resp.ClusterID = &id
	resp.ControllerID = 0
	host := c.host()
	for node := range c.server.listeners {
		b := kmsg.NewMetadataResponseBroker()
		b.NodeID, b.Host, b.Port = int32(node), host, c.server.port(node)
		resp.Brokers = append(resp.Brokers, b)
	}
	if req.Topics == nil || req.Version == 0 && len(req.Topics) == 0 {
		for _, t := range c.server.topics.all() {
			resp.Topics = append(resp.Topics, c.describe(t))
		}
		return
	}
	for _, asked := range req.Topics {
		var t *topic
		missing := errUnknownTopicID
		if asked.Topic != nil {
			t, missing = c.server.topics.byName([]byte(*asked.Topic)), errInvalidTopic
		} else {
			t = c.server.topics.byID(asked.TopicID[:])
		}
		if t != nil {
			resp.Topics = append(resp.Topics, c.describe(t))
			continue
		}
		none := kmsg.NewMetadataResponseTopic()
		none.ErrorCode, none.Topic, none.TopicID = missing, asked.Topic, asked.TopicID
		if none.Topic == nil && req.Version < 12 {
			none.Topic = new(string) // before v12 the name can't be null
		}
		resp.Topics = append(resp.Topics, none)
	}
}

// host is the address that this client reached: it reaches the other brokers by the same.
func (c *conn) host() string {
	host, _, err := net.SplitHostPort(c.nc.LocalAddr().String())
	if err != nil {
		return "127.0.0.1"
	}
	return host
}

func (c *conn) describe(t *topic) kmsg.MetadataResponseTopic {
	mt := kmsg.NewMetadataResponseTopic()
	mt.Topic, mt.TopicID = &t.name, t.id
	for p := range int32(len(t.next)) {
		mp := kmsg.NewMetadataResponseTopicPartition()
		mp.Partition, mp.Leader, mp.LeaderEpoch = p, c.server.leader(p), 0
		mp.Replicas = c.server.replicas(t, p)
		mp.ISR = mp.Replicas
		mt.Partitions = append(mt.Partitions, mp)
	}
	return mt
}

func (c *conn) describeCluster(_ kmsg.Request, r kmsg.Response) {
	resp := r.(*kmsg.DescribeClusterResponse)
	resp.ClusterID = clusterID
	resp.ControllerID = 0
	host := c.host()
	for node := range c.server.listeners {
		b := kmsg.NewDescribeClusterResponseBroker()
		b.NodeID, b.Host, b.Port = int32(node), host, c.server.port(node)
		resp.Brokers = append(resp.Brokers, b)
	}
}
