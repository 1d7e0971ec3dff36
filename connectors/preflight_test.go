package connectors_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

func TestWithoutTheOperatorsPermissionNothingIsChanged(t *testing.T) {
	c := &scripted{}
	r := newRoom(t, c, func(s *connectors.System, _ *connectors.Options) { s.Permitted = nil })
	err1 := r.Preflight(t.Context(), "corp", schemas.ModeRandomize)
	_, err2 := r.Reset(t.Context(), "corp", schemas.Identity{ID: "1"}, schemas.ModeRandomize)
	_, err3 := r.Revoke(t.Context(), "corp", schemas.Identity{ID: "1"})
	for what, err := range map[string]error{"Preflight": err1, "Reset": err2, "Revoke": err3} {
		wantCode(t, what, err, schemas.CodePermissionMissing)
		for _, part := range []string{"enforcement: granted", "- name: corp", "resetd systems grant corp"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s does not tell how to grant it (%s): %v", what, part, err)
			}
		}
	}
	if n := c.calls.Load(); n != 0 {
		t.Errorf("the connector was called %d times", n)
	}
	if _, err := r.resolve(t.Context()); err != nil {
		t.Errorf("looking needs no permission: %v", err)
	}
}

// While a withdrawal holds, the configuration does not count: it is not offered, and whoever withdrew it is named.
func TestAWithdrawnPermissionTellsWhoWithdrewItAndOffersOnlyWhatHelps(t *testing.T) {
	state := schemas.PermissionState{Permission: schemas.PermissionNotGranted, From: schemas.FromRunTime, By: "token:ops",
		At: time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC), Reason: "incident 4711"}
	r := newRoom(t, &scripted{}, func(s *connectors.System, _ *connectors.Options) {
		s.Permitted = func() bool { return false }
		s.Permission = func() schemas.PermissionState { return state }
	})
	preflight := func() string {
		err := r.Preflight(t.Context(), "corp", schemas.ModeRandomize)
		wantCode(t, "Preflight", err, schemas.CodePermissionMissing)
		return err.Error()
	}
	text := preflight()
	for _, part := range []string{"withdrawn by token:ops on 2026-11-22", "incident 4711", "resetd systems grant corp"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing: %s", part, text)
		}
	}
	if strings.Contains(text, "enforcement: granted") {
		t.Errorf("what does not help is offered: %s", text)
	}
	state = schemas.PermissionState{Permission: schemas.PermissionNotGranted, From: schemas.FromConfiguration}
	if text := preflight(); strings.Contains(text, "withdrawn") || !strings.Contains(text, "enforcement: granted") {
		t.Errorf("never granted: %s", text)
	}
}

func TestPreflightTellsWhatTheVendorHasNotGranted(t *testing.T) {
	missing := []string{"grant A", "grant B"}
	c := &scripted{}
	c.probe = func(context.Context) (schemas.Capabilities, error) {
		return schemas.Capabilities{Modes: []schemas.Mode{schemas.ModeRandomize}, Missing: missing}, nil
	}
	r := newRoom(t, c, nil)
	err := r.Preflight(t.Context(), "corp", schemas.ModeRandomize)
	wantCode(t, "missing rights", err, schemas.CodePermissionMissing)
	if !strings.Contains(err.Error(), "grant A; grant B") {
		t.Errorf("not everything is named: %v", err)
	}
	// Granted just now: the next try must see it.
	missing = nil
	if err := r.Preflight(t.Context(), "corp", schemas.ModeRandomize); err != nil {
		t.Errorf("after the grant: %v", err)
	}
	wantCode(t, "another mode", r.Preflight(t.Context(), "corp", schemas.ModeRecovery), schemas.CodeUnsupported)
}

// Who only ends sessions needs none of the rights that a password takes.
func TestPreflightWithoutAModeAsksForTheOperatorsPermissionAlone(t *testing.T) {
	allowed := false
	c := &scripted{}
	c.probe = func(context.Context) (schemas.Capabilities, error) {
		return schemas.Capabilities{Missing: []string{"grant A"}, Unenforced: []string{"mend B"}}, nil
	}
	r := newRoom(t, c, func(s *connectors.System, _ *connectors.Options) { s.Permitted = func() bool { return allowed } })
	wantCode(t, "not permitted", r.Preflight(t.Context(), "corp", ""), schemas.CodePermissionMissing)
	allowed = true
	if err := r.Preflight(t.Context(), "corp", ""); err != nil || c.calls.Load() != 0 {
		t.Errorf("%v after %d calls", err, c.calls.Load())
	}
}

func TestGoodProbeIsBelievedForItsTimeAndABadOneNever(t *testing.T) {
	var now atomic.Int64
	c := &scripted{}
	r := newRoom(t, c, func(_ *connectors.System, o *connectors.Options) {
		o.Now = func() time.Time { return time.Unix(now.Load(), 0) }
	})
	probes := func(want int32) {
		t.Helper()
		if got := c.calls.Load(); got != want {
			t.Fatalf("%d probes, want %d", got, want)
		}
	}
	now.Store(1000)
	for range 3 {
		if err := r.Preflight(t.Context(), "corp", schemas.ModeRandomize); err != nil {
			t.Fatal(err)
		}
	}
	probes(1)
	now.Store(1059)
	_ = r.Preflight(t.Context(), "corp", schemas.ModeRandomize)
	probes(1)
	now.Store(1060)
	c.probe = func(context.Context) (schemas.Capabilities, error) {
		return schemas.Capabilities{}, schemas.Fail(schemas.CodeUnavailable, "down")
	}
	for range 2 {
		wantCode(t, "down", r.Preflight(t.Context(), "corp", schemas.ModeRandomize), schemas.CodeUnavailable)
	}
	probes(3)
	c.probe = nil
	_ = r.Preflight(t.Context(), "corp", schemas.ModeRandomize)
	probes(4)
	if _, err := r.Probe(t.Context(), "corp"); err != nil {
		t.Fatal(err)
	}
	probes(5) // a check asks, whatever is believed
}

func TestRefusalEndsTheBelief(t *testing.T) {
	for code, again := range map[schemas.Code]bool{
		schemas.CodePermissionMissing: true, schemas.CodeBadCredentials: true, schemas.CodeUnavailable: false, schemas.CodeAccountNotFound: false,
	} {
		probes := 0
		c := &scripted{receipt: func(context.Context) (schemas.Receipt, error) { return schemas.Receipt{}, schemas.Fail(code, "no") }}
		c.probe = func(context.Context) (schemas.Capabilities, error) {
			probes++
			return schemas.Capabilities{Modes: []schemas.Mode{schemas.ModeRandomize}}, nil
		}
		r := newRoom(t, c, nil)
		_ = r.Preflight(t.Context(), "corp", schemas.ModeRandomize)
		_, _ = r.Reset(t.Context(), "corp", schemas.Identity{ID: "1"}, schemas.ModeRandomize)
		_ = r.Preflight(t.Context(), "corp", schemas.ModeRandomize)
		if want := map[bool]int{true: 2, false: 1}[again]; probes != want {
			t.Errorf("after %s: %d probes, want %d", code, probes, want)
		}
	}
}

func TestManyPreflightsShareOneProbeAndNoneOwnsIt(t *testing.T) {
	release := make(chan struct{})
	c := &scripted{}
	c.probe = func(ctx context.Context) (schemas.Capabilities, error) {
		select {
		case <-release:
			return schemas.Capabilities{Modes: []schemas.Mode{schemas.ModeRandomize}}, nil
		case <-ctx.Done():
			return schemas.Capabilities{}, ctx.Err()
		}
	}
	r := newRoom(t, c, nil)
	first, leave := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() { left <- r.Preflight(first, "corp", schemas.ModeRandomize) }()
	for c.calls.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	var all sync.WaitGroup
	var waiting atomic.Int32
	errs := make([]error, 50)
	for i := range errs {
		all.Go(func() {
			waiting.Add(1)
			errs[i] = r.Preflight(t.Context(), "corp", schemas.ModeRandomize)
		})
	}
	for waiting.Load() < 50 {
		time.Sleep(time.Millisecond)
	}
	leave()
	err := <-left
	wantCode(t, "the one who left", err, schemas.CodeTimedOut)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left: %v", err)
	}
	close(release)
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Errorf("the others: %v", err)
	}
	if n := c.calls.Load(); n != 1 {
		t.Errorf("%d probes, want 1", n)
	}
}

func TestRateHoldsCallsBack(t *testing.T) {
	c := &scripted{}
	r := newRoom(t, c, func(s *connectors.System, _ *connectors.Options) { s.Rate = connectors.Rate{Count: 60, Per: time.Hour} })
	if _, err := r.resolve(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := r.resolve(ctx)
	wantCode(t, "a wait that would outlast the caller", err, schemas.CodeRateLimited)
	f, _ := errors.AsType[*schemas.Failure](err)
	if f == nil || f.RetryAfter < 50*time.Second || f.RetryAfter > 61*time.Second {
		t.Errorf("the failure does not tell the wait of a minute: %+v", f)
	}
	ctx, give := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, give)
	_, err = r.resolve(ctx)
	wantCode(t, "a caller that gives up waiting", err, schemas.CodeTimedOut)
	if n := c.calls.Load(); n != 1 {
		t.Errorf("%d calls came through, want 1", n)
	}
	fast := newRoom(t, c, func(s *connectors.System, _ *connectors.Options) {
		s.Rate = connectors.Rate{Count: 100, Per: time.Second}
	})
	began := time.Now()
	for range 120 {
		if _, err := fast.resolve(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(began); took < time.Second {
		t.Errorf("120 calls at 100/s took %s", took)
	}
}

// A random password ends the use of a stolen one also where nobody would have to change it; the flag alone does nothing there.
func TestSystemThatDoesNotEnforceIsToldBeforeTheFlagIsSet(t *testing.T) {
	c := &scripted{}
	c.probe = func(context.Context) (schemas.Capabilities, error) {
		return schemas.Capabilities{Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}, Unenforced: []string{"load the overlay"}}, nil
	}
	r := newRoom(t, c, nil)
	wantCode(t, "expire", r.Preflight(t.Context(), "corp", schemas.ModeExpire), schemas.CodeUnenforced)
	if err := r.Preflight(t.Context(), "corp", schemas.ModeRandomize); err != nil {
		t.Errorf("randomize: %v", err)
	}
}
