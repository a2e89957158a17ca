package native

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kbench/native/wire"
)

// openPatience bounds how long New waits for a topic to appear, where max.block.ms is longer.
const openPatience = 5 * time.Second

// open does what must work before the first record: metadata of every topic and, if idempotent, a producer id.
func (pr *Producer) open(ctx context.Context) error {
	if pr.cfg.MaxBlock > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, pr.cfg.MaxBlock)
		defer cancel()
	}
	deadline := pr.now() + int64(min(openPatience, max(pr.cfg.MaxBlock, time.Second)))
	var missing error
	for {
		err := pr.updateMetadata(ctx)
		if err == nil {
			missing = pr.topicsMissing()
			err = missing
		} else if ctx.Err() != nil && missing != nil {
			return missing // the time ran out on it, not on the broker
		}
		if err == nil {
			break
		}
		var code *Error
		if !errors.As(err, &code) || lookup(code.Code).outcome != retryRefresh && code.Code != codeRebootstrap || pr.now() > deadline {
			return err
		}
		if !pause(ctx, pr.cfg.RetryBackoff) {
			return err
		}
	}
	if _, err := pr.control.conn.pickProduce(&pr.cfg); err != nil {
		return err
	}
	if !pr.cfg.EnableIdempotence || pr.txn != nil { // InitTransactions gets the id
		return nil
	}
	for {
		err := pr.initProducerID(ctx)
		if err == nil {
			return nil
		}
		var code *Error
		if !errors.As(err, &code) || lookup(code.Code).outcome != retry || !pause(ctx, pr.cfg.RetryBackoff) {
			return err
		}
	}
}

// pause waits; false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// topicsMissing is an error if a topic has no partitions or one without a leader.
func (pr *Producer) topicsMissing() error {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	for _, t := range pr.topics {
		if t.err != nil {
			return t.err
		}
		for _, p := range t.partitions {
			if p.node == nil {
				return fmt.Errorf("partition %d of topic %q has no leader: %w", p.id, t.name, newError(codeNoLeader, ""))
			}
		}
	}
	return nil
}

// refreshMetadata asks for metadata soon. It never blocks.
func (pr *Producer) refreshMetadata() {
	select {
	case pr.metaWake <- struct{}{}:
	default:
	}
}

// followMetadata keeps leaders up to date: on demand and every metadata.max.age.ms, but backing off between attempts.
func (pr *Producer) followMetadata() {
	defer pr.wg.Done()
	due := time.Now().Add(pr.cfg.MetadataMaxAge)
	timer := time.NewTimer(pr.orIdle(pr.cfg.MetadataMaxAge))
	defer timer.Stop()
	failures := int64(0)
	for {
		select {
		case <-pr.ctx.Done():
			return
		case <-pr.metaWake:
		case <-timer.C:
			if wait := time.Until(due); wait > 0 { // nothing to do but to let an idle connection go
				pr.control.close()
				timer.Reset(wait)
				continue
			}
		}
		err := pr.updateMetadata(pr.ctx)
		if err == nil {
			err = pr.renewID(pr.ctx)
		}
		next := max(pr.cfg.MetadataMaxAge, pr.cfg.RetryBackoff) // Metadata.timeToNextUpdate
		failures++
		pr.mu.Lock()
		if err == nil && !pr.homeless() {
			failures = 0
		} else {
			next = time.Duration(pr.backoff(failures, pr.cfg.RetryBackoff, pr.cfg.RetryBackoffMax))
		}
		pr.mu.Unlock()
		// At least one backoff between two refreshes, whoever asks; the first after a quiet time is immediate.
		gap := min(next, pr.cfg.RetryBackoff)
		if !pause(pr.ctx, gap) {
			return
		}
		due = time.Now().Add(next - gap)
		timer.Reset(pr.orIdle(next - gap))
	}
}

// orIdle is the shorter of d and connections.max.idle.ms.
func (pr *Producer) orIdle(d time.Duration) time.Duration {
	if idle := pr.cfg.ConnectionsMaxIdle; idle > 0 {
		return min(d, idle)
	}
	return d
}

// homeless says whether batches wait for a partition without a leader. Producer.mu is held.
func (pr *Producer) homeless() bool {
	for _, t := range pr.topics {
		if t.err != nil {
			return true
		}
		for _, p := range t.partitions {
			if p.node == nil && p.waits() {
				return true
			}
		}
	}
	return false
}

// updateMetadata fetches and applies metadata of the topics, if need be after a new start at the bootstrap servers.
func (pr *Producer) updateMetadata(ctx context.Context) error {
	pr.rebootstrapIfOverdue()
	m, err := pr.fetchMetadata(ctx)
	if errors.Is(err, &Error{Code: codeRebootstrap}) && pr.cfg.MetadataRecovery == RecoveryRebootstrap {
		pr.rebootstrap()
		m, err = pr.fetchMetadata(ctx)
	}
	if err != nil {
		return err
	}
	pr.control.learn(m.Brokers)
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if pr.txn != nil {
		pr.txn.addrs = pr.control.addrs
	}
	pr.apply(&m)
	pr.announceMetadata()
	return nil
}

// fetchMetadata asks a broker for metadata of the topics.
func (pr *Producer) fetchMetadata(ctx context.Context) (wire.Metadata, error) {
	r, version, err := pr.control.ask(ctx, wire.KeyMetadata, 4, 13, func(dst []byte, v int16) []byte {
		return wire.AppendMetadata(dst, v, pr.cfg.Topics, pr.cfg.AllowAutoCreate)
	})
	if err != nil {
		return wire.Metadata{}, err
	}
	m, err := wire.DecodeMetadata(&r, version)
	switch {
	case err != nil:
		pr.control.close()
		return m, fmt.Errorf("metadata: %w", err)
	case m.Code != codeNone:
		return m, fmt.Errorf("metadata: %w", newError(m.Code, ""))
	case len(m.Brokers) == 0: // one that starts (NetworkClient.handleSuccessfulResponse)
		return m, fmt.Errorf("metadata: the broker knows no live broker yet: %w", newError(codeNoLeader, ""))
	}
	pr.metaTrying = time.Time{}
	return m, nil
}

// apply takes metadata over. Producer.mu is held.
func (pr *Producer) apply(m *wire.Metadata) {
	if pr.ctx.Err() != nil {
		return
	}
	for _, b := range m.Brokers {
		pr.meet(b)
	}
	now := pr.now()
	for i := range m.Topics {
		mt := &m.Topics[i]
		t := pr.byName[mt.Name]
		if t == nil {
			continue
		}
		if mt.Code != codeNone && !(mt.Code == codeNoLeader && len(mt.Partitions) > 0) {
			t.err = topicError(t.name, mt.Code)
			continue
		}
		t.err = nil
		pr.applyTopic(t, mt, now)
	}
}

// meet takes over where a broker is. One that moved to another address is connected to without backing off: what failed was
// the old one (ClusterConnectionStates.connecting). Producer.mu is held, and the producer isn't closed.
func (pr *Producer) meet(b wire.Broker) {
	addr := address(b)
	for _, n := range pr.nodes[b.ID] {
		if n.addr != addr {
			n.addr, n.failures, n.connectAt = addr, 0, 0
			n.kick()
		}
	}
	for len(pr.nodes[b.ID]) < max(1, pr.cfg.Connections) {
		pr.nodes[b.ID] = append(pr.nodes[b.ID], pr.newNode(b.ID, addr))
	}
}

// meetLeaders takes over where the new leaders are that an answer names (KIP-951), before its batches are settled: they go to
// a broker then that no metadata told of. An answer that is older than what is known already doesn't count
// (Metadata.updatePartitionLeadership). Producer.mu is held.
func (pr *Producer) meetLeaders(req *request, answer *wire.ProduceResponse) {
	if len(answer.Endpoints) == 0 || pr.ctx.Err() != nil {
		return
	}
	for i := range answer.Results {
		res := &answer.Results[i]
		p := pr.partitionOf(req, res)
		if p == nil || res.LeaderEpoch <= p.leaderEpoch {
			continue
		}
		for _, b := range answer.Endpoints {
			if b.ID == res.Leader {
				pr.meet(b)
			}
		}
	}
}

// topicError says what is wrong with a topic.
func topicError(name string, code int16) error {
	e := newError(code, "")
	switch code {
	case codeUnknownTopic:
		return fmt.Errorf("%w: topic %q doesn't exist: %w", ErrUnknownTopic, name, e)
	case codeTopicAuth:
		return fmt.Errorf("this client isn't authorised for topic %q: %w", name, e)
	case codeInvalidTopic:
		return fmt.Errorf("topic %q: no name that records may be sent to (1 to 249 letters, digits, '.', '_', '-'; none of Kafka's own): %w", name, e)
	}
	return fmt.Errorf("topic %q: %w", name, e)
}

func (pr *Producer) applyTopic(t *topic, mt *wire.TopicMeta, now int64) {
	recreated := t.id != mt.TopicID && t.id != noTopicID
	if t.id = mt.TopicID; t.id != noTopicID {
		pr.byID[t.id] = t
	}
	pr.resize(t, mt, recreated)
	for _, mp := range mt.Partitions {
		if mp.ID < 0 {
			continue
		}
		p := t.partitions[mp.ID]
		if mp.LeaderEpoch >= 0 && mp.LeaderEpoch < p.leaderEpoch && !recreated {
			continue // older than what a Produce response told
		}
		pr.lead(p, pr.nodeOf(p, mp.Leader), mp.LeaderEpoch, now)
	}
}

// resize takes over how many partitions a topic has: fewer only if it was made again, because an answer without the last ones
// may as well be older than they are.
func (pr *Producer) resize(t *topic, mt *wire.TopicMeta, recreated bool) {
	had, listed := len(t.current()), 0
	for _, mp := range mt.Partitions {
		listed = max(listed, int(mp.ID)+1)
	}
	for id := len(t.partitions); id < listed; id++ {
		p := &partition{topic: t, id: int32(id), leaderEpoch: -1}
		p.seq.restart(pr.id)
		t.partitions = append(t.partitions, p)
	}
	if gone := len(t.partitions) - listed; recreated || gone < t.gone {
		t.gone = gone
	}
	if len(t.current()) != had {
		t.sticky.forget()
	}
}

// nodeOf is the connection of a broker on which p is produced to: always the same one, so that it keeps its order. nil: the
// broker is unknown, or −1 for none.
func (pr *Producer) nodeOf(p *partition, broker int32) *node {
	conns := pr.nodes[broker]
	if len(conns) == 0 {
		return nil
	}
	return conns[int(p.id+p.topic.index)%len(conns)]
}

// lead makes n the leader of p. A changed leader ends the retry backoff: it was spent waiting for just that.
func (pr *Producer) lead(p *partition, n *node, epoch int32, now int64) {
	changed := p.node != n || epoch > p.leaderEpoch && p.leaderEpoch >= 0
	p.leaderEpoch = epoch
	if !changed {
		return
	}
	p.unlink()
	if (p.node == nil) != (n == nil) {
		p.topic.sticky.forget()
	}
	p.node = n
	p.retryAt = min(p.retryAt, now)
	pr.place(p, now)
}

// initProducerID asks for a producer id.
func (pr *Producer) initProducerID(ctx context.Context) error {
	r, _, err := pr.control.ask(ctx, wire.KeyInitProducerID, 0, 4, wire.AppendInitProducerID)
	if err != nil {
		return err
	}
	res, err := wire.DecodeInitProducerID(&r)
	if err != nil {
		return fmt.Errorf("InitProducerId: %w", err)
	}
	if res.Code != codeNone {
		return fmt.Errorf("InitProducerId: %w", newError(res.Code, ""))
	}
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.id = producerID{res.ProducerID, res.Epoch}
	for _, t := range pr.topics {
		for _, p := range t.partitions {
			if len(p.assigned) == 0 {
				p.seq.restart(pr.id)
			}
		}
	}
	return nil
}

// renewID gets a new producer id after the epochs of the old one are used up.
func (pr *Producer) renewID(ctx context.Context) error {
	pr.mu.Lock()
	need := pr.needID
	pr.mu.Unlock()
	if !need {
		return nil
	}
	if err := pr.initProducerID(ctx); err != nil {
		return err
	}
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.needID = false
	now := pr.now()
	for _, t := range pr.topics {
		for _, p := range t.partitions {
			pr.place(p, now)
		}
	}
	return nil
}
