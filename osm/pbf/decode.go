package pbf

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zlib"
	"github.com/qedus/osmpbf/OSMPBF"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// maxObjects is how many objects a block may hold. Writers put 8,000; a block
// of millions is an attack on memory.
const maxObjects = 1 << 20

var errCount = fmt.Errorf("more than %d objects in a block", maxObjects)

// A decoder turns packed blocks into columns; one a goroutine.
type decoder struct {
	r      *Reader
	want   Kinds
	packed []byte
	raw    []byte
	z      io.ReadCloser
}

// block decodes data block i into b. Whatever is wrong with it, a panic of the
// decoding library included, is an InputError that names the place.
func (d *decoder) block(i int, b *Block) (err error) {
	p := d.r.places[i+1]
	defer func() {
		if v := recover(); v != nil {
			err = d.r.corrupt(p.at, fmt.Errorf("decode: %v", v))
		}
	}()
	b.reset(i)
	raw, err := d.unpack(p)
	if err != nil {
		return d.r.corrupt(p.at, err)
	}
	kinds, err := survey(raw)
	if err != nil {
		return d.r.corrupt(p.at, err)
	}
	if kinds&d.want == 0 {
		return nil
	}
	m := &OSMPBF.PrimitiveBlock{}
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(raw, m); err != nil {
		return d.r.corrupt(p.at, err)
	}
	if err := b.fill(m, d.want); err != nil {
		return d.r.corrupt(p.at, err)
	}
	return nil
}

// unpack gives the raw bytes of a block, valid until the next call.
func (d *decoder) unpack(p place) ([]byte, error) {
	if cap(d.packed) < p.size {
		d.packed = make([]byte, p.size)
	}
	d.packed = d.packed[:p.size]
	if err := d.r.readAt(d.packed, p.offset); err != nil {
		return nil, err
	}
	if !p.zlib {
		return d.packed, nil
	}
	in := bytes.NewReader(d.packed)
	if d.z == nil {
		z, err := zlib.NewReader(in)
		if err != nil {
			return nil, err
		}
		d.z = z
	} else if err := d.z.(zlib.Resetter).Reset(in, nil); err != nil {
		return nil, err
	}
	// Deflate packs 1,032 times at best: a block that claims more is wrong, and
	// nothing is allocated for it.
	if p.raw > 1100*p.size+1024 {
		return nil, fmt.Errorf("%d bytes can't unpack to %d", p.size, p.raw)
	}
	if cap(d.raw) < p.raw {
		d.raw = make([]byte, p.raw+p.raw/8)
	}
	d.raw = d.raw[:p.raw]
	if _, err := io.ReadFull(d.z, d.raw); err != nil {
		return nil, fmt.Errorf("unpack to the declared %d bytes: %w", p.raw, err)
	}
	var more [1]byte // the end must be here, with a right checksum
	switch n, err := io.ReadFull(d.z, more[:]); {
	case n > 0:
		return nil, fmt.Errorf("unpacks to more than the declared %d bytes", p.raw)
	case !errors.Is(err, io.EOF):
		return nil, err
	}
	return d.raw, nil
}

// survey tells which kinds of objects a block holds, skipping over them, and
// refuses numbers of objects that would exhaust memory.
func survey(raw []byte) (Kinds, error) {
	var kinds Kinds
	count := 0
	err := fields(raw, func(num protowire.Number, b []byte) error {
		if num != 2 { // primitivegroup
			return nil
		}
		count++
		return fields(b, func(num protowire.Number, _ []byte) error {
			if count++; count > maxObjects {
				return errCount
			}
			switch num {
			case 1, 2: // nodes, dense
				kinds |= Nodes
			case 3:
				kinds |= Ways
			case 4:
				kinds |= Relations
			}
			return nil
		})
	})
	return kinds, err
}

// fields walks the length-delimited fields of a message.
func fields(b []byte, fn func(protowire.Number, []byte) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if typ != protowire.BytesType {
			n = protowire.ConsumeFieldValue(num, typ, b)
			if n < 0 {
				return protowire.ParseError(n)
			}
			b = b[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		if err := fn(num, v); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
