package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// quick are settings that no test of durability may use.
var quick = map[string]string{"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

// TestMain is also the program of the child processes: it opens the cluster
// of the folder in the environment, says so, holds it until its input ends,
// and closes it.
func TestMain(m *testing.M) {
	if dir := os.Getenv("CLUSTER_TEST_CHILD"); dir != "" {
		os.Exit(child(dir))
	}
	os.Exit(m.Run())
}

func child(dir string) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := Open(ctx, dir, Options{Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Settings: quick})
	if err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("ready", c.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := c.Close(); err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("closed")
	return 0
}

// A holder is a child process that holds a cluster.
type holder struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

func startHolder(t *testing.T, dir string) *holder {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startHolderAs(t, self, dir, nil)
}

func startHolderAs(t *testing.T, program, dir string, as *syscall.Credential) *holder {
	t.Helper()
	cmd := exec.Command(program)
	cmd.Env = append(os.Environ(), "CLUSTER_TEST_CHILD="+dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	cmd.Dir = "/"
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &holder{t: t, cmd: cmd, stdin: stdin, lines: bufio.NewScanner(stdout)}
	t.Cleanup(func() {
		stdin.Close()
		_ = cmd.Wait()
	})
	return h
}

func (h *holder) expect(word string) string {
	h.t.Helper()
	if !h.lines.Scan() {
		h.t.Fatalf("child ended, want %q", word)
	}
	got, rest, _ := strings.Cut(h.lines.Text(), " ")
	if got != word {
		h.t.Fatalf("child said %q, want %q", h.lines.Text(), word)
	}
	return rest
}

func (h *holder) close() {
	h.t.Helper()
	h.stdin.Close()
	h.expect("closed")
}

func (h *holder) kill() {
	_ = h.cmd.Process.Kill()
	_ = h.cmd.Wait()
}

// folder makes a folder that the server's user can reach, unlike t.TempDir,
// and makes sure at the end that no server is left in it.
func folder(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts PostgreSQL")
	}
	top, err := os.MkdirTemp("/tmp", "calanque-cluster-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(top, 0o711); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(top, name)
	t.Cleanup(func() {
		if c, err := locate(dir, Options{}); err == nil {
			if pid := c.postmaster(); pid != 0 {
				t.Errorf("process %d still runs the server", pid)
				_ = c.stop(context.Background())
			}
			if !strings.HasPrefix(c.socket, top) {
				os.RemoveAll(c.socket)
			}
		}
		os.RemoveAll(top)
	})
	return dir
}

func open(t *testing.T, dir string) *Cluster {
	t.Helper()
	c, err := Open(t.Context(), dir, Options{Settings: quick})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// query runs one statement on a connection of its own.
func query(t *testing.T, url, sql string) (string, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var s string
	err = conn.QueryRow(t.Context(), sql).Scan(&s)
	return s, err
}

func mustQuery(t *testing.T, url, sql string) string {
	t.Helper()
	s, err := query(t, url, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return s
}

func execute(t *testing.T, url, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// eventually repeats a check until it holds.
func eventually(t *testing.T, what string, check func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !check(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func TestPathsOfAllKinds(t *testing.T) {
	t.Parallel()
	for name, dir := range map[string]string{
		"plain":             "pg",
		"spaces, accents":   "Données d'Étienne/l'hub « PACA »",
		"comma and quote":   `a,b"c\d`,
		"too long a socket": strings.Repeat("très-long-", 12),
		"percent, equals":   "100 % = x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := open(t, folder(t, dir))
			if got, want := mustQuery(t, c.URL(), `select current_database() || ' ' || current_user`), "calanque calanque"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := mustQuery(t, c.URL(), `show listen_addresses`); got != "" {
				t.Errorf("listens on %q, want no TCP", got)
			}
			info, err := os.Stat(c.socket)
			if err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("socket folder %v, %v: want mode 0700", info.Mode(), err)
			}
		})
	}
}

func TestLastHolderStopsTheServer(t *testing.T) {
	t.Parallel()
	dir := folder(t, "pg")
	a := startHolder(t, dir)
	url := a.expect("ready")
	b := startHolder(t, dir)
	b.expect("ready")
	started := mustQuery(t, url, `select pg_postmaster_start_time()::text`)
	a.close()
	if got := mustQuery(t, url, `select pg_postmaster_start_time()::text`); got != started {
		t.Errorf("server of %s, want still the one of %s", got, started)
	}
	b.close()
	if _, err := query(t, url, `select ''`); err == nil {
		t.Error("the server runs after the last holder closed")
	}
}

func TestHoldersStartAtOnce(t *testing.T) {
	t.Parallel()
	dir := folder(t, "pg")
	var all []*holder
	for range 6 {
		all = append(all, startHolder(t, dir))
	}
	starts := map[string]bool{}
	for _, h := range all {
		starts[mustQuery(t, h.expect("ready"), `select pg_postmaster_start_time()::text`)] = true
	}
	if len(starts) != 1 {
		t.Errorf("%d servers, want 1", len(starts))
	}
	for _, h := range all {
		h.stdin.Close()
	}
	for _, h := range all {
		h.expect("closed")
	}
}

func TestKilledHolderLeavesAServerThatIsAdopted(t *testing.T) {
	t.Parallel()
	dir := folder(t, "pg")
	a := startHolder(t, dir)
	url := a.expect("ready")
	started := mustQuery(t, url, `select pg_postmaster_start_time()::text`)
	a.kill()
	if got := mustQuery(t, url, `select pg_postmaster_start_time()::text`); got != started {
		t.Fatalf("server of %s, want %s: it must outlive who started it", got, started)
	}
	b := startHolder(t, dir)
	if got := mustQuery(t, b.expect("ready"), `select pg_postmaster_start_time()::text`); got != started {
		t.Errorf("server of %s, want the one of %s adopted", got, started)
	}
	b.close()
	if _, err := query(t, url, `select ''`); err == nil {
		t.Error("the adopted server was not stopped")
	}
}

func TestKillsWhileStarting(t *testing.T) {
	t.Parallel()
	dir := folder(t, "pg")
	for i := range 12 {
		h := startHolder(t, dir)
		time.Sleep(time.Duration(i*i*7) * time.Millisecond) // 0 to 850 ms: initdb, start, adoption
		h.kill()
	}
	h := startHolder(t, dir)
	mustQuery(t, h.expect("ready"), `select ''`)
	h.close()
}

func TestKilledServerComesBack(t *testing.T) {
	t.Parallel()
	dir := folder(t, "pg")
	c := open(t, dir)
	execute(t, c.URL(), `create table kept as select 'yes' as x`)
	execute(t, c.URL(), `checkpoint`) // its WAL is not synchronised here
	other := startHolder(t, dir)
	other.expect("ready")
	for range 3 {
		pid := c.postmaster()
		if pid == 0 {
			t.Fatal("no server")
		}
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the server is back", func() bool {
			got, err := query(t, c.URL(), `select x from kept`)
			return err == nil && got == "yes" && c.postmaster() != pid
		})
	}
	other.close()
}

func TestOpenAfterEverythingWasKilled(t *testing.T) {
	t.Parallel()
	dir := folder(t, "pg")
	h := startHolder(t, dir)
	url := h.expect("ready")
	// A backend that is busy does not notice that its postmaster is gone.
	busy, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = busy.Exec(context.Background(), `do $$ begin loop end loop; end $$`)
		_ = busy.Close(context.Background())
	}()
	h.kill()
	c, err := locate(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(c.postmaster(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	next := open(t, dir)
	mustQuery(t, next.URL(), `select ''`)
	<-done
}

func TestLostSocketIsMadeAgain(t *testing.T) {
	t.Parallel()
	c := open(t, folder(t, "pg"))
	if err := os.Remove(c.socketFile()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server answers", func() bool {
		_, err := query(t, c.URL(), `select ''`)
		return err == nil
	})
}

func TestStaleFilesOfAStranger(t *testing.T) {
	t.Parallel()
	dir := folder(t, "pg")
	c := open(t, dir)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	// The number in an old postmaster.pid now belongs to another process.
	pid := fmt.Sprintf("%d\n%s\n", os.Getpid(), c.data())
	if err := os.WriteFile(filepath.Join(c.data(), "postmaster.pid"), []byte(pid), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(c.data(), "postmaster.pid"), int(c.owner.uid), int(c.owner.gid)); err != nil {
		t.Fatal(err)
	}
	mustQuery(t, open(t, dir).URL(), `select ''`)
}

func TestPlainUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can become somebody else; the other tests run as a plain user here")
	}
	dir := folder(t, "home/pg")
	home := filepath.Dir(dir)
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	const uid = 65534
	if err := os.Chown(home, uid, uid); err != nil {
		t.Fatal(err)
	}
	// go test builds in a folder that nobody else can enter.
	program := filepath.Join(filepath.Dir(home), "test")
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	h := startHolderAs(t, program, dir, &syscall.Credential{Uid: uid, Gid: uid})
	url := h.expect("ready")
	// root joins, and acts as the user whose folder it is.
	c := open(t, dir)
	if c.URL() != url || c.owner.uid != uid {
		t.Errorf("got %s of %d, want %s of %d", c.URL(), c.owner.uid, url, uid)
	}
	h.close()
	mustQuery(t, c.URL(), `select ''`)
}

func TestClearErrors(t *testing.T) {
	t.Parallel()
	root := os.Geteuid() == 0
	versions := func(t *testing.T, files ...string) string {
		top := t.TempDir()
		for _, f := range files {
			if err := os.MkdirAll(filepath.Join(top, filepath.Dir(f)), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(top, f), nil, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return top
	}
	for _, tc := range []struct {
		name    string
		prepare func(t *testing.T, dir string) Options
		code    string
		arg     string
	}{
		{"no PostgreSQL", func(t *testing.T, dir string) Options {
			return Options{Versions: versions(t, "14/bin/postgres")}
		}, "cluster.no-postgresql", "postgresql-postgis"},
		{"no PostGIS", func(t *testing.T, dir string) Options {
			return Options{Versions: versions(t, "15/bin/postgres", "17/bin/postgres")}
		}, "cluster.no-postgis", "postgresql-17-postgis-3"},
		{"data of another version", func(t *testing.T, dir string) Options {
			c := open(t, dir)
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			return Options{Versions: versions(t, "99/bin/postgres")}
		}, "cluster.version-missing", "-postgis-3"},
		{"folder that is a file", func(t *testing.T, dir string) Options {
			if err := os.WriteFile(dir, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return Options{}
		}, "cluster.folder", "pg"},
		{"below a closed folder", func(t *testing.T, dir string) Options {
			if !root {
				t.Skip("a plain user runs the server as himself")
			}
			if err := os.Chmod(filepath.Dir(dir), 0o700); err != nil {
				t.Fatal(err)
			}
			return Options{}
		}, "cluster.not-traversable", "calanque-cluster-"},
		{"socket folder taken", func(t *testing.T, dir string) Options {
			if err := os.MkdirAll(filepath.Join(dir, "socket"), 0o755); err != nil {
				t.Fatal(err)
			}
			return Options{}
		}, "cluster.socket-taken", "socket"},
		{"server refuses its settings", func(t *testing.T, dir string) Options {
			return Options{Settings: map[string]string{"shared_buffers": "plenty"}}
		}, "cluster.failed", "plenty"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := folder(t, "pg")
			o := tc.prepare(t, dir)
			c, err := Open(t.Context(), dir, o)
			if err == nil {
				c.Close()
				t.Fatal("opened")
			}
			var bad *geo.InputError
			if !errors.As(err, &bad) || bad.Code != tc.code || !strings.Contains(bad.Error(), tc.arg) {
				t.Errorf("got %v, want %s with %s", err, tc.code, tc.arg)
			}
		})
	}
}

func TestOpenEndsWithItsContext(t *testing.T) {
	t.Parallel()
	dir := folder(t, "pg")
	c := open(t, dir)
	gate, err := lockFile(t.Context(), filepath.Join(c.dir, "gate"), exclusive)
	if err != nil {
		t.Fatal(err)
	}
	defer gate.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Open(ctx, dir, Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want the deadline", err)
	}
}
