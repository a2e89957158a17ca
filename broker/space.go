package broker

import "fmt"

// enoughSpace compares what is free with what is needed, in bytes.
func enoughSpace(dir string, free, need uint64) error {
	if free >= need {
		return nil
	}
	const gib = 1 << 30
	return fmt.Errorf("only %.1f GiB are free at %s; a Kafka broker under load needs at least %.1f GiB (TMPDIR, or broker kafka's --dir, names another place)",
		float64(free)/gib, dir, float64(need)/gib)
}
