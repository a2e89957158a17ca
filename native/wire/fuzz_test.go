package wire_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native/wire"
)

// FuzzDecode feeds every decoder: none may panic, read beyond the message, or make more of it than its bytes allow.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), uint8(8), metadataResponse(12).AppendTo(nil))
	f.Add(uint8(0), uint8(9), metadataResponse(13).AppendTo(nil)) // 4 + 9
	f.Add(uint8(0), uint8(1), metadataResponse(5).AppendTo(nil))
	hostile := metadataResponse(12)
	hostile.Topics[0].Partitions[0].Partition = 1<<31 - 1
	f.Add(uint8(0), uint8(8), hostile.AppendTo(nil))
	f.Add(uint8(1), uint8(7), movedResponse().AppendTo(nil)) // 3 + 7
	f.Add(uint8(2), uint8(3), []byte{0, 0, 2, 0, 0, 0, 3, 0, 12, 0, 0, 0, 0, 0, 0})
	f.Add(uint8(3), uint8(4), make([]byte, 17))
	f.Add(uint8(1), uint8(9), []byte{0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add(uint8(2), uint8(3), featuresResponse().AppendTo(nil))
	f.Add(uint8(4), uint8(0), findCoordinatorResponse(1).AppendTo(nil))
	f.Add(uint8(4), uint8(4), findCoordinatorResponse(5).AppendTo(nil))
	f.Add(uint8(5), uint8(3), []byte{0, 0, 0, 0, 2, 2, 'a', 2, 0, 0, 0, 1, 0, 3, 0, 0, 0})
	f.Add(uint8(6), uint8(3), make([]byte, 7))
	f.Add(uint8(7), uint8(5), make([]byte, 17))
	f.Fuzz(func(t *testing.T, kind, version uint8, b []byte) {
		b = b[:len(b):len(b)]
		switch v := int16(version); kind % 8 {
		case 0:
			v = 4 + v%10
			r := wire.NewReader(b, wire.Flexible(wire.KeyMetadata, v))
			m, err := wire.DecodeMetadata(&r, v)
			if err == nil && len(m.Brokers)+len(m.Topics) > len(b) {
				t.Errorf("%d brokers and %d topics from %d bytes", len(m.Brokers), len(m.Topics), len(b))
			}
			for _, topic := range m.Topics {
				for _, p := range topic.Partitions {
					if err == nil && int(p.ID) > 1000+len(b) {
						t.Errorf("partition %d from %d bytes", p.ID, len(b))
					}
				}
			}
		case 1:
			v = 3 + v%11
			r := wire.NewReader(b, wire.Flexible(wire.KeyProduce, v))
			var res wire.ProduceResponse
			err := wire.DecodeProduce(&r, v, &res)
			if err == nil && len(res.Results)+len(res.Endpoints) > len(b) {
				t.Errorf("%d results and %d endpoints from %d bytes", len(res.Results), len(res.Endpoints), len(b))
			}
		case 2:
			v %= 4
			r := wire.NewReader(b, wire.Flexible(wire.KeyAPIVersions, v))
			_, ranges, err := wire.DecodeAPIVersions(&r, v)
			if err == nil && len(ranges) > len(b) {
				t.Errorf("%d ranges from %d bytes", len(ranges), len(b))
			}
		case 3:
			r := wire.NewReader(b, wire.Flexible(wire.KeyInitProducerID, v%6))
			_, _ = wire.DecodeInitProducerID(&r)
		case 4:
			v = 1 + v%5
			r := wire.NewReader(b, wire.Flexible(wire.KeyFindCoordinator, v))
			c, err := wire.DecodeFindCoordinator(&r, v)
			if err == nil && len(c.Host)+len(c.Message) > len(b) {
				t.Errorf("%d bytes of text from %d bytes", len(c.Host)+len(c.Message), len(b))
			}
		case 5:
			r := wire.NewReader(b, wire.Flexible(wire.KeyTxnOffsetCommit, v%6))
			res, err := wire.DecodeTxnPartitions(&r)
			if err == nil && len(res) > len(b) {
				t.Errorf("%d partitions from %d bytes", len(res), len(b))
			}
		case 6:
			r := wire.NewReader(b, wire.Flexible(wire.KeyAddOffsetsToTxn, v%5))
			_, _ = wire.DecodeAddOffsetsToTxn(&r)
		case 7:
			v %= 6
			r := wire.NewReader(b, wire.Flexible(wire.KeyEndTxn, v))
			_, _ = wire.DecodeEndTxn(&r, v)
		}
	})
}

// movedResponse is a Produce response of version 10 about a partition that moved.
func movedResponse() *kmsg.ProduceResponse {
	pr := kmsg.NewPtrProduceResponse()
	pr.Version = 10
	rt := kmsg.NewProduceResponseTopic()
	rt.Topic = "t"
	rp := kmsg.NewProduceResponseTopicPartition()
	rp.CurrentLeader.LeaderID = 2
	rt.Partitions = append(rt.Partitions, rp)
	pr.Topics = append(pr.Topics, rt)
	endpoint := kmsg.NewProduceResponseBroker()
	endpoint.NodeID, endpoint.Host, endpoint.Port = 2, "h", 9092
	pr.Brokers = append(pr.Brokers, endpoint)
	return pr
}

// TestCutOff decodes every proper prefix of a message: all are refused.
func TestCutOff(t *testing.T) {
	for v := int16(4); v <= 13; v++ {
		b := metadataResponse(v).AppendTo(nil)
		for n := range b {
			r := wire.NewReader(b[:n], wire.Flexible(wire.KeyMetadata, v))
			if _, err := wire.DecodeMetadata(&r, v); err == nil {
				t.Errorf("v%d: the first %d of %d bytes pass", v, n, len(b))
			}
		}
	}
	b := movedResponse().AppendTo(nil)
	for n := range b {
		r := wire.NewReader(b[:n], true)
		if err := wire.DecodeProduce(&r, 10, &wire.ProduceResponse{}); err == nil {
			t.Errorf("produce: the first %d of %d bytes pass", n, len(b))
		}
	}
	const one = 1 + 4 + 2 + 4 + 1 + 1 // an array of one endpoint: its length, id, host, port, rack, tags
	b[len(b)-one]++                   // an endpoint more than there are bytes for
	r := wire.NewReader(b, true)
	if err := wire.DecodeProduce(&r, 10, &wire.ProduceResponse{}); err == nil {
		t.Error("produce: endpoints beyond their field pass")
	}
}
