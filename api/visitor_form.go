package api

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math"
	"net/http"
	"time"

	"calanque/api/account"
	"calanque/geo"
)

// What people without an account send: reports and reuses. There is no
// picture to decipher and no cookie: a field that only programs fill in, a
// moment that a person needs to write, and a limit on how much comes from one
// place and from all of them.

// visitors is what the forms of visitors need of a server.
type visitors struct {
	key  [32]byte         // lives as long as the server: a form that lay open over a new start is shown again
	one  *account.Limiter // of one address: a classroom has one
	all  *account.Limiter // of all together
	slow time.Duration    // the least time between asking for a form and sending it
}

// The limits on forms of visitors: twenty at once from one address and one more
// every two minutes, two hundred from everywhere and one more every half minute.
func newVisitors() visitors {
	v := visitors{
		one: account.NewLimiter(20, 2*time.Minute), all: account.NewLimiter(200, 30*time.Second),
		slow: 3 * time.Second,
	}
	_, _ = rand.Read(v.key[:]) // never fails
	return v
}

// staleForm is how long a form may lie open.
const staleForm = 24 * time.Hour

// stamp is when a form was made, signed: a mark without a cookie.
func (v *visitors) stamp(now time.Time) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli()))
	return base64.RawURLEncoding.EncodeToString(append(b, v.mac(b)...))
}

func (v *visitors) mac(b []byte) []byte {
	m := hmac.New(sha256.New, v.key[:])
	_, _ = m.Write([]byte("form")) // a hash takes everything
	_, _ = m.Write(b)
	return m.Sum(nil)
}

// made tells when a form was made; false for a mark that is not ours, as after
// a new start.
func (v *visitors) made(stamp string) (time.Time, bool) {
	b, err := base64.RawURLEncoding.DecodeString(stamp)
	if err != nil || len(b) != 8+sha256.Size || !hmac.Equal(b[8:], v.mac(b[:8])) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b))), true
}

// mayWrite lets a form of a visitor pass, or says kindly what to do: the form
// is shown again with all that was typed. It counts what passes.
func (s *Server) mayWrite(r *http.Request) *geo.InputError {
	now := s.Now()
	made, ours := s.visitors.made(r.PostForm.Get("instant"))
	if age := now.Sub(made); !ours || age < s.visitors.slow || age > staleForm || r.PostForm.Get("site") != "" {
		return geo.Bad(nil, "letter.quick")
	}
	wait := s.visitors.one.Take(now, s.visitorAddress(r))
	if wait == 0 {
		wait = s.visitors.all.Take(now, "all")
	}
	if wait > 0 {
		return geo.Bad(nil, "letter.too-many", "n", int(math.Ceil(wait.Minutes())))
	}
	return nil
}

// refusedStatus is the status of a form that is shown again.
func refusedStatus(code string) int {
	if code == "letter.too-many" {
		return http.StatusTooManyRequests
	}
	return http.StatusUnprocessableEntity
}
