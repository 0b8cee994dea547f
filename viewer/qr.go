package viewer

import (
	"bytes"
	"fmt"
	"html"
	"html/template"

	"github.com/boombuler/barcode/qr"
)

// QR draws a text as a QR code (ISO/IEC 18004), black on white whatever the
// theme, with the quiet zone that readers need. The label is what a screen
// reader says.
func QR(text, label string) (template.HTML, error) {
	code, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return "", fmt.Errorf("QR code of %d bytes: %w", len(text), err)
	}
	const quiet = 4
	side := code.Bounds().Dx()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg class="qr" width="132" height="132" viewBox="0 0 %d %d" role="img" aria-label="%s" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path fill="#000" d="`,
		side+2*quiet, side+2*quiet, html.EscapeString(label), side+2*quiet, side+2*quiet)
	for y := range side {
		for x := 0; x < side; x++ {
			from := x
			for x < side && dark(code.At(x, y).RGBA()) {
				x++
			}
			if x > from {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from+quiet, y+quiet, x-from, x-from)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	return template.HTML(b.String()), nil
}

func dark(r, _, _, _ uint32) bool { return r < 0x8000 }
