package native

// Poison makes the producer overwrite freed buffers.
func (pr *Producer) Poison() {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.mem.poison = true
}

// FreeEarly makes the producer free buffers while a writer may hold them.
func (pr *Producer) FreeEarly() {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.mem.early = true
}

// Pretend puts a producer without transactional.id into a transaction that no coordinator knows of, for brokers that take any
// batch. What it returns ends that.
func (pr *Producer) Pretend() func() {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	pr.cfg.TransactionalID = "tx"
	pr.txn = newTransactions(pr)
	pr.txn.state, pr.txn.v2 = txnOpen, true
	for _, conns := range pr.nodes {
		for _, n := range conns {
			n.comp.attributes = newCompressor(&pr.cfg).attributes
		}
	}
	return func() {
		pr.mu.Lock()
		defer pr.mu.Unlock()
		pr.txn = nil
	}
}
