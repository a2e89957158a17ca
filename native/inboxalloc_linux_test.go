//go:build !race

package native

import "testing"

// TestInboxAllocates nothing for an answer.
func TestInboxAllocates(t *testing.T) {
	broker, c, in := answering(t)
	one := answer(100, 1)
	allocs := testing.AllocsPerRun(100, func() {
		if _, err := broker.Write(one); err != nil {
			t.Fatal(err)
		}
		if err := in.await(); err != nil {
			t.Fatal(err)
		}
		in.look()
		if there, err := c.frameThere(); there != wholeFrame || err != nil {
			t.Fatal(there, err)
		}
		if _, err := c.readFrame(); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations an answer", allocs)
	}
}
