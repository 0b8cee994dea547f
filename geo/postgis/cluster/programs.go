package cluster

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"calanque/geo"
)

// oldest is the first major version of PostgreSQL that will do.
const oldest = 15

const debianVersions = "/usr/lib/postgresql"

// Program is the path of one of PostgreSQL's programs (postgres, pg_dump…) of
// a major version. It returns a *geo.InputError that names the package to
// install.
func Program(versions string, major int, name string) (string, error) {
	path := filepath.Join(cmp.Or(versions, debianVersions), strconv.Itoa(major), "bin", name)
	if exists(path) {
		return path, nil
	}
	pkg := fmt.Sprintf("postgresql-client-%d", major)
	if name == "postgres" {
		pkg = postgisPackage(major)
	}
	return "", geo.Bad(nil, "cluster.version-missing", "version", major, "package", pkg)
}

// newest is the newest major version that will do and has PostGIS.
func newest(versions string) (int, error) {
	versions = cmp.Or(versions, debianVersions)
	found, err := filepath.Glob(filepath.Join(versions, "*", "bin", "postgres"))
	if err != nil {
		return 0, fmt.Errorf("look for PostgreSQL in %s: %w", versions, err)
	}
	bare, best := 0, 0
	for _, path := range found {
		v, err := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
		if err != nil || v < oldest {
			continue
		}
		bare = max(bare, v)
		if exists(filepath.Join(versions, strconv.Itoa(v), "lib", "postgis-3.so")) {
			best = max(best, v)
		}
	}
	switch {
	case best != 0:
		return best, nil
	case bare != 0:
		return 0, geo.Bad(nil, "cluster.no-postgis", "version", bare, "package", postgisPackage(bare))
	}
	return 0, geo.Bad(nil, "cluster.no-postgresql", "version", oldest, "package", "postgresql-postgis")
}

func postgisPackage(major int) string { return fmt.Sprintf("postgresql-%d-postgis-3", major) }

// dataVersion is the major version that a data folder belongs to.
func dataVersion(data string) (int, error) {
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return 0, badFolder(err, data)
	}
	v, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil {
		return 0, badFolder(err, data)
	}
	return v, nil
}
