package metrics

// Client is what the client told about its own batches and requests within the measured time, all producers together: what was
// written, answered or acknowledged then, whenever its records were due. What a client doesn't tell is absent (nil), and so is
// a distribution of what never happened. Without a bound on records the drain isn't in it; with one it is.
type Client struct {
	DurationNS    int64               `json:"duration_ns"` // how long it was looked at
	Counters      ClientCounters      `json:"counters"`
	Distributions ClientDistributions `json:"distributions"`
}

// ClientCounters are how often something happened, and how much.
type ClientCounters struct {
	Requests          *int64 `json:"requests,omitempty"`           // produce requests written
	WireBytes         *int64 `json:"wire_bytes,omitempty"`         // bytes of produce requests written
	Batches           *int64 `json:"batches,omitempty"`            // record batches written, retries included
	UncompressedBytes *int64 `json:"uncompressed_bytes,omitempty"` // bytes of the batches' records before compression
	CompressedBytes   *int64 `json:"compressed_bytes,omitempty"`   // and after
	Retries           *int64 `json:"retries,omitempty"`            // batches or requests sent again
	ThrottleNS        *int64 `json:"throttle_ns,omitempty"`        // time for which brokers asked to send nothing (KIP-219), ns
	BufferWaits       *int64 `json:"buffer_waits,omitempty"`       // waits for buffer.memory
	BufferWaitNS      *int64 `json:"buffer_wait_ns,omitempty"`     // how long they took in all, ns
	BatchesSplit      *int64 `json:"batches_split,omitempty"`      // batches that the broker found too large, halved
	BatchesExpired    *int64 `json:"batches_expired,omitempty"`    // batches given up at delivery.timeout.ms
	Connections       *int64 `json:"connections,omitempty"`        // connections opened
}

// ClientDistributions are how long it took or how large it was, each batch or request once. A batch that is sent again counts
// once in its own distributions where the client tells that apart, and in requests again.
type ClientDistributions struct {
	BatchFill      *Distribution `json:"batch_fill_permille,omitempty"` // size before compression with the header, thousandths of batch.size
	BatchRecords   *Distribution `json:"batch_records,omitempty"`       // records of a batch
	RequestBatches *Distribution `json:"request_batches,omitempty"`     // batches of a request
	RequestRecords *Distribution `json:"request_records,omitempty"`     // records of a request
	RequestBytes   *Distribution `json:"request_bytes,omitempty"`       // bytes of a request, compressed, with all headers
	Linger         *Distribution `json:"linger_ns,omitempty"`           // of a batch: from its first record until it takes no more
	Queue          *Distribution `json:"queue_ns,omitempty"`            // from there until it is taken into a request
	Write          *Distribution `json:"write_ns,omitempty"`            // of a request: from being put together to its last byte with the system
	Flight         *Distribution `json:"flight_ns,omitempty"`           // from there until its answer is read
	// Broker is the part of Flight that no earlier request of the connection explains: an upper bound of the broker's own time
	// where it takes one request after the other, as Kafka does. The network is in it.
	Broker     *Distribution `json:"broker_ns,omitempty"`
	Delivery   *Distribution `json:"delivery_ns,omitempty"`    // of an acknowledged batch: from its first record to its acknowledgement
	BufferWait *Distribution `json:"buffer_wait_ns,omitempty"` // of a wait for buffer.memory
}

// Distribution summarises a histogram whose buckets are at most a 16th of their values wide: Count and Mean are exact, the
// others within 3.2 %, Max within 6.3 % and never too low.
type Distribution struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   int64   `json:"p50"`
	P90   int64   `json:"p90"`
	P99   int64   `json:"p99"`
	P999  int64   `json:"p999"`
	Max   int64   `json:"max"`

	// Buckets are the histogram itself, ascending, for client.csv; not part of the JSON.
	Buckets []Bucket `json:"-"`
}

// Bucket is a range of values and how many were in it.
type Bucket struct {
	Low, High int64 // both included
	Count     int64
}
