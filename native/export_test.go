package native

// Poison makes the producer overwrite freed buffers.
func (pr *Producer) Poison() {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.mem.poison = true
}

// Record counts a value.
func (h *Histogram) Record(v int64) { h.record(v) }
