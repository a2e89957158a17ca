package words

import "testing"

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"sink", "sink", 0}, {"", "fake", 4}, {"sinc", "sink", 1}, {"sik", "sink", 1}, {"ssink", "sink", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 2}} {
		if got := Distance(c.a, c.b); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := Distance(c.b, c.a); got != c.want {
			t.Errorf("Distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 brokers", 1: "1 broker", 2: "2 brokers", -1: "-1 brokers"} {
		if got := Count(n, "broker"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}
