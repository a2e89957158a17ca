package sink

import "math"

// stall is a window, or with every > 0 windows, in which nothing is done. Times are ns from the first arrival.
type stall struct{ at, length, every int64 }

// stalls are all of them; at most one is periodic, so that every window ends sometime.
type stalls []stall

// leave is t, or where t lies within a window the end of it.
func (s stalls) leave(t int64) int64 {
	for moved := true; moved; {
		moved = false
		for _, w := range s {
			if start := w.startBefore(t); t >= start && t < start+w.length {
				t, moved = start+w.length, true
			}
		}
	}
	return t
}

// startBefore is the start of the last window that starts at or before t, or of the first one.
func (w stall) startBefore(t int64) int64 {
	if w.every == 0 || t < w.at {
		return w.at
	}
	return t - (t-w.at)%w.every
}

// next is the start of the first window after t; ok false: there is none.
func (s stalls) next(t int64) (start int64, ok bool) {
	for _, w := range s {
		at := w.at
		switch {
		case w.every > 0:
			if t >= at {
				at = w.startBefore(t) + w.every
			}
		case at <= t:
			continue
		}
		if !ok || at < start {
			start, ok = at, true
		}
	}
	return start, ok
}

// done is when work that begins at t is done, standing still within the windows.
func (s stalls) done(t, work int64) int64 {
	t = s.leave(t)
	for {
		start, ok := s.next(t)
		if !ok || work <= start-t {
			return t + work
		}
		work -= start - t
		t = s.leave(start)
		t, work = s.periods(t, work)
	}
}

// periods passes over whole periods of work where only the periodic stall matters: work may take millions of them. t is
// outside of all windows.
func (s stalls) periods(t, work int64) (int64, int64) {
	var periodic stall
	until := int64(math.MaxInt64) // when the next one of the others begins
	for _, w := range s {
		if w.every > 0 {
			periodic = w
		} else if w.at > t {
			until = min(until, w.at)
		}
	}
	if periodic.every == 0 || t != periodic.startBefore(t)+periodic.length {
		return t, work
	}
	open := periodic.every - periodic.length
	n := min(max(work-1, 0)/open, (until-1-t)/periodic.every)
	return t + n*periodic.every, work - n*open
}

// share is the part of time that the periodic stall takes.
func (s stalls) share() float64 {
	for _, w := range s {
		if w.every > 0 {
			return float64(w.length) / float64(w.every)
		}
	}
	return 0
}
