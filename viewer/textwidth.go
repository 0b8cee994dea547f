package viewer

import (
	"strings"
	"unicode"
)

// advances are the widths of Noto Sans, in thousandths of its size. What is
// not listed is taken for as wide as the widest letters.
var advances = func() map[rune]float64 {
	m := map[rune]float64{}
	for _, group := range []struct {
		runes string
		width float64
	}{
		{"iîïíìjl|", 270},
		{" \u00a0.,;:!’'", 275},
		{"\u202f", 140},
		{"()[]-–/", 370},
		{"frt", 415},
		{"czsxvyk", 540},
		{"aàâáäeéèêëßgq", 620},
		{"bdhnopuñôöóòùûüúç", 620},
		{"w", 790},
		{"mœæ", 950},
		{"IÎÏJ", 345},
		{"EÉÈÊFLTSÇ", 570},
		{"ABCKPRVXYZÀÂ", 660},
		{"DGHNOQUÔÙ", 785},
		{"MW", 935},
		{"0123456789", 575},
		{"«»?", 500},
		{"&", 735},
	} {
		for _, r := range group.runes {
			m[r] = group.width / 1000
		}
	}
	return m
}()

// boldness is how much wider bold writing is.
const boldness = 1.08

// textWidth is how wide a text is at most, in the unit of its size.
func textWidth(text string, size float64, bold bool) float64 {
	wide := 0.0
	for _, r := range text {
		a, ok := advances[r]
		if !ok {
			a = 1
			if unicode.IsLower(r) {
				a = .65
			}
		}
		wide += a
	}
	if bold {
		wide *= boldness
	}
	return wide * size
}

// lines is on how many lines a text is written in a column, at most: words are
// not broken unless they are wider than the column.
func lines(text string, size float64, bold bool, column float64) float64 {
	n, at := 0.0, 0.0
	space := textWidth(" ", size, bold)
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' }) {
		wide := textWidth(word, size, bold)
		switch {
		case n == 0 || at+space+wide > column:
			n++
			at = wide
			for at > column {
				n++
				at -= column * .8
			}
		default:
			at += space + wide
		}
	}
	return n
}
