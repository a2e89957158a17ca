//go:build !race

package franz

import "testing"

func TestRecordDoesNotAllocate(t *testing.T) {
	p, recs := idleProducer(t)
	i := 0
	if n := testing.AllocsPerRun(10000, func() {
		r := &recs[i%len(recs)]
		s := p.fill(r, int64(r.Size()))
		p.promise(&s.rec, nil)
		i++
	}); n != 0 {
		t.Errorf("%v allocations per record, want 0", n)
	}
}
