package native

import (
	"fmt"

	"kbench/native/wire"
)

// txnVerdict is what a coordinator's answer means.
type txnVerdict uint8

const (
	verdictOK    txnVerdict = iota
	verdictRetry            // ask again after the retry backoff
	verdictFind             // the same, and find the coordinator first
	verdictAbort            // the transaction has to be aborted
	// verdictAbortBump: the same, with a new epoch after it; fatal where the coordinator has none to give.
	verdictAbortBump
	verdictReinit // InitTransactions may be called again
	verdictFatal
)

// Codes that coordinators answer with.
const (
	codeMetadataTooLarge        = 12
	codeCoordinatorNotAvailable = 15
	codeNotCoordinator          = 16
	codeIllegalGeneration       = 22
	codeUnknownMember           = 25
	codeOffsetSize              = 28
	codeGroupAuth               = 30
	codeClusterAuth             = 31
	codeInvalidEpoch            = 47
	codeTransactionTimeout      = 50
	codeConcurrentTransactions  = 51
	codeTransactionalIDAuth     = 53
	codeNotAttempted            = 55
	codeFencedInstance          = 82
	codeFenced                  = 90
	codeTransactionAbortable    = 120
)

// judge says what an error code means in an answer to a request of a transaction.
// Source: the handleResponse of each handler in TransactionManager.
func judge(key, code int16) txnVerdict {
	switch code {
	case codeNone:
		return verdictOK
	case codeCoordinatorNotAvailable, codeNotCoordinator:
		if key == wire.KeyFindCoordinator {
			return verdictRetry
		}
		return verdictFind
	case codeRequestTimedOut:
		if key == wire.KeyTxnOffsetCommit {
			return verdictFind
		}
		return verdictRetry
	case codeTransactionAbortable:
		return verdictAbort // but for an abort itself: see end
	case codeGroupAuth:
		return verdictAbort
	case codeUnknownProducer:
		if key == wire.KeyAddPartitionsToTxn || key == wire.KeyAddOffsetsToTxn || key == wire.KeyEndTxn {
			return verdictAbortBump
		}
		return verdictFatal
	}
	if o := lookup(code).outcome; o == retry || o == retryRefresh {
		return verdictRetry
	}
	switch key {
	case wire.KeyInitProducerID:
		if code == codeTransactionalIDAuth || code == codeClusterAuth { // Sender.shouldHandleAuthorizationError
			return verdictReinit
		}
	case wire.KeyTxnOffsetCommit:
		switch code {
		case codeFencedInstance, codeUnknownMember, codeIllegalGeneration:
			return verdictAbort
		case codeMetadataTooLarge, codeOffsetSize, codeTopicAuth:
			// The group's coordinator refuses these offsets, and says nothing of the producer. Java's client ends it all the same,
			// librdkafka goes on after an abort (rd_kafka_txn_handle_TxnOffsetCommit).
			return verdictAbort
		}
	case wire.KeyAddPartitionsToTxn:
		switch code {
		case codeInvalidEpoch, codeFenced, codeTransactionalIDAuth, codeInvalidTxnState, codeInvalidMapping:
		default: // TOPIC_AUTHORIZATION_FAILED, OPERATION_NOT_ATTEMPTED and whatever else
			return verdictAbort
		}
	}
	return verdictFatal
}

// doubtful says whether a coordinator may have carried out AddPartitionsToTxn or AddOffsetsToTxn after it answered with code;
// before: an earlier one like it may have been. As long as it may, the request is made again before the transaction ends: an end
// that is left out, and then a new epoch asked for in the middle of a transaction, fences the producer by its own request.
// Java's client drops the request and takes the risk (maybeTerminateRequestWithError, transactionStarted).
//
// CONCURRENT_TRANSACTIONS denies that one request alone: it is the answer, too, while an earlier one is still being replicated.
// Other errors in passing deny nothing, because what couldn't be replicated in time stands in the log, and the next coordinator
// may find it there (TransactionStateManager.appendTransactionToLog).
func doubtful(before bool, key, code int16) bool {
	switch code {
	case codeConcurrentTransactions:
		return before
	case codeUnknownTopic: // it may never be there again, and the answer will be the same until then
		return false
	}
	verdict := judge(key, code)
	return verdict == verdictRetry || verdict == verdictFind
}

// answered makes the error of a coordinator's answer. An old coordinator says INVALID_PRODUCER_EPOCH for PRODUCER_FENCED.
func answered(api string, code int16) error {
	if code == codeInvalidEpoch {
		code = codeFenced
	}
	return fmt.Errorf("%s: %w", api, newError(code, ""))
}

// answeredFor is answered for one of several partitions.
func answeredFor(api string, res wire.TxnPartitionResult) error {
	err := answered(api, res.Code)
	switch res.Code {
	case codeUnknownTopic:
		err = fmt.Errorf("%w: %w", ErrUnknownTopic, err)
	case codeMetadataTooLarge:
		err = fmt.Errorf("metadata above offset.metadata.max.bytes of the broker (4096 by default): %w", err)
	}
	return fmt.Errorf("partition %d of topic %q: %w", res.Partition, res.Topic, err)
}
