package workload

// mixer writes bytes that compress to a wanted share of their size, with whichever LZ codec: runs of random bytes, which
// none can shrink, and after each run its own beginning over and over, which all replace by one reference back to it.
//
// A run and what repeats it make a chunk. What the reference costs is taken off the random bytes. It is about the same
// in all formats (LZ4: a token, two bytes of distance, one or two of length) as long as lengths vary: were they all alike,
// zstd's entropy coder would make the references free and LZ4 would not. So lengths are drawn.
//
// Every chunk has all that it refers to in itself. So neither the size of a batch matters, nor which values meet in it.
// Note: runs out of one common text instead of repetitions need two or three references each, because an earlier
// occurrence ends sooner than the run, and the text's first occurrence weighs on small batches: at a share of 0.9 that
// is 15 % off for zstd and 25 % for LZ4.
//
// What can't be had: the formats need about four bytes for each value however little is in it, so shares above
// 1 − 4/size aren't reached, and below 100 bytes the codecs differ, as what a batch adds to each record (about 8 bytes)
// compresses too. Snappy's references reach 64 bytes at most: it never shrinks anything below a twentieth.
type mixer struct {
	rng    rng
	random float64 // wanted share of what remains after compression: 1 − compressibility
	chunk  float64 // mean length of a chunk
	owed   float64 // random bytes that earlier chunks had too few of (or too many, below 0)
	text   [smallChunk]byte
}

const (
	// referenceBytes is the mean cost of a reference under zstd, measured.
	referenceBytes = 3.3
	// Values below smallChunk have no room for a run and a repetition. Their random bytes are followed by a piece of one
	// text, to be found in the values before.
	smallChunk = 32
	smallBytes = 2.5 // the cost of a reference there
	// shortestPeriod is what repeats at least: codecs look for equal sequences of four bytes and more.
	shortestPeriod = 4
)

// newMixer prepares a mixer. 0 ≤ compressibility < 1.
func newMixer(seed uint64, compressibility float64) *mixer {
	m := &mixer{rng: newRNG(seed, useValues, 0), random: 1 - compressibility}
	for i := range m.text {
		m.text[i] = "abcdefghijklmnopqrstuvwxyz ,.:-_"[m.rng.next()>>59]
	}
	if compressibility > 0 {
		// Short enough that the encoders, which look less and less closely the longer they find nothing, see the start
		// of each repetition; long enough for repetitions of 32 bytes and for runs well above the cost of a reference.
		m.chunk = max(128, 32/compressibility, 48/m.random)
	}
	return m
}

// fill writes one value. Each begins with random bytes, so that no two are the same.
func (m *mixer) fill(dst []byte) {
	if m.chunk == 0 {
		m.rng.read(dst)
		return
	}
	vary := 0.25
	for chunks := int(float64(len(dst))/m.chunk + 0.5); chunks > 1; chunks-- {
		mean := len(dst) / chunks
		n := mean - mean/8 + m.rng.below(mean/4+1)
		m.fillChunk(dst[:n], vary)
		dst = dst[n:]
		if chunks == 2 {
			vary = 0 // the last chunk makes up for those before, so that each value has its share
		}
	}
	m.fillChunk(dst, vary)
}

// fillChunk writes one run and its repetition. The run's length is drawn, up to a share vary off the mean.
func (m *mixer) fillChunk(dst []byte, vary float64) {
	cost, least := referenceBytes, shortestPeriod
	if len(dst) < smallChunk {
		cost, least = smallBytes, 1
	}
	want := m.random*float64(len(dst)) - cost + m.owed
	vary *= min(want, float64(len(dst))-want)
	n := int(want + vary*(2*m.rng.unit()-1) + 0.5)
	m.owed = want - float64(n)
	if n < least {
		n, m.owed = least, 0 // a value this small costs more than it should; others needn't make up for it
	}
	n = min(n, len(dst))
	m.rng.read(dst[:n])
	if len(dst) < smallChunk {
		dst = dst[n:]
		for at := m.rng.below(len(m.text)); len(dst) > 0; at = 0 {
			dst = dst[copy(dst, m.text[at:]):]
		}
		return
	}
	for n < len(dst) {
		n += copy(dst[n:], dst[:n])
	}
}
