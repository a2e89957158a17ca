package native

// noTopicID stands for an id that isn't known: brokers before 2.8 don't tell.
var noTopicID [16]byte

// topic is one of Config.Topics. Guarded by Producer.mu.
type topic struct {
	name       string
	index      int32
	id         [16]byte
	partitions []*partition
	gone       int   // the last of them that a topic made again under its name doesn't have: only what they hold is sent
	err        error // why there is no metadata of it
	sticky     sticky
}

// current are the partitions that records may go to.
func (t *topic) current() []*partition { return t.partitions[:len(t.partitions)-t.gone] }

// partition is the accumulator of one partition. Guarded by Producer.mu.
//
// Batches move open → queue → assigned; assigned holds, in order, what was sent at least once and hasn't ended.
type partition struct {
	topic       *topic
	id          int32
	node        *node // of the leader; nil: unknown
	leaderEpoch int32

	open     *batch
	queue    []*batch
	assigned []*batch
	sent     int   // assigned batches in a request
	retries  int   // assigned batches that wait to be sent again
	retryAt  int64 // ns since the start: backing off until then

	seq      sequence
	txn      membership // in the transaction
	settling *batch     // the batch of the request being settled

	// A partition is in at most one list of its node.
	list       *partList
	prev, next *partition
	due        int64 // ns since the start: when its place in a timed list ends
}

// waits says whether any batch waits to be sent.
func (p *partition) waits() bool { return p.open != nil || len(p.queue) > 0 || p.retries > 0 }

// seal closes the open batch for appends and queues it.
func (p *partition) seal(now int64) {
	b := p.open
	b.sealed = max(now, b.created)
	p.open = nil
	b.count = int32(len(b.slots))
	if b.tmpl != nil {
		b.tmpl.prefix(b)
	}
	b.raw = b.size()
	b.state = stateQueued
	p.queue = append(p.queue, b)
}

// popQueue takes the first sealed batch.
func (p *partition) popQueue() *batch {
	b := p.queue[0]
	copy(p.queue, p.queue[1:])
	p.queue[len(p.queue)-1] = nil
	p.queue = p.queue[:len(p.queue)-1]
	return b
}

// drop takes b out of the assigned batches.
func (p *partition) drop(b *batch) {
	for i, x := range p.assigned {
		if x == b {
			copy(p.assigned[i:], p.assigned[i+1:])
			p.assigned[len(p.assigned)-1] = nil
			p.assigned = p.assigned[:len(p.assigned)-1]
			return
		}
	}
}

// firstRetry is the first assigned batch that waits to be sent again.
func (p *partition) firstRetry() *batch {
	for _, b := range p.assigned {
		if b.state == stateRetry {
			return b
		}
	}
	return nil
}

// partList is a doubly linked list of partitions.
type partList struct {
	head, tail *partition
}

func (l *partList) pushBack(p *partition) { l.insertAfter(l.tail, p) }

// insertTimed inserts p by its due time; those due later are nearly always few.
func (l *partList) insertTimed(p *partition) {
	at := l.tail
	for at != nil && at.due > p.due {
		at = at.prev
	}
	l.insertAfter(at, p)
}

// insertAfter inserts p after at, or at the front if at is nil.
func (l *partList) insertAfter(at, p *partition) {
	p.list, p.prev = l, at
	if at == nil {
		p.next, l.head = l.head, p
	} else {
		p.next, at.next = at.next, p
	}
	if p.next == nil {
		l.tail = p
	} else {
		p.next.prev = p
	}
}

// unlink takes p out of the list it is in.
func (p *partition) unlink() {
	l := p.list
	if l == nil {
		return
	}
	if p.prev == nil {
		l.head = p.next
	} else {
		p.prev.next = p.next
	}
	if p.next == nil {
		l.tail = p.prev
	} else {
		p.next.prev = p.prev
	}
	p.list, p.prev, p.next = nil, nil, nil
}
