package jobs_test

import (
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/jobs"
	"github.com/resetd/resetd/schemas"
)

// hybrid is a house in which accounts of b are copied from a, where jdoe is known as jdoe too.
func hybrid(t *testing.T, change ...func(*house)) *house {
	h := newHouse(t, append([]func(*house){patient, func(h *house) { h.rules = map[string]jobs.SystemRule{"b": {Source: "a"}} }}, change...)...)
	h.synced("b", "jdoe", &schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"})
	return h
}

// synced makes an account a copy.
func (h *house) synced(system, id string, source *schemas.Account) {
	h.systems.mu.Lock()
	defer h.systems.mu.Unlock()
	h.systems.account(system, id).class = schemas.Class{Origin: schemas.OriginSynced, Enabled: true, Why: "it says so", Source: source}
}

func (h *house) class(system, id string, c schemas.Class) {
	h.systems.mu.Lock()
	defer h.systems.mu.Unlock()
	h.systems.account(system, id).class = c
}

// order records in which order systems are reset and sessions ended.
func (h *house) order() func() string {
	var seen []string
	h.systems.script(func(system string, step schemas.StepName, _ string) error {
		if step == schemas.StepReset || step == schemas.StepRevoke {
			h.systems.mu.Lock()
			seen = append(seen, system+":"+string(step))
			h.systems.mu.Unlock()
		}
		return nil
	})
	return func() string {
		h.systems.mu.Lock()
		defer h.systems.mu.Unlock()
		return strings.Join(seen, " ")
	}
}

func TestACopyIsResetAtItsSourceAndThenItsSessionsEnd(t *testing.T) {
	for name, systems := range map[string][]string{"only the copy was asked for": {"b"}, "both were asked for": {"b", "a"}} {
		t.Run(name, func(t *testing.T) {
			h := hybrid(t)
			order := h.order()
			began := time.Now()
			task := h.final(h.submit(request("jdoe", systems...))[0].ID)
			if task.Status != schemas.StatusSuccessful || len(task.Enforcements) != 2 {
				t.Fatalf("%s %s: %s; %+v", task.Status, task.Code, task.Detail, task.Enforcements)
			}
			if got := order(); got != "a:reset a:revoke b:revoke" {
				t.Errorf("the order was %s", got)
			}
			if h.systems.sets("b", "jdoe") != 0 || h.systems.sets("a", "jdoe") != 1 {
				t.Error("the copy's password was set, or the source's was not")
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %s: the end at the source did not wake the other", took)
			}
			if len(h.callbacksOf(task.ID)) != 1 {
				t.Error("not one final callback")
			}
		})
	}
}

func TestWhatFailsAtTheSourceFailsHereAndSessionsEndAllTheSame(t *testing.T) {
	h := hybrid(t)
	var revoked bool
	h.systems.script(func(system string, step schemas.StepName, _ string) error {
		switch {
		case system == "a" && step == schemas.StepPreflight:
			return schemas.Fail(schemas.CodePermissionMissing, "grant it")
		case system == "b" && step == schemas.StepRevoke:
			revoked = true
		}
		return nil
	})
	id := h.submit(request("jdoe", "b"))[0].ID
	task := h.final(id)
	if task.Status != schemas.StatusUnsuccessful || task.On("b").Code != schemas.CodeResetAtSource || task.On("a").Code != schemas.CodePermissionMissing {
		t.Fatalf("%s: a %s, b %s", task.Status, task.On("a").Code, task.On("b").Code)
	}
	if !revoked {
		t.Error("the sessions here were left to the thief")
	}
	// One retry runs both again, in the right order.
	order := h.order()
	if _, err := h.svc.Retry(t.Context(), id, "token:ops"); err != nil {
		t.Fatal(err)
	}
	if task = h.final(id); task.Status != schemas.StatusSuccessful || order() != "a:reset a:revoke b:revoke" {
		t.Errorf("after the retry: %s, %s", task.Status, order())
	}
}

func TestACopyWithoutAWayToItsSourceIsNotTouched(t *testing.T) {
	for name, change := range map[string]func(*house){
		"no source is configured":              func(h *house) { h.rules = nil },
		"the sender may not act on the source": func(h *house) { h.allowed = []string{"b"} },
	} {
		t.Run(name, func(t *testing.T) {
			h := hybrid(t, change)
			order := h.order()
			task := h.final(h.submit(request("jdoe", "b"))[0].ID)
			if task.Code != schemas.CodeResetAtSource || len(task.Enforcements) != 1 || order() != "" {
				t.Errorf("%s with %d enforcements, and did %q", task.Code, len(task.Enforcements), order())
			}
		})
	}
	h := hybrid(t)
	h.synced("b", "ann", nil)
	if task := h.final(h.submit(request("ann", "b"))[0].ID); task.Code != schemas.CodeResetAtSource {
		t.Errorf("a copy that does not name its source: %s", task.Code)
	}
}

func TestAnotherAccountOfTheSameNameAtTheSourceIsFoundOut(t *testing.T) {
	h := hybrid(t)
	h.synced("b", "jdoe", &schemas.Account{Type: schemas.AccountUserName, Value: "john.doe"})
	task := h.final(h.submit(request("jdoe", "a", "b"))[0].ID)
	if got := task.On("b"); got.Status != schemas.StatusUnsuccessful || got.Code != schemas.CodeNeedsReview {
		t.Errorf("b is %s %s (%s); jdoe of a is not what b's jdoe is copied from", got.Status, got.Code, got.Detail)
	}
}

func TestADryRunTouchesNeitherSourceNorCopy(t *testing.T) {
	h := hybrid(t)
	order := h.order()
	r := request("jdoe", "b")
	r.DryRun = true
	task := h.final(h.submit(r)[0].ID)
	if task.Status != schemas.StatusCancelled || order() != "" {
		t.Errorf("%s, and did %q", task.Status, order())
	}
}

func TestAFederatedAccountOnlyLosesItsSessions(t *testing.T) {
	h := newHouse(t)
	h.class("a", "jdoe", schemas.Class{Origin: schemas.OriginFederated, Enabled: true, Why: "its domain is"})
	order := h.order()
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.On("a").Status != schemas.StatusNotApplicable || task.Status != schemas.StatusUnsuccessful || order() != "a:revoke" {
		t.Errorf("%s, %s, did %q", task.On("a").Status, task.Status, order())
	}
}

func TestPrivilegedAccountsAreLeftAloneUnlessAllowed(t *testing.T) {
	h := newHouse(t, func(h *house) { h.rules = map[string]jobs.SystemRule{"b": {Privileged: true}} })
	for _, system := range []string{"a", "b"} {
		h.class(system, "root", schemas.Class{Origin: schemas.OriginNative, Enabled: true, Privileged: true, Why: "member of Domain Admins"})
	}
	task := h.final(h.submit(request("root"))[0].ID)
	if task.On("a").Code != schemas.CodeProtected || !strings.Contains(task.On("a").Detail, "Domain Admins") || h.systems.sets("a", "root") != 0 {
		t.Errorf("a: %s (%s), set %d times", task.On("a").Code, task.On("a").Detail, h.systems.sets("a", "root"))
	}
	if task.On("b").Status != schemas.StatusSuccessful {
		t.Errorf("b: %s", task.On("b").Status)
	}
}

func TestAPasswordThatWasSetSinceTheAlertIsLeftAloneOnRequest(t *testing.T) {
	h := newHouse(t)
	alert := time.Now().Add(-time.Hour)
	for system, set := range map[string]time.Time{"a": alert.Add(time.Minute), "b": alert.Add(-time.Minute)} {
		h.systems.mu.Lock()
		h.systems.account(system, "jdoe").changed = set
		h.systems.mu.Unlock()
	}
	r := request("jdoe")
	r.SkipIfChangedSince = alert
	task := h.final(h.submit(r)[0].ID)
	if got := task.On("a"); got.Code != schemas.CodeAlreadyInForce || h.systems.sets("a", "jdoe") != 0 {
		t.Errorf("set after the alert: %s, set %d times", got.Code, h.systems.sets("a", "jdoe"))
	}
	if got := task.On("b"); got.Code != schemas.CodeOK || h.systems.sets("b", "jdoe") != 1 {
		t.Errorf("set before the alert: %s, set %d times", got.Code, h.systems.sets("b", "jdoe"))
	}
	if task.Status != schemas.StatusSuccessful {
		t.Errorf("the task is %s", task.Status)
	}
}

func TestASealedPasswordStaysWithTheTaskAndLeavesInNoCallback(t *testing.T) {
	h := newHouse(t)
	const sealed = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"
	h.systems.mu.Lock()
	h.systems.sealed = sealed
	h.systems.mu.Unlock()
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.On("a").Sealed != sealed {
		t.Errorf("the task has %q", task.On("a").Sealed)
	}
	h.callbacksOf(task.ID)
	for _, body := range h.post.bodies {
		if strings.Contains(string(body), "AGE ENCRYPTED") {
			t.Error("a callback carries it")
		}
	}
}

// lagging makes the record of system a show a reset only after so many readings.
func (h *house) lagging(readings int) *int {
	seen := 0
	h.systems.mu.Lock()
	defer h.systems.mu.Unlock()
	h.systems.proof = func(system string, p schemas.Proof) schemas.Proof {
		if seen++; seen <= readings {
			return schemas.Proof{State: schemas.ProofNotEnforced, Detail: "no change shows"}
		}
		return p
	}
	return &seen
}

func TestARecordThatLagsBehindIsReadAgainAndNothingIsSentTwice(t *testing.T) {
	h := newHouse(t, patient, func(h *house) { h.rules = map[string]jobs.SystemRule{"a": {Settle: 20 * time.Second}} })
	h.lagging(6) // more than one attempt looks
	var resets, revokes int
	h.systems.script(func(_ string, step schemas.StepName, _ string) error {
		h.systems.mu.Lock()
		defer h.systems.mu.Unlock()
		switch step {
		case schemas.StepReset:
			resets++
		case schemas.StepRevoke:
			revokes++
		}
		return nil
	})
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusSuccessful || resets != 1 || revokes != 1 || task.On("a").Attempts != 1 {
		t.Errorf("%s %s after %d resets, %d revokes, %d attempts", task.Status, task.Code, resets, revokes, task.On("a").Attempts)
	}
}

func TestARecordThatNeverShowsTheResetIsAFailure(t *testing.T) {
	h := newHouse(t, patient, func(h *house) { h.rules = map[string]jobs.SystemRule{"a": {Settle: 2 * time.Second}} })
	h.lagging(1 << 30)
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusUnsuccessful || task.Code != schemas.CodeUnenforced || h.systems.sets("a", "jdoe") != 1 {
		t.Errorf("%s %s, set %d times", task.Status, task.Code, h.systems.sets("a", "jdoe"))
	}
}

func TestADemandThatIsThereAlreadyIsASuccess(t *testing.T) {
	h := newHouse(t)
	r := request("jdoe", "a")
	r.Mode = schemas.ModeExpire
	h.final(h.submit(r)[0].ID)
	if task := h.final(h.submit(r)[0].ID); task.Status != schemas.StatusSuccessful || task.Code != schemas.CodeAlreadyInForce {
		t.Errorf("%s %s: %s", task.Status, task.Code, task.Detail)
	}
}
