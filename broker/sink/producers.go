package sink

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// initProducerID gives out ids for idempotent producers, and a new epoch to one that asks for its own (KIP-360).
// Transactions would need a coordinator: refused.
func (c *conn) initProducerID(q kmsg.Request, r kmsg.Response) {
	req, resp := q.(*kmsg.InitProducerIDRequest), r.(*kmsg.InitProducerIDResponse)
	switch {
	case req.TransactionalID != nil:
		resp.ErrorCode, resp.ProducerID, resp.ProducerEpoch = errUnsupportedVersion, -1, -1
	case req.ProducerID >= 0 && req.ProducerEpoch >= 0 && req.ProducerEpoch < math.MaxInt16-1 && req.Version >= 3:
		resp.ProducerID, resp.ProducerEpoch = req.ProducerID, req.ProducerEpoch+1
	default:
		resp.ProducerID, resp.ProducerEpoch = c.server.producers.Add(1), 0
	}
}

// findCoordinator names the first broker, whatever the key.
func (c *conn) findCoordinator(q kmsg.Request, r kmsg.Response) {
	req, resp := q.(*kmsg.FindCoordinatorRequest), r.(*kmsg.FindCoordinatorResponse)
	resp.NodeID, resp.Host, resp.Port = 0, c.host(), c.server.port(0)
	for _, key := range req.CoordinatorKeys {
		rc := kmsg.NewFindCoordinatorResponseCoordinator()
		rc.Key, rc.NodeID, rc.Host, rc.Port = key, 0, resp.Host, resp.Port
		resp.Coordinators = append(resp.Coordinators, rc)
	}
}
