package workshop

import (
	"crypto/rand"
	"regexp"
	"testing"
)

func TestCodes(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^[2-9A-HJKMNP-Z]{6}$`) // the database's
	seen := map[string]bool{}
	for range 20_000 {
		code, err := newCode(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if !shape.MatchString(code) || rude(code) {
			t.Fatalf("code %q", code)
		}
		seen[code] = true
	}
	if len(seen) < 19_990 {
		t.Errorf("%d distinct codes of 20000", len(seen))
	}
	for _, code := range []string{"FUCK23", "2PUTE3", "PU7E44", "5EX777", "KKK234", "MERDE9", "888888"} {
		if !rude(code) {
			t.Errorf("%s is given out", code)
		}
	}
	if got := Normalise(" k7m-4qx "); got != "K7M4QX" {
		t.Errorf("got %q, want K7M4QX", got)
	}
}
