package workshop

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// alphabet holds the characters that nobody takes for one another: no 0 and O,
// no 1, I and L.
const alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

// codeLength gives 31^6, about 9·10^8 codes.
const codeLength = 6

// recoveryLength gives the recovery code some 59 bits: it is guessed at by
// machines, not by a room.
const recoveryLength = 12

// newCode draws a session's code: no rude word in French, English or Italian.
func newCode(random io.Reader) (string, error) {
	for {
		code, err := letters(random, codeLength)
		if err != nil || !rude(code) {
			return code, err
		}
	}
}

// letters draws n characters of the alphabet, each as likely as the others.
func letters(random io.Reader, n int) (string, error) {
	var b strings.Builder
	buf := make([]byte, 1)
	for b.Len() < n {
		if _, err := io.ReadFull(random, buf); err != nil {
			return "", fmt.Errorf("draw a code: %w", err)
		}
		// 248 is 8 times 31: what is above would favour the first characters.
		if c := int(buf[0]); c < 8*len(alphabet) {
			b.WriteByte(alphabet[c%len(alphabet)])
		}
	}
	return b.String(), nil
}

// lookalike reads digits as the letters that they pass for.
var lookalike = strings.NewReplacer("2", "Z", "3", "E", "4", "A", "5", "S", "6", "G", "7", "T", "8", "B", "9", "G")

// rudeWords can be spelt with the alphabet, in one of the three languages; a
// longer word that contains one goes with it.
var rudeWords = []string{
	"ANUS", "ASS", "BUTT", "BYTE", "CACA", "CACC", "CAZZ", "CRAP", "CRETN", "CUNT", "CUM", "DAMN", "DUMB",
	"FAG", "FAP", "FDP", "FESSE", "FCK", "FUC", "FUK", "GARCE", "GUDU", "JAP", "KACA", "KKK", "MERD", "NAZ", "NEGR", "NGR",
	"NTM", "PD", "PEDE", "PEDA", "PENE", "PETASSE", "PUTA", "PUTE", "PUSSY", "RAPE", "RETARD", "SADE", "SEX", "SPERM", "SSS",
	"SUCE", "SUCK", "TGG", "TROY", "TURD", "VAGN", "VAFF", "WAFFEN", "WANK", "WTF", "ZEB", "ZGEG", "XXX",
}

func rude(code string) bool {
	read := lookalike.Replace(code)
	for _, w := range rudeWords {
		if strings.Contains(read, w) || strings.Contains(code, w) {
			return true
		}
	}
	return strings.Contains(code, "88") // a salute
}

// Normalise reads a code as people type it: case, spaces and hyphens aside.
func Normalise(code string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r == ' ' || r == '-' || r == '\u00a0' || r == '\u202f':
			return -1
		}
		return r
	}, code)
}

// newToken makes a participant's token and what is kept of it.
func newToken(random io.Reader) (token string, hash []byte, err error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", nil, fmt.Errorf("draw a token: %w", err)
	}
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, hashOf(token), nil
}

func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// recoveryHash is what is kept of a recovery code: with the session's code, so
// that equal ones can't be told.
func recoveryHash(code, recovery string) []byte { return hashOf(code + " " + Normalise(recovery)) }
