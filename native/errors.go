package native

import (
	"errors"
	"fmt"

	"kbench/native/auth"
)

// Errors that a record can end with, besides an Error from the broker. Test with errors.Is.
var (
	// ErrRecordTooLarge: above max.request.size or buffer.memory. It wasn't sent.
	ErrRecordTooLarge   = errors.New("record too large")
	ErrBufferExhausted  = errors.New("no room in buffer.memory within max.block.ms")
	ErrDeliveryTimeout  = errors.New("not acknowledged within delivery.timeout.ms")
	ErrUnknownTopic     = errors.New("unknown topic")
	ErrUnknownPartition = errors.New("no such partition")
	ErrClosed           = errors.New("the producer was closed")
	// ErrMessageTooLarge: above the topic's max.message.bytes, by itself. Java has one exception for both.
	ErrMessageTooLarge error = &Error{Code: codeMessageTooLarge, Name: "MESSAGE_TOO_LARGE"}
	// ErrInvalidTopic: the topic's name isn't allowed, or it is a topic of Kafka's own.
	ErrInvalidTopic error = &Error{Code: codeInvalidTopic, Name: "INVALID_TOPIC_EXCEPTION"}
)

// ErrArgument: a field of a Record, an Offset or a GroupMetadata has a value that nothing can be made of; the text names it.
// A record ends with it, a call returns it; nothing else has changed, but that a transaction can't be committed without the
// record. Java's IllegalArgumentException.
var ErrArgument = errors.New("not acceptable")

// Errors of New, which says in its text what was seen.
var (
	// ErrConfig: a setting is missing, out of its range, or contradicts another; the text names each. Nothing was connected to.
	// Functions that parse settings return it, too. Java's ConfigException.
	ErrConfig   = errors.New("bad configuration")
	ErrNoBroker = errors.New("no broker reachable")
	ErrNotKafka = auth.ErrNotKafka
	// ErrUnsupported: the broker is too old, or too new, for what is asked of it.
	ErrUnsupported = errors.New("not supported by the broker")
)

// Error is an error code that a broker answered with, or that the client gives to a lost request
// (NETWORK_EXCEPTION, REQUEST_TIMED_OUT) as Java's does.
type Error struct {
	// Code is Kafka's error code.
	Code int16
	// Name is its name, such as NOT_LEADER_OR_FOLLOWER.
	Name string
	// Message is what the broker said, or empty.
	Message string
}

// Error is the name, the code and the broker's message, if that says more.
func (e *Error) Error() string {
	if e.Message != "" && e.Message != e.Name {
		return fmt.Sprintf("%s (%d): %s", e.Name, e.Code, e.Message)
	}
	return fmt.Sprintf("%s (%d)", e.Name, e.Code)
}

// Is makes errors of the same code equal, whatever the message.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// configError is what is wrong with settings, as its own text says: an ErrConfig.
type configError struct{ error }

// Is makes it an ErrConfig.
func (configError) Is(target error) bool { return target == ErrConfig }

// Unwrap gives what is wrong.
func (e configError) Unwrap() error { return e.error }

// badSetting makes a configError.
func badSetting(format string, args ...any) error { return configError{fmt.Errorf(format, args...)} }

// outcome is what an error code means to the batch that got it.
type outcome uint8

const (
	acked        outcome = iota
	retry                // within retries and delivery.timeout.ms
	retryRefresh         // the same, after asking for metadata
	tooLarge             // split, or fail a single record
	lostSequence         // OUT_OF_ORDER_SEQUENCE_NUMBER, UNKNOWN_PRODUCER_ID
	failBatch            // fail the batch; idempotent: bump the epoch
	fatal                // fail everything
)

// Codes that the client itself uses.
const (
	codeNone            = 0
	codeUnknownTopic    = 3
	codeNoLeader        = 5
	codeRequestTimedOut = 7
	codeMessageTooLarge = 10
	codeNetwork         = 13
	codeInvalidTopic    = 17
	codeTopicAuth       = 29
	codeUnsupported     = 35
	codeOutOfOrder      = 45
	codeInvalidTxnState = 48
	codeInvalidMapping  = 49
	codeUnknownProducer = 59
	codeRebootstrap     = 129
	codeUnknownServer   = -1
)

type codeInfo struct {
	name    string
	outcome outcome
}

// lookup says what a code of a Produce response is called and means. Source: Kafka's Errors and Sender.completeBatch.
func lookup(code int16) codeInfo {
	if info, ok := codes[code]; ok {
		return info
	}
	return codeInfo{"UNKNOWN_ERROR_CODE", failBatch}
}

// codes is read-only.
var codes = map[int16]codeInfo{
	0:   {"NONE", acked},
	46:  {"DUPLICATE_SEQUENCE_NUMBER", acked}, // it is there already, the offset unknown
	3:   {"UNKNOWN_TOPIC_OR_PARTITION", retryRefresh},
	5:   {"LEADER_NOT_AVAILABLE", retryRefresh},
	6:   {"NOT_LEADER_OR_FOLLOWER", retryRefresh},
	9:   {"REPLICA_NOT_AVAILABLE", retryRefresh},
	13:  {"NETWORK_EXCEPTION", retryRefresh},
	56:  {"KAFKA_STORAGE_ERROR", retryRefresh},
	72:  {"LISTENER_NOT_FOUND", retryRefresh},
	74:  {"FENCED_LEADER_EPOCH", retryRefresh},
	80:  {"PREFERRED_LEADER_NOT_AVAILABLE", retryRefresh},
	83:  {"ELIGIBLE_LEADERS_NOT_AVAILABLE", retryRefresh},
	84:  {"ELECTION_NOT_NEEDED", retryRefresh},
	100: {"UNKNOWN_TOPIC_ID", retryRefresh},
	103: {"INCONSISTENT_TOPIC_ID", retryRefresh},
	2:   {"CORRUPT_MESSAGE", retry},
	7:   {"REQUEST_TIMED_OUT", retry},
	14:  {"COORDINATOR_LOAD_IN_PROGRESS", retry},
	15:  {"COORDINATOR_NOT_AVAILABLE", retry},
	16:  {"NOT_COORDINATOR", retry},
	19:  {"NOT_ENOUGH_REPLICAS", retry},
	20:  {"NOT_ENOUGH_REPLICAS_AFTER_APPEND", retry},
	41:  {"NOT_CONTROLLER", retry},
	51:  {"CONCURRENT_TRANSACTIONS", retry},
	70:  {"FETCH_SESSION_ID_NOT_FOUND", retry},
	71:  {"INVALID_FETCH_SESSION_EPOCH", retry},
	75:  {"UNKNOWN_LEADER_EPOCH", retry},
	78:  {"OFFSET_NOT_AVAILABLE", retry},
	88:  {"UNSTABLE_OFFSET_COMMIT", retry},
	89:  {"THROTTLING_QUOTA_EXCEEDED", retry},
	106: {"FETCH_SESSION_TOPIC_ID_ERROR", retry},
	122: {"SHARE_SESSION_NOT_FOUND", retry},
	123: {"INVALID_SHARE_SESSION_EPOCH", retry},
	133: {"SHARE_SESSION_LIMIT_REACHED", retry},
	10:  {"MESSAGE_TOO_LARGE", tooLarge},
	45:  {"OUT_OF_ORDER_SEQUENCE_NUMBER", lostSequence},
	59:  {"UNKNOWN_PRODUCER_ID", lostSequence},
	47:  {"INVALID_PRODUCER_EPOCH", failBatch},
	31:  {"CLUSTER_AUTHORIZATION_FAILED", fatal},
	35:  {"UNSUPPORTED_VERSION", fatal},
	49:  {"INVALID_PRODUCER_ID_MAPPING", fatal},
	53:  {"TRANSACTIONAL_ID_AUTHORIZATION_FAILED", fatal},
	90:  {"PRODUCER_FENCED", fatal},
	-1:  {"UNKNOWN_SERVER_ERROR", failBatch},
	17:  {"INVALID_TOPIC_EXCEPTION", failBatch},
	18:  {"RECORD_LIST_TOO_LARGE", failBatch},
	21:  {"INVALID_REQUIRED_ACKS", failBatch},
	29:  {"TOPIC_AUTHORIZATION_FAILED", failBatch},
	32:  {"INVALID_TIMESTAMP", failBatch},
	43:  {"UNSUPPORTED_FOR_MESSAGE_FORMAT", failBatch},
	44:  {"POLICY_VIOLATION", failBatch},
	48:  {"INVALID_TXN_STATE", failBatch},
	76:  {"UNSUPPORTED_COMPRESSION_TYPE", failBatch},
	87:  {"INVALID_RECORD", failBatch},
	120: {"TRANSACTION_ABORTABLE", failBatch},
	129: {"REBOOTSTRAP_REQUIRED", failBatch},

	// Of coordinators alone.
	12:  {"OFFSET_METADATA_TOO_LARGE", failBatch},
	22:  {"ILLEGAL_GENERATION", failBatch},
	24:  {"INVALID_GROUP_ID", failBatch},
	25:  {"UNKNOWN_MEMBER_ID", failBatch},
	28:  {"INVALID_COMMIT_OFFSET_SIZE", failBatch},
	30:  {"GROUP_AUTHORIZATION_FAILED", failBatch},
	42:  {"INVALID_REQUEST", failBatch},
	50:  {"INVALID_TRANSACTION_TIMEOUT", failBatch},
	52:  {"TRANSACTION_COORDINATOR_FENCED", failBatch},
	55:  {"OPERATION_NOT_ATTEMPTED", failBatch},
	82:  {"FENCED_INSTANCE_ID", failBatch},
	110: {"FENCED_MEMBER_EPOCH", failBatch},
	113: {"STALE_MEMBER_EPOCH", failBatch},
}

// newError makes the error of a code.
func newError(code int16, message string) *Error {
	return &Error{Code: code, Name: lookup(code).name, Message: message}
}
