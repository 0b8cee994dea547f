package geo

import "regexp"

var (
	// Eight figures or more, however they are grouped, are a telephone number.
	phoneNumber = regexp.MustCompile(`(?:\+|\b)\d(?:[ .\-/()\x{a0}\x{202f}]*\d){7,}`)
	mailAddress = regexp.MustCompile(`(?i)[a-z0-9._%+-]+\s*(?:@|\(at\)|\[at\]|\barobase\b)\s*[a-z0-9-]+\s*(?:\.|\bpoint\b|\bdot\b)\s*[a-z]{2,}`)
	// position is a coordinate in degrees: many figures, and nobody's number.
	position = regexp.MustCompile(`(?:^|[^\d.,])-?\d{1,2}[.,]\d{3,}(?:°|\b)`)
)

// HasPhone reports whether a text seems to hold a telephone number.
func HasPhone(s string) bool { return phoneNumber.MatchString(s) }

// HasMail reports whether a text seems to hold an e-mail address, spelled out
// ones included.
func HasMail(s string) bool { return mailAddress.MatchString(s) }

// WithoutPositions takes coordinates in degrees out of a text, before it is
// looked at for telephone numbers.
func WithoutPositions(s string) string { return position.ReplaceAllString(s, " ") }
