package sink

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Kafka's error codes that the sink answers with.
const (
	errCorruptMessage           int16 = 2
	errUnknownTopicOrPartition  int16 = 3
	errNotLeader                int16 = 6
	errMessageTooLarge          int16 = 10
	errInvalidTopic             int16 = 17
	errInvalidRequiredAcks      int16 = 21
	errUnsupportedVersion       int16 = 35
	errTopicExists              int16 = 36
	errInvalidPartitions        int16 = 37
	errInvalidReplicationFactor int16 = 38
	errInvalidAssignment        int16 = 39
	errInvalidConfig            int16 = 40
	errInvalidRequest           int16 = 42
	errPolicyViolation          int16 = 44
	errInvalidRecord            int16 = 87
	errUnknownTopicID           int16 = 100
)

// codeError is a code with the name that Kafka gives it.
func codeError(code int16) error {
	if e := kerr.TypedErrorForCode(code); e != nil {
		return fmt.Errorf("%s (%d)", e.Message, code)
	}
	return fmt.Errorf("error %d", code)
}

// errVersion is a version that the sink has no encoding of an answer for, so that it can only close the connection.
func errVersion(h header, lowest, highest int16) error {
	return fmt.Errorf("unsupported version %d; allowed are %d to %d", h.version, lowest, highest)
}
