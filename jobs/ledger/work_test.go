package ledger

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// allWork lists all of a queue that is due.
func allWork(t testing.TB, l *Ledger, queue string, now time.Time) []jobs.Work {
	t.Helper()
	all, err := l.Due(t.Context(), queue, now, 100)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var farAway = epoch.Add(1000 * time.Hour)

func TestWorkFollowsTheEnforcement(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe"))
		n := task.Enforcements[0]
		queue := jobs.QueueOf(n.System)
		expect := func(when string, want ...jobs.Work) {
			t.Helper()
			if got := allWork(t, l, queue, farAway); !slices.Equal(got, want) {
				t.Errorf("%s: %+v; want %+v", when, got, want)
			}
		}
		w := jobs.Work{ID: n.ID, TaskID: task.ID, Queue: queue, Generation: 1, DueAt: epoch}
		expect("accepted", w)
		mustStep(t, l, task.ID, claimed(2))
		w.Generation, w.DueAt = 2, epoch.Add(10*time.Second)
		expect("claimed", w)
		mustStep(t, l, task.ID, schemas.Event{At: epoch.Add(3 * time.Second), Type: schemas.EventIntended, Intent: &schemas.Evidence{}})
		w.DueAt = epoch.Add(3 * time.Second)
		expect("intended, without a due time", w)
		mustStep(t, l, task.ID, schemas.Event{At: epoch.Add(4 * time.Second), Type: schemas.EventDeferred, Generation: 3, DueAt: epoch.Add(time.Minute)})
		w.Generation, w.DueAt = 3, epoch.Add(time.Minute)
		expect("deferred", w)
		mustStep(t, l, task.ID, schemas.Event{At: epoch.Add(5 * time.Second), Type: schemas.EventFailed, Code: schemas.CodeUnavailable})
		expect("failed")
		mustStep(t, l, task.ID, schemas.Event{At: epoch.Add(6 * time.Second), Type: schemas.EventRetried, Generation: 4})
		w.Generation, w.DueAt = 4, epoch.Add(6*time.Second)
		expect("retried", w)
	})
}

func TestWhoWaitsForAPersonIsNoWork(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		e := accepted(epoch, "jdoe")
		e.Accepted.Status = schemas.StatusPendingApproval
		task := mustCreate(t, l, e)
		if backlog, err := l.Backlog(t.Context()); err != nil || len(backlog) != 0 {
			t.Errorf("%v, %v", backlog, err)
		}
		mustStep(t, l, task.ID, schemas.Event{At: epoch.Add(time.Hour), Type: schemas.EventApproved, Actor: "token:boss"})
		if work := allWork(t, l, jobs.QueueOf("corp-ldap"), farAway); len(work) != 1 || !work[0].DueAt.Equal(epoch.Add(time.Hour)) {
			t.Errorf("after the approval: %+v", work)
		}
	})
}

func TestAnEventForAllMovesOnlyThoseItFits(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		task := mustCreate(t, l, accepted(epoch, "jdoe", "a", "b"))
		claim := claimed(2)
		claim.System = "a"
		mustStep(t, l, task.ID, claim)
		fail := schemas.Event{At: epoch.Add(2 * time.Second), Type: schemas.EventFailed, System: "b", Code: schemas.CodeProtected}
		mustStep(t, l, task.ID, fail)
		// b is unsuccessful and can be retried; a is in progress, and its lease must stay as it is.
		mustStep(t, l, task.ID, schemas.Event{At: epoch.Add(3 * time.Second), Type: schemas.EventRetried})
		if work := allWork(t, l, jobs.QueueOf("a"), farAway); len(work) != 1 || !work[0].DueAt.Equal(claim.DueAt) {
			t.Errorf("the lease of the other moved: %+v", work)
		}
		if work := allWork(t, l, jobs.QueueOf("b"), farAway); len(work) != 1 || !work[0].DueAt.Equal(epoch.Add(3*time.Second)) {
			t.Errorf("the one that fits: %+v", work)
		}
	})
}

func TestDueListsWhatIsDueInOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		var want []string
		for i := range 7 {
			at := epoch.Add(time.Duration(i/3) * time.Minute) // three at a time
			want = append(want, mustCreate(t, l, accepted(at, "jdoe")).Enforcements[0].ID)
		}
		mustCreate(t, l, accepted(epoch, "jdoe", "another"))
		ids := func(now time.Time) (ids []string) {
			for _, w := range allWork(t, l, jobs.QueueOf("corp-ldap"), now) {
				ids = append(ids, w.ID)
			}
			return ids
		}
		if got := ids(epoch.Add(time.Hour)); !slices.Equal(got, want) {
			t.Errorf("all: %v; want %v", got, want)
		}
		if got := ids(epoch.Add(time.Minute)); !slices.Equal(got, want[:6]) {
			t.Errorf("within a minute: %v; want %v", got, want[:6])
		}
		if few, err := l.Due(t.Context(), jobs.QueueOf("corp-ldap"), farAway, 2); err != nil || len(few) != 2 || few[1].ID != want[1] {
			t.Errorf("two of them: %+v, %v", few, err)
		}
		// What was taken before goes ahead of all that nobody has touched.
		e := claimed(2)
		e.DueAt = epoch.Add(time.Hour)
		mustStep(t, l, strings.TrimSuffix(want[4], ".0"), e)
		if got := ids(farAway); !slices.Equal(got, append([]string{want[4]}, slices.Delete(slices.Clone(want), 4, 5)...)) {
			t.Errorf("with one taken: %v", got)
		}
		if few, err := l.Due(t.Context(), jobs.QueueOf("corp-ldap"), farAway, 1); err != nil || len(few) != 1 || few[0].ID != want[4] {
			t.Errorf("one of them: %+v, %v", few, err)
		}
		backlog, err := l.Backlog(t.Context())
		if err != nil || backlog[jobs.QueueOf("corp-ldap")] != 7 || backlog[jobs.QueueOf("another")] != 1 || len(backlog) != 2 {
			t.Errorf("backlog %v, %v", backlog, err)
		}
	})
}

func TestRenewMovesWhatIsStillHeld(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		var claims []jobs.Work
		hold := func(generation int) schemas.Task {
			task := mustStep(t, l, mustCreate(t, l, accepted(epoch, "jdoe")).ID, claimed(2))
			n := task.Enforcements[0]
			claims = append(claims, jobs.Work{ID: n.ID, TaskID: task.ID, Queue: jobs.QueueOf(n.System), Generation: generation})
			return task
		}
		hold(2)
		hold(1) // taken over since
		done := hold(2)
		mustStep(t, l, done.ID, schemas.Event{At: epoch.Add(2e9), Type: schemas.EventSucceeded, Code: schemas.CodeOK})
		claims = append(claims, jobs.Work{ID: "no.0", TaskID: "no", Queue: jobs.QueueOf("corp-ldap"), Generation: 1})
		callback := jobs.Work{ID: schemas.CallbackID(done.ID, 3), TaskID: done.ID, Queue: jobs.CallbackQueue, Generation: 1}
		stale := callback
		stale.Generation = 7
		claims = append(claims, callback, stale)

		until := epoch.Add(time.Hour)
		lost, err := l.Renew(t.Context(), claims, until)
		if want := []jobs.Work{claims[1], claims[2], claims[3], stale}; err != nil || !slices.Equal(lost, want) {
			t.Errorf("lost %+v, %v; want %+v", lost, err, want)
		}
		work := allWork(t, l, claims[0].Queue, farAway)
		if len(work) != 2 || !work[0].DueAt.Equal(epoch.Add(10*time.Second)) || !work[1].DueAt.Equal(until) || work[1].ID != claims[0].ID {
			t.Errorf("work is %+v", work)
		}
		if c, err := l.Callback(t.Context(), callback.ID); err != nil || !c.DueAt.Equal(until) {
			t.Errorf("the callback is due at %s, %v", c.DueAt, err)
		}
		if lost, err := l.Renew(t.Context(), nil, until); lost != nil || err != nil {
			t.Errorf("nothing to renew: %v, %v", lost, err)
		}
	})
}
