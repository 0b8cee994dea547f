package account

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"calanque/geo"
)

// The cost of a guess: the least that OWASP's Password Storage Cheat Sheet asks
// of argon2id, because the machine that checks it is also drawing maps. A hash
// says its own, so that another choice leaves older ones valid.
const (
	memory  = 19 << 10 // KiB
	passes  = 2
	lanes   = 1
	saltLen = 16 // bytes
	keyLen  = 32 // bytes
)

// The lengths of a password, in characters. Nothing else is asked of it (NIST
// SP 800-63B, 5.1.1.2); the upper bound only keeps a request small.
const (
	minPassword = 10
	maxPassword = 200
)

// strong says whether a password may be chosen for a login.
func strong(login, password string) error {
	n := utf8.RuneCountInString(password)
	switch {
	case n < minPassword || n > maxPassword:
		return geo.Bad(nil, "account.password-length", "min", minPassword, "max", maxPassword)
	case strings.EqualFold(password, login):
		return geo.Bad(nil, "account.password-login")
	}
	return nil
}

// hashing bounds how many hashes are computed at once, 19 MiB each: a flood of
// guesses must not take the memory that maps need.
var hashing = make(chan struct{}, 2)

func derive(password string, salt []byte, memory, passes uint32, lanes uint8, length uint32) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, passes, memory, lanes, length)
}

// hash gives the argon2id hash of a password as a PHC string.
func hash(password string) string {
	salt := make([]byte, saltLen)
	_, _ = rand.Read(salt) // never fails
	return phc(password, salt)
}

func phc(password string, salt []byte) string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, lanes,
		b64.EncodeToString(salt), b64.EncodeToString(derive(password, salt, memory, passes, lanes, keyLen)))
}

// verify reports whether a password has a hash, in a time that does not depend
// on the answer. What is no argon2id hash, or one that would take more than
// eight times our cost, fits nothing.
func verify(password, encoded string) bool {
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return false
	}
	var m, t uint32
	var p uint8
	if n, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &m, &t, &p); err != nil || n != 3 {
		return false
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	want, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(salt) < 8 || len(want) < 16 || len(want) > 64 ||
		t == 0 || p == 0 || t > 8*passes || m > 8*memory || m < 8*uint32(p) {
		return false
	}
	return subtle.ConstantTimeCompare(derive(password, salt, m, t, p, uint32(len(want))), want) == 1
}

// nobody is a hash that no password has: who tries a login that does not exist
// waits as long as for one that does.
var nobody = sync.OnceValue(func() string { return hash(newToken()) })

// letters are those that cannot be mistaken for one another, read out loud or
// on paper; 31 of them.
const letters = "23456789abcdefghjkmnpqrstuvwxyz"

// NewPassword makes a password of 78 bits that can be read out: four groups of
// four letters and digits.
func NewPassword() string {
	var b strings.Builder
	for i := range 16 {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil {
			panic(err) // the system's source of randomness never fails
		}
		b.WriteByte(letters[n.Int64()])
	}
	return b.String()
}
