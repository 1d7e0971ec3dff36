package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

var subject = jobs.Subject{1, 2, 3}

// intended decides to go on, whoever was last, and tells who that was.
func intended(last *string) func(schemas.Task, *schemas.Task) ([]schemas.Event, error) {
	return func(t schemas.Task, l *schemas.Task) ([]schemas.Event, error) {
		*last = ""
		if l != nil {
			*last = l.ID + " " + string(l.Status)
		}
		n := t.Enforcements[0]
		return []schemas.Event{{TaskID: t.ID, At: epoch, Type: schemas.EventIntended, System: n.System, Intent: &schemas.Evidence{}, DueAt: epoch}}, nil
	}
}

// working makes a task that a worker holds.
func working(t testing.TB, l *Ledger, account string) schemas.Task {
	t.Helper()
	e := accepted(epoch, account)
	e.Accepted.Callback = nil
	return mustStep(t, l, mustCreate(t, l, e).ID, claimed(2))
}

func TestWhoIntendsLearnsWhoDidSoLast(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		ctx := t.Context()
		a, b, c := working(t, l, "a"), working(t, l, "b"), working(t, l, "c")
		var last string
		try := func(l *Ledger, task schemas.Task, s jobs.Subject, want string) {
			t.Helper()
			if _, err := l.Intend(ctx, task.ID, s, intended(&last)); err != nil || last != want {
				t.Errorf("the last was %q, %v; want %q", last, err, want)
			}
		}
		try(l, a, subject, "")
		try(l, a, subject, "") // itself does not count
		try(l, b, jobs.Subject{9}, "")
		try(l, b, subject, a.ID+" in_progress")
		mustStep(t, l, b.ID, schemas.Event{At: epoch, Type: schemas.EventSucceeded, Code: schemas.CodeOK})
		try(l, a, subject, b.ID+" successful") // as it stands now
		// Who decides otherwise, or is refused, does not take the lead.
		if _, err := l.Intend(ctx, c.ID, subject, func(t schemas.Task, last *schemas.Task) ([]schemas.Event, error) {
			return []schemas.Event{{TaskID: t.ID, At: epoch, Type: schemas.EventCoalesced, System: "corp-ldap",
				CoalescedWith: &schemas.Coalesced{TaskID: last.ID, EnforcementID: last.Enforcements[0].ID}}}, nil
		}); err != nil {
			t.Error(err)
		}
		if _, err := l.Intend(ctx, b.ID, subject, intended(&last)); !errors.Is(err, schemas.ErrTransition) {
			t.Errorf("one that is final intends: %v", err)
		}
		refusal := errors.New("no")
		if _, err := l.Intend(ctx, a.ID, subject, func(schemas.Task, *schemas.Task) ([]schemas.Event, error) { return nil, refusal }); !errors.Is(err, refusal) {
			t.Error(err)
		}
		if _, err := l.Intend(ctx, "nobody", subject, intended(&last)); !errors.Is(err, schemas.ErrNotFound) {
			t.Errorf("an unknown task: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		again := p.open(t)
		try(again, working(t, again, "d"), subject, a.ID+" in_progress")
	})
}

func TestOfThoseThatIntendTogetherOneIsFirst(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		lasts := make([]string, 4)
		var functions []func()
		for i := range lasts {
			task := working(t, l, fmt.Sprint("user", i))
			functions = append(functions, func() {
				if _, err := l.Intend(context.Background(), task.ID, subject, intended(&lasts[i])); err != nil {
					t.Error(err)
				}
			})
		}
		together(t, l, functions...) // in one batch, in this order
		for i, last := range lasts {
			if (last == "") != (i == 0) {
				t.Errorf("number %d comes after %q", i, last)
			}
		}
		if n := count(t, l, "leaders"); n != 1 {
			t.Errorf("%d leaders", n)
		}
	})
}

func TestTheLastIsSeenAsTheSameBatchLeftHim(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		a, b := working(t, l, "a"), working(t, l, "b")
		var last string
		if _, err := l.Intend(t.Context(), a.ID, subject, intended(&last)); err != nil {
			t.Fatal(err)
		}
		together(t, l, func() {
			if _, err := l.Transition(context.Background(), a.ID, step(schemas.Event{At: epoch, Type: schemas.EventSucceeded, Code: schemas.CodeOK})); err != nil {
				t.Error(err)
			}
		}, func() {
			if _, err := l.Intend(context.Background(), b.ID, subject, intended(&last)); err != nil {
				t.Error(err)
			}
		})
		if last != a.ID+" successful" {
			t.Errorf("the last was %q", last)
		}
	})
}

// Two replicas and many subjects, at first unknown and then led by somebody: of each subject each finds another one before
// it, as if they had come one after the other.
func TestReplicasThatIntendTheSameComeOneAfterTheOther(t *testing.T) {
	p := postgresPlace(t)
	replicas := []*Ledger{p.open(t), p.open(t)}
	const subjects, each = 12, 8
	var mu sync.Mutex
	lasts := map[jobs.Subject]map[string]bool{}
	for s := range subjects {
		lasts[jobs.Subject{byte(s)}] = map[string]bool{}
	}
	for range 2 {
		var all sync.WaitGroup
		for i := range subjects * each {
			l, s := replicas[i%2], jobs.Subject{byte(i / 2 % subjects)}
			task := working(t, l, fmt.Sprint("user", i))
			all.Go(func() {
				var last string
				if _, err := l.Intend(context.Background(), task.ID, s, intended(&last)); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				lasts[s][last] = true
			})
		}
		all.Wait()
	}
	for s, different := range lasts {
		if len(different) != 2*each || !different[""] {
			t.Errorf("subject %d: %d found %d different ones before them", s[0], 2*each, len(different))
		}
	}
}

func TestAPurgedTaskLeadsNobody(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		a, b := working(t, l, "a"), working(t, l, "b")
		var last string
		if _, err := l.Intend(t.Context(), a.ID, subject, intended(&last)); err != nil {
			t.Fatal(err)
		}
		mustStep(t, l, a.ID, schemas.Event{At: epoch, Type: schemas.EventSucceeded, Code: schemas.CodeOK})
		if n, err := l.Purge(t.Context(), farAway, 10); n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		if n := count(t, l, "leaders"); n != 0 {
			t.Errorf("%d leaders are left", n)
		}
		if _, err := l.Intend(t.Context(), b.ID, subject, intended(&last)); err != nil || last != "" {
			t.Errorf("the last was %q, %v", last, err)
		}
	})
}

// follower makes a delivery whose task waits for an enforcement from the start.
func follower(key, account, leader string, more ...schemas.Event) jobs.NewDelivery {
	e := accepted(epoch, account)
	d := delivery("soar", key, e)
	then := append([]schemas.Event{{At: epoch, Type: schemas.EventCoalesced, System: "corp-ldap",
		CoalescedWith: &schemas.Coalesced{TaskID: leader, EnforcementID: schemas.EnforcementID(leader, 0)}}}, more...)
	for i := range then {
		then[i].TaskID, then[i].Actor = e.TaskID, "worker:test"
	}
	d.Then = [][]schemas.Event{then}
	return d
}

func TestAFollowerWaitsInTheQueueOfItsLeader(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		ctx := t.Context()
		var ids []string
		for i, leader := range []string{"one", "two", "one", "three"} {
			tasks, _, err := l.Create(ctx, follower(fmt.Sprint("k", i), "jdoe", leader))
			if err != nil || tasks[0].Version != 2 || !tasks[0].Enforcements[0].Follows() {
				t.Fatalf("%+v, %v", tasks, err)
			}
			ids = append(ids, tasks[0].ID)
			events, err := l.Events(ctx, tasks[0].ID)
			if err != nil || !same(t, fold(t, events), tasks[0]) {
				t.Errorf("not the fold of its history: %v", err)
			}
		}
		due := func(queue string) int {
			t.Helper()
			works, err := l.Due(ctx, queue, farAway, 100)
			if err != nil {
				t.Fatal(err)
			}
			return len(works)
		}
		if a, b, c := due(jobs.FollowQueue("one.0")), due(jobs.FollowQueue("two.0")), due(jobs.QueueOf("corp-ldap")); a != 2 || b != 1 || c != 0 {
			t.Errorf("%d wait for one, %d for two, and %d for a worker", a, b, c)
		}
		list := func(after string, limit int) string {
			t.Helper()
			got, err := l.Followed(ctx, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(got)
		}
		if a, b, c := list("", 10), list("one.0", 1), list("two.0", 10); a != "[one.0 three.0 two.0]" || b != "[three.0]" || c != "[]" {
			t.Errorf("followed are %s, %s, %s", a, b, c)
		}
		// A lease does not take it elsewhere; another leader does, and going on by itself.
		n := jobs.Work{ID: schemas.EnforcementID(ids[0], 0), TaskID: ids[0], Queue: jobs.FollowQueue("one.0"), Generation: 1}
		if lost, err := l.Renew(ctx, []jobs.Work{n}, epoch.Add(time.Hour)); err != nil || len(lost) != 0 || due(jobs.FollowQueue("one.0")) != 2 {
			t.Errorf("renewed: lost %v, %v", lost, err)
		}
		mustStep(t, l, ids[0], schemas.Event{At: epoch, Type: schemas.EventCoalesced, CoalescedWith: &schemas.Coalesced{TaskID: "two", EnforcementID: "two.0"}})
		mustStep(t, l, ids[2], schemas.Event{At: epoch, Type: schemas.EventDeferred, DueAt: epoch})
		if a, b, c := due(jobs.FollowQueue("one.0")), due(jobs.FollowQueue("two.0")), due(jobs.QueueOf("corp-ldap")); a != 0 || b != 2 || c != 1 {
			t.Errorf("%d wait for one, %d for two, and %d for a worker", a, b, c)
		}
	})
}

func TestATaskThatIsOverFromTheStartOwesItsCallbackAndNoWork(t *testing.T) {
	onBoth(t, func(t *testing.T, p *place) {
		l := p.open(t)
		d := follower("k", "jdoe", "one", schemas.Event{At: epoch, Type: schemas.EventClaimed, System: "corp-ldap", Generation: 2},
			schemas.Event{At: epoch, Type: schemas.EventSucceeded, System: "corp-ldap", Code: schemas.CodeOK})
		tasks, _, err := l.Create(t.Context(), d)
		if err != nil || tasks[0].Status != schemas.StatusSuccessful || tasks[0].Version != 4 {
			t.Fatalf("%+v, %v", tasks, err)
		}
		page, err := l.Callbacks(t.Context(), schemas.CallbackQuery{TaskID: tasks[0].ID})
		if err != nil || len(page.Callbacks) != 1 || page.Callbacks[0].ID != schemas.CallbackID(tasks[0].ID, 4) {
			t.Errorf("%+v, %v", page, err)
		}
		if backlog, err := l.Backlog(t.Context()); err != nil || len(backlog) != 1 || backlog[jobs.CallbackQueue] != 1 {
			t.Errorf("backlog %v, %v", backlog, err)
		}
		found, err := l.Search(t.Context(), schemas.TaskQuery{Status: schemas.StatusSuccessful, System: "corp-ldap"})
		if err != nil || len(found.Tasks) != 1 {
			t.Errorf("found %d, %v", len(found.Tasks), err)
		}
		// What does not fit is refused as a whole.
		if _, _, err := l.Create(t.Context(), follower("k2", "jdoe", "one", schemas.Event{At: epoch, Type: schemas.EventIntended, System: "corp-ldap"})); !errors.Is(err, schemas.ErrTransition) {
			t.Errorf("%v", err)
		}
	})
}
