package ledger

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

func TestOnlyWorkThatIsDueCanBeClaimed(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe"))
		n := task.Enforcements[0]
		w := jobs.Work{ID: n.ID, TaskID: task.ID, Queue: jobs.QueueOf(n.System), Generation: 1}
		take := func(w jobs.Work, at time.Time) error {
			_, err := l.TransitionDue(t.Context(), w, at, step(schemas.Event{At: at, Type: schemas.EventClaimed, System: n.System,
				Generation: w.Generation + 1, DueAt: at.Add(10 * time.Second)}))
			return err
		}
		expect := func(when string, err error, want error) {
			t.Helper()
			if !errors.Is(err, want) {
				t.Errorf("%s: %v; want %v", when, err, want)
			}
		}
		expect("before it is due", take(w, epoch.Add(-time.Second)), schemas.ErrState)
		expect("when it is due", take(w, epoch), nil)
		expect("of an older generation", take(w, epoch.Add(time.Hour)), schemas.ErrState)
		w.Generation = 2
		expect("while the lease runs", take(w, epoch.Add(9*time.Second)), schemas.ErrState)
		if lost, err := l.Renew(t.Context(), []jobs.Work{w}, epoch.Add(20*time.Second)); err != nil || len(lost) > 0 {
			t.Fatal(lost, err)
		}
		expect("after the lease was renewed", take(w, epoch.Add(11*time.Second)), schemas.ErrState)
		expect("when the lease has run out", take(w, epoch.Add(21*time.Second)), nil)
		expect("of an unknown task", take(jobs.Work{ID: "x.0", TaskID: "x", Generation: 1}, epoch), schemas.ErrState)
	})
}

func TestWorkOfAnotherTryStandsBeforeFreshWork(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		var last schemas.Task
		for i := range 5 {
			last = mustCreate(t, l, accepted(epoch.Add(time.Duration(i)*time.Second), "jdoe"))
		}
		mustStep(t, l, last.ID, claimed(2))
		due, err := l.Due(t.Context(), jobs.QueueOf("corp-ldap"), farAway, 3)
		if err != nil || len(due) != 3 || due[0].TaskID != last.ID || due[0].Generation != 2 || due[1].Generation != 1 {
			t.Fatalf("%+v, %v", due, err)
		}
	})
}

func TestClockOfASharedLedgerIsTheServers(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		clock, err := l.Clock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a := clock()
		time.Sleep(20 * time.Millisecond)
		if b := clock(); b.Sub(a) < 20*time.Millisecond || b.Sub(a) > 10*time.Second {
			t.Errorf("the clock went from %s to %s", a, b)
		}
		if off := time.Since(a); off < -time.Minute || off > time.Minute { // the server is this machine
			t.Errorf("the clock is off by %s", off)
		}
	})
}

// A process that vanishes in the middle of a transaction leaves its locks behind. Others must not wait for them.
func TestVanishedReplicaDoesNotStallTheOthers(t *testing.T) {
	p := postgresPlace(t)
	l := p.open(t)
	locked := mustCreate(t, l, accepted(epoch, "jdoe"))
	other := mustCreate(t, l, accepted(epoch, "asmith"))
	conn, err := pgx.Connect(t.Context(), p.options.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), "BEGIN"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), "SELECT 1 FROM tasks WHERE id = $1 FOR UPDATE", locked.ID); err != nil {
		t.Fatal(err)
	}
	stuck := make(chan error, 1)
	go func() {
		_, err := l.Transition(t.Context(), locked.ID, step(claimed(2)))
		stuck <- err
	}()
	for i := range 5 {
		if _, err := l.Transition(t.Context(), other.ID, step(claimed(i+2))); err != nil {
			t.Errorf("a task that nobody holds: %v", err)
		}
	}
	if err := <-stuck; !errors.Is(err, schemas.ErrOverloaded) {
		t.Errorf("the task that is held gives %v", err)
	}
}

func TestSessionsDoNotIdleInATransaction(t *testing.T) {
	l := postgresPlace(t).open(t)
	var got string
	if err := l.read.QueryRowContext(t.Context(), "SHOW idle_in_transaction_session_timeout").Scan(&got); err != nil || got != "5s" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestDatabaseIsItsOwnersAloneAlsoInAnOpenDirectory(t *testing.T) {
	p := sqlitePlace(t)
	if err := os.Chmod(p.options.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l := p.open(t)
	mustCreate(t, l, accepted(epoch, "jdoe"))
	files, err := filepath.Glob(filepath.Join(p.options.Dir, "*"))
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %s", filepath.Base(file), info.Mode())
		}
	}
}
