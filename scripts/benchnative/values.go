package main

import (
	"fmt"
	"math/rand/v2"
)

// makeValues makes the values that records are sent with, before anything is measured: n different ones of size bytes each in
// one block of memory. They are the same in every process.
func makeValues(n, size int, json bool) [][]byte {
	block := make([]byte, n*size)
	rng := rand.New(rand.NewPCG(1, uint64(size)))
	values := make([][]byte, n)
	for i := range values {
		v := block[i*size:][:size:size]
		if json {
			fillJSON(rng, v, i)
		} else {
			for j := range v {
				v[j] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[rng.Uint32()&63]
			}
		}
		values[i] = v
	}
	return values
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
