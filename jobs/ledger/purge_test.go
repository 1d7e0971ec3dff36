package ledger

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// count counts the rows of a table.
func count(t *testing.T, l *Ledger, table string) (n int) {
	t.Helper()
	if err := l.read.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestPurgeDeletesWhatIsOverAndOwesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		ctx := t.Context()
		make := func(at time.Time, account string) schemas.Task {
			e := accepted(at, account)
			return mustCreate(t, l, e)
		}
		settle := func(task schemas.Task, state schemas.CallbackState) {
			done, err := live(ctx, l, task)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.RecordAttempt(ctx, schemas.CallbackID(done.ID, done.Version), 1, schemas.Attempt{At: epoch}, state, epoch); err != nil {
				t.Fatal(err)
			}
		}
		old, open, owing, dead, young := make(epoch, "only-old"), make(epoch, "open"), make(epoch, "owing"), make(epoch.Add(1e6), "shared"), make(epoch.Add(time.Hour), "shared")
		settle(old, schemas.CallbackDelivered)
		settle(owing, schemas.CallbackPending)
		settle(dead, schemas.CallbackDead)
		settle(young, schemas.CallbackDelivered)

		if n, err := l.Purge(ctx, epoch.Add(time.Hour), 1); n != 1 || err != nil {
			t.Fatalf("the first: %d, %v", n, err)
		}
		if _, err := l.Task(ctx, old.ID); !errors.Is(err, schemas.ErrNotFound) {
			t.Errorf("the oldest is still there: %v", err)
		}
		if n, err := l.Purge(ctx, epoch.Add(time.Hour), 100); n != 1 || err != nil {
			t.Fatalf("the rest: %d, %v", n, err)
		}
		for name, c := range map[string]struct {
			task schemas.Task
			gone bool
		}{"open": {open, false}, "owing": {owing, false}, "dead letter": {dead, true}, "young": {young, false}} {
			_, err := l.Task(ctx, c.task.ID)
			_, err2 := l.Events(ctx, c.task.ID)
			page, err3 := l.Callbacks(ctx, schemas.CallbackQuery{TaskID: c.task.ID})
			if errors.Is(err, schemas.ErrNotFound) != c.gone || errors.Is(err2, schemas.ErrNotFound) != c.gone || err3 != nil || c.gone && len(page.Callbacks) > 0 {
				t.Errorf("%s: %v, %v, %v", name, err, err2, err3)
			}
		}
		if n := count(t, l, "events"); n != 1+4+4 {
			t.Errorf("%d events are left", n)
		}
		if n := count(t, l, "accounts"); n != 3 {
			t.Errorf("%d accounts are left: the name of a purged account must go, that of a shared one must stay", n)
		}
		if page, err := l.Search(ctx, schemas.TaskQuery{Q: "only-old"}); err != nil || len(page.Tasks) != 0 {
			t.Errorf("found %d, %v", len(page.Tasks), err)
		}
		// The key and the account of what is gone can be used again.
		again := accepted(epoch, "only-old")
		if _, replay, err := l.Create(ctx, delivery("soar", "key-"+old.ID, again)); err != nil || replay {
			t.Errorf("the key again: %v, %v", replay, err)
		}
		if page, err := l.Search(ctx, schemas.TaskQuery{Q: "only-old"}); err != nil || len(page.Tasks) != 1 {
			t.Errorf("found %d, %v", len(page.Tasks), err)
		}
	})
}

func TestPurgeGoesOnOverManyChunks(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		var events []schemas.Event
		for i := range 3*purgeChunk + 7 {
			e := accepted(epoch.Add(time.Duration(i)), fmt.Sprintf("user%d", i%20))
			e.Accepted.Status = schemas.StatusRejected
			e.Accepted.Callback = nil
			events = append(events, e)
		}
		if _, _, err := l.Create(t.Context(), delivery("soar", "many", events...)); err != nil {
			t.Fatal(err)
		}
		if n, err := l.Purge(t.Context(), epoch.Add(time.Hour), 2*purgeChunk+1); n != 2*purgeChunk+1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if n, err := l.Purge(t.Context(), epoch.Add(time.Hour), 1e6); n != purgeChunk+6 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		for _, table := range []string{"tasks", "events", "callbacks", "work", "accounts"} {
			if n := count(t, l, table); n != 0 {
				t.Errorf("%d rows are left in %s", n, table)
			}
		}
	})
}

func TestATaskThatIsRetriedInTheMeantimeIsNotPurged(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		e := accepted(epoch, "jdoe")
		e.Accepted.Callback = nil
		task := mustCreate(t, l, e)
		mustStep(t, l, task.ID, schemas.Event{At: epoch, Type: schemas.EventFailed, Code: schemas.CodeUnavailable})
		ids, err := l.purgeable(t.Context(), epoch.Add(time.Hour), 10)
		if err != nil || len(ids) != 1 {
			t.Fatalf("%v, %v", ids, err)
		}
		mustStep(t, l, task.ID, schemas.Event{At: epoch.Add(1e9), Type: schemas.EventRetried})
		if n, err := l.purge(t.Context(), ids); n != 0 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		if work := allWork(t, l, jobs.QueueOf("corp-ldap"), farAway); len(work) != 1 {
			t.Errorf("work is %v", work)
		}
	})
}
