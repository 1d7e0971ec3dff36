package ledger

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/deploy/testserver"
)

func TestAWrongURLIsRefusedWithoutShowingIt(t *testing.T) {
	for _, url := range []string{"", "mysql://u:hunter2@h/d", "postgres://u:hunter2@h:port/d", "sqlite://x", "postgresql://u:hunter2@127.0.0.1:1/d?connect_timeout=1"} {
		l, err := Open(t.Context(), Options{URL: url, Dir: t.TempDir()})
		if err == nil {
			t.Errorf("%q was opened: %v", url, l.Close())
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is in the error: %v", err)
		}
	}
	if _, err := Open(t.Context(), Options{URL: "sqlite"}); err == nil {
		t.Error("SQLite without a directory was opened")
	}
}

func TestASecondProcessIsRefusedAndToldWhoIsFirst(t *testing.T) {
	p := sqlitePlace(t)
	first := p.open(t)
	_, err := Open(t.Context(), p.options)
	if err == nil || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) || !strings.Contains(err.Error(), "data_dir") {
		t.Errorf("the second: %v; want who holds it, and what to do", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	p.open(t)
}

func TestTheDataBelongToTheirOwner(t *testing.T) {
	p := sqlitePlace(t)
	p.options.Dir = filepath.Join(p.options.Dir, "new", "data")
	mustCreate(t, p.open(t), accepted(epoch, "jdoe"))
	info, err := os.Stat(p.options.Dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestSQLiteIsSetUpToLast(t *testing.T) {
	l := sqlitePlace(t).open(t)
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2"} {
		var got string
		conn := l.db.store.(*sqliteStore).conn
		if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s, %v; want %s", pragma, got, err, want)
		}
	}
	if _, err := l.read.ExecContext(t.Context(), "DELETE FROM tasks"); err == nil {
		t.Error("a reader may write")
	}
}

func TestPostgresWaitsForTheDiskWhateverItsDefault(t *testing.T) {
	p := postgresPlace(t)
	l := p.open(t)
	var name string
	if err := l.read.QueryRowContext(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	if _, err := l.read.ExecContext(t.Context(), "ALTER DATABASE "+name+" SET synchronous_commit = off"); err != nil {
		t.Fatal(err)
	}
	var got string
	if err := p.open(t).read.QueryRowContext(t.Context(), "SHOW synchronous_commit").Scan(&got); err != nil || got != "on" {
		t.Errorf("synchronous_commit is %s, %v", got, err)
	}
}

func TestAPostgresThatDoesNotSyncIsWarnedOf(t *testing.T) {
	var log bytes.Buffer
	p := &place{options: Options{URL: testserver.Postgres(t, testserver.WithoutFsync()).Database(t), Logger: zerolog.New(&log)}}
	p.open(t)
	if !strings.Contains(log.String(), "fsync=off") {
		t.Errorf("log: %s", log.String())
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		driver, location := "pgx", p.options.URL
		if !l.db.shared {
			driver, location = "sqlite", dsn(filepath.Join(p.options.Dir, fileName))
		}
		db, err := sql.Open(driver, location)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if _, err := db.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)"); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), p.options); err == nil || !strings.Contains(err.Error(), "newer") {
			t.Errorf("opened, or refused for another reason: %v", err)
		}
	})
}

func TestOpeningIsQuiet(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		out, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		stdout, stderr := os.Stdout, os.Stderr
		os.Stdout, os.Stderr = out, out
		p.open(t)
		os.Stdout, os.Stderr = stdout, stderr
		if said, err := os.ReadFile(out.Name()); err != nil || len(said) > 0 {
			t.Errorf("opening says %q, %v", said, err)
		}
	})
}

func TestMetricsAreShownWhileTheLedgerIsOpen(t *testing.T) {
	reg := prometheus.NewRegistry()
	p := sqlitePlace(t)
	p.options.Registerer = reg
	for range 2 { // the second time they must not be there already
		l := p.open(t)
		mustCreate(t, l, accepted(epoch, "jdoe"))
		families, err := reg.Gather()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, f := range families {
			seen[f.GetName()] = true
			if f.GetName() == "resetd_ledger_batch_operations" && f.GetMetric()[0].GetHistogram().GetSampleCount() == 0 {
				t.Error("no batch was counted")
			}
		}
		for _, name := range []string{"batch_operations", "batch_seconds", "waiting", "overloaded_total"} {
			if !seen["resetd_ledger_"+name] {
				t.Errorf("no %s", name)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadyTellsThatALedgerIsClosed(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		if err := l.Ready(context.Background()); err != nil {
			t.Error(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.Ready(context.Background()); err == nil {
			t.Error("a closed ledger is ready")
		}
	})
}
