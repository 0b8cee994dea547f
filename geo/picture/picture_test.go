package picture

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"strings"
	"testing"

	"calanque/geo"
)

func drawn(w, h int, alpha uint8) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Set(x, y, color.NRGBA{uint8(x), uint8(y), 128, alpha})
		}
	}
	return m
}

func asPNG(t testing.TB, m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withPosition is a JPEG with an EXIF segment, as telephones write it.
func withPosition(t testing.TB) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, drawn(300, 200, 255), nil); err != nil {
		t.Fatal(err)
	}
	exif := "Exif\x00\x00GPS 43.2965 5.3698"
	segment := append([]byte{0xff, 0xe1, 0, byte(2 + len(exif))}, exif...)
	return append(append(append([]byte{}, b.Bytes()[:2]...), segment...), b.Bytes()[2:]...)
}

func TestRedraw(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		file []byte
		want Picture
	}{
		{"opaque", asPNG(t, drawn(300, 200, 255)), Picture{"image/jpeg", 300, 200}},
		{"transparent", asPNG(t, drawn(300, 200, 100)), Picture{"image/png", 300, 200}},
		{"large", asPNG(t, drawn(2400, 1600, 255)), Picture{"image/jpeg", 1200, 800}},
		{"with a position", withPosition(t), Picture{"image/jpeg", 300, 200}},
		{"with something behind it", append(asPNG(t, drawn(300, 200, 255)), "<script>alert(1)</script> GPS"...), Picture{"image/jpeg", 300, 200}},
	} {
		var out bytes.Buffer
		got, err := Redraw(&out, bytes.NewReader(c.file))
		if err != nil || got != c.want {
			t.Errorf("%s: got %v, %v", c.name, got, err)
		}
		if bytes.Contains(out.Bytes(), []byte("GPS")) || bytes.Contains(out.Bytes(), []byte("script")) {
			t.Errorf("%s: something of the file is left", c.name)
		}
		if again, err := Redraw(io.Discard, bytes.NewReader(out.Bytes())); err != nil || again.Width != c.want.Width {
			t.Errorf("%s: what came out is no picture: %v", c.name, err)
		}
	}
}

func TestRedrawRefuses(t *testing.T) {
	t.Parallel()
	whole := asPNG(t, drawn(300, 200, 255))
	for _, c := range []struct{ name, file, want string }{
		{"SVG", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, "picture.no-picture"},
		{"a page", "<!doctype html>", "picture.no-picture"},
		{"GIF", "GIF89a\x01\x00\x01\x00\x00\x00\x00", "picture.no-picture"},
		{"nothing", "", "picture.no-picture"},
		{"cut short", string(whole[:len(whole)/2]), "picture.broken"},
		{"only its beginning", string(whole[:12]), "picture.broken"},
		{"small", string(asPNG(t, drawn(20, 20, 255))), "picture.too-small"},
		{"a bomb", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\xff\xff\x00\x00\xff\xff\x08\x02\x00\x00\x00\xc4\x87\x9f\x8f", "picture.too-large"},
	} {
		_, err := Redraw(io.Discard, strings.NewReader(c.file))
		var bad *geo.InputError
		if !errors.As(err, &bad) || bad.Code != c.want && !(c.name == "a bomb" && bad.Code == "picture.broken") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func FuzzRedraw(f *testing.F) {
	f.Add(asPNG(f, drawn(100, 100, 255)))
	f.Add(withPosition(f))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPVP8 "))
	f.Add([]byte("<svg/>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, err := Redraw(io.Discard, bytes.NewReader(b))
		var bad *geo.InputError
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("an error that says nothing to people: %v", err)
		}
	})
}
