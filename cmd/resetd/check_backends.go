package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/cmd/resetd/config"
	"github.com/resetd/resetd/jobs/queue"
	"github.com/resetd/resetd/schemas"
)

// ledgerLimit bounds the check of a database, which answers at once or hardly at all.
const ledgerLimit = 5 * time.Second

// checkLedger tells whether the ledger could be opened. It does not open it: that would take the lock of a serving resetd,
// or bring the tables of a database to another version.
func checkLedger(ctx context.Context, c *config.Config) finding {
	if c.Ledger.Local() {
		if err := writable(c.DataDir); err != nil {
			return finding{Part: "ledger", State: schemas.FindingFail, Detail: fmt.Sprintf("%s: %s; let the user of resetd write there, or set data_dir to another folder", c.Ledger, err)}
		}
		return finding{Part: "ledger", State: schemas.FindingOK, Detail: c.Ledger.String() + " in " + c.DataDir}
	}
	ctx, cancel := context.WithTimeout(ctx, ledgerLimit)
	defer cancel()
	if err := asks(ctx, c.Ledger.URL.Reveal()); err != nil {
		return finding{Part: "ledger", State: schemas.FindingFail, Detail: fmt.Sprintf("%s does not answer: %s; check that it runs, and the address, user and password in ledger", c.Ledger, oneLine(err))}
	}
	return finding{Part: "ledger", State: schemas.FindingOK, Detail: c.Ledger.String() + " answers"}
}

// writable makes and removes a file in a folder, or, while that is not there yet, in the nearest one above it.
func writable(dir string) error {
	for {
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return fmt.Errorf("%s is a file and not a folder", dir)
		}
		if err == nil {
			break
		}
		if above := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && above != dir {
			dir = above
			continue
		}
		return fmt.Errorf("the folder cannot be looked at: %w", err)
	}
	f, err := os.CreateTemp(dir, ".resetd-check-*")
	if err != nil {
		return fmt.Errorf("no file can be made in %s: %w", dir, errors.Unwrap(err))
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// asks lets PostgreSQL answer one question. The errors of pgx hold no password.
func asks(ctx context.Context, url string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, "SELECT 1")
	return err
}

// oneLine writes an error that may have several lines, as those of pgx for several hosts, in one.
func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// checkQueue reaches the queue, and gives a line for whatever it warns of.
func checkQueue(ctx context.Context, c *config.Config) []finding {
	if c.Queue.Local() {
		return []finding{{Part: "queue", State: schemas.FindingOK, Detail: c.Queue.String()}}
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	var warnings strings.Builder
	log := zerolog.New(zerolog.ConsoleWriter{Out: &warnings, NoColor: true, PartsExclude: []string{zerolog.TimestampFieldName, zerolog.LevelFieldName}})
	q, err := queue.Open(ctx, queue.Options{URL: backendURL(c.Queue), Logger: log.Level(zerolog.WarnLevel)})
	if err != nil {
		return []finding{{Part: "queue", State: schemas.FindingFail, Detail: oneLine(err)}}
	}
	_ = q.Close(ctx)
	out := []finding{{Part: "queue", State: schemas.FindingOK, Detail: c.Queue.String() + " answers"}}
	for line := range strings.Lines(warnings.String()) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, finding{Part: "queue", State: schemas.FindingWarn, Detail: line})
		}
	}
	return out
}
