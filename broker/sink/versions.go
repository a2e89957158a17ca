package sink

import "github.com/twmb/franz-go/pkg/kmsg"

const apiVersionsKey = 18

func (c *conn) apiVersions(_ kmsg.Request, r kmsg.Response) {
	r.(*kmsg.ApiVersionsResponse).ApiKeys = versionList()
}

func versionList() []kmsg.ApiVersionsResponseApiKey {
	var list []kmsg.ApiVersionsResponseApiKey
	for _, a := range apis() {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = a.key, a.lowest, a.highest
		list = append(list, k)
	}
	return list
}

// refuseAPIVersions answers a version of ApiVersions that is too new in version 0, which every client reads: from the
// list in it the client learns which version to ask with (KIP-511).
func (c *conn) refuseAPIVersions(h header) error {
	c.frame.skip(c.frame.left)
	if c.frame.err != nil {
		return c.frame.err
	}
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.ErrorCode = errUnsupportedVersion
	resp.ApiKeys = versionList()
	c.out.begin(h.correlation, false)
	c.out.buf = resp.AppendTo(c.out.buf)
	c.out.end()
	return nil
}
