package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
	"calanque/geo/postgis/cluster"
	"calanque/geo/postgis/postgistest"
)

// The program is built once for the tests that run it as a stranger would.
var (
	programDir string
	program    = sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp("", "calanque-program-")
		if err != nil {
			return "", err
		}
		programDir = dir
		path := filepath.Join(dir, "calanque")
		// As make build does it, so that the packages come out of the build cache.
		cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("go build: %w\n%s", err, out)
		}
		return path, nil
	})
)

func TestMain(m *testing.M) {
	code := m.Run()
	for _, dir := range []string{programDir, madeDir} {
		if dir != "" {
			os.RemoveAll(dir)
		}
	}
	os.Exit(code)
}

// A machine is where a test runs the program: a data folder or a database of
// its own, a folder for temporary files, an address to serve on.
type machine struct {
	t       testing.TB
	program string
	dir     string // writable, traversable by the user that runs the database
	env     []string
	addr    string
}

// newMachine gives a machine whose private database is made when it is first
// needed, and stopped at the end of the test.
func newMachine(t testing.TB) *machine {
	t.Helper()
	m := bareMachine(t, postgistest.Folder(t))
	m.env = append(m.env, "CALANQUE_DATA="+m.data())
	// Added after the folder: runs before it is removed.
	t.Cleanup(func() {
		c, err := cluster.Open(context.Background(), filepath.Join(m.data(), "postgres"), cluster.Options{})
		if err != nil {
			t.Errorf("open the machine's database to stop it: %v", err)
			return
		}
		if err := c.Close(); err != nil {
			t.Errorf("stop the machine's database: %v", err)
		}
	})
	return m
}

// newMachineOn gives a machine that uses a database which is there.
func newMachineOn(t testing.TB, url string) *machine {
	t.Helper()
	m := bareMachine(t, t.TempDir())
	m.env = append(m.env, "DATABASE_URL="+url, "CALANQUE_DATA="+m.data())
	return m
}

func bareMachine(t testing.TB, dir string) *machine {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, program: path, dir: dir, addr: freeAddress(t)}
	if err := os.Mkdir(m.temp(), 0o700); err != nil {
		t.Fatal(err)
	}
	m.env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + m.temp(), "LC_ALL=C", "CALANQUE_ADDR=" + m.addr}
	return m
}

func (m *machine) data() string { return filepath.Join(m.dir, "data") }
func (m *machine) temp() string { return filepath.Join(m.dir, "tmp") }

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A result is what a run of the program left.
type result struct {
	code        int // exit code; -1 when killed
	out, err    string
	took        time.Duration
	memory      int64 // the most it held, in bytes
	commandLine string
}

func (r result) String() string {
	return fmt.Sprintf("%s: exit code %d after %v\n%s%s", r.commandLine, r.code, r.took.Round(time.Millisecond), r.out, r.err)
}

// A process is a run of the program that is under way.
type process struct {
	cmd      *exec.Cmd
	begun    time.Time
	out, err transcript
	ended    chan struct{}
	memory   atomic.Int64 // the most it held, as seen
}

// A transcript is what a process has said so far.
type transcript struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *transcript) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(b)
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// start runs the program beside the test. What is not ended before is killed
// at the end.
func (m *machine) start(args ...string) *process {
	m.t.Helper()
	p := &process{cmd: exec.Command(m.program, args...), begun: time.Now(), ended: make(chan struct{})}
	p.cmd.Dir = m.dir
	p.cmd.Env = m.env
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.WaitDelay = 10 * time.Second
	if err := p.cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // what it says is in ProcessState
		close(p.ended)
	}()
	go p.watchMemory()
	m.t.Cleanup(p.kill)
	return p
}

// watchMemory notes the peak of the memory from time to time: what wait(2)
// tells begins with that of the test.
func (p *process) watchMemory() {
	for {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		if _, after, ok := strings.Cut(string(b), "VmHWM:"); ok && err == nil {
			var kB int64
			if _, err := fmt.Sscan(after, &kB); err == nil {
				p.memory.Store(max(p.memory.Load(), kB<<10))
			}
		}
		select {
		case <-p.ended:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // that it has ended is no fault
	<-p.ended
}

// interrupt ends it as Ctrl-C does.
func (p *process) interrupt() result {
	_ = p.cmd.Process.Signal(syscall.SIGINT)
	return p.wait()
}

func (p *process) wait() result {
	<-p.ended
	r := result{
		code: p.cmd.ProcessState.ExitCode(), out: p.out.String(), err: p.err.String(), took: time.Since(p.begun),
		commandLine: strings.Join(append([]string{"calanque"}, p.cmd.Args[1:]...), " "),
	}
	r.memory = p.memory.Load()
	return r
}

// run runs the program to its end.
func (m *machine) run(args ...string) result {
	m.t.Helper()
	return m.start(args...).wait()
}

// must is run for what has to work.
func (m *machine) must(args ...string) result {
	m.t.Helper()
	r := m.run(args...)
	if r.code != 0 {
		m.t.Fatalf("want exit code 0: %v", r)
	}
	return r
}

// get asks the machine's server, and gives up after ten seconds.
func (m *machine) get(path string) (status int, body []byte, err error) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + m.addr + path)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// must get JSON with status 200.
func (m *machine) getJSON(path string, to any) {
	m.t.Helper()
	status, body, err := m.get(path)
	if err != nil || status != http.StatusOK {
		m.t.Fatalf("GET %s: %d %v %.300s", path, status, err, body)
	}
	if err := json.Unmarshal(body, to); err != nil {
		m.t.Fatalf("GET %s: %v in %.300s", path, err, body)
	}
}

// ready waits until the server says that all that was asked for is served.
func (m *machine) ready(p *process, patience time.Duration) {
	m.t.Helper()
	begun := time.Now()
	for {
		status, body, err := m.get("/readyz")
		if status == http.StatusOK {
			return
		}
		select {
		case <-p.ended:
			m.t.Fatalf("the server ended before it was ready: %v", p.wait())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Since(begun) > patience {
			m.t.Fatalf("not ready after %v: %d %v %.300s", patience, status, err, body)
		}
	}
}

// hold opens the machine's private database beside the program, until the test
// ends or the function it returns is called.
func (m *machine) hold() (url string, release func()) {
	m.t.Helper()
	c, err := cluster.Open(m.t.Context(), filepath.Join(m.data(), "postgres"), cluster.Options{})
	if err != nil {
		m.t.Fatal(err)
	}
	var once sync.Once
	release = func() {
		once.Do(func() {
			if err := c.Close(); err != nil {
				m.t.Errorf("let go of the database: %v", err)
			}
		})
	}
	m.t.Cleanup(release)
	return c.URL(), release
}

// checkInvariants fails the test where an invariant of the database is broken.
func checkInvariants(t testing.TB, url, when string) {
	t.Helper()
	hub, err := postgis.Open(t.Context(), postgis.Config{URL: url})
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	defer hub.Close()
	broken, err := postgis.Invariants(t.Context(), hub.Owner)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	for _, b := range broken {
		t.Errorf("%s: %s", when, b)
	}
}

// ask gives the one value of a query.
func ask[T any](t testing.TB, url, sql string, args ...any) T {
	t.Helper()
	list := askAll[T](t, url, sql, args...)
	if len(list) != 1 {
		t.Fatalf("%s: %d rows, want 1", sql, len(list))
	}
	return list[0]
}

func askAll[T any](t testing.TB, url, sql string, args ...any) []T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	return askOn[T](t, conn, sql, args...)
}

func askOn[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) []T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return list
}

// write makes a file for the program to read.
func (m *machine) write(name string, content []byte) string {
	m.t.Helper()
	path := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		m.t.Fatal(err)
	}
	return path
}
