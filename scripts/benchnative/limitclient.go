package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync/atomic"

	"kbench/native/wire"
)

// limitInFlight is how many requests are unanswered at most.
const limitInFlight = 5

// limitClient writes one request with one full batch, encoded before, again and again: what any producer on one connection can
// reach at most. It looks at nothing in the answers, so what arrived is known from the broker alone.
type limitClient struct {
	nc      net.Conn
	request []byte
	records int64
	tokens  chan struct{}
	done    chan error // of the reader
	written atomic.Int64
	acked   atomic.Int64
}

func openLimit(s *setup) (*limitClient, error) {
	nc, err := net.Dial("tcp", s.Bootstrap[0])
	if err != nil {
		return nil, err
	}
	c := &limitClient{nc: nc, tokens: make(chan struct{}, limitInFlight), done: make(chan error, 1)}
	c.request, c.records = wholeRequest(s)
	go func() { c.done <- c.read() }()
	return c, nil
}

// wholeRequest is a Produce request with one batch of batch.size, and the number of its records.
func wholeRequest(s *setup) (req []byte, records int64) {
	one := s.with(func(s *setup) { s.Values = 1 })
	values, _ := one.makeValues()
	value := values[0]
	batch, count := make([]byte, wire.BatchHeaderSize, s.BatchSize), 0
	for {
		body := wire.RecordBodySize(0, count, nil, value, 1)
		if len(batch)+wire.VarintLen(int64(body))+body > s.BatchSize {
			break
		}
		batch = wire.AppendRecord(batch, body, 0, count, nil, value, nil)
		count++
	}
	block := batch[wire.BatchHeaderSize:]
	wire.PutBatchHeader(batch, wire.BatchHeader{Count: int32(count), ProducerID: -1, Epoch: -1, Sequence: -1},
		wire.NewBlock(len(block), wire.CRC32C(0, block)))
	const version = 9
	req = wire.AppendRequestHeader(make([]byte, 4), wire.KeyProduce, version, 1, "limit")
	req = wire.AppendProduceHead(req, version, wire.ProduceHead{Acks: -1, TimeoutMS: 30000, Topics: 1})
	req = wire.AppendProduceTopic(req, version, wire.ProduceTopic{Name: s.Topic}, 1)
	req = wire.AppendProducePartition(req, version, 0, len(batch))
	req = append(req, batch...)
	req = append(req, 0, 0, 0) // no tagged fields of the partition, the topic, the request
	binary.BigEndian.PutUint32(req, uint32(len(req)-4))
	return req, int64(count)
}

func (c *limitClient) send(_ int, stop *atomic.Bool) error {
	for !stop.Load() {
		c.tokens <- struct{}{}
		c.written.Add(1)
		if _, err := c.nc.Write(c.request); err != nil {
			return err
		}
	}
	return nil
}

// read reads answers until the connection is closed for writing and the last one came.
func (c *limitClient) read() error {
	var buf [4096]byte
	for {
		if _, err := io.ReadFull(c.nc, buf[:4]); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		size := binary.BigEndian.Uint32(buf[:])
		if size > uint32(len(buf)) {
			return fmt.Errorf("an answer of %d bytes", size)
		}
		if _, err := io.ReadFull(c.nc, buf[:size]); err != nil {
			return err
		}
		c.acked.Add(c.records)
		<-c.tokens
	}
}

func (c *limitClient) counts() (acked, failed, batches int64) {
	acked = c.acked.Load()
	return acked, 0, acked / c.records
}

func (c *limitClient) finish() error {
	for range limitInFlight { // all of them free: nothing is unanswered
		select {
		case c.tokens <- struct{}{}:
		case err := <-c.done:
			return fmt.Errorf("the connection ended: %v", err)
		}
	}
	if err := c.nc.Close(); err != nil {
		return err
	}
	<-c.done // how reading from a closed connection ends says nothing
	return nil
}
