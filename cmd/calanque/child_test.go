package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// worker waits for the worker of a server that is none of those in was.
func (m *machine) worker(up *process, was ...int) int {
	m.t.Helper()
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(20 * time.Millisecond) {
		pid := up.cmd.Process.Pid
		threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			m.t.Fatalf("the server has ended: %v", up.wait())
		}
		for _, thread := range threads {
			list, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, thread.Name()))
			for word := range strings.FieldsSeq(string(list)) {
				child, _ := strconv.Atoi(word)
				line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child))
				if strings.Contains(string(line), "\x00work\x00") && !slices.Contains(was, child) {
					return child
				}
			}
		}
	}
	m.t.Fatal("no worker")
	return 0
}

// gone waits until a process is no more.
func (m *machine) gone(pid int) {
	m.t.Helper()
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(20 * time.Millisecond) {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return
		}
		state, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if strings.Contains(string(state), ") Z ") {
			return // nobody has asked how it ended: it is done all the same
		}
	}
	m.t.Fatalf("process %d is still there", pid)
}

// TestWorkerChild kills the worker, which comes back, and the server, with
// which it goes.
func TestWorkerChild(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	up := m.start("up")
	m.ready(up, time.Minute)
	first := m.worker(up)
	if err := syscall.Kill(first, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second := m.worker(up, first)
	up.kill()
	m.gone(second)
	up = m.start("up")
	m.ready(up, time.Minute)
	third := m.worker(up)
	url, release := m.hold()
	for begun := time.Now(); len(askAll[string](t, url, `select leader_id from river.river_leader where leader_id like '%-' || $1::int || '-%'`, third)) == 0; {
		if time.Since(begun) > time.Minute {
			t.Fatal("the worker does not begin")
		}
		time.Sleep(20 * time.Millisecond)
	}
	release()
	if r := up.interrupt(); r.code != 0 || !strings.Contains(r.err, "worker ready") {
		t.Errorf("the server does not end well, or its worker's log is lost: %v", r)
	}
	m.gone(third)
}
