package account

import (
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"time"
)

// A Limiter counts mistakes by key: each key has a stock of tries that fills
// up again with time. What is counted lives in memory alone, under a hash with
// a salt that is thrown away each day: nobody can read addresses out of it,
// and nothing is stored.
type Limiter struct {
	stock int           // tries at once
	every time.Duration // one more each time this has passed

	mu    sync.Mutex
	day   int64 // of the salt, in days since 1970
	salt  [32]byte
	tries map[limitKey]tries
}

type limitKey [16]byte

// tries is what a key has used.
type tries struct {
	used float64 // of the stock, at the moment at
	at   time.Time
}

// maxKeys bounds the memory of a limiter: about 6 MB. When there are more,
// those that have used the least are forgotten.
const maxKeys = 100_000

// NewLimiter makes a limiter that lets a key make so many mistakes at once,
// and one more every so often.
func NewLimiter(stock int, every time.Duration) *Limiter {
	return &Limiter{stock: stock, every: every, tries: map[limitKey]tries{}}
}

// key hashes a name, and begins anew on another day. l.mu is held.
func (l *Limiter) key(now time.Time, name string) limitKey {
	if day := now.Unix() / (24 * 60 * 60); day != l.day {
		l.day = day
		_, _ = rand.Read(l.salt[:]) // never fails
		clear(l.tries)
	}
	sum := sha256.Sum256(append(l.salt[:], name...))
	return limitKey(sum[:16])
}

// left gives what a key has used by now. l.mu is held.
func (l *Limiter) used(now time.Time, k limitKey) float64 {
	t := l.tries[k]
	return max(0, t.used-float64(now.Sub(t.at))/float64(l.every))
}

// Take uses one try of a key. When none is left it returns how long to wait
// for one, and counts nothing.
func (l *Limiter) Take(now time.Time, name string) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.key(now, name)
	used := l.used(now, k)
	if over := used + 1 - float64(l.stock); over > 0 {
		return time.Duration(over * float64(l.every))
	}
	if _, there := l.tries[k]; !there && len(l.tries) >= maxKeys {
		l.shed(now)
	}
	l.tries[k] = tries{used + 1, now}
	return 0
}

// GiveBack returns a try that was no mistake.
func (l *Limiter) GiveBack(now time.Time, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.key(now, name)
	if _, there := l.tries[k]; there {
		l.tries[k] = tries{max(0, l.used(now, k)-1), now}
	}
}

// Trust remembers a key until the end of the day.
func (l *Limiter) Trust(now time.Time, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.key(now, name)
	if _, there := l.tries[k]; !there && len(l.tries) < maxKeys {
		l.tries[k] = tries{0, now}
	}
}

// Trusts reports whether a key is remembered.
func (l *Limiter) Trusts(now time.Time, name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, there := l.tries[l.key(now, name)]
	return there
}

// shed forgets the keys whose stock is full again, and when that is none, half
// of those that have used less than half of it. l.mu is held.
func (l *Limiter) shed(now time.Time) {
	for k := range l.tries {
		if l.used(now, k) == 0 {
			delete(l.tries, k)
		}
	}
	for k := range l.tries {
		if len(l.tries) < maxKeys/2 {
			return
		}
		if l.used(now, k) < float64(l.stock)/2 || len(l.tries) >= maxKeys {
			delete(l.tries, k)
		}
	}
}
