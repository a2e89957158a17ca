package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
)

// headerBytes is what a value begins with: run, sequence number, partition asked, CRC.
const headerBytes = 8 + 4 + 4 + 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendValue makes the value of record seq of a run. The CRC covers the value and, though they aren't in it, topic and
// partition asked (−1: any): a record in a foreign log can't pass. noise is room for random bytes of any length.
func appendValue(dst []byte, run uint64, seq uint32, topic string, partition int32, noise []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, run)
	dst = binary.BigEndian.AppendUint32(dst, seq)
	dst = binary.BigEndian.AppendUint32(dst, uint32(partition))
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = append(dst, noise...)
	binary.BigEndian.PutUint32(dst[16:], checksum(dst, topic, partition))
	return dst
}

// parsedValue is what a value says about itself.
type parsedValue struct {
	run       uint64
	seq       uint32
	partition int32 // asked
}

var errForeign = errors.New("the checksum over value, topic and partition differs")

// parseValue reads a value found in topic.
func parseValue(v []byte, topic string) (parsedValue, error) {
	if len(v) < headerBytes {
		return parsedValue{}, fmt.Errorf("a value of %d bytes", len(v))
	}
	p := parsedValue{binary.BigEndian.Uint64(v), binary.BigEndian.Uint32(v[8:]), int32(binary.BigEndian.Uint32(v[12:]))}
	if binary.BigEndian.Uint32(v[16:]) != checksum(v, topic, p.partition) {
		return p, errForeign
	}
	return p, nil
}

// checksum leaves out the four bytes that it is kept in.
func checksum(v []byte, topic string, partition int32) uint32 {
	c := crc32.Update(0, castagnoli, v[:16])
	c = crc32.Update(c, castagnoli, v[headerBytes:])
	c = crc32.Update(c, castagnoli, []byte(topic))
	return crc32.Update(c, castagnoli, binary.BigEndian.AppendUint32(nil, uint32(partition)))
}

// noiseLength draws the length of a value beyond its header: mostly small, now and then larger than a batch that is copied
// into its request.
func noiseLength(rng *rand.Rand) int {
	if rng.IntN(50) == 0 {
		return 1000 + rng.IntN(maxNoise-1000)
	}
	return rng.IntN(400)
}

const maxNoise = 6000
