package bench

import "kbench/driver"

// maxErrors bounds the different error texts kept per producer; further ones are counted together.
const maxErrors = 20

// otherErrors is the key of errors beyond maxErrors.
const otherErrors = "other errors"

// onAcks is the driver.AckFunc: the time is read first, so that a response ends when the client reported it.
func (w *worker) onAcks(acks []driver.Ack) {
	now := w.clock.Now()
	w.ack.Roll(now)
	measure := w.phases.measure.Load()
	tail := w.tail
	var good, goodBytes [2]uint64
	for i := range acks {
		a := &acks[i]
		s := &w.slots[a.Slot]
		if s.handed == free {
			w.stray++
			continue
		}
		phase := 0
		if s.intended < measure {
			phase = 1
		}
		if a.Err == nil {
			w.ack.Add(now-s.intended, now-s.handed, phase == 1)
			good[phase]++
			goodBytes[phase] += uint64(s.size)
		} else {
			w.failRecord(a.Err, now, s, phase == 1)
		}
		s.handed = free
		w.free.put(tail, a.Slot)
		tail++
	}
	w.countAcked(good, goodBytes, now)
	w.tail = tail
	w.free.publish(tail)
}

// countAcked adds up what one call acknowledged, by phase.
func (w *worker) countAcked(good, bytes [2]uint64, now int64) {
	for phase, n := range good {
		if n > 0 {
			w.ack.Acked(n, bytes[phase], phase == 1)
			w.acked.n[phase] += n
		}
	}
	w.ackedBytes += bytes[0]
	if now >= w.phases.measure.Load() && now < w.phases.end.Load() {
		w.window += good[0] + good[1]
		w.windowBytes += bytes[0] + bytes[1]
	}
	if now > w.lastAck {
		w.lastAck = now
	}
}

// failRecord counts a record that wasn't acknowledged. Once the run is closing, the client fails what it still holds:
// those records are censored, that is, unfinished, and their age so far is the lower bound of their latency.
func (w *worker) failRecord(err error, now int64, s *slot, warmup bool) {
	if w.closing.Load() {
		w.censored.add(1, warmup)
		w.ack.Add(now-s.intended, now-s.handed, warmup)
		return
	}
	w.failed.add(1, warmup)
	w.ack.Failed(warmup)
	text := err.Error()
	w.errMu.Lock()
	defer w.errMu.Unlock()
	if _, known := w.errs[text]; !known && len(w.errs) >= maxErrors {
		text = otherErrors
	}
	w.errs[text]++
}
