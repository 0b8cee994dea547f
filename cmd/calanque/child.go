package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// The pauses before a worker that ended is started again: they double.
const (
	firstPause = time.Second
	longPause  = time.Minute
)

// keepWorker runs a worker as a process of its own until ctx ends: what foreign
// files do to it does not touch the server. It is started again when it ends,
// and stops with us however we end, because its input does.
func (a *app) keepWorker(ctx context.Context) error {
	pause := firstPause
	for ctx.Err() == nil {
		begun := time.Now()
		err := a.runWorker(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(begun) > longPause {
			pause = firstPause
		}
		a.log.Warn("the worker ended; starting it again", "err", err, "in", pause)
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, longPause)
	}
	return nil
}

func (a *app) runWorker(ctx context.Context) error {
	program, err := ownProgram()
	if err != nil {
		return err
	}
	cmd := exec.Command(program, "work", "--with-parent")
	cmd.Env = append(os.Environ(), "DATABASE_URL="+a.url, "CALANQUE_DATA="+a.dataFolder(), "CALANQUE_ADDR="+a.Addr, "CALANQUE_PUBLIC_URL="+a.PublicURL)
	cmd.Stdout, cmd.Stderr = a.stderr, a.stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
		if err == nil {
			err = errors.New("it stopped")
		}
		return err
	case <-ctx.Done():
	}
	_ = input.Close()
	select {
	case <-ended:
	case <-time.After(grace + 2*time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
	return nil
}

// ownProgram is this program, even when its file has been replaced by a newer
// one meanwhile.
func ownProgram() (string, error) {
	const self = "/proc/self/exe"
	if _, err := os.Stat(self); err == nil {
		return self, nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	return path, nil
}
