package ledger

import (
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func permission(system string, d schemas.Decision, after time.Duration) schemas.PermissionChange {
	return schemas.PermissionChange{System: system, At: epoch.Add(after), Actor: "token:root", Decision: d,
		From: schemas.PermissionNotGranted, To: d.Over(schemas.PermissionNotGranted), Reason: "case 4711 " + string(d)}
}

func TestThePermissionThatWasRecordedLastCountsAndAllAreKept(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		if got, err := l.Permissions(t.Context()); err != nil || len(got) != 0 {
			t.Fatalf("before: %v, %v", got, err)
		}
		// The clock of whoever records it may go back; the order of recording counts.
		written := []schemas.PermissionChange{permission("corp-ldap", schemas.DecisionGranted, time.Hour), permission("okta", schemas.DecisionGranted, 0),
			permission("corp-ldap", schemas.DecisionNotGranted, time.Minute), permission("corp-ldap", schemas.DecisionConfigured, time.Second)}
		for _, c := range written {
			if err := l.RecordPermission(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		l = p.open(t)
		got, err := l.Permissions(t.Context())
		if err != nil || len(got) != 2 || got["corp-ldap"] != written[3] || got["okta"] != written[1] {
			t.Errorf("after a restart: %+v, %v", got, err)
		}
		history, err := l.PermissionHistory(t.Context(), "corp-ldap", 2)
		if err != nil || len(history) != 2 || history[0] != written[3] || history[1] != written[2] {
			t.Errorf("history: %+v, %v", history, err)
		}
	})
}

func TestAReplicaSeesThePermissionThatAnotherRecorded(t *testing.T) {
	p := postgresPlace(t)
	a, b := p.open(t), p.open(t)
	if err := a.RecordPermission(t.Context(), permission("okta", schemas.DecisionGranted, 0)); err != nil {
		t.Fatal(err)
	}
	if got, err := b.Permissions(t.Context()); err != nil || got["okta"].Decision != schemas.DecisionGranted {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTheHistoryOfPermissionsCannotBeChangedEvenByHand(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		if err := l.RecordPermission(t.Context(), permission("okta", schemas.DecisionGranted, 0)); err != nil {
			t.Fatal(err)
		}
		db := l.read
		if !l.db.shared { // the readers may not write at all, so that their refusal would prove nothing
			db = rawSQLite(t, p.options.Dir)
		}
		for _, statement := range []string{"UPDATE permissions SET decision = 'granted'", "DELETE FROM permissions"} {
			if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "the history of permissions is never") {
				t.Errorf("%s: %v", statement, err)
			}
		}
		if got, err := l.PermissionHistory(t.Context(), "okta", 10); err != nil || len(got) != 1 {
			t.Errorf("afterwards: %+v, %v", got, err)
		}
	})
}

// rawSQLite opens the file of a ledger as somebody with a program of his own would.
func rawSQLite(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, fileName)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestAHalfPermissionIsNotTaken(t *testing.T) {
	l := sqlitePlace(t).open(t)
	for name, spoil := range map[string]func(*schemas.PermissionChange){
		"no system":   func(c *schemas.PermissionChange) { c.System = "" },
		"no actor":    func(c *schemas.PermissionChange) { c.Actor = "" },
		"no time":     func(c *schemas.PermissionChange) { c.At = time.Time{} },
		"no decision": func(c *schemas.PermissionChange) { c.Decision = "" },
	} {
		c := permission("okta", schemas.DecisionGranted, 0)
		spoil(&c)
		if err := l.RecordPermission(t.Context(), c); err == nil || errors.Is(err, schemas.ErrOverloaded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAClosedLedgerPromisesNoPermission(t *testing.T) {
	l, err := Open(t.Context(), sqlitePlace(t).options)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.RecordPermission(t.Context(), permission("okta", schemas.DecisionGranted, 0)); !errors.Is(err, schemas.ErrOverloaded) {
		t.Errorf("writing: %v", err)
	}
	if _, err := l.Permissions(t.Context()); !errors.Is(err, schemas.ErrOverloaded) {
		t.Errorf("reading: %v", err)
	}
}
