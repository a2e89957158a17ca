package sink

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// maxControl bounds a request that isn't Produce: it is read as a whole. A CreateTopics of 10,000 topics is below 1 MB.
const maxControl = 4 << 20

// api is one kind of request that is listed in ApiVersions.
type api struct {
	key, lowest, highest int16
	answer               func(*conn, kmsg.Request, kmsg.Response) // nil: Produce, which has its own way
}

// apis lists what the sink answers. Fetch is there because librdkafka takes a broker that lists no Fetch v4 for one that
// doesn't know the record format of Produce v3; it is answered with an error.
func apis() []api {
	return []api{
		{produceKey, 0, maxProduce, nil},
		{1, 4, 17, (*conn).fetch},
		{2, 0, 10, (*conn).listOffsets},
		{3, 0, 13, (*conn).metadata},
		{10, 0, 6, (*conn).findCoordinator},
		{apiVersionsKey, 0, 4, (*conn).apiVersions},
		{19, 0, 7, (*conn).createTopics},
		{20, 0, 6, (*conn).deleteTopics},
		{22, 0, 5, (*conn).initProducerID},
		{32, 0, 4, (*conn).describeConfigs},
		{60, 0, 2, (*conn).describeCluster},
	}
}

// findAPI is the entry of apis for a key; ok false: there is none.
func findAPI(key int16) (a api, ok bool) {
	for _, a := range apis() {
		if a.key == key {
			return a, true
		}
	}
	return api{}, false
}

// keyName is the name that Kafka gives an API.
func keyName(key int16) string {
	if name := kmsg.NameForKey(key); name != "" && name != "Unknown" {
		return name
	}
	return fmt.Sprintf("API %d", key)
}

// control answers a request other than Produce. These are few, so they are decoded and encoded by kmsg.
func (c *conn) control(h header) error {
	a, ok := findAPI(h.key)
	if !ok {
		return fmt.Errorf("the sink doesn't answer this API")
	}
	if h.version < a.lowest || h.version > a.highest {
		if h.key == apiVersionsKey {
			return c.refuseAPIVersions(h)
		}
		return errVersion(h, a.lowest, a.highest)
	}
	req := kmsg.RequestForKey(h.key)
	req.SetVersion(h.version)
	f := &c.frame
	f.skipTags(req.IsFlexible()) // of the header
	body, err := c.body()
	if err != nil {
		return err
	}
	if req.IsFlexible() {
		if err := checkShape(h.key, h.version, body); err != nil {
			return err
		}
	}
	if err := req.ReadFrom(body); err != nil {
		return fmt.Errorf("malformed request: %w", err)
	}
	resp := req.ResponseKind()
	a.answer(c, req, resp)
	// The answer to ApiVersions has the old header in every version: its reader can't know the version yet (KIP-511).
	c.out.begin(h.correlation, resp.IsFlexible() && h.key != apiVersionsKey)
	c.out.buf = resp.AppendTo(c.out.buf)
	c.out.end()
	return nil
}

// body reads what is left of the request into memory of its own.
func (c *conn) body() ([]byte, error) {
	f := &c.frame
	if f.left > maxControl {
		return nil, fmt.Errorf("a request of %d bytes; allowed are %d", f.left, maxControl)
	}
	body := make([]byte, 0, min(f.left, inputBytes)) // grows with what arrives, not with what was announced
	for f.left > 0 && f.err == nil {
		body = append(body, f.take(min(f.left, inputBytes))...)
	}
	return body, f.err
}
