package workload

// mixer writes bytes that compress to a wanted share of their size, whichever LZ codec is used: runs of random bytes,
// which none can shrink, alternate with runs out of one short random text, which all replace by a reference.
//
// What a reference costs is taken off the random bytes. It is about the same in all formats (LZ4: a token, two bytes of
// distance, an extra byte of length) as long as lengths and distances vary: were they all alike, zstd's entropy coder
// would make the references free and LZ4 would not. So lengths are drawn.
type mixer struct {
	rng    rng
	random float64 // wanted share of what remains after compression: 1 − compressibility
	chunk  float64 // mean length of one random run and the text after it
	owed   float64 // random bytes that earlier chunks had too few of (or too many, below 0)
	text   [textBytes]byte
}

const (
	// textBytes is the length of the text. Its first occurrence in a batch can't be compressed: in a batch of 16 KiB
	// that should shrink to a tenth, 64 bytes are 4 % of what remains.
	textBytes = 64
	// referenceBytes is the mean cost of a reference under zstd.
	referenceBytes = 3.6
)

// newMixer prepares a mixer. 0 ≤ compressibility < 1.
func newMixer(seed uint64, compressibility float64) *mixer {
	m := &mixer{rng: newRNG(seed, useValues, 0), random: 1 - compressibility}
	for i := range m.text {
		m.text[i] = "abcdefghijklmnopqrstuvwxyz ,.:-_"[m.rng.next()>>59]
	}
	if compressibility > 0 {
		// Short enough that the encoders, which look less and less closely the longer they find nothing, see the start
		// of each text; long enough for texts of 32 bytes and for random runs well above the cost of a reference.
		m.chunk = max(128, 32/compressibility, 24/m.random)
	}
	return m
}

// fill writes one value. Each begins with random bytes, so that no two are the same.
func (m *mixer) fill(dst []byte) {
	if m.chunk == 0 {
		m.rng.read(dst)
		return
	}
	chunks := max(1, int(float64(len(dst))/m.chunk+0.5))
	for ; chunks > 1; chunks-- {
		mean := len(dst) / chunks
		n := mean - mean/8 + m.rng.below(mean/4+1)
		m.fillChunk(dst[:n])
		dst = dst[n:]
	}
	m.fillChunk(dst)
}

// fillChunk writes random bytes and text.
func (m *mixer) fillChunk(dst []byte) {
	want := m.random*float64(len(dst)) - referenceBytes + m.owed
	vary := min(want, float64(len(dst))-want) * (m.rng.unit() - 0.5) / 2
	n := int(want + vary + 0.5)
	m.owed = want - float64(n)
	if n < 1 {
		n, m.owed = 1, 0 // a value this small costs more than it should; others needn't make up for it
	}
	n = min(n, len(dst))
	m.rng.read(dst[:n])
	dst = dst[n:]
	for at := m.rng.below(textBytes); len(dst) > 0; at = 0 {
		dst = dst[copy(dst, m.text[at:]):]
	}
}
