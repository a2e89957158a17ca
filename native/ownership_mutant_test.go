//go:build !race

package native_test

import (
	"strings"
	"testing"

	"kbench/native"
)

// TestBufferOwnershipBroken breaks the rule on purpose: buffers of batches that expire are freed while the request that they
// are in is still being written. TestBufferOwnership's check has to see that, both where freed buffers are overwritten and
// where, as in KAFKA-19012, the next batch is put into them. Not under the race detector, which sees it as well.
func TestBufferOwnershipBroken(t *testing.T) {
	for name, set := range map[string]func(*native.Producer){
		"poisoned":   func(p *native.Producer) { p.Poison(); p.FreeEarly() },
		"used again": (*native.Producer).FreeEarly,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := expireInWrites(t, set)
			foreign := 0
			for _, text := range seen.wrong {
				if strings.Contains(text, "a value starts with") {
					foreign++
				}
			}
			t.Logf("of %d batches %d are wrong; %d have records of another partition", seen.batches, len(seen.wrong), foreign)
			if len(seen.wrong) == 0 {
				t.Error("nobody noticed")
			}
		})
	}
}
