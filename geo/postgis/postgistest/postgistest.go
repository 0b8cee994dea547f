// Package postgistest gives each test a database of its own, cloned from a
// migrated template in about a tenth of a second.
//
// All test processes of a user share one throw-away server under /tmp that
// synchronises nothing to disk. It is stopped some seconds after the last of
// them is gone, however that ended, and started again by the next.
package postgistest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo/postgis"
	"calanque/geo/postgis/cluster"
)

// Settings are those of a server whose data nobody will miss.
var Settings = map[string]string{
	"fsync":              "off",
	"full_page_writes":   "off",
	"synchronous_commit": "off",
	"shared_buffers":     "256MB",
	"max_connections":    "400",
	"autovacuum":         "off", // a plan must not depend on when a test runs; analyze yourself
}

// New opens a migrated database that is this test's alone, and drops it at the
// end. It skips under -short and fails where PostGIS is not installed.
func New(t testing.TB) *postgis.Hub {
	t.Helper()
	url := URL(t)
	hub, err := postgis.Open(t.Context(), postgis.Config{URL: url})
	if err != nil {
		t.Fatalf("open the test's database: %v", err)
	}
	t.Cleanup(hub.Close)
	return hub
}

// URL is like New for those who connect by themselves: commands, and tests
// that need a second Hub.
func URL(t testing.TB) string {
	t.Helper()
	s := require(t)
	template, err := s.template(t.Context())
	if err != nil {
		t.Fatalf("make the template of the tests' databases: %v", err)
	}
	return s.clone(t, template)
}

// From is like URL, of a copy of a database that prepare has filled. It does
// so once for all tests of this process that give the same name, and leaves no
// connection open.
func From(t testing.TB, name string, prepare func(ctx context.Context, url string) error) string {
	t.Helper()
	s := require(t)
	once, _ := s.prepared.LoadOrStore(name, &preparation{})
	p := once.(*preparation)
	p.Do(func() {
		var template string
		if template, p.err = s.template(t.Context()); p.err != nil {
			return
		}
		p.name = s.nextName() // dropped by the next process, as what a dead one leaves
		if p.err = s.copy(t.Context(), p.name, template); p.err == nil {
			p.err = prepare(t.Context(), s.url(p.name))
		}
	})
	if p.err != nil {
		t.Fatalf("prepare %s: %v", name, p.err)
	}
	return s.clone(t, p.name)
}

// A preparation is a database that tests begin with.
type preparation struct {
	sync.Once
	name string
	err  error
}

// Empty is the URL of a database in which nothing has been made yet.
func Empty(t testing.TB) string {
	t.Helper()
	return require(t).clone(t, "template0")
}

// Folder makes a folder for a test's own cluster, which t.TempDir can't be
// (the user that runs the server for root must be able to get there), and
// removes it at the end. For tests that stop or kill a server.
func Folder(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a database")
	}
	dir, err := os.MkdirTemp("/tmp", "calanque-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A server is the shared one, held by this process until it ends.
type server struct {
	cluster *cluster.Cluster
	last    atomic.Int64 // number of the last database of this process

	prepared sync.Map // name → *preparation

	mu   sync.Mutex
	name string // of the template, once it is there
}

var hold = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	dir, err := home()
	if err != nil {
		return nil, err
	}
	c, err := cluster.Open(ctx, dir, cluster.Options{Settings: Settings})
	if err != nil {
		return nil, err
	}
	s := &server{cluster: c}
	if err := stopWhenUnused(dir); err != nil {
		return nil, fmt.Errorf("start the one who stops the tests' server: %w", err)
	}
	return s, s.dropRemains(ctx)
})

func require(t testing.TB) *server {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a database")
	}
	s, err := hold()
	if err != nil {
		t.Fatalf("tests need PostgreSQL 15 or newer with PostGIS (make test installs it): %v", err)
	}
	return s
}

// home is the folder of this user's server. It is named after the boot,
// because what was never synchronised may be broken after the next.
func home() (string, error) {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("ask which boot this is: %w", err)
	}
	uid := os.Geteuid()
	prefix := fmt.Sprintf("/tmp/calanque-tests-%d-", uid)
	dir := prefix + string(boot[:8])
	old, err := filepath.Glob(prefix + "*")
	if err != nil {
		return "", err
	}
	for _, o := range old {
		if o != dir {
			if err := os.RemoveAll(o); err != nil {
				return "", err
			}
		}
	}
	if err := os.Mkdir(dir, 0o711); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if !info.IsDir() || int(info.Sys().(*syscall.Stat_t).Uid) != uid {
		return "", fmt.Errorf("%s belongs to somebody else", dir)
	}
	return dir, nil
}

// stopScript waits until no process holds the server, gives the next package's
// tests some seconds to come, and stops it. It uses the locks of package
// cluster, which does the same in Close: but a test process may end without
// any last word.
const stopScript = `
exec 9>stopper
flock -w 2 9 || exit 0
while :; do
	flock holders true
	sleep 5
	flock gate sh -c '
		flock -n holders true || exit 1
		pid=$(head -n 1 data/postmaster.pid) && kill -INT "$pid" || exit 0
		while [ -e "/proc/$pid/cwd/PG_VERSION" ]; do sleep 0.1; done
	' && exit 0
done
`

func stopWhenUnused(dir string) error {
	cmd := exec.Command("sh", "-c", stopScript)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

// do runs one statement on the maintenance database.
func (s *server) do(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	_, err = conn.Exec(ctx, sql)
	return err
}

func (s *server) url(database string) string {
	return strings.Replace(s.cluster.URL(), "dbname=calanque", "dbname="+database, 1)
}

func (s *server) nextName() string { return fmt.Sprintf("test_%d_%d", os.Getpid(), s.last.Add(1)) }

func (s *server) copy(ctx context.Context, name, template string) error {
	return s.do(ctx, fmt.Sprintf(`create database %s template %s strategy file_copy`, name, template))
}

// clone makes a database for a test.
func (s *server) clone(t testing.TB, template string) string {
	t.Helper()
	name := s.nextName()
	if err := s.copy(t.Context(), name, template); err != nil {
		t.Fatalf("clone %s: %v", template, err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.do(ctx, `drop database if exists `+name+` with (force)`); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
	return s.url(name)
}

// template is the name of a database with the schema of this program's
// migrations, made by the first process that needs it.
func (s *server) template(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.name != "" {
		return s.name, nil
	}
	key, err := migrationsKey()
	if err != nil {
		return "", err
	}
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	name := "template_" + key
	if _, err := conn.Exec(ctx, `select pg_advisory_lock(hashtext($1))`, name); err != nil {
		return "", err
	}
	var there bool
	err = conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, name).Scan(&there)
	if err == nil && !there {
		err = s.makeTemplate(ctx, conn, name)
	}
	if err != nil {
		return "", err
	}
	s.name = name
	return name, nil
}

// makeTemplate gives the template its name only when it is whole.
func (s *server) makeTemplate(ctx context.Context, conn *pgx.Conn, name string) error {
	unfinished := name + "_unfinished"
	for _, sql := range []string{
		`drop database if exists ` + unfinished + ` with (force)`,
		`create database ` + unfinished + ` template template0`,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	hub, err := postgis.Open(ctx, postgis.Config{URL: s.url(unfinished)})
	if err != nil {
		return err
	}
	hub.Close()
	for {
		_, err := conn.Exec(ctx, `alter database `+unfinished+` rename to `+name)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "55006" { // object_in_use: a connection is not quite closed yet
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func migrationsKey() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(postgis.Migrations(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(postgis.Migrations(), path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(b), b)
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)[:6]), err
}

// dropRemains drops databases of processes that have died, and templates of
// old migrations but for the newest few: other checkouts may use those.
func (s *server) dropRemains(ctx context.Context) error {
	const kept = 8
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `select datname::text from pg_database where datname ~ '^(test|template)_' order by oid desc`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	templates := 0
	for _, name := range names {
		kind, rest, _ := strings.Cut(name, "_")
		if kind == "template" {
			if templates++; templates <= kept {
				continue
			}
		} else if number, _, _ := strings.Cut(rest, "_"); alive(number) {
			continue
		}
		// Another process may be doing the same, or need it after all.
		_, err := conn.Exec(ctx, `drop database if exists `+pgx.Identifier{name}.Sanitize())
		var pg *pgconn.PgError
		if err != nil && !errors.As(err, &pg) {
			return err
		}
	}
	return nil
}

func alive(number string) bool {
	pid, err := strconv.Atoi(number)
	return err == nil && syscall.Kill(pid, 0) == nil
}
