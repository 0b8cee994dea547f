package workshop

import (
	"errors"
	"slices"
	"testing"
	"time"

	"calanque/geo"
)

// BenchmarkRoom has thirty people of one session claim and answer without a
// pause, and tells the 95th percentile of both.
func BenchmarkRoom(b *testing.B) {
	r := newRoom(b, 200, onlyFile, onlyOSM, other, shifted)
	var seats []Participant
	s := r.session(36, 120)
	for range 30 {
		seats = append(seats, r.join(s))
	}
	var claims, answers []time.Duration
	for i := 0; b.Loop(); i++ {
		p := seats[i%len(seats)]
		start := time.Now()
		q, _, err := Next(b.Context(), r.hub, p.ID)
		claims = append(claims, time.Since(start))
		if errors.Is(err, geo.ErrNotFound) {
			s = r.session(36, 120)
			for i := range seats {
				seats[i] = r.join(s)
			}
			r.exec(`update verdict set withdrawn_at = now()`)
			continue
		}
		if err != nil {
			b.Fatal(err)
		}
		start = time.Now()
		r.answer(p, q.Task.ID, 1)
		answers = append(answers, time.Since(start))
	}
	p95 := func(list []time.Duration) float64 {
		slices.Sort(list)
		return float64(list[len(list)*95/100].Microseconds()) / 1000
	}
	b.ReportMetric(p95(claims), "ms-claim-p95")
	b.ReportMetric(p95(answers), "ms-answer-p95")
}
