package native

import (
	"fmt"
	"time"
)

// route is the partition of r. One that the topic isn't known to have may be new: then metadata is asked for, and waited for
// until max.block.ms after this call of Produce first had to wait. Producer.mu is held, but let go meanwhile.
// Source: KafkaProducer.waitOnMetadata.
func (a *appender) route(t *topic, r *Record) (*partition, error) {
	pr := a.pr
	for {
		p := pr.route(t, r)
		if p != nil {
			return p, nil
		}
		if r.Partition < -1 { // ProducerRecord
			return nil, fmt.Errorf("Record.Partition: %w: %d is below -1, which leaves the choice to the partitioner", ErrArgument, r.Partition)
		}
		now := pr.now()
		a.startWaiting(now)
		if now >= a.deadline {
			return nil, pr.noPartition(t, r)
		}
		if err := a.awaitMetadata(time.Duration(a.deadline - now)); err != nil {
			return nil, err
		}
	}
}

// awaitMetadata waits until metadata was applied, or for patience at most. It is an error if ctx or the producer ended.
func (a *appender) awaitMetadata(patience time.Duration) error {
	pr := a.pr
	if pr.applied == nil {
		pr.applied = make(chan struct{})
	}
	done := pr.applied
	pr.refreshMetadata()
	pr.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var err error
	select {
	case <-done:
	case <-timer.C:
	case <-a.ctx.Done():
		err = a.ctx.Err()
	case <-pr.ctx.Done():
	}
	pr.mu.Lock()
	if err == nil {
		err = pr.refusal
	}
	return err
}

// announceMetadata wakes everybody who waits for metadata. Producer.mu is held.
func (pr *Producer) announceMetadata() {
	if pr.applied != nil {
		close(pr.applied)
		pr.applied = nil
	}
}
