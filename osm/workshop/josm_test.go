package workshop

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// josmJar is where Debian's package josm has it; CALANQUE_JOSM names another.
const josmJar = "/usr/share/josm/josm.jar"

// inJOSM reads a file with JOSM's own reader and validator, and gives what JOSM
// holds of it and would upload; it skips the test where JOSM or Java is
// missing.
func inJOSM(t *testing.T, file string) map[string]int {
	t.Helper()
	jar := os.Getenv("CALANQUE_JOSM")
	if jar == "" {
		jar = josmJar
	}
	if _, err := os.Stat(jar); err != nil {
		t.Skipf("no JOSM: %v (Debian package josm)", err)
	}
	if _, err := exec.LookPath("javac"); err != nil {
		t.Skip("no Java compiler on PATH: JOSM's reader can't be driven (Debian package default-jdk-headless)")
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "java", "-Djava.awt.headless=true", "-Djava.util.prefs.userRoot="+t.TempDir(), "-cp", jar, "testdata/Josm.java", file)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("JOSM: %v\n%s", err, stderr.Bytes())
	}
	told := map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		var name string
		var n int
		if _, err := fmt.Sscan(line, &name, &n); err == nil {
			told[name] = n
		}
	}
	if told["errors"] > 0 {
		t.Errorf("JOSM's validator: %s", stderr.Bytes())
	}
	return told
}

// TestJOSM opens a session's file with JOSM: everything is there, nothing is
// incomplete or to be deleted, and what would be uploaded is what is proposed.
func TestJOSM(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 72, agreed, onlyFile, onlyOSM, other, shifted, outlined)
	s, _ := r.told()
	x, err := ForOSM(t.Context(), r.hub.Web, s)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "josm.osm")
	if err := os.WriteFile(file, []byte(x.written(t)["josm.osm"]), 0o600); err != nil {
		t.Fatal(err)
	}
	got := inJOSM(t, file)
	want := map[string]int{}
	for _, e := range x.elements() {
		switch {
		case e.kind == 'w':
			want["ways"]++
			want["refs"] += len(e.refs)
		default:
			want["nodes"]++
		}
		want["tags"] += len(e.tags)
		switch {
		case e.id < 0:
			want["add"]++
		case e.changed:
			want["update"]++
		}
	}
	for name, n := range got {
		if n != want[name] {
			t.Errorf("JOSM has %d %s, want %d", n, name, want[name])
		}
	}
	if got["update"] == 0 || got["add"] == 0 || got["ways"] == 0 {
		t.Errorf("JOSM reads %v", got)
	}
}
