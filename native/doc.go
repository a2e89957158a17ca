// Package native is a Kafka producer that allocates nothing per record or batch once it runs.
//
// Records are appended in bursts: one lock, one clock reading for many records. A burst is encoded straight into the open
// batch of its partition; batches are sealed, sent by one goroutine per broker, and acknowledged by callback with the
// slots of their records. The settings have Kafka's names and meaning (see Config).
//
// How a record travels: Produce (append.go) asks the partitioner for a partition and encodes into its open batch (batch.go),
// waiting for memory where there is none (memory.go). The goroutine of the partition's leader (node.go) drains ready
// batches into a request (request.go), giving idempotent batches their sequence (sequence.go), and writes it. The reader of
// the connection settles each batch (response.go): acknowledged, sent again, split, or failed. Batches past
// delivery.timeout.ms are failed by expiry.go; metadata.go follows leaders, and rebootstrap.go begins anew where all are gone.
//
// A Replayer (replay.go) goes the same way with batches that hold no records of their own but the beginning of a template
// (template.go), which was encoded, compressed and summed up once.
//
// A transactional producer goes through InitTransactions once, then for each transaction through BeginTransaction, Produce as
// often as it likes, and CommitTransaction or AbortTransaction. All but BeginTransaction wait for brokers, max.block.ms at
// most and while ctx lasts; what takes longer goes on behind the scenes, the error is ErrTransactionPending, which tells what
// went wrong last, and the same call waits again. With a ctx that is done already they begin nothing, and return its error.
// One goroutine should make these calls; a Produce that is under way on another while a transaction ends may have some of its
// records in it and others refused.
//
// What fails a record, one that Produce refuses included, or a request of the transaction, makes it ErrTransactionAbortable:
// records that weren't sent fail at once, Produce and CommitTransaction fail, and AbortTransaction is the way on.
// ErrTransactionFatal ends the producer. During and after Close every call that asks for something returns ErrClosed,
// whatever was before, but one that waits for the end that Close waits for, and Flush, for which nothing is left.
//
// transaction.go has the calls, txnstate.go the states between them, txnbatch.go what batches and partitions have to do with a
// transaction; the goroutine of txnsender.go asks the coordinators, with the requests of txnrequests.go.
package native

// Version is the version of this package.
const Version = "0.1.0"
