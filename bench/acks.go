package bench

import (
	"context"
	"errors"

	"kbench/driver"
)

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
	var good, bytes, warmGood, warmBytes uint64
	var served int64
	slots, list := w.slots, w.free
	for i := 0; i < len(acks); {
		a := &acks[i]
		of := slots[a.Slot]
		if of.handed == free {
			w.stray++
			i++
			continue
		}
		failed, warmup := a.Err != nil, of.intended < measure
		// With those behind it that were due and handed over together with it: a burst often comes back in one piece.
		before, size := tail, uint64(0)
		for ; i < len(acks) && (acks[i].Err != nil) == failed; i++ {
			s := &slots[acks[i].Slot]
			if s.handed != of.handed || s.intended != of.intended || s.late != of.late {
				break
			}
			if failed {
				w.failRecord(acks[i].Err, now, &of, warmup)
			}
			s.handed = free
			size += uint64(s.size)
			list.put(tail, acks[i].Slot)
			tail++
		}
		n := tail - before
		served += (now - of.handed) * int64(n)
		if failed {
			continue
		}
		w.ack.AddN(now-of.intended, now-of.handed, n, warmup)
		if warmup {
			warmGood += n
			warmBytes += size
			continue
		}
		good += n
		bytes += size
		if of.late {
			w.lateResponse.AddN(now-of.intended, n)
		}
	}
	if good > 0 {
		w.countAcked(0, good, bytes)
	}
	if warmGood > 0 {
		w.countAcked(1, warmGood, warmBytes)
	}
	if now >= measure && now < w.phases.end.Load() {
		w.window += good + warmGood
		w.windowBytes += bytes + warmBytes
		w.served += served
		w.returned += tail - w.tail
	}
	w.lastAck = now
	w.tail = tail
	w.free.publish(tail)
}

// countAcked adds up what one call acknowledged of one phase (0: measured, 1: warm-up).
func (w *worker) countAcked(phase int, n, bytes uint64) {
	w.ack.Acked(n, bytes, phase == 1)
	w.acked[phase] += n
	w.ackedBytes[phase] += bytes
}

// failRecord counts a record that wasn't acknowledged. One that is unfinished at its time-out is censored, and its age so
// far is the lower bound of its latency: what the client still held when the run closed it, what it hadn't taken from Send
// when the run stopped that, and what it gave up after delivery.timeout.ms. (Clients give up a little before or after that;
// hence nineteen twentieths of it.)
func (w *worker) failRecord(err error, now int64, s *slot, warmup bool) {
	ours := w.closing.Load() || w.pacer.stop.Load() && errors.Is(err, context.Canceled)
	if ours || now-s.handed >= w.timeout/20*19 {
		w.censored.add(1, warmup)
		w.ack.Add(now-s.intended, now-s.handed, warmup)
		if s.late && !warmup {
			w.lateResponse.Add(now - s.intended)
		}
	} else {
		w.failed.add(1, warmup)
		w.ack.Failed(warmup)
	}
	if ours {
		return
	}
	if now >= w.phases.measure.Load() && now < w.phases.end.Load() {
		w.windowBad++
	}
	text := err.Error()
	w.errMu.Lock()
	defer w.errMu.Unlock()
	if _, known := w.errs[text]; !known && len(w.errs) >= maxErrors {
		text = otherErrors
	}
	w.errs[text]++
}
