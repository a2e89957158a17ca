package workload

import (
	"encoding/binary"
	"fmt"
	"hash/crc64"
)

// What ScheduleChecksum looks at.
const (
	checksumRecords = 16384 // records, of all shards together
	checksumEdge    = 128   // bytes of a value, at its start and as many at its end
)

// ScheduleChecksum is a checksum of what a plan sends and when, as 16 hexadecimal digits: the same seed and plan give
// the same one on every machine, and two results with different ones didn't have the same load.
//
// It is a CRC-64 (ECMA) over the first 16,384 records, an equal part of them from each producer's shard, shard after
// shard: due time in ns (0 where there is no schedule), topic, key, headers, the value's size and its first and last
// 128 bytes. A rate that changes and a trace are covered whole, beyond those records too.
func ScheduleChecksum(plan *Plan, p *Payloads) (string, error) {
	shards := max(1, plan.Load.Producers)
	each := max(1, checksumRecords/shards)
	table := crc64.MakeTable(crc64.ECMA)
	sum := uint64(0)
	recs := make([]Record, 256)
	buf := make([]byte, 0, len(recs)*(4*checksumEdge))
	for shard := range shards {
		schedule, err := NewSchedule(plan.Load, ScheduleOptions{
			Seed: plan.Seed, Shard: shard, Shards: shards, RecordBytes: p.MeanRecordBytes(),
		})
		if err != nil {
			return "", err
		}
		source := p.Shard(shard, shards)
		for n := 0; n < each; {
			burst := recs[:min(len(recs), each-n)]
			source.Fill(burst)
			buf = buf[:0]
			for i := range burst {
				due := uint64(0)
				if schedule != nil {
					due = uint64(schedule.At(uint64(n)))
				}
				buf = binary.LittleEndian.AppendUint64(buf, due)
				buf = appendDigest(buf, &burst[i])
				n++
			}
			sum = crc64.Update(sum, table, buf)
		}
	}
	whole, err := plan.Load.appendDigest(nil)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%016x", crc64.Update(sum, table, whole)), nil
}

// appendDigest appends what the first records don't show of the load's schedule: nothing for a rate that never changes.
func (l Load) appendDigest(dst []byte) ([]byte, error) {
	if l.Stationary() {
		return dst, nil
	}
	text, err := l.curveObject().MarshalJSON()
	if err == nil && l.Trace.Data != nil {
		text = l.Trace.Data.appendDigest(text)
	}
	return append(dst, text...), err
}

// appendDigest appends what the checksum covers of a record.
func appendDigest(dst []byte, r *Record) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(r.Topic))
	dst = appendSized(dst, r.Key)
	for i := range r.Headers {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r.Headers[i].Key)))
		dst = append(dst, r.Headers[i].Key...)
		dst = appendSized(dst, r.Headers[i].Value)
	}
	if len(r.Value) <= 2*checksumEdge {
		return appendSized(dst, r.Value)
	}
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(r.Value)))
	dst = append(dst, r.Value[:checksumEdge]...)
	return append(dst, r.Value[len(r.Value)-checksumEdge:]...)
}

// appendSized appends b with its length in front; a null has a length of its own.
func appendSized(dst, b []byte) []byte {
	size := uint32(len(b))
	if b == nil {
		size = ^uint32(0)
	}
	return append(binary.LittleEndian.AppendUint32(dst, size), b...)
}
