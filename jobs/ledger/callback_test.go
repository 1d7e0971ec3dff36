package ledger

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// owed makes a task that has ended and the callback that it owes.
func owed(t *testing.T, l *Ledger, at time.Time) schemas.Callback {
	t.Helper()
	task, err := live(t.Context(), l, mustCreate(t, l, accepted(at, "jdoe")))
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Callback(t.Context(), schemas.CallbackID(task.ID, task.Version))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheEndOfATaskOwesACallback(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		c := owed(t, l, epoch)
		want := schemas.Callback{ID: schemas.CallbackID(c.TaskID, 4), TaskID: c.TaskID, Source: "soar", URL: "https://soar.example.com/hooks/resetd",
			Status: schemas.StatusSuccessful, Version: 4, State: schemas.CallbackPending, Generation: 1, CreatedAt: c.CreatedAt, DueAt: c.CreatedAt}
		if !same(t, c, want) || c.CreatedAt.IsZero() {
			t.Errorf("%+v", c)
		}
		if work := allWork(t, l, jobs.CallbackQueue, farAway); len(work) != 1 || work[0] != (jobs.Work{ID: c.ID, TaskID: c.TaskID,
			Queue: jobs.CallbackQueue, Generation: 1, DueAt: c.DueAt}) {
			t.Errorf("work is %+v", work)
		}
	})
}

func TestEachStepOfAChainIsToldInOneBatchToo(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		e := accepted(epoch, "jdoe")
		e.Accepted.Callback.Events = []string{"queued", "in_progress", "final"}
		task := mustCreate(t, l, e)
		together(t, l, func() { mustStep(t, l, task.ID, claimed(2)) },
			func() {
				mustStep(t, l, task.ID, schemas.Event{At: epoch.Add(2e9), Type: schemas.EventDeferred, DueAt: epoch.Add(3e9)})
			},
			func() { mustStep(t, l, task.ID, claimed(3)) },
			func() {
				mustStep(t, l, task.ID, schemas.Event{At: epoch.Add(5e9), Type: schemas.EventFailed, Code: schemas.CodeProtected})
			})
		page, err := l.Callbacks(t.Context(), schemas.CallbackQuery{TaskID: task.ID})
		var versions []int
		for _, c := range page.Callbacks {
			versions = append(versions, c.Version)
		}
		slices.Sort(versions)
		if err != nil || !slices.Equal(versions, []int{1, 2, 3, 4, 5}) {
			t.Errorf("told of the versions %v, %v", versions, err)
		}
	})
}

func TestARejectedTaskOwesItsCallbackAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		e := accepted(epoch, "jdoe")
		e.Accepted.Status, e.Code, e.Detail = schemas.StatusRejected, schemas.CodeProtected, "a protected account"
		task := mustCreate(t, l, e)
		if c, err := l.Callback(t.Context(), schemas.CallbackID(task.ID, 1)); err != nil || c.Status != schemas.StatusRejected {
			t.Errorf("%+v, %v", c, err)
		}
	})
}

func TestACallbackIsClaimedTriedAndSettled(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		c := owed(t, l, epoch)
		ctx, until := t.Context(), epoch.Add(time.Minute)
		held, err := l.ClaimCallback(ctx, c.ID, 1, until)
		if err != nil || held.Generation != 2 || !held.DueAt.Equal(until) || held.Attempts != 0 {
			t.Fatalf("%+v, %v", held, err)
		}
		if _, err := l.ClaimCallback(ctx, c.ID, 1, until); !errors.Is(err, schemas.ErrState) {
			t.Errorf("claimed twice: %v", err)
		}
		if err := l.RecordAttempt(ctx, c.ID, 1, schemas.Attempt{}, schemas.CallbackDelivered, time.Time{}); !errors.Is(err, schemas.ErrState) {
			t.Errorf("an attempt of the past: %v", err)
		}
		if _, err := l.Redeliver(ctx, c.ID, until); !errors.Is(err, schemas.ErrState) {
			t.Errorf("redelivered while pending: %v", err)
		}
		later := epoch.Add(time.Hour)
		first := schemas.Attempt{N: 99, At: epoch, TookMS: 7, HTTPStatus: 503, Error: "status", Detail: "busy", Done: []string{"comment"}}
		if err := l.RecordAttempt(ctx, c.ID, 2, first, schemas.CallbackPending, later); err != nil {
			t.Fatal(err)
		}
		if err := l.RecordAttempt(ctx, c.ID, 2, schemas.Attempt{}, "lost", later); err == nil {
			t.Error("an unknown state was taken")
		}
		if work := allWork(t, l, jobs.CallbackQueue, farAway); len(work) != 1 || !work[0].DueAt.Equal(later) || work[0].Generation != 2 {
			t.Errorf("after a failed attempt: %+v", work)
		}
		if _, err := l.ClaimCallback(ctx, c.ID, 2, until); err != nil {
			t.Fatal(err)
		}
		if err := l.RecordAttempt(ctx, c.ID, 3, schemas.Attempt{At: later, HTTPStatus: 200}, schemas.CallbackDelivered, later); err != nil {
			t.Fatal(err)
		}
		first.N = 1
		got, err := l.Callback(ctx, c.ID)
		if err != nil || got.State != schemas.CallbackDelivered || !got.DueAt.IsZero() || got.Attempts != 2 || len(got.Log) != 2 ||
			!reflect.DeepEqual(got.Log[0], first) || got.Log[1].N != 2 {
			t.Errorf("%+v, %v", got, err)
		}
		if work := allWork(t, l, jobs.CallbackQueue, farAway); len(work) != 0 {
			t.Errorf("work is left: %+v", work)
		}
		if _, err := l.ClaimCallback(ctx, c.ID, 3, until); !errors.Is(err, schemas.ErrState) {
			t.Errorf("claimed when settled: %v", err)
		}
	})
}

func TestRedeliveryBeginsAnew(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		c := owed(t, l, epoch)
		ctx, at := t.Context(), epoch.Add(time.Hour)
		if err := l.RecordAttempt(ctx, c.ID, 1, schemas.Attempt{At: epoch, Error: "timeout"}, schemas.CallbackDead, time.Time{}); err != nil {
			t.Fatal(err)
		}
		again, err := l.Redeliver(ctx, c.ID, at)
		if err != nil || again.State != schemas.CallbackPending || again.Attempts != 0 || again.Generation != 2 || len(again.Log) != 1 || !again.DueAt.Equal(at) {
			t.Fatalf("%+v, %v", again, err)
		}
		if work := allWork(t, l, jobs.CallbackQueue, farAway); len(work) != 1 || work[0].Generation != 2 || !work[0].DueAt.Equal(at) {
			t.Errorf("work is %+v", work)
		}
		if err := l.RecordAttempt(ctx, c.ID, 2, schemas.Attempt{At: at}, schemas.CallbackDelivered, time.Time{}); err != nil {
			t.Fatal(err)
		}
		if got, err := l.Callback(ctx, c.ID); err != nil || got.Attempts != 1 || len(got.Log) != 2 || got.Log[1].N != 2 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestUnknownCallbacksAreNotFound(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		ctx := context.Background()
		_, one := l.Callback(ctx, "cb_no_1")
		_, two := l.ClaimCallback(ctx, "cb_no_1", 1, epoch)
		_, three := l.Redeliver(ctx, "cb_no_1", epoch)
		four := l.RecordAttempt(ctx, "cb_no_1", 1, schemas.Attempt{}, schemas.CallbackDead, epoch)
		for i, err := range []error{one, two, three, four} {
			if !errors.Is(err, schemas.ErrNotFound) {
				t.Errorf("%d: %v", i+1, err)
			}
		}
	})
}

func TestCallbacksAreListedNewestFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		var all []schemas.Callback
		for i := range 9 {
			c := owed(t, l, epoch.Add(time.Duration(i/2)*time.Minute))
			if i%3 == 0 {
				if err := l.RecordAttempt(t.Context(), c.ID, 1, schemas.Attempt{At: epoch}, schemas.CallbackDelivered, epoch); err != nil {
					t.Fatal(err)
				}
			}
			all = append(all, c)
		}
		slices.SortFunc(all, func(a, b schemas.Callback) int {
			if c := b.CreatedAt.Compare(a.CreatedAt); c != 0 {
				return c
			}
			return -1 * compare(a.ID, b.ID)
		})
		for name, c := range map[string]struct {
			q    schemas.CallbackQuery
			keep func(schemas.Callback) bool
		}{
			"all":       {schemas.CallbackQuery{}, func(schemas.Callback) bool { return true }},
			"pending":   {schemas.CallbackQuery{State: schemas.CallbackPending}, func(c schemas.Callback) bool { return c.State == schemas.CallbackPending }},
			"delivered": {schemas.CallbackQuery{State: schemas.CallbackDelivered}, func(c schemas.Callback) bool { return c.State == schemas.CallbackDelivered }},
			"dead":      {schemas.CallbackQuery{State: schemas.CallbackDead}, func(c schemas.Callback) bool { return c.State == schemas.CallbackDead }},
			"of a task": {schemas.CallbackQuery{TaskID: all[4].TaskID}, func(c schemas.Callback) bool { return c.TaskID == all[4].TaskID }},
			"of a task, dead": {schemas.CallbackQuery{TaskID: all[4].TaskID, State: schemas.CallbackDead},
				func(schemas.Callback) bool { return false }},
			"no such state": {schemas.CallbackQuery{State: "lost"}, func(schemas.Callback) bool { return false }},
			"no such task":  {schemas.CallbackQuery{TaskID: "no"}, func(schemas.Callback) bool { return false }},
		} {
			var want, got []string
			for _, cb := range all {
				if now, err := l.Callback(t.Context(), cb.ID); err != nil {
					t.Fatal(err)
				} else if c.keep(now) {
					want = append(want, cb.ID)
				}
			}
			for q := c.q; ; {
				q.Limit = 2
				page, err := l.Callbacks(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, cb := range page.Callbacks {
					got = append(got, cb.ID)
				}
				if q.Cursor = page.Next; q.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v; want %v", name, got, want)
			}
		}
		if _, err := l.Callbacks(t.Context(), schemas.CallbackQuery{Cursor: "nonsense"}); !errors.Is(err, schemas.ErrCursor) {
			t.Errorf("a cursor from elsewhere: %v", err)
		}
	})
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}
