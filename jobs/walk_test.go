package jobs_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

func TestWalkEndsWithProofAndOneCallback(t *testing.T) {
	h := newHouse(t)
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusSuccessful || task.Code != schemas.CodeOK {
		t.Fatalf("task ended as %s %s: %s", task.Status, task.Code, task.Detail)
	}
	var steps []string
	for _, s := range task.Enforcements[0].Steps {
		steps = append(steps, string(s.Name)+"="+string(s.Code))
	}
	if got, want := strings.Join(steps, " "), "resolve=ok classify=ok preflight=ok reset=ok revoke=unsupported verify=ok"; got != want {
		t.Errorf("steps are %s, want %s", got, want)
	}
	callbacks := h.callbacksOf(task.ID)
	if len(callbacks) != 1 || callbacks[0].State != schemas.CallbackDelivered || len(callbacks[0].Log) != 1 {
		t.Fatalf("callbacks are %+v", callbacks)
	}
	var m struct {
		Type string
		Data schemas.Task
	}
	if err := json.Unmarshal(h.post.bodies[0], &m); err != nil {
		t.Fatal(err)
	}
	if m.Type != "password_reset.successful" || m.Data.ID != task.ID || m.Data.Status != schemas.StatusSuccessful || h.post.ids[0] != callbacks[0].ID {
		t.Errorf("the callback says %s of %s (%s) under %s", m.Type, m.Data.ID, m.Data.Status, h.post.ids[0])
	}
}

func TestTaskWithoutSystemsGoesToAllOfItsSource(t *testing.T) {
	h := newHouse(t)
	h.systems.script(func(system string, step schemas.StepName, _ string) error {
		if system == "b" && step == schemas.StepResolve {
			return schemas.Fail(schemas.CodeAccountNotFound, "nobody here")
		}
		return nil
	})
	task := h.final(h.submit(request("jdoe"))[0].ID)
	if task.Status != schemas.StatusSuccessful || task.Enforcements[0].Status != schemas.StatusSuccessful || task.Enforcements[1].Status != schemas.StatusNotFound {
		t.Fatalf("task is %s with %s and %s", task.Status, task.Enforcements[0].Status, task.Enforcements[1].Status)
	}
}

func TestOneFailureBesideASuccessIsPartial(t *testing.T) {
	h := newHouse(t)
	h.systems.script(func(system string, step schemas.StepName, _ string) error {
		if system == "b" && step == schemas.StepPreflight {
			return schemas.Fail(schemas.CodePermissionMissing, "grant it")
		}
		return nil
	})
	id := h.submit(request("jdoe"))[0].ID
	if task := h.final(id); task.Status != schemas.StatusPartiallySuccessful || task.Code != schemas.CodePermissionMissing {
		t.Fatalf("task is %s %s", task.Status, task.Code)
	}
	h.systems.script(nil)
	if _, err := h.svc.Retry(t.Context(), id, "token:ops"); err != nil {
		t.Fatal(err)
	}
	if task := h.final(id); task.Status != schemas.StatusSuccessful {
		t.Fatalf("after the retry the task is %s", task.Status)
	}
	if h.systems.sets("a", "jdoe") != 1 || h.systems.sets("b", "jdoe") != 1 {
		t.Error("the retry ran more than what had failed")
	}
}

func TestDryRunChangesNothingAndIsNoSuccess(t *testing.T) {
	h := newHouse(t)
	r := request("jdoe", "a")
	r.DryRun = true
	task := h.final(h.submit(r)[0].ID)
	if task.Status != schemas.StatusCancelled || h.systems.sets("a", "jdoe") != 0 {
		t.Fatalf("task is %s, password set %d times", task.Status, h.systems.sets("a", "jdoe"))
	}
}

func TestAccountsThatAreNotResetHere(t *testing.T) {
	for origin, want := range map[schemas.Origin]schemas.Code{schemas.OriginFederated: schemas.CodeNotApplicable, schemas.OriginGuest: schemas.CodeNotApplicable,
		schemas.OriginSynced: schemas.CodeResetAtSource, schemas.OriginService: schemas.CodeProtected} {
		t.Run(string(origin), func(t *testing.T) {
			h := newHouse(t)
			h.systems.account("a", "jdoe").class.Origin = origin
			task := h.final(h.submit(request("jdoe", "a"))[0].ID)
			if task.Status != schemas.StatusUnsuccessful || task.Code != want || h.systems.sets("a", "jdoe") != 0 {
				t.Errorf("task is %s %s, password set %d times", task.Status, task.Code, h.systems.sets("a", "jdoe"))
			}
		})
	}
}

func TestResetThatIsNotEnforcedIsAFailure(t *testing.T) {
	h := newHouse(t)
	h.systems.after = func(system, id string) error {
		h.systems.mu.Lock()
		defer h.systems.mu.Unlock()
		h.systems.account(system, id).mustChange = false // the system took it and does not enforce it
		return nil
	}
	task := h.final(h.submit(request("jdoe", "a"))[0].ID)
	if task.Status != schemas.StatusUnsuccessful || task.Code != schemas.CodeUnenforced {
		t.Fatalf("task is %s %s", task.Status, task.Code)
	}
}

func TestSystemsThatMayNotBeActedOn(t *testing.T) {
	h := newHouse(t)
	for system, status := range map[string]int{"nowhere": 422} {
		_, _, err := h.svc.Submit(t.Context(), submission("k-"+system, request("x", "a"), request("y", system)))
		p, ok := errors.AsType[*schemas.Problem](err)
		if !ok || p.Status != status || len(p.Errors) != 1 || p.Errors[0].Pointer != "/1/systems/0" {
			t.Errorf("%s: %v", system, err)
		}
	}
	if _, _, err := h.svc.Submit(t.Context(), schemas.Submission{Source: "stranger"}); !errors.Is(err, schemas.ErrNotFound) {
		t.Errorf("an unknown source gives %v", err)
	}
	if page, err := h.svc.Search(t.Context(), schemas.TaskQuery{}); err != nil || len(page.Tasks) != 0 {
		t.Errorf("something was written: %v %v", page.Tasks, err)
	}
}

func TestSameDeliveryTwiceIsOneTask(t *testing.T) {
	h := newHouse(t)
	first, _, err := h.svc.Submit(t.Context(), submission("key", request("jdoe", "a")))
	if err != nil {
		t.Fatal(err)
	}
	h.final(first[0].ID)
	again, replay, err := h.svc.Submit(t.Context(), submission("key", request("jdoe", "a")))
	if err != nil || !replay || again[0].ID != first[0].ID {
		t.Fatalf("the second gives %v, replay %t, %v", again, replay, err)
	}
	other := submission("key", request("asmith", "a"))
	other.BodyHash[0]++
	if _, _, err := h.svc.Submit(t.Context(), other); !errors.Is(err, schemas.ErrKeyReused) {
		t.Errorf("another body under the key gives %v", err)
	}
	if n := h.systems.sets("a", "jdoe"); n != 1 {
		t.Errorf("the password was set %d times", n)
	}
}
