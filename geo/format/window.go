package format

import (
	"fmt"
	"io"
)

// A window reads stretches of a file that mostly follow one another, through
// one buffer: memory stays bounded and nothing is copied twice.
type window struct {
	r    io.ReaderAt
	size int64
	off  int64
	buf  []byte // the bytes at off; its capacity is the stride
}

const windowStride = 512 << 10

func newWindow(r io.ReaderAt, size int64) *window {
	return &window{r: r, size: size, buf: make([]byte, 0, windowStride)}
}

// at gives n bytes from off, valid until the next call.
func (w *window) at(off int64, n int) ([]byte, error) {
	if i := off - w.off; i >= 0 && i+int64(n) <= int64(len(w.buf)) {
		return w.buf[i : i+int64(n) : i+int64(n)], nil
	}
	if off < 0 || n < 0 || off+int64(n) > w.size {
		return nil, io.ErrUnexpectedEOF
	}
	want := min(max(int64(n), windowStride), w.size-off)
	if int64(cap(w.buf)) < want {
		w.buf = make([]byte, 0, want)
	}
	got, err := w.r.ReadAt(w.buf[:want], off)
	w.off, w.buf = off, w.buf[:got]
	if got < n {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("read %d bytes at %d: %w", n, off, err)
	}
	return w.buf[:n:n], nil
}
