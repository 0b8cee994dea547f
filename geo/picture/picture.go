// Package picture redraws the pictures that people send: PNG, JPEG and WebP are
// decoded, made smaller where they are large, and encoded again, so that
// nothing of the file is left but what is seen: no position, no camera, no
// name, nothing hidden behind the pixels. SVG, which may hold scripts, and all
// else is refused.
//
// It decodes foreign files: the server runs it in a process of its own.
package picture

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"

	"calanque/geo"
)

// The limits of a picture: what is taken, and what comes out.
const (
	MaxBytes  = 8 << 20
	minSide   = 100      // pixels
	maxSide   = 10_000   // of one side
	maxPixels = 40 << 20 // decoded, four bytes each: 160 MB
	widest    = 1200     // what comes out is not wider
	tallest   = 1200     // or higher
	quality   = 85       // of JPEG
)

// A Picture is what was drawn.
type Picture struct {
	MediaType     string // image/png where something is transparent, else image/jpeg
	Width, Height int
}

// decoders are the formats that are taken, by their first bytes.
var decoders = []struct {
	at     int
	magic  string
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}{
	{0, "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{0, "\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{8, "WEBP", webp.DecodeConfig, webp.Decode},
}

// Redraw reads a picture and writes it anew. What is no picture of the three
// formats, broken, too small or too large is a *geo.InputError
// "picture.…"; the reader is a file, read twice.
func Redraw(w io.Writer, r io.ReadSeeker) (p Picture, err error) {
	defer func() {
		if v := recover(); v != nil { // decoders have had such faults
			p, err = Picture{}, geo.Bad(fmt.Errorf("panic: %v", v), "picture.broken")
		}
	}()
	head := make([]byte, 12)
	if _, err := io.ReadFull(r, head); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return Picture{}, fmt.Errorf("read a picture: %w", err)
	}
	for _, d := range decoders {
		if string(head[d.at:d.at+len(d.magic)]) != d.magic {
			continue
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return Picture{}, fmt.Errorf("read a picture: %w", err)
		}
		c, err := d.config(bufio.NewReader(r))
		switch {
		case err != nil:
			return Picture{}, geo.Bad(err, "picture.broken")
		case c.Width < minSide || c.Height < minSide:
			return Picture{}, geo.Bad(nil, "picture.too-small", "width", c.Width, "height", c.Height, "min", minSide)
		case c.Width > maxSide || c.Height > maxSide || c.Width*c.Height > maxPixels:
			return Picture{}, geo.Bad(nil, "picture.too-large", "width", c.Width, "height", c.Height, "max", maxSide)
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return Picture{}, fmt.Errorf("read a picture: %w", err)
		}
		m, err := d.decode(bufio.NewReader(r))
		if err != nil {
			return Picture{}, geo.Bad(err, "picture.broken")
		}
		return encode(w, shrink(m))
	}
	return Picture{}, geo.Bad(nil, "picture.no-picture")
}

// shrink makes a picture as small as pages show it.
func shrink(m image.Image) image.Image {
	b := m.Bounds()
	w, h := b.Dx(), b.Dy()
	if w <= widest && h <= tallest {
		return m
	}
	scale := min(float64(widest)/float64(w), float64(tallest)/float64(h))
	small := image.NewNRGBA(image.Rect(0, 0, max(1, int(float64(w)*scale)), max(1, int(float64(h)*scale))))
	draw.CatmullRom.Scale(small, small.Bounds(), m, b, draw.Src, nil)
	return small
}

func encode(w io.Writer, m image.Image) (Picture, error) {
	p := Picture{MediaType: "image/jpeg", Width: m.Bounds().Dx(), Height: m.Bounds().Dy()}
	var err error
	if opaque(m) {
		err = jpeg.Encode(w, m, &jpeg.Options{Quality: quality})
	} else {
		p.MediaType = "image/png"
		err = png.Encode(w, m)
	}
	if err != nil {
		return Picture{}, fmt.Errorf("write a picture: %w", err)
	}
	return p, nil
}

func opaque(m image.Image) bool {
	if o, ok := m.(interface{ Opaque() bool }); ok {
		return o.Opaque()
	}
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA).A != 0xff {
				return false
			}
		}
	}
	return true
}
