package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// profiled records a CPU profile of resetd that begins after a wait and lasts for a time, if profiles are asked for. The
// function that it gives waits for the end and shows the functions in which most time was spent, callees included.
func (b *bench) profiled(ctx context.Context, s *stage, name string, wait, long time.Duration) func() error {
	if b.profile == "" {
		return func() error { return nil }
	}
	file := filepath.Join(b.profile, strings.ReplaceAll(name, " ", "-")+".prof")
	done := make(chan error, 1)
	go func() {
		time.Sleep(wait)
		done <- s.fetchProfile(ctx, file, long)
	}()
	return func() error {
		if err := <-done; err != nil {
			return fmt.Errorf("record the profile %s: %w", file, err)
		}
		text, err := exec.CommandContext(ctx, "go", "tool", "pprof", "-top", "-cum", "-nodecount=45", file).Output()
		if err != nil {
			return fmt.Errorf("read the profile %s: %w", file, err)
		}
		fmt.Fprintf(os.Stderr, "%s:\n%s\n", file, text)
		return nil
	}
}

func (s *stage) fetchProfile(ctx context.Context, file string, long time.Duration) error {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.pprof, max(1, int(long.Seconds())))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("HTTP %d", answer.StatusCode)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, answer.Body)
	return errors.Join(err, out.Close())
}
