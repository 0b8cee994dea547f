package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"calanque/geo"
)

var (
	errGone        = errors.New("the server has ended")
	errUnreachable = errors.New("the server runs without its socket")
)

const unfinishedPrefix = "unfinished-"

// createOnce makes the data folder where there is none. It is made under
// another name and renamed when whole, so that a crash halfway leaves nothing
// that looks like one.
func (c *Cluster) createOnce(ctx context.Context) error {
	if err := c.removeUnfinished(); err != nil {
		return err
	}
	if exists(filepath.Join(c.data(), "PG_VERSION")) {
		return nil
	}
	version, err := newest(c.options.Versions)
	if err != nil {
		return err
	}
	initdb, err := Program(c.options.Versions, version, "initdb")
	if err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(c.dir, unfinishedPrefix)
	if err != nil {
		return badFolder(err, c.dir)
	}
	if c.owner.switched {
		if err := os.Chown(unfinished, int(c.owner.uid), int(c.owner.gid)); err != nil {
			return badFolder(err, unfinished)
		}
	}
	args := []string{
		"-D", unfinished, "-U", superuser, "-A", "trust", "-E", "UTF8",
		"--locale=C.UTF-8", "--no-instructions",
	}
	if c.options.Settings["fsync"] == "off" {
		args = append(args, "--no-sync")
	}
	cmd := c.command(ctx, initdb, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return c.failed(err, "initdb", out)
	}
	if err := os.Rename(unfinished, c.data()); err != nil {
		return badFolder(err, c.data())
	}
	c.log.Info("private database created", "folder", c.dir, "version", version)
	return syncFolder(c.dir)
}

// removeUnfinished removes what attempts to create left behind. An initdb
// whose parent was killed goes on in its folder for a moment, so each attempt
// has its own, and what can't be removed yet is removed by a later Open.
func (c *Cluster) removeUnfinished() error {
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		return badFolder(err, c.dir)
	}
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), unfinishedPrefix) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(c.dir, e.Name())); err != nil {
			c.log.Warn("an unfinished data folder stays for now", "folder", e.Name(), "err", err)
		}
	}
	return nil
}

// start starts the server and waits until it answers. It outlives us: it has
// a session of its own and writes to its own log.
func (c *Cluster) start(ctx context.Context) error {
	version, err := dataVersion(c.data())
	if err != nil {
		return err
	}
	postgres, err := Program(c.options.Versions, version, "postgres")
	if err != nil {
		return err
	}
	if err := makeSocketFolder(c.socket, c.owner); err != nil {
		return err
	}
	if err := c.clearRemains(ctx); err != nil {
		return err
	}
	log, err := c.openLog()
	if err != nil {
		return badFolder(err, c.dir)
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("find the end of %s: %w", log.Name(), err)
	}
	args := []string{"-D", c.data(), "-p", strconv.Itoa(port)}
	for _, s := range c.settings() {
		args = append(args, "-c", s)
	}
	cmd := c.command(context.Background(), postgres, args...)
	cmd.SysProcAttr.Setsid = true
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return c.failed(err, "postgres", nil)
	}
	// The server may well outlive this goroutine, which only keeps it from
	// staying behind as a zombie.
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	err = c.ready(ctx, func() error {
		select {
		case <-ended:
			return fmt.Errorf("%w: %w", errGone, c.failed(nil, "postgres", tail(log, from)))
		default:
			return nil
		}
	})
	if err == nil {
		c.log.Debug("private database started", "folder", c.dir, "version", version)
	}
	return err
}

// command prepares a program of PostgreSQL that runs as the owner. Nothing of
// our environment (PGPORT, PGDATA, LC_MESSAGES…) gets through.
func (c *Cluster) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = c.dir // also proves that the owner can get there
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = c.owner.attributes()
	return cmd
}

// failed explains why a program did not start or did not do its work.
func (c *Cluster) failed(err error, program string, output []byte) error {
	if errors.Is(err, fs.ErrPermission) {
		return geo.Bad(err, "cluster.not-traversable", "folder", closedParent(c.dir), "user", userName(c.owner.uid))
	}
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return geo.Bad(err, "cluster.failed", "program", program,
		"log", filepath.Join(c.dir, "postgres.log"), "said", strings.Join(lines[max(0, len(lines)-5):], " | "))
}

// stop ends the server as one ends it in good order, and waits for that.
func (c *Cluster) stop(ctx context.Context) error {
	pid := c.postmaster()
	if pid == 0 {
		return nil
	}
	if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stop the private database: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for c.isServer(pid) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the private database (process %d) is still stopping: %w", pid, ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
	c.log.Debug("private database stopped", "folder", c.dir)
	return nil
}

// postmaster is the process that runs the server of the folder, 0 for none.
func (c *Cluster) postmaster() int {
	b, err := os.ReadFile(filepath.Join(c.data(), "postmaster.pid"))
	if err != nil {
		return 0
	}
	line, _, _ := bytes.Cut(b, []byte("\n"))
	pid, err := strconv.Atoi(string(line))
	if err != nil || !c.isServer(pid) {
		return 0
	}
	return pid
}

// isServer tells whether a process is a living PostgreSQL of this folder:
// they all work in it, and /proc shows nothing of the kind for a zombie or for
// a stranger that got the number of a process long gone.
func (c *Cluster) isServer(pid int) bool {
	proc := "/proc/" + strconv.Itoa(pid)
	cwd, err := os.Stat(proc + "/cwd")
	if err != nil {
		return false
	}
	data, err := os.Stat(c.data())
	if err != nil || !os.SameFile(cwd, data) {
		return false
	}
	exe, err := os.Readlink(proc + "/exe")
	return err == nil && strings.HasPrefix(filepath.Base(exe), "postgres")
}

// clearRemains removes what a killed server left behind. A new one would
// refuse to start while the number in an old lock file is that of any process
// of the same user, be it a zombie.
func (c *Cluster) clearRemains(ctx context.Context) error {
	if err := c.endOrphans(ctx); err != nil {
		return err
	}
	for _, path := range []string{filepath.Join(c.data(), "postmaster.pid"), c.socketFile(), c.socketFile() + ".lock"} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return badFolder(err, path)
		}
	}
	return nil
}

// endOrphans ends the processes of a killed postmaster: a new one can't start
// before the last of them has let go of the shared memory.
func (c *Cluster) endOrphans(ctx context.Context) error {
	for {
		pids, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			return fmt.Errorf("list the processes: %w", err)
		}
		left := 0
		for _, p := range pids {
			pid, err := strconv.Atoi(filepath.Base(p))
			if err != nil || !c.isServer(pid) {
				continue
			}
			left++
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("end process %d of the private database: %w", pid, err)
			}
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("end what is left of the private database: %w", ctx.Err())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// settings are the server's parameters as NAME=VALUE, in order.
func (c *Cluster) settings() []string {
	m := tuning()
	for k, v := range c.options.Settings {
		m[k] = v
	}
	// Whatever the options say: no TCP, and the socket where we look for it.
	m["listen_addresses"] = ""
	m["unix_socket_directories"] = c.socket
	list := make([]string, 0, len(m))
	for k, v := range m {
		list = append(list, k+"="+v)
	}
	sort.Strings(list)
	return list
}

// openLog opens the server's log to append, putting an old long one aside.
func (c *Cluster) openLog() (*os.File, error) {
	const longest = 10 << 20
	path := filepath.Join(c.dir, "postgres.log")
	if info, err := os.Stat(path); err == nil && info.Size() > longest {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err == nil && c.owner.switched {
		// The next one to start the server may be its user.
		err = f.Chown(int(c.owner.uid), int(c.owner.gid))
	}
	return f, err
}

// tail reads what the log says since an offset.
func tail(log *os.File, from int64) []byte {
	b, err := io.ReadAll(io.NewSectionReader(log, from, 1<<20))
	if err != nil {
		return []byte(err.Error())
	}
	return b
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
