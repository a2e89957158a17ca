// Package driver is the contract that a Kafka client must meet to be measured.
package driver

import (
	"context"
	"net"

	"kbench/workload"
)

// Ack tells how one record ended. Every record passed to Send gets exactly one.
type Ack struct {
	// Slot is the record's Slot; the harness may use it again as soon as the AckFunc returns.
	Slot uint32
	// Partition is where the record was written, or −1 if the client doesn't say.
	Partition int32
	// Offset is the record's offset, or −1 if unknown (acks=0, or the client doesn't say).
	Offset int64
	// Err is nil for an acknowledged record, else why it was not delivered (or may not have been).
	Err error
}

// AckFunc receives acknowledgements. The driver calls it with one or many; the slice is the driver's and is not kept.
// Calls for one Producer never overlap. A call may come from inside Send, on Send's goroutine. It never blocks.
type AckFunc func(acks []Ack)

// Config is what a client is opened with.
type Config struct {
	// Bootstrap lists host:port addresses.
	Bootstrap []string
	// Topics holds the topics' real names; Record.Topic is an index into it.
	Topics []string
	// Producer holds the settings, already checked against the driver's capabilities.
	Producer workload.ProducerConfig
	// Slots is the bound of records in flight: every Record.Slot is below it. A driver keeps its per-record
	// state in flat arrays of this length, allocated at Open.
	Slots int
	// MaxRecordBytes bounds workload.Record.Size over the run; 0: unknown. Clients that can't send a record larger than
	// a batch need it to choose their batch size.
	MaxRecordBytes int
	// Seed makes a client's own random choices repeatable where it lets us.
	Seed uint64
	// Tap, when not nil, is given each TCP connection of the client before TLS, and what it returns is used in its place: for
	// who checks what a client says against what came in.
	Tap func(net.Conn) net.Conn
}

// Producer sends records. Send and Flush are called by one goroutine; Close by the same one, or after it ended.
type Producer interface {
	// Send hands records to the client, in order. It may block: that is back-pressure, and it is measured.
	// recs is the caller's and may be overwritten after the call; what its slices point to stays valid for the run.
	// Each record gets exactly one Ack whatever Send returns; an error says that the client can't be used any more.
	Send(ctx context.Context, recs []workload.Record) error
	// Flush waits until all records handed over before it are acknowledged or failed, or ctx is done.
	Flush(ctx context.Context) error
	// Close gives up what is still in flight: each such record is acknowledged with an error before Close returns.
	Close() error
}

// Session is an open client.
type Session struct {
	Producer Producer
	// Effective is the configuration read back from the client, in Kafka's names: what is really in force.
	Effective map[string]string
	// Stats returns cumulative counters; nil if the client has none. Safe at any time, from any goroutine, also after Close.
	Stats func() Stats
	// Distributions returns how batches and requests went, cumulative like Stats and as safe to call; nil if the client doesn't
	// tell. What it returns is the caller's. It may allocate and copy up to 65 KB: a run calls it a few times.
	Distributions func() *Distributions
}

// Driver describes one client. Each adapter package has one; main lists them.
type Driver struct {
	Name    string // as in --driver
	Client  string // module or library
	Version string // version of it, as linked
	About   string // one line
	// Capabilities has a row for every setting of workload.Settings that isn't carried out as it is.
	Capabilities []Capability
	// Open connects a client. ack receives every acknowledgement from then on.
	// It returns an error at once for what can't work (no broker, not Kafka, refused setting), and doesn't retry for ever.
	Open func(ctx context.Context, cfg Config, ack AckFunc) (Session, error)
}
