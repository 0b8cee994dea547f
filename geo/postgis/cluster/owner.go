package cluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"calanque/geo"
)

// An owner is the user whose files and processes the server's are. The server
// refuses to run as root, so root lends it to an unprivileged user.
type owner struct {
	uid, gid uint32
	switched bool // we are root and it is somebody else
}

// attributes make a program run as the owner.
func (o owner) attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{}
	if o.switched {
		a.Credential = &syscall.Credential{Uid: o.uid, Gid: o.gid}
	}
	return a
}

// findOwner tells who runs the server of a data folder: whose it is, else
// ourselves, else (as root) "postgres" or "nobody".
func findOwner(data string) (owner, error) {
	me := owner{uid: uint32(os.Geteuid()), gid: uint32(os.Getegid())}
	info, err := os.Stat(data)
	switch {
	case err == nil:
		st := info.Sys().(*syscall.Stat_t)
		if me.uid != 0 && st.Uid != me.uid {
			return owner{}, geo.Bad(nil, "cluster.other-owner", "folder", data, "owner", userName(st.Uid))
		}
		return owner{uid: st.Uid, gid: st.Gid, switched: me.uid == 0}, nil
	case !errors.Is(err, fs.ErrNotExist):
		return owner{}, badFolder(err, data)
	case me.uid != 0:
		return me, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return owner{}, fmt.Errorf("read the ids of user %s: %w", name, err)
		}
		return owner{uid: uint32(uid), gid: uint32(gid), switched: true}, nil
	}
	return owner{}, geo.Bad(nil, "cluster.no-user")
}

func userName(uid uint32) string {
	id := strconv.Itoa(int(uid))
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return id
}

// makeFolder makes a folder and its parents. What root makes can be passed
// through by the server's user, whatever the umask.
func makeFolder(dir string) error {
	if exists(dir) {
		return nil
	}
	if err := makeFolder(filepath.Dir(dir)); err != nil {
		return err
	}
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.Mkdir(dir, mode); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return nil // another process was faster
		}
		return err
	}
	return os.Chmod(dir, mode)
}

// closedParent is the highest folder on the way to dir that others may not
// pass through, or dir itself.
func closedParent(dir string) string {
	closed := dir
	for p := dir; ; p = filepath.Dir(p) {
		if info, err := os.Stat(p); err == nil && info.Mode()&0o001 == 0 {
			closed = p
		}
		if p == filepath.Dir(p) {
			return closed
		}
	}
}

// badFolder says that something in the cluster's folder can't be made or read.
func badFolder(err error, path string) error {
	reason := err
	var at *fs.PathError
	if errors.As(err, &at) {
		reason = at.Err
	}
	return geo.Bad(err, "cluster.folder", "folder", path, "reason", reason.Error())
}
