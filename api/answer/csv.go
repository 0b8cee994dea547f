package answer

// AppendCell appends a text as a cell: quoted where RFC 4180 asks for it, and
// never a formula where a spreadsheet would run one.
func AppendCell(dst []byte, s string) []byte {
	if isFormula(s) {
		s = "'" + s
	}
	quote := false
	for i := 0; i < len(s) && !quote; i++ {
		switch s[i] {
		case ',', ';', '"', '\n', '\r': // whichever of the two stands between cells
			quote = true
		}
	}
	if !quote && (s == "" || s[0] != ' ' && s[len(s)-1] != ' ') {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, s[i])
	}
	return append(dst, '"')
}

// isFormula reports whether a spreadsheet would take a text for a formula. A
// number or telephone number with its sign does no harm as one.
func isFormula(s string) bool {
	if s == "" {
		return false
	}
	switch s[0] {
	case '=', '@', '\t', '\r', '\n':
		return true
	case '+', '-':
		for _, c := range s[1:] {
			if !(c >= '0' && c <= '9' || c == ' ' || c == '.' || c == ',' || c == '(' || c == ')' || c == '\u00a0') {
				return len(s) > 1
			}
		}
	}
	return false
}
