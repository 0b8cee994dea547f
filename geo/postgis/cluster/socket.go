package cluster

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"calanque/geo"
)

// port only names the socket's file; there is no TCP port.
const port = 5432

// longestSocket is how long the path of a Unix socket may be (sun_path of
// unix(7), less its final zero).
const longestSocket = 107

func socketName() string { return ".s.PGSQL." + strconv.Itoa(port) }

func (c *Cluster) socketFile() string { return filepath.Join(c.socket, socketName()) }

// socketFolder is where the socket of the cluster in dir goes. All processes
// must agree on it for as long as the folder lives, so nothing in it depends
// on the environment: it is beside the data, or in /tmp under a name made from
// the folder's where that path would be too long or has characters that
// PostgreSQL takes for a list of hosts.
func socketFolder(dir string, uid uint32) string {
	beside := filepath.Join(dir, "socket")
	if len(beside)+1+len(socketName()) <= longestSocket && !strings.ContainsAny(beside, `,"`) {
		return beside
	}
	hash := sha256.Sum256([]byte(dir))
	return fmt.Sprintf("/tmp/calanque-%d-%x", uid, hash[:6])
}

// makeSocketFolder makes the folder, which only its owner may enter. Another
// user may have made it first, in /tmp: then we don't go there.
func makeSocketFolder(path string, o owner) error {
	err := os.Mkdir(path, 0o700)
	if err == nil && o.switched {
		err = os.Lchown(path, int(o.uid), int(o.gid))
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return badFolder(err, path)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return badFolder(err, path)
	}
	uid := info.Sys().(*syscall.Stat_t).Uid
	if !info.IsDir() || uid != o.uid || info.Mode().Perm() != 0o700 {
		return geo.Bad(nil, "cluster.socket-taken", "folder", path, "owner", userName(uid))
	}
	return nil
}

// quote writes a value of a connection string.
func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
