package native

// Interceptor sees records on their way in and acknowledgements on their way out (interceptor.classes). Either function may
// be nil. Without interceptors neither costs anything.
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
	for k := range pr.cfg.Interceptors {
		if f := pr.cfg.Interceptors[k].OnAck; f != nil {
			f(a)
		}
	}
	pr.cfg.OnAck(a)
}
