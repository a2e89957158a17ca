package native

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"kbench/native/wire"
)

// compressor encodes batches with one codec; its encoders and buffers are reused. Used by one goroutine.
type compressor struct {
	codec      Compression
	attributes int16 // of every batch, besides the codec
	out        []byte

	gz       *gzip.Writer
	gzBuf    bytes.Buffer
	zs       *zstd.Encoder
	fast     lz4.Compressor
	hc       lz4.CompressorHC
	lz4Level int
}

func newCompressor(cfg *Config) *compressor {
	c := &compressor{codec: cfg.Compression, lz4Level: cfg.LZ4Level}
	if cfg.TransactionalID != "" {
		c.attributes = wire.Transactional
	}
	var err error
	switch c.codec {
	case CompressionGzip:
		c.gz, err = gzip.NewWriterLevel(&c.gzBuf, cfg.GzipLevel)
	case CompressionZstd:
		c.zs, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(cfg.ZstdLevel)),
			zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithZeroFrames(true))
	case CompressionLZ4:
		c.hc.Level = lz4Levels[min(max(cfg.LZ4Level, 1), 9)-1]
	}
	if err != nil { // Config.check has refused such a level
		panic(fmt.Sprintf("native: %v", err))
	}
	return c
}

// lz4Levels is read-only.
var lz4Levels = [...]lz4.CompressionLevel{lz4.Level1, lz4.Level2, lz4.Level3, lz4.Level4, lz4.Level5, lz4.Level6,
	lz4.Level7, lz4.Level8, lz4.Level9}

// encode compresses src. The result is valid until the next call; nil: the codec refused.
func (c *compressor) encode(src []byte) []byte {
	switch c.codec {
	case CompressionGzip:
		c.gzBuf.Reset()
		c.gz.Reset(&c.gzBuf)
		if _, err := c.gz.Write(src); err != nil {
			return nil
		}
		if err := c.gz.Close(); err != nil {
			return nil
		}
		return c.gzBuf.Bytes()
	case CompressionSnappy:
		c.out = c.snappy(c.out[:0], src)
	case CompressionLZ4:
		c.out = c.lz4(c.out[:0], src)
	case CompressionZstd:
		c.out = c.zs.EncodeAll(src, c.out[:0])
	default:
		return nil
	}
	return c.out
}

// xerialHeader starts a stream of Java's SnappyOutputStream: magic, version 1, compatible with version 1.
const xerialHeader = "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"

// xerialBlock is the block size of Java's stream.
const xerialBlock = 32 << 10

// snappy appends src in blocks, each a big-endian length and a snappy block.
func (c *compressor) snappy(dst, src []byte) []byte {
	dst = append(dst, xerialHeader...)
	for len(src) > 0 {
		n := min(len(src), xerialBlock)
		at := len(dst)
		dst = grow(dst, 4+s2.MaxEncodedLen(n))
		block := s2.EncodeSnappy(dst[at+4:cap(dst)], src[:n])
		binary.BigEndian.PutUint32(dst[at:], uint32(len(block)))
		dst = dst[:at+4+len(block)]
		src = src[n:]
	}
	return dst
}

// The LZ4 frame that Java's Lz4BlockOutputStream writes: version 1, independent blocks of 64 KiB, no checksums;
// the last byte is that of the descriptor's hash.
const (
	lz4Header = "\x04\x22\x4d\x18\x60\x40\x82"
	lz4Block  = 64 << 10
	lz4Raw    = 1 << 31 // a block that is stored as it is

	// lz4FastLevel is the level at which Java takes its fast compressor; any other means the high one.
	lz4FastLevel = 9
)

// lz4 appends src as an LZ4 frame.
func (c *compressor) lz4(dst, src []byte) []byte {
	dst = append(dst, lz4Header...)
	for len(src) > 0 {
		n := min(len(src), lz4Block)
		at := len(dst)
		dst = grow(dst, 4+lz4.CompressBlockBound(n))
		dst = dst[:cap(dst)]
		var size int
		var err error
		if c.lz4Level == lz4FastLevel {
			size, err = c.fast.CompressBlock(src[:n], dst[at+4:])
		} else {
			size, err = c.hc.CompressBlock(src[:n], dst[at+4:])
		}
		word := uint32(size)
		if err != nil || size == 0 || size >= n {
			size = copy(dst[at+4:], src[:n])
			word = uint32(size) | lz4Raw
		}
		binary.LittleEndian.PutUint32(dst[at:], word)
		dst = dst[:at+4+size]
		src = src[n:]
	}
	return append(dst, 0, 0, 0, 0)
}

// grow makes room for n more bytes; len(dst) includes 4 of them.
func grow(dst []byte, n int) []byte {
	if cap(dst)-len(dst) < n {
		bigger := make([]byte, len(dst), 2*cap(dst)+n)
		copy(bigger, dst)
		dst = bigger
	}
	return dst[:len(dst)+4]
}

// decompress is the reverse, for batches that must be split: rare, so it takes what it needs. size is that of the result,
// with the batch's header.
func decompress(codec Compression, b []byte, size int) ([]byte, error) {
	switch codec {
	case CompressionGzip:
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	case CompressionSnappy:
		out := make([]byte, 0, size)
		for b = b[len(xerialHeader):]; len(b) >= 4; {
			n := int(binary.BigEndian.Uint32(b))
			block, err := s2.Decode(nil, b[4:4+n])
			if err != nil {
				return nil, err
			}
			out = append(out, block...)
			b = b[4+n:]
		}
		return out, nil
	case CompressionLZ4:
		return io.ReadAll(lz4.NewReader(bytes.NewReader(b)))
	case CompressionZstd:
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		defer d.Close()
		return d.DecodeAll(b, make([]byte, 0, size))
	}
	return b, nil
}
