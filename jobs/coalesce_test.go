package jobs_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// later is a clock that can be set forward.
type later struct{ by atomic.Int64 }

func (l *later) now() time.Time          { return time.Now().Add(time.Duration(l.by.Load())) }
func (l *later) forward(d time.Duration) { l.by.Add(int64(d)) }

func TestTheWindowRunsFromTheEndOfTheReset(t *testing.T) {
	var clock later
	h := newHouse(t, patient, stormy, func(h *house) { h.now = clock.now })
	first := h.final(h.submit(request("jdoe", "a"))[0].ID)
	follow := func(want *schemas.Task) schemas.Task {
		t.Helper()
		task := h.submit(request("jdoe", "a"))[0]
		n := task.Enforcements[0]
		if want == nil && n.CoalescedWith != nil || want != nil && (n.CoalescedWith == nil || n.CoalescedWith.TaskID != want.ID || task.Status != schemas.StatusSuccessful) {
			t.Fatalf("%s, %+v", task.Status, n.CoalescedWith)
		}
		return h.final(task.ID)
	}
	for range 3 { // each follower ends later than the one before; the window does not move with them
		clock.forward(4 * time.Minute)
		task := follow(&first)
		if c := task.Enforcements[0].CoalescedWith; !c.FinishedAt.Equal(first.Enforcements[0].FinishedAt) {
			t.Errorf("the reset ended at %v, the follower says %v", first.Enforcements[0].FinishedAt, c.FinishedAt)
		}
		if len(h.callbacksOf(task.ID)) != 1 {
			t.Error("its caller heard nothing")
		}
	}
	clock.forward(4 * time.Minute)
	second := follow(nil)
	follow(&second)
	if n := h.systems.sets("a", "jdoe"); n != 2 {
		t.Errorf("the password was set %d times", n)
	}
}

// The same holds where only the system tells that it is one account, and after the memory of the process is gone.
func TestTheWindowHoldsByIdentityAndAfterARestart(t *testing.T) {
	var clock later
	h := newHouse(t, patient, stormy, func(h *house) { h.now = clock.now })
	names := people(1, h)[0]
	ask := func(i int) schemas.Task {
		t.Helper()
		r := request("", "a")
		r.Account = names[i]
		return h.final(h.submit(r)[0].ID)
	}
	first := ask(0)
	clock.forward(10 * time.Minute)
	second := ask(1)
	h.reopen()
	third := ask(0)
	for _, task := range []schemas.Task{second, third} {
		n := task.Enforcements[0]
		if n.CoalescedWith == nil || n.CoalescedWith.TaskID != first.ID || n.Attempts != 0 || len(n.Steps) != 3 || len(h.callbacksOf(task.ID)) != 1 {
			t.Errorf("%+v", n)
		}
	}
	clock.forward(5 * time.Minute)
	if n := ask(2).Enforcements[0]; n.CoalescedWith != nil || h.systems.sets("a", "p0") != 2 {
		t.Errorf("after the window: %+v, set %d times", n.CoalescedWith, h.systems.sets("a", "p0"))
	}
}

// What a request asks for must be done by the one that it shares the end of.
func TestOnlyTheSameIsCoalesced(t *testing.T) {
	no, yes := false, true
	alert := time.Now().Add(-time.Hour)
	type change func(*schemas.Request)
	for name, c := range map[string]struct {
		first, second change
		coalesced     bool
	}{
		"the same":                         {nil, nil, true},
		"another mode":                     {nil, func(r *schemas.Request) { r.Mode = schemas.ModeRecovery }, false},
		"a dry run after it":               {nil, func(r *schemas.Request) { r.DryRun = true }, false},
		"a dry run before it":              {func(r *schemas.Request) { r.DryRun = true }, nil, false},
		"sessions are to end as well":      {func(r *schemas.Request) { r.RevokeSessions = &no }, nil, false},
		"sessions were ended as well":      {nil, func(r *schemas.Request) { r.RevokeSessions = &no }, true},
		"asked for on its own":             {nil, func(r *schemas.Request) { r.Coalesce = &no }, false},
		"after one asked for on its own":   {func(r *schemas.Request) { r.Coalesce = &no }, func(r *schemas.Request) { r.Coalesce = &yes }, true},
		"unless changed since the alert":   {nil, func(r *schemas.Request) { r.SkipIfChangedSince = alert }, true},
		"unless changed since just now":    {nil, func(r *schemas.Request) { r.SkipIfChangedSince = time.Now().Add(time.Hour) }, false},
		"other words, another case number": {nil, func(r *schemas.Request) { r.Description, r.Reference = "other", "INC2" }, true},
	} {
		for _, restart := range []bool{false, true} { // by the name, and by the identity
			if restart {
				name += ", found out late"
			}
			t.Run(name, func(t *testing.T) {
				h := newHouse(t, patient, stormy)
				a, b := request("jdoe", "a"), request("jdoe", "a")
				if c.first != nil {
					c.first(&a)
				}
				if c.second != nil {
					c.second(&b)
				}
				first := h.final(h.submit(a)[0].ID)
				if restart {
					h.reopen()
				}
				second := h.final(h.submit(b)[0].ID)
				n := second.Enforcements[0]
				if got := n.CoalescedWith != nil; got != c.coalesced || got && n.CoalescedWith.TaskID != first.ID {
					t.Errorf("coalesced with %+v", n.CoalescedWith)
				}
			})
		}
	}
}

// A password that the first one left alone is no reset for those who want one.
func TestWhatWasLeftAloneIsNoResetForOthers(t *testing.T) {
	h := newHouse(t, patient, stormy)
	alert := time.Now().Add(-time.Hour)
	h.systems.mu.Lock()
	h.systems.account("a", "jdoe").changed = alert.Add(time.Minute)
	h.systems.mu.Unlock()
	hang, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepResolve {
			once.Do(func() { close(hang); <-goOn })
		}
		return nil
	})
	skip := request("jdoe", "a")
	skip.SkipIfChangedSince = alert
	first := h.submit(skip)[0]
	<-hang
	same, plain := h.submit(skip)[0], h.submit(request("jdoe", "a"))[0]
	if !same.Enforcements[0].Follows() || !plain.Enforcements[0].Follows() {
		t.Fatal("they did not wait")
	}
	close(goOn)
	if got := h.final(first.ID); got.Code != schemas.CodeAlreadyInForce {
		t.Fatalf("the first: %s", got.Code)
	}
	if got := h.final(same.ID); got.Code != schemas.CodeAlreadyInForce || got.Enforcements[0].CoalescedWith == nil {
		t.Errorf("the same: %s, %+v", got.Code, got.Enforcements[0])
	}
	if got := h.final(plain.ID); got.Code != schemas.CodeOK || got.Enforcements[0].CoalescedWith != nil || h.systems.sets("a", "jdoe") != 1 {
		t.Errorf("who wants a reset: %s, %+v, set %d times", got.Code, got.Enforcements[0], h.systems.sets("a", "jdoe"))
	}
}

func TestSourcesAndSystemsSayForHowLong(t *testing.T) {
	for name, c := range map[string]struct {
		source, system time.Duration
		coalesced      bool
	}{
		"nobody says":                      {0, 0, true},
		"off for the source":               {-1, time.Hour, false},
		"off for the system":               {time.Hour, -1, false},
		"over for the system":              {time.Hour, 1, false},
		"over for the source":              {1, time.Hour, false},
		"over, and the other says nothing": {1, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, patient, func(h *house) {
				h.rule = &jobs.SourceRule{Systems: []string{"a", "b"}, Events: []string{"final"}, Coalesce: c.source}
				h.rules = map[string]jobs.SystemRule{"a": {Coalesce: c.system}}
			})
			h.final(h.submit(request("jdoe", "a"))[0].ID)
			task := h.final(h.submit(request("jdoe", "a"))[0].ID)
			if got := task.Enforcements[0].CoalescedWith != nil; got != c.coalesced {
				t.Errorf("coalesced is %v", got)
			}
		})
	}
}

// waiting submits a task and some that follow it, all of which wait because the system wants a pause.
func (h *house) waiting(o *hold, n int) (leader schemas.Task, followers []schemas.Task) {
	h.t.Helper()
	o.begin()
	leader = h.submit(request("jdoe", "a"))[0]
	for range n {
		f := h.submit(request("jdoe", "a"))[0]
		if !f.Enforcements[0].Follows() || f.Enforcements[0].CoalescedWith.TaskID != leader.ID {
			h.t.Fatalf("it does not wait: %+v", f.Enforcements[0])
		}
		followers = append(followers, f)
	}
	return leader, followers
}

func TestWhenTheFirstIsWithdrawnTheNextIsTheFirst(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	leader, followers := h.waiting(&paused, 50)
	if _, err := h.svc.Cancel(t.Context(), leader.ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	alone := 0
	for _, f := range followers {
		task := h.until(f.ID, func(t schemas.Task) bool {
			c := t.Enforcements[0].CoalescedWith
			return c == nil || c.TaskID != leader.ID
		})
		if task.Status != schemas.StatusQueued {
			t.Fatalf("it is %s", task.Status)
		}
		if task.Enforcements[0].CoalescedWith == nil {
			alone++
		}
	}
	if alone != 1 {
		t.Errorf("%d go on by themselves", alone)
	}
	if late := h.submit(request("jdoe", "a"))[0]; !late.Enforcements[0].Follows() {
		t.Error("who comes now does not wait for the new first one")
	}
	paused.until.Store(nil)
	for _, f := range followers {
		if task := h.final(f.ID); task.Status != schemas.StatusSuccessful || len(h.callbacksOf(f.ID)) != 1 {
			t.Fatalf("it ended as %s", task.Status)
		}
	}
	if got := h.final(leader.ID); got.Status != schemas.StatusCancelled || h.systems.sets("a", "jdoe") != 1 {
		t.Errorf("the first is %s, the password was set %d times", got.Status, h.systems.sets("a", "jdoe"))
	}
}

// The one that goes on is the one that can do for the others.
func TestTheNextOneAsksForMost(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	leader, followers := h.waiting(&paused, 0)
	no := false
	for i := range 6 {
		r := request("jdoe", "a")
		if i%2 == 0 {
			r.RevokeSessions = &no
		}
		followers = append(followers, h.submit(r)[0])
	}
	if _, err := h.svc.Cancel(t.Context(), leader.ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	for i, f := range followers {
		task := h.until(f.ID, func(t schemas.Task) bool {
			c := t.Enforcements[0].CoalescedWith
			return c == nil || c.TaskID != leader.ID
		})
		if alone := task.Enforcements[0].CoalescedWith == nil; alone != (i == 1) {
			t.Errorf("number %d goes on by itself: %v", i, alone)
		}
	}
	paused.until.Store(nil)
	for _, f := range followers {
		h.final(f.ID)
	}
	if n := h.systems.sets("a", "jdoe"); n != 1 {
		t.Errorf("the password was set %d times", n)
	}
}

// A dry run leads nobody, and hides nobody who does.
func TestADryRunBetweenTwoDoesNotPartThem(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	leader, _ := h.waiting(&paused, 0)
	dry := request("jdoe", "a")
	dry.DryRun = true
	if n := h.submit(dry)[0].Enforcements[0]; n.CoalescedWith != nil {
		t.Errorf("the dry run waits for %s", n.CoalescedWith.TaskID)
	}
	if n := h.submit(request("jdoe", "a"))[0].Enforcements[0]; !n.Follows() || n.CoalescedWith.TaskID != leader.ID {
		t.Errorf("%+v", n)
	}
	paused.until.Store(nil)
}

func TestAFollowerCanBeWithdrawnAlone(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	leader, followers := h.waiting(&paused, 2)
	if _, err := h.svc.Cancel(t.Context(), followers[0].ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	paused.until.Store(nil)
	for id, want := range map[string]schemas.Status{leader.ID: schemas.StatusSuccessful, followers[0].ID: schemas.StatusCancelled, followers[1].ID: schemas.StatusSuccessful} {
		if task := h.final(id); task.Status != want {
			t.Errorf("it is %s, want %s", task.Status, want)
		}
	}
}

func TestWhenTheFirstFailsTheOthersFailAndWhoComesLaterBeginsAnew(t *testing.T) {
	var paused hold
	h := newHouse(t, patient, stormy, func(h *house) { h.held = paused.on })
	refused := func(_ string, step schemas.StepName, _ string) error {
		if step == schemas.StepPreflight {
			return schemas.Fail(schemas.CodePermissionMissing, "grant it")
		}
		return nil
	}
	h.systems.script(refused)
	leader, followers := h.waiting(&paused, 3)
	paused.until.Store(nil)
	if got := h.final(leader.ID); got.Code != schemas.CodePermissionMissing {
		t.Fatalf("the first: %s", got.Code)
	}
	for _, f := range followers {
		got := h.final(f.ID)
		if n := got.Enforcements[0]; got.Status != schemas.StatusUnsuccessful || got.Code != schemas.CodePermissionMissing || n.Attempts != 0 ||
			!strings.Contains(n.Detail, leader.ID) || !strings.Contains(n.Detail, "grant it") || len(h.callbacksOf(f.ID)) != 1 {
			t.Errorf("%s %s: %+v", got.Status, got.Code, n)
		}
	}
	h.systems.script(nil)
	later := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if n := later.Enforcements[0]; later.Status != schemas.StatusSuccessful || n.CoalescedWith != nil {
		t.Errorf("who comes later: %s, %+v", later.Status, n)
	}
	// A person who has a follower repeated gets a reset of his own, whatever was done since.
	if _, err := h.svc.Retry(t.Context(), followers[0].ID, "token:ops"); err != nil {
		t.Fatal(err)
	}
	again := h.final(followers[0].ID)
	if n := again.Enforcements[0]; again.Status != schemas.StatusSuccessful || n.CoalescedWith != nil || n.Attempts != 1 || h.systems.sets("a", "jdoe") != 2 {
		t.Errorf("repeated: %s, %+v, set %d times", again.Status, n, h.systems.sets("a", "jdoe"))
	}
	if _, err := h.svc.Retry(t.Context(), later.ID, "token:ops"); !errors.Is(err, schemas.ErrState) {
		t.Errorf("what succeeded was repeated: %v", err)
	}
}

func TestEachSystemOfATaskIsCoalescedByItself(t *testing.T) {
	h := newHouse(t, patient, stormy)
	first := h.final(h.submit(request("jdoe", "a"))[0].ID)
	both := h.final(h.submit(request("jdoe", "a", "b"))[0].ID)
	if a, b := both.On("a"), both.On("b"); a.CoalescedWith == nil || a.CoalescedWith.TaskID != first.ID || b.CoalescedWith != nil || both.Status != schemas.StatusSuccessful {
		t.Errorf("%s: a %+v, b %+v", both.Status, a.CoalescedWith, b.CoalescedWith)
	}
	if h.systems.sets("a", "jdoe") != 1 || h.systems.sets("b", "jdoe") != 1 {
		t.Error("not one reset on each")
	}
}

// Two names of one copy: each task has an enforcement at the source, of which the second waits for the first. The copies
// wait for theirs.
func TestCopiesOfOneAccountAreResetAtTheirSourceOnce(t *testing.T) {
	h := hybrid(t, stormy)
	aliases := []schemas.Account{{Type: schemas.AccountUserName, Value: "jdoe"}, {Type: schemas.AccountUserName, Value: "john"}}
	h.systems.mu.Lock()
	h.systems.known = map[schemas.Account]string{aliases[1]: "jdoe"}
	h.systems.mu.Unlock()
	begun, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	h.systems.script(func(system string, step schemas.StepName, _ string) error {
		if system == "a" && step == schemas.StepReset {
			once.Do(func() { close(begun) })
			<-goOn
		}
		return nil
	})
	var ids []string
	for _, a := range append(aliases, aliases...) {
		r := request("", "b")
		r.Account = a
		ids = append(ids, h.submit(r)[0].ID)
		if len(ids) == 1 {
			<-begun
		}
	}
	second := h.until(ids[1], func(t schemas.Task) bool { return t.On("a") != nil && t.On("a").Follows() })
	if b := second.On("b"); b.WaitsFor != "a" || second.On("a").CoalescedWith.TaskID != ids[0] {
		t.Errorf("the copy waits for %q, its source for %+v", b.WaitsFor, second.On("a").CoalescedWith)
	}
	for _, id := range ids[2:] { // by the same names: the copies wait for the copies
		task, err := h.svc.Task(t.Context(), id)
		if err != nil || len(task.Enforcements) != 1 || !task.On("b").Follows() {
			t.Errorf("%+v, %v", task.Enforcements, err)
		}
	}
	close(goOn)
	for _, id := range ids {
		if task := h.final(id); task.Status != schemas.StatusSuccessful || len(h.callbacksOf(id)) != 1 {
			t.Errorf("%s %s: %s", task.Status, task.Code, task.Detail)
		}
	}
	if h.systems.sets("a", "jdoe") != 1 || h.systems.sets("b", "jdoe") != 0 {
		t.Errorf("set %d times at the source, %d times here", h.systems.sets("a", "jdoe"), h.systems.sets("b", "jdoe"))
	}
}

// Submitting the same body under no id twice is one delivery, whatever is coalesced.
func TestABodyThatComesAgainIsNoSecondTask(t *testing.T) {
	h := newHouse(t, patient, stormy)
	s := submission("body", request("jdoe", "a"))
	s.Key, s.Repeat = "", schemas.Repeat{Within: time.Nanosecond, Refuse: true}
	first, replay, err := h.svc.Submit(t.Context(), s)
	if err != nil || replay || !strings.HasPrefix(first[0].IdempotencyKey, "body-") {
		t.Fatalf("%+v, replay %v, %v", first, replay, err)
	}
	if _, _, err := h.svc.Submit(t.Context(), s); !errors.Is(err, schemas.ErrReplayed) {
		t.Errorf("again, much later: %v", err)
	}
	s.Repeat.Within = 0
	if again, replay, err := h.svc.Submit(t.Context(), s); err != nil || !replay || again[0].ID != first[0].ID {
		t.Errorf("again: %+v, replay %v, %v", again, replay, err)
	}
}
