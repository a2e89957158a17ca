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
package native

// Version is the version of this package.
const Version = "0.1.0"
