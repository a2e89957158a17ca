//go:build !race

package null_test

import (
	"context"
	"testing"

	"kbench/driver"
	"kbench/driver/null"
)

func TestSendDoesNotAllocate(t *testing.T) {
	for _, d := range []driver.Driver{null.Driver(), null.Single()} {
		p, recs := session(t, d)
		if n := testing.AllocsPerRun(100, func() {
			if err := p.Send(context.Background(), recs); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations per burst, want 0", d.Name, n)
		}
	}
}
