package native

import (
	"context"
	"errors"
)

// ErrInterceptor is the end of records that Produce didn't take because a callback panicked: see Interceptor.
var ErrInterceptor = errors.New("not taken, because an interceptor or OnAck panicked")

// Interceptor sees records on their way in and acknowledgements on their way out (interceptor.classes). Either function may
// be nil. Without interceptors neither costs anything.
//
// A panic isn't hidden, where Java's client logs it and sends what the interceptor before made of the record: it comes out of
// Produce, or ends the program where it is OnAck's on a goroutine of the producer's. But with interceptors set it loses no
// record and leaves the producer whole for those that recover: what Produce hadn't taken yet, up to the end of its records,
// ends with ErrInterceptor, so that a transaction has to be aborted, and an OnAck's panic keeps the Ack from nobody else but
// the interceptors behind it.
type Interceptor struct {
	// OnSend is called on the goroutine of Produce for each record before it has a partition, and may change all of it but
	// Slot; the next interceptor gets what the one before left. r is valid during the call only; the caller's record stays
	// as it is. Calls of Produce on several goroutines make calls of OnSend that overlap.
	OnSend func(r *Record)
	// OnAck is called with each Ack just before Config.OnAck, also for records that Produce refused. The same rules hold.
	OnAck AckFunc
}

// intercepted is room for records that interceptors may change; pooled, because several calls of Produce may need some.
type intercepted [burst]Record

func (pr *Producer) borrowRoom() *intercepted {
	if room, ok := pr.rooms.Get().(*intercepted); ok {
		return room
	}
	return new(intercepted)
}

func (pr *Producer) returnRoom(room *intercepted) {
	clear(room[:]) // keeps nothing of the callers' alive
	pr.rooms.Put(room)
}

// intercept is Produce with interceptors.
func (pr *Producer) intercept(ctx context.Context, recs []Record) (err error) {
	room := pr.borrowRoom()
	a := appender{pr: pr, ctx: ctx}
	whole := false // nothing panicked
	defer func() {
		pr.returnRoom(room)
		if whole {
			pr.refuseRecords(recs, err)
			return
		}
		defer pr.refuseRecords(recs[a.settled:], ErrInterceptor)
		pr.loseRecords(ErrInterceptor)
	}()
	for len(recs) > 0 && err == nil {
		a.settled = 0
		some := pr.onSend(room, recs[:min(burst, len(recs))])
		var done int
		done, err = a.append(some)
		recs = recs[done:]
	}
	whole = true
	return err
}

// loseRecords makes a transaction one that can't be committed, because records of it are refused.
func (pr *Producer) loseRecords(err error) {
	if pr.txn == nil {
		return
	}
	pr.mu.Lock()
	ended := pr.txn.recordRefused(err)
	pr.mu.Unlock()
	pr.deliver(ended)
}

// onSend copies at most burst records to room and passes the copies through the interceptors.
func (pr *Producer) onSend(room *intercepted, recs []Record) []Record {
	out := room[:copy(room[:], recs)]
	for i := range out {
		slot := out[i].Slot
		for k := range pr.cfg.Interceptors {
			if f := pr.cfg.Interceptors[k].OnSend; f != nil {
				f(&out[i])
			}
		}
		out[i].Slot = slot
	}
	return out
}

// acknowledge passes an Ack to the interceptors and to Config.OnAck. Producer.ackMu is held.
func (pr *Producer) acknowledge(a Ack) {
	if len(pr.cfg.Interceptors) > 0 {
		pr.acknowledgeThrough(a)
		return
	}
	pr.cfg.OnAck(a)
}

// acknowledgeThrough is acknowledge with interceptors.
func (pr *Producer) acknowledgeThrough(a Ack) {
	defer pr.cfg.OnAck(a) // also where one panics
	for k := range pr.cfg.Interceptors {
		if f := pr.cfg.Interceptors[k].OnAck; f != nil {
			f(a)
		}
	}
}
