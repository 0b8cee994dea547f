package pbf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/qedus/osmpbf/OSMPBF"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"calanque/geo"
)

// Limits of the format: a blob header is shorter than 64 KiB, a blob and its
// raw bytes hold 32 MiB at most.
const (
	maxHeader = 64 << 10
	maxRaw    = 32 << 20
)

// A place is where the packed bytes of one block lie in the file.
type place struct {
	at     int64 // of the block: where people are told to look
	offset int64 // of the packed bytes
	size   int   // their number
	raw    int   // bytes when unpacked
	zlib   bool  // else the bytes are raw
}

// walk reads the headers of all blocks and checks that each block ends inside
// the file, has a compression that is read here and a possible size. The first
// place is the header block, the others hold data.
func (r *Reader) walk() error {
	for at := int64(0); at < r.size; {
		kind, size, offset, err := r.blobHeader(at)
		if err != nil {
			return err
		}
		if at == 0 && kind != "OSMHeader" {
			return r.foreign(fmt.Errorf("first block is %q", kind))
		}
		p, err := r.blob(at, offset, size)
		if err != nil {
			return err
		}
		switch {
		case kind == "OSMHeader" && at == 0, kind == "OSMData":
			r.places = append(r.places, p)
		case kind == "OSMHeader":
			return geo.Bad(nil, "osm.pbf.two-headers", "file", r.name, "offset", at)
		}
		// Blocks of another kind are skipped, as the format says.
		at = offset + int64(size)
	}
	return nil
}

// blobHeader reads the header at an offset: kind, size and place of its blob.
func (r *Reader) blobHeader(at int64) (kind string, size int32, offset int64, err error) {
	if r.size-at < 4 {
		return "", 0, 0, r.truncated(at)
	}
	var b [4]byte
	if err := r.readAt(b[:], at); err != nil {
		return "", 0, 0, err
	}
	n := int64(binary.BigEndian.Uint32(b[:]))
	if n == 0 || n >= maxHeader {
		err := fmt.Errorf("blob header of %d bytes", n)
		if at == 0 {
			return "", 0, 0, r.foreign(err)
		}
		return "", 0, 0, r.corrupt(at, err)
	}
	if at+4+n > r.size {
		if at == 0 {
			return "", 0, 0, r.foreign(io.ErrUnexpectedEOF)
		}
		return "", 0, 0, r.truncated(at)
	}
	head := make([]byte, n)
	if err := r.readAt(head, at+4); err != nil {
		return "", 0, 0, err
	}
	h := &OSMPBF.BlobHeader{}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(head, h); err != nil {
		if at == 0 {
			return "", 0, 0, r.foreign(err)
		}
		return "", 0, 0, r.corrupt(at, err)
	}
	offset = at + 4 + n
	switch size := h.GetDatasize(); {
	case size <= 0 || size > maxRaw+maxHeader:
		return "", 0, 0, r.corrupt(at, fmt.Errorf("blob of %d bytes", size))
	case offset+int64(size) > r.size:
		return "", 0, 0, r.truncated(at)
	default:
		return h.GetType(), size, offset, nil
	}
}

// blob finds the packed bytes of a blob without reading them: the message is
// walked field by field.
func (r *Reader) blob(at, offset int64, size int32) (place, error) {
	p, end := place{at: at, offset: -1}, offset+int64(size)
	for pos := offset; pos < end; {
		var b [24]byte // a tag and a varint or length take 20 bytes at most
		n := min(int64(len(b)), end-pos)
		if err := r.readAt(b[:n], pos); err != nil {
			return p, err
		}
		num, typ, k := protowire.ConsumeTag(b[:n])
		if k < 0 {
			return p, r.corrupt(at, protowire.ParseError(k))
		}
		v, m := protowire.ConsumeVarint(b[k:n]) // the value, or the length of bytes
		if m < 0 || (typ != protowire.VarintType && typ != protowire.BytesType) {
			return p, r.corrupt(at, errors.New("malformed blob"))
		}
		pos += int64(k + m)
		if typ == protowire.VarintType {
			if num == 2 {
				if v == 0 || v > maxRaw {
					return p, r.corrupt(at, fmt.Errorf("raw size %d", int64(v)))
				}
				p.raw = int(v)
			}
			continue
		}
		if v > uint64(end-pos) {
			return p, r.corrupt(at, fmt.Errorf("%d bytes in a blob of %d", v, size))
		}
		if err := r.packed(&p, num, pos, int(v)); err != nil {
			return p, err
		}
		pos += int64(v)
	}
	switch {
	case p.offset < 0:
		return p, r.corrupt(at, errors.New("blob without data"))
	case !p.zlib:
		p.raw = p.size
	case p.raw == 0:
		return p, r.corrupt(at, errors.New("blob without raw size"))
	}
	return p, nil
}

// packed notes the data field of a blob.
func (r *Reader) packed(p *place, num protowire.Number, pos int64, size int) error {
	switch num {
	case 1, 3: // raw, zlib_data
		p.offset, p.size, p.zlib = pos, size, num == 3
		if num == 1 && size > maxRaw {
			return r.corrupt(p.at, fmt.Errorf("raw size %d", size))
		}
	case 4, 5, 6, 7:
		method := [...]string{"lzma", "bzip2", "lz4", "zstd"}[num-4]
		return geo.Bad(nil, "osm.pbf.compression", "file", r.name, "offset", p.at, "compression", method)
	}
	return nil
}

func (r *Reader) readAt(b []byte, at int64) error {
	if _, err := r.f.ReadAt(b, at); err != nil {
		if errors.Is(err, io.EOF) { // the file has shrunk since it was opened
			return r.truncated(at)
		}
		return fmt.Errorf("read %s at %d: %w", r.name, at, err)
	}
	return nil
}

func (r *Reader) truncated(at int64) error {
	return geo.Bad(io.ErrUnexpectedEOF, "osm.pbf.truncated", "file", r.name, "offset", at, "size", r.size)
}

func (r *Reader) corrupt(at int64, err error) error {
	return geo.Bad(err, "osm.pbf.corrupt", "file", r.name, "offset", at)
}
