package broker

import "testing"

// TestClusterIDIsNoOption: an id that begins with "-" isn't used.
func TestClusterIDIsNoOption(t *testing.T) {
	calls := 0
	id := newClusterID(func(b []byte) (int, error) {
		if calls++; calls == 1 {
			b[0] = 0xfb // base64url of 0xfb… begins with "-"
		}
		return len(b), nil
	})
	if calls != 2 || len(id) != 22 || id[0] == '-' {
		t.Errorf("id %q after %d draws", id, calls)
	}
}
