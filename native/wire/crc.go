package wire

// CombineCRC32C is the CRC-32C of a||b, from the CRC of a, the CRC of b and the length of b in bytes.
// Appending n bytes multiplies a's polynomial by x^8n modulo the CRC's own; what b adds is its CRC.
// Source: zlib's crc32_combine.
func CombineCRC32C(a, b uint32, n int) uint32 {
	return multiplyModP(powersOfX(n), a) ^ b
}

// polynomial is the Castagnoli polynomial, bits reversed.
const polynomial = 0x82f63b78

// multiplyModP multiplies two polynomials modulo the CRC's; bit 31 is x^0.
func multiplyModP(a, b uint32) uint32 {
	var p uint32
	for ; a != 0; a <<= 1 {
		p ^= b & -(a >> 31)
		b = b>>1 ^ polynomial&-(b&1)
	}
	return p
}

// squares[k] = x^(8·2^k) modulo the polynomial. Read-only.
var squares = func() (t [32]uint32) {
	p := uint32(1) << (31 - 8) // x^8
	for k := range t {
		t[k] = p
		p = multiplyModP(p, p)
	}
	return t
}()

// powersOfX returns x^(8n) modulo the polynomial.
func powersOfX(n int) uint32 {
	p := uint32(1) << 31 // x^0
	for k := 0; n != 0; k, n = k+1, n>>1 {
		if n&1 != 0 {
			p = multiplyModP(squares[k&31], p)
		}
	}
	return p
}
