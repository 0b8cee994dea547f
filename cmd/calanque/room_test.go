package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A hall is a machine that can serve mapping sessions: a town of fountains and
// houses, a file that knows some of them, and one mediator.
type hall struct {
	*machine
	base     string // where it serves
	login    string
	password string
	mediator *browser
	code     string // of the session that a test plays
}

// aroundTown is an area that holds everything in the town.
const aroundTown = `{"type": "Polygon", "coordinates": [[[5.29, 43.19], [5.61, 43.19], [5.61, 43.26], [5.29, 43.26], [5.29, 43.19]]]}`

const hallCatalogue = `
licences: [{id: lo-2.0, title: {fr: Licence Ouverte}, class: green}]
producers: [{id: crige, title: {fr: CRIGE}}]
erics: [{id: centre, title: Médiathèque du Centre, place: [5.35, 43.21]}]
datasets:
  - {id: fontaines, title: {fr: Fontaines}, producer: crige, licence: lo-2.0, source: {path: fontaines.csv}, key: [code]}
themes:
  - {id: eau, title: {fr: Eau}, selection: {any: [{amenity: [drinking_water]}]}}
rules:
  - {layer: fontaines, theme: eau, name: nom, distance: {max: 100, moved: 30}}
`

var madePassword = regexp.MustCompile(`\b\w{4}-\w{4}-\w{4}-\w{4}\b`)

// newHall makes one of n fountains, half of them known to OpenStreetMap. It
// does not serve yet.
func newHall(t testing.TB, n int) *hall {
	t.Helper()
	h := &hall{machine: newUsedMachine(t), login: "mediatheque"}
	h.base = "http://" + h.addr
	var csv strings.Builder
	csv.WriteString("code;nom;longitude;latitude\n")
	for i := range n {
		lon, lat := 5.3+float64(i%300)*.001, 43.2+float64(i/300)*.001
		if i%4 == 0 { // some way off
			lon += .0006
		}
		fmt.Fprintf(&csv, "P%06d;Fontaine n° %d;%.6f;%.6f\n", i, i, lon, lat)
	}
	h.write("fontaines.csv", []byte(csv.String()))
	h.must("osm", "import", h.write("town.osm.pbf", town(t, n, 0)))
	h.must("apply", h.write("catalogue.yaml", []byte(hallCatalogue)))
	h.password = madePassword.FindString(h.must("user", "add", h.login, "--role", "mediator", "--eric", "centre").out)
	return h
}

// serve starts the server and signs the mediator in.
func (h *hall) serve(args ...string) *process {
	h.t.Helper()
	up := h.start(append([]string{"up"}, args...)...)
	h.ready(up, time.Minute)
	if h.mediator == nil {
		h.mediator = newBrowser(h.t, h.base, "")
		h.mediator.signIn(h.t, h.login, h.password)
	}
	return up
}

// BenchmarkRoom has thirty people of one session answer without a pause, with
// the program as it is served, and its own PostgreSQL, through HTTP: a claim is
// the page with the next question, an answer is what its form gives back. The
// thirty browsers are on the same machine. When nothing is left, all move on to
// another session; what is measured is while all thirty answer. Longer than a
// second says more:
//
//	go test ./cmd/calanque -run '^$' -bench Room -benchtime 30s
func BenchmarkRoom(b *testing.B) {
	h := newHall(b, 4000)
	up := h.serve()
	r := &round{hall: h, tick: make(chan struct{})}
	r.moved = sync.NewCond(&r.mu)
	ctx, cancel := context.WithCancel(b.Context())
	defer context.AfterFunc(ctx, r.moved.Broadcast)()
	var all sync.WaitGroup
	for i := range roomSize {
		seat := newBrowser(b, h.base, "")
		all.Go(func() { r.person(ctx, b, seat, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	defer all.Wait()
	defer cancel()
	for range 2 * roomSize { // everybody is in
		<-r.tick
	}
	r.forget()
	before, databaseBefore := processorTime(up.cmd.Process.Pid), h.databaseTime()
	begun, answered := time.Now(), 0
	for b.Loop() {
		<-r.tick
		answered++
	}
	took := time.Since(begun).Seconds()
	r.mu.Lock()
	defer r.mu.Unlock()
	b.ReportMetric(p95(r.claims), "ms-claim-p95")
	b.ReportMetric(p95(r.answers), "ms-answer-p95")
	b.ReportMetric(float64(answered)/took, "answers/s")
	b.ReportMetric((processorTime(up.cmd.Process.Pid)-before)/float64(answered)*1000, "server-cpu-ms/answer")
	b.ReportMetric((h.databaseTime()-databaseBefore)/float64(answered)*1000, "database-cpu-ms/answer")
	b.ReportMetric(load(), "load")
}

// roomSize is how many people answer.
const roomSize = 30

// A round is the sessions that a room goes through.
type round struct {
	*hall
	tick  chan struct{} // one for each answer
	moved *sync.Cond    // of mu: everybody is done, or seated

	mu                 sync.Mutex
	done, seated, turn int
	claims, answers    []time.Duration // while everybody answers
}

func (r *round) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.claims, r.answers = nil, nil
}

// begin prepares a session in place of the one before.
func (r *round) begin(t testing.TB) {
	t.Helper()
	if r.code != "" {
		r.mediator.conduct(t, r.code, "terminer", nil)
	}
	r.code = r.mediator.prepare(t, "eau", aroundTown, 60, 180)
}

// moveOn waits until nobody has a question left, then seats a person in the next
// session, and waits until all are seated. It is false when ctx has ended.
func (r *round) moveOn(ctx context.Context, t testing.TB, seat *browser) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	turn := r.turn
	if r.done++; r.done == roomSize {
		r.begin(t)
		r.seated, r.turn = 0, r.turn+1
		r.moved.Broadcast()
	}
	for r.turn == turn && ctx.Err() == nil {
		r.moved.Wait()
	}
	if ctx.Err() != nil {
		return false
	}
	code := r.code
	r.mu.Unlock()
	seat.join(t, code)
	seat.pass(t, code)
	r.mu.Lock()
	if r.seated++; r.seated == roomSize {
		r.done = 0
		r.moved.Broadcast()
	}
	for r.seated < roomSize && ctx.Err() == nil {
		r.moved.Wait()
	}
	return ctx.Err() == nil
}

// errLeft is a page without a question.
var errLeft = errors.New("nothing is left")

// person answers until ctx ends.
func (r *round) person(ctx context.Context, t testing.TB, seat *browser, rnd *rand.Rand) {
	for more := r.moveOn(ctx, t, seat); more; {
		claim, answer, err := seat.once(r.code, rnd)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, errLeft):
			more = r.moveOn(ctx, t, seat)
			continue
		case err != nil:
			t.Errorf("answer: %v", err)
			return
		}
		r.mu.Lock()
		if r.done == 0 {
			r.claims, r.answers = append(r.claims, claim), append(r.answers, answer)
		}
		r.mu.Unlock()
		select {
		case r.tick <- struct{}{}:
		case <-ctx.Done():
		}
	}
}

// once reads the next question and answers it. Redirects are not followed: the
// acknowledgement is the answer.
func (b *browser) once(code string, rnd *rand.Rand) (claim, answer time.Duration, err error) {
	begun := time.Now()
	page, err := b.get("/atelier/" + code)
	claim = time.Since(begun)
	if err != nil {
		return claim, 0, err
	}
	f, choices, ok := page.question()
	if !ok {
		return claim, 0, errLeft
	}
	f.fields.Set("choix", choices[rnd.IntN(len(choices))])
	begun = time.Now()
	s, err := b.send(f)
	answer = time.Since(begun)
	if err == nil && s.status != 303 {
		err = fmt.Errorf("an answer is not taken: %v", s)
	}
	return claim, answer, err
}

// load is how many processes wanted a processor, on average of the last minute.
func load() (n float64) {
	b, err := os.ReadFile("/proc/loadavg")
	if err == nil {
		_, _ = fmt.Sscan(string(b), &n)
	}
	return n
}

// databaseTime is what the processes of the machine's PostgreSQL have used, in
// seconds; those that have ended are not counted.
func (m *machine) databaseTime() (seconds float64) {
	data, err := filepath.EvalSymlinks(filepath.Join(m.data(), "postgres", "data"))
	if err != nil {
		return 0
	}
	all, _ := filepath.Glob("/proc/[0-9]*/cwd")
	for _, link := range all {
		if dir, err := os.Readlink(link); err == nil && dir == data {
			pid, err := strconv.Atoi(strings.Split(link, "/")[2])
			if err == nil {
				seconds += processorTime(pid)
			}
		}
	}
	return seconds
}

// processorTime is what a process has used, in seconds.
func processorTime(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	var user, system float64
	if len(f) > 13 {
		_, _ = fmt.Sscan(f[11], &user)
		_, _ = fmt.Sscan(f[12], &system)
	}
	const hertz = 100 // of every Linux that Go runs on
	return (user + system) / hertz
}
