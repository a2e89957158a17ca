package main

import (
	"fmt"
	"math/rand/v2"
)

// cached is how many bytes values that aren't asked to lie apart have in all: enough to differ, and few enough for the
// second-level cache, where a producer's own values, just made, would be.
const cached = 256 << 10

// makeValues makes the values that records are sent with, before anything is measured: s.Values different ones of s.Size bytes
// each, and says how many bytes of memory they lie in. They are the same in every process.
func (s *setup) makeValues() (values [][]byte, bytes int64) {
	values = make([][]byte, s.Values)
	step, block := s.Size, make([]byte, s.Values*s.Size)
	if !s.JSON && !s.Apart && len(block) > cached { // values that overlap
		step = max(1, cached/s.Values)
		block = make([]byte, cached+s.Size)
	}
	rng := rand.New(rand.NewPCG(1, uint64(s.Size)))
	if !s.JSON {
		for i := range block {
			block[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[rng.Uint32()&63]
		}
	}
	for i := range values {
		values[i] = block[i*step:][:s.Size:s.Size]
		if s.JSON {
			fillJSON(rng, values[i], i)
		}
	}
	return values, int64(len(block))
}

// fillJSON fills v with one shop event after the other, cut off at the end: names of fields and words that come again, numbers
// and ids that don't. Codecs make a third to a fifth of it.
func fillJSON(rng *rand.Rand, v []byte, i int) {
	words := [...]string{"delivered", "pending", "express", "standard", "return", "invoice", "warehouse", "customer", "Berlin",
		"Lisboa", "København", "blue", "large", "cotton", "wireless", "kitchen", "garden", "refund", "voucher", "gift"}
	word := func() string { return words[rng.IntN(len(words))] }
	text := make([]byte, 0, len(v)+512)
	for len(text) < len(v) {
		text = fmt.Appendf(text, `{"order_id":"%016x","sequence":%d,"created_at":"2026-%02d-%02dT%02d:%02d:%02d.%03dZ","customer":{"id":%d,"city":%q,"segment":%q},`,
			rng.Uint64(), i, 1+rng.IntN(12), 1+rng.IntN(28), rng.IntN(24), rng.IntN(60), rng.IntN(60), rng.IntN(1000), rng.IntN(1e6), word(), word())
		text = fmt.Appendf(text, `"items":[{"sku":"SKU-%06d","name":"%s %s","quantity":%d,"price":%.2f},{"sku":"SKU-%06d","name":"%s %s","quantity":%d,"price":%.2f}],`,
			rng.IntN(1e5), word(), word(), 1+rng.IntN(9), rng.Float64()*200, rng.IntN(1e5), word(), word(), 1+rng.IntN(9), rng.Float64()*200)
		text = fmt.Appendf(text, `"status":%q,"payment":{"method":%q,"authorised":%t},"trace":"%08x","note":"%s %s %s"}`,
			word(), word(), rng.IntN(2) == 0, rng.Uint32(), word(), word(), word())
	}
	copy(v, text)
}
