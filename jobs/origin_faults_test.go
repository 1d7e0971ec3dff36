package jobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// waits waits until the enforcement on b waits for the one on a.
func (h *house) waits(id string) schemas.Task {
	h.t.Helper()
	return h.until(id, func(t schemas.Task) bool { return t.On("b").WaitsFor == "a" })
}

func TestAWaitForTheSourceOutlivesTheProcess(t *testing.T) {
	var held hold
	h := hybrid(t, func(h *house) { h.held = held.on })
	held.begin()
	order := h.order()
	id := h.submit(request("jdoe", "b"))[0].ID
	h.waits(id)
	h.reopen()
	time.Sleep(100 * time.Millisecond)
	if task := h.waits(id); len(task.Enforcements) != 2 || order() != "" {
		t.Fatalf("after a restart: %+v, did %q", task.Enforcements, order())
	}
	held.until.Store(nil)
	task := h.final(id)
	if task.Status != schemas.StatusSuccessful || order() != "a:reset a:revoke b:revoke" || len(h.callbacksOf(id)) != 1 {
		t.Errorf("%s, did %q, %d callbacks", task.Status, order(), len(h.callbacksOf(id)))
	}
}

func TestAWaitEndsWhenTheSourceIsTakenOutOfTheConfiguration(t *testing.T) {
	var held hold
	h := hybrid(t, func(h *house) { h.held = held.on })
	held.begin()
	order := h.order()
	id := h.submit(request("jdoe", "b"))[0].ID
	h.waits(id)
	h.close()
	h.names, h.allowed, h.rules = []string{"b"}, []string{"b"}, nil
	h.open()
	task := h.final(id)
	if task.On("a").Code != schemas.CodeUnavailable || task.On("b").Code != schemas.CodeResetAtSource || order() != "" {
		t.Errorf("a %s, b %s, did %q", task.On("a").Code, task.On("b").Code, order())
	}
	h.close()
	h.names, h.allowed, h.rules = []string{"a", "b"}, nil, map[string]jobs.SystemRule{"b": {Source: "a"}}
	held.until.Store(nil)
	h.open()
	if _, err := h.svc.Retry(t.Context(), id, "token:ops"); err != nil {
		t.Fatal(err)
	}
	if task = h.final(id); task.Status != schemas.StatusSuccessful || order() != "a:reset a:revoke b:revoke" {
		t.Errorf("after it is back: %s, did %q", task.Status, order())
	}
}

func TestWhatIsCancelledWhileItWaitsIsNotTouched(t *testing.T) {
	var held hold
	h := hybrid(t, func(h *house) { h.held = held.on })
	held.begin()
	order := h.order()
	id := h.submit(request("jdoe", "b"))[0].ID
	h.waits(id)
	if _, err := h.svc.Cancel(t.Context(), id, "token:ops"); err != nil {
		t.Fatal(err)
	}
	held.until.Store(nil)
	time.Sleep(200 * time.Millisecond)
	if task := h.final(id); task.Status != schemas.StatusCancelled || order() != "" || len(h.callbacksOf(id)) != 1 {
		t.Errorf("%s, did %q", task.Status, order())
	}
}

func TestACancelledSourceLeavesTheSessionsOfTheCopyAlone(t *testing.T) {
	var held hold
	h := hybrid(t, func(h *house) { h.held = held.on })
	held.begin()
	reading, proceed := make(chan struct{}), make(chan struct{})
	var revoked bool
	h.systems.script(func(system string, step schemas.StepName, _ string) error {
		switch {
		case system == "b" && step == schemas.StepClassify:
			close(reading)
			<-proceed
		case step == schemas.StepRevoke, step == schemas.StepReset:
			revoked = true
		}
		return nil
	})
	id := h.submit(request("jdoe", "a", "b"))[0].ID
	<-reading // b is in progress, and does not know yet that it will wait for a
	if _, err := h.svc.Cancel(t.Context(), id, "token:ops"); err != nil {
		t.Fatal(err)
	}
	close(proceed)
	if task := h.final(id); task.Status != schemas.StatusCancelled || revoked {
		t.Errorf("%s, and something was changed: %t; b: %s", task.Status, revoked, task.On("b").Detail)
	}
}

func TestAnAccountThatIsProtectedAtItsSourceIsNotTouchedHereEither(t *testing.T) {
	h := hybrid(t)
	h.class("a", "jdoe", schemas.Class{Origin: schemas.OriginNative, Enabled: true, Privileged: true, Why: "member of Domain Admins"})
	order := h.order()
	task := h.final(h.submit(request("jdoe", "b"))[0].ID)
	if b := task.On("b"); task.Status != schemas.StatusUnsuccessful || b.Code != schemas.CodeProtected || !strings.Contains(b.Detail, "Domain Admins") || order() != "" {
		t.Errorf("%s, b is %s (%s), did %q", task.Status, b.Code, b.Detail, order())
	}
}

func TestWhatTheCopyCannotResetDoesNotKeepItsSessionsFromEnding(t *testing.T) {
	h := hybrid(t)
	h.systems.allows = func(system string, mode schemas.Mode) error {
		if system == "b" && mode != "" {
			return schemas.Fail(schemas.CodeUnsupported, "the system cannot do the mode %s", mode)
		}
		return nil
	}
	order := h.order()
	r := request("jdoe", "b")
	r.Mode = schemas.ModeExpire
	task := h.final(h.submit(r)[0].ID)
	if task.Status != schemas.StatusSuccessful || order() != "a:reset a:revoke b:revoke" {
		t.Errorf("%s: %s; did %q", task.Status, task.Detail, order())
	}
}

func TestADryRunTellsThatSessionsOfTheCopyMayNotBeEnded(t *testing.T) {
	h := hybrid(t)
	h.systems.allows = func(system string, _ schemas.Mode) error {
		if system == "b" {
			return schemas.Fail(schemas.CodePermissionMissing, "grant it")
		}
		return nil
	}
	r := request("jdoe", "b")
	r.DryRun = true
	if task := h.final(h.submit(r)[0].ID); task.On("b").Code != schemas.CodePermissionMissing {
		t.Errorf("b is %s %s", task.On("b").Status, task.On("b").Code)
	}
}

func TestANameThatPassedToAnotherDuringTheWaitIsFoundOut(t *testing.T) {
	h := hybrid(t)
	h.systems.after = func(system, _ string) error {
		if system == "a" { // the login name jdoe of b is somebody else's now
			h.synced("b", "jdoe", &schemas.Account{Type: schemas.AccountUserName, Value: "john.doe"})
		}
		return nil
	}
	task := h.final(h.submit(request("jdoe", "b"))[0].ID)
	if got := task.On("b"); got.Code != schemas.CodeNeedsReview {
		t.Errorf("b is %s %s (%s): the account whose sessions would end is not the one that was reset", got.Status, got.Code, got.Detail)
	}
}

func TestAPasswordThatWasLeftAloneAtItsSourceIsNotCalledReset(t *testing.T) {
	h := hybrid(t)
	alert := time.Now().Add(-time.Hour)
	h.systems.mu.Lock()
	h.systems.account("a", "jdoe").changed = alert.Add(time.Minute)
	h.systems.mu.Unlock()
	r := request("jdoe", "b")
	r.SkipIfChangedSince = alert
	task := h.final(h.submit(r)[0].ID)
	if task.Status != schemas.StatusSuccessful || task.Code != schemas.CodeAlreadyInForce || strings.Contains(task.On("b").Detail, "was reset") {
		t.Errorf("%s %s; b: %s", task.Status, task.Code, task.On("b").Detail)
	}
}

// The first run sets the password, and the system does not enforce its change. Whoever mends that and has the task run
// again must not hear that somebody else was quicker: it was the task itself.
func TestAPasswordThatTheTaskItselfHasSetIsNoReasonToLeaveItAlone(t *testing.T) {
	h := newHouse(t)
	h.systems.after = func(system, id string) error {
		h.systems.mu.Lock()
		defer h.systems.mu.Unlock()
		a := h.systems.account(system, id)
		a.changed = time.Now()
		return nil
	}
	h.systems.proof = func(_ string, p schemas.Proof) schemas.Proof {
		return schemas.Proof{State: schemas.ProofNotEnforced, Changed: p.Changed, Code: schemas.CodeUnenforced, Detail: "the policy does not demand it"}
	}
	r := request("jdoe", "a")
	r.SkipIfChangedSince = time.Now().Add(-time.Minute)
	id := h.submit(r)[0].ID
	if task := h.final(id); task.Code != schemas.CodeUnenforced {
		t.Fatalf("%s %s", task.Status, task.Code)
	}
	for _, want := range []schemas.Code{schemas.CodeUnenforced, schemas.CodeOK} {
		if want == schemas.CodeOK {
			h.systems.mu.Lock()
			h.systems.proof = nil
			h.systems.mu.Unlock()
		}
		if _, err := h.svc.Retry(t.Context(), id, "token:ops"); err != nil {
			t.Fatal(err)
		}
		if task := h.final(id); task.Code != want {
			t.Errorf("after a retry: %s %s (%s), want %s", task.Status, task.Code, task.On("a").Detail, want)
		}
	}
	if got := h.systems.sets("a", "jdoe"); got != 3 {
		t.Errorf("set %d times, want 3", got)
	}
}

func TestARetryDuringAWaitKeepsTheOrder(t *testing.T) {
	var held hold
	h := hybrid(t, func(h *house) {
		h.held = held.on
		h.names, h.allowed = []string{"a", "b", "c"}, []string{"a", "b", "c"}
	})
	held.begin()
	h.systems.script(func(system string, step schemas.StepName, _ string) error {
		if system == "c" && step == schemas.StepResolve {
			return schemas.Fail(schemas.CodeAccountNotFound, "no such account")
		}
		return nil
	})
	id := h.submit(request("jdoe", "b", "c"))[0].ID
	h.until(id, func(t schemas.Task) bool { return t.On("b").WaitsFor == "a" && t.On("c").Status.Final() })
	order := h.order()
	if _, err := h.svc.Retry(t.Context(), id, "token:ops"); err != nil {
		t.Fatal(err)
	}
	h.until(id, func(t schemas.Task) bool { return t.On("c").Status.Final() && t.On("c").Attempts > 0 })
	if h.waits(id); h.systems.sets("a", "jdoe") != 0 {
		t.Error("the wait was cut short")
	}
	held.until.Store(nil)
	task := h.final(id)
	if task.Status != schemas.StatusSuccessful || !strings.HasSuffix(order(), "a:reset a:revoke b:revoke") || len(task.Enforcements) != 3 {
		t.Errorf("%s, did %q", task.Status, order())
	}
}

// Two copies of different sources find out at the same time that they are copies.
func TestTwoCopiesAreRoutedAtOnce(t *testing.T) {
	h := newHouse(t, func(h *house) {
		h.names = []string{"a", "b", "c", "d"}
		h.allowed, h.rules = h.names, map[string]jobs.SystemRule{"b": {Source: "a"}, "c": {Source: "d"}}
	})
	for _, system := range []string{"b", "c"} {
		h.synced(system, "jdoe", &schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"})
	}
	for range 20 {
		task := h.final(h.submit(request("jdoe", "b", "c"))[0].ID)
		if task.Status != schemas.StatusSuccessful || len(task.Enforcements) != 4 {
			t.Fatalf("%s: %+v", task.Status, task.Enforcements)
		}
	}
}

// The sender knows the account by a name of the copy's alone; the copy knows how it is called at its source.
func TestASourceThatDoesNotKnowTheNameIsAskedForTheOneThatTheCopyKnows(t *testing.T) {
	for _, code := range []schemas.Code{schemas.CodeAccountNotFound, schemas.CodeAccountAmbiguous} {
		h := hybrid(t)
		h.synced("b", "jdoe@cloud.example.com", &schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"})
		order := h.order()
		seen := h.systems.on
		h.systems.script(func(system string, step schemas.StepName, id string) error {
			if system == "a" && step == schemas.StepResolve && id != "jdoe" {
				return schemas.Fail(code, "no such account, or several")
			}
			return seen(system, step, id)
		})
		task := h.final(h.submit(request("jdoe@cloud.example.com"))[0].ID)
		if task.Status != schemas.StatusSuccessful || order() != "a:reset a:revoke b:revoke" || len(task.Enforcements) != 2 || h.systems.sets("a", "jdoe") != 1 {
			t.Errorf("%s: %s; did %q", task.Status, task.Detail, order())
		}
		if len(h.callbacksOf(task.ID)) != 1 {
			t.Error("not one final callback")
		}
	}
}

func TestASourceThatKnowsTheAccountByNoNameIsAskedForItOnce(t *testing.T) {
	h := hybrid(t)
	asked := 0
	h.systems.script(func(system string, step schemas.StepName, _ string) error {
		if system == "a" && step == schemas.StepResolve {
			asked++
			return schemas.Fail(schemas.CodeAccountNotFound, "no such account")
		}
		return nil
	})
	task := h.final(h.submit(request("jdoe"))[0].ID)
	if task.Status != schemas.StatusUnsuccessful || task.On("b").Code != schemas.CodeResetAtSource || asked != 2 {
		t.Errorf("%s %s after asking %d times", task.Status, task.On("b").Code, asked)
	}
}
