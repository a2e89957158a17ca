package workload

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
)

// maxArena bounds what one run keeps of keys or values, in bytes.
const maxArena = 1 << 30

// keySet holds all keys of a plan, one after the other, and what is needed to choose among them.
type keySet struct {
	spec  KeySpec
	arena []byte     // key i is arena[i·Size:(i+1)·Size]
	zipf  aliasTable // zipf alone
	// hot alone: of 32 random bits, those below hotCut choose a hot key.
	hotCut uint64
}

// newKeySet writes the keys and prepares the distribution.
func newKeySet(spec KeySpec) (*keySet, error) {
	k := &keySet{spec: spec}
	switch spec.Distribution {
	case KeyNone:
		return k, nil
	case KeySequential, KeyUniform, KeyZipf, KeyHot:
	default:
		return nil, fmt.Errorf("records.key.distribution: %q isn't one of %s, %s, %s, %s, %s", spec.Distribution,
			KeyNone, KeySequential, KeyUniform, KeyZipf, KeyHot)
	}
	if spec.Cardinality < 1 {
		return nil, fmt.Errorf("records.key.cardinality: %d isn't a number of keys: it has to be 1 or more", spec.Cardinality)
	}
	if digits := len(strconv.Itoa(spec.Cardinality - 1)); spec.Size < digits {
		return nil, fmt.Errorf("records.key.size: %d bytes are too few for %d different keys: at least %d",
			spec.Size, spec.Cardinality, digits)
	}
	if over, n := bits.Mul64(uint64(spec.Cardinality), uint64(spec.Size)); over != 0 || n > maxArena {
		return nil, fmt.Errorf("records.key: %d keys of %d bytes are more than %d bytes, the most that a run keeps in memory",
			spec.Cardinality, spec.Size, maxArena)
	}
	if err := k.distribute(); err != nil {
		return nil, err
	}
	k.arena = appendKeys(make([]byte, 0, spec.Cardinality*spec.Size), spec)
	return k, nil
}

// distribute prepares the choice among the keys.
func (k *keySet) distribute() error {
	spec := k.spec
	switch spec.Distribution {
	case KeyZipf:
		if !(spec.S > 0) || math.IsInf(spec.S, 0) {
			return fmt.Errorf("records.key.s: %v isn't a zipf exponent: it has to be above 0", spec.S)
		}
		weights := make([]float64, spec.Cardinality)
		for i := range weights {
			weights[i] = math.Exp(-spec.S * math.Log(float64(i+1)))
		}
		var err error
		k.zipf, err = newAliasTable(weights)
		return err
	case KeyHot:
		if spec.HotKeys < 1 || spec.HotKeys >= spec.Cardinality {
			return fmt.Errorf("records.key.hot.keys: %d of %d keys can't be the hot ones: 1 to %d",
				spec.HotKeys, spec.Cardinality, spec.Cardinality-1)
		}
		if !(spec.HotShare >= 0 && spec.HotShare <= 1) {
			return fmt.Errorf("records.key.hot.share: %v isn't a share: 0 to 1", spec.HotShare)
		}
		k.hotCut = uint64(math.Round(spec.HotShare * (1 << 32)))
	}
	return nil
}

// appendKeys appends the keys: the numbers 0, 1, 2 … in decimal, with zeros in front.
func appendKeys(dst []byte, spec KeySpec) []byte {
	for range spec.Size {
		dst = append(dst, '0')
	}
	for i := 1; i < spec.Cardinality; i++ {
		dst = append(dst, dst[len(dst)-spec.Size:]...)
		at := len(dst) - 1
		for dst[at] == '9' {
			dst[at] = '0'
			at--
		}
		dst[at]++
	}
	return dst
}

// size is the number of bytes of every key, 0 for null keys.
func (k *keySet) size() int {
	if k.spec.Distribution == KeyNone {
		return 0
	}
	return k.spec.Size
}

// key is key number i. Its capacity is cut, so that an append by whoever holds it can't reach its neighbour.
func (k *keySet) key(i int) []byte {
	at := i * k.spec.Size
	return k.arena[at : at+k.spec.Size : at+k.spec.Size]
}

// fillKeys sets the keys of the source's next records. The branch is taken once a call, not once a record.
func (s *Source) fillKeys(recs []Record) {
	k := s.keys
	n := k.spec.Cardinality
	switch k.spec.Distribution {
	case KeyNone:
		for i := range recs {
			recs[i].Key = nil
		}
	case KeySequential:
		for i := range recs {
			recs[i].Key = k.key(s.keyWheel.turn())
		}
	case KeyUniform:
		for i := range recs {
			recs[i].Key = k.key(s.keyRNG.below(n))
		}
	case KeyZipf:
		for i := range recs {
			recs[i].Key = k.key(k.zipf.draw(s.keyRNG.next()))
		}
	case KeyHot:
		hot := uint64(k.spec.HotKeys)
		for i := range recs {
			// One half of the bits says hot or not, the other which one.
			x := s.keyRNG.next()
			first, among := hot, uint64(n)-hot
			if x>>32 < k.hotCut {
				first, among = 0, hot
			}
			recs[i].Key = k.key(int(first + (x&math.MaxUint32)*among>>32))
		}
	}
}
