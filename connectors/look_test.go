package connectors_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

var jdoe = schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"}

// several puts connectors into one set, in the order of their names a, b, c …
func several(t *testing.T, cs ...connectors.Connector) *connectors.Set {
	t.Helper()
	var systems []connectors.System
	for i, c := range cs {
		systems = append(systems, connectors.System{Name: string(rune('a' + i)), Kind: "scripted", Timeout: time.Minute,
			Secrets: []schemas.Secret{schemas.NewSecret(secret)}, Connector: c})
	}
	set, err := connectors.NewSet(systems, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func refusing(code schemas.Code, detail string) *scripted {
	return &scripted{resolve: func(context.Context) (schemas.Identity, error) {
		return schemas.Identity{}, schemas.Fail(code, "%s", detail)
	}}
}

func TestLookTellsOfEachSystemWhatItShows(t *testing.T) {
	changed := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	found := &scripted{class: schemas.Class{Origin: schemas.OriginNative, Enabled: true, Privileged: true, Why: "in group admins",
		Evidence: schemas.Evidence{PasswordChangedAt: changed, MustChange: true}}}
	service := &scripted{class: schemas.Class{Origin: schemas.OriginService, Why: "resetd itself signs in with this account"}}
	got := several(t, found, refusing(schemas.CodeAccountNotFound, "none"), refusing(schemas.CodeAccountAmbiguous, "two"),
		refusing(schemas.CodeBadCredentials, "the password "+secret+" is refused"), service).Look(t.Context(), jdoe)
	if got.Account != jdoe || len(got.Systems) != 5 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []struct {
		name  string
		state schemas.SightingState
		code  schemas.Code
	}{{"a", schemas.SightingFound, schemas.CodeOK}, {"b", schemas.SightingNotFound, schemas.CodeAccountNotFound},
		{"c", schemas.SightingAmbiguous, schemas.CodeAccountAmbiguous}, {"d", schemas.SightingFailed, schemas.CodeBadCredentials},
		{"e", schemas.SightingFound, schemas.CodeOK}} {
		s := got.Systems[i]
		if s.System != want.name || s.Kind != "scripted" || s.State != want.state || s.Code != want.code || s.Permission != schemas.PermissionNotGranted {
			t.Errorf("%d: %+v", i, s)
		}
		if (s.Identity != nil) != (want.state == schemas.SightingFound) || (s.Detail != "") != (want.code != schemas.CodeOK) {
			t.Errorf("%d: %+v", i, s)
		}
	}
	p := got.Systems[0].Profile
	if p == nil || p.Origin != schemas.OriginNative || !p.Enabled || !p.Privileged || p.Why != "in group admins" ||
		!p.PasswordChangedAt.Equal(changed) || !p.MustChange || p.Protected || len(got.Systems[0].Modes) != 1 {
		t.Errorf("profile: %+v", p)
	}
	if p := got.Systems[4].Profile; p == nil || p.Origin != schemas.OriginService || !strings.Contains(p.Why, "resetd itself") {
		t.Errorf("resetd's own account: %+v", p)
	}
	if strings.Contains(got.Systems[3].Detail, secret) {
		t.Errorf("a secret is shown: %s", got.Systems[3].Detail)
	}
}

// The name at the source is asked for in another system later; it comes from whoever may write to the account.
func TestASourceThatCannotBeAskedForIsDropped(t *testing.T) {
	for value, kept := range map[string]bool{"S-1-5-21-1-2-3-1001": true, "S-1-5": false, "": false, "S-1-5-21-1-2-3-1001\u202e": false} {
		c := &scripted{class: schemas.Class{Origin: schemas.OriginSynced, Source: &schemas.Account{Type: schemas.AccountSID, Value: value}}}
		got, err := newRoom(t, c, nil).Classify(t.Context(), "corp", schemas.Identity{ID: "1"})
		if err != nil || (got.Source != nil) != kept {
			t.Errorf("%q: %+v, %v", value, got.Source, err)
		}
	}
}

// One that hangs until its context ends, and one that does not even heed that.
func TestLookDoesNotWaitForASystemThatHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	hanging := &scripted{resolve: func(ctx context.Context) (schemas.Identity, error) {
		<-ctx.Done()
		return schemas.Identity{}, ctx.Err()
	}}
	deaf := &scripted{resolve: func(context.Context) (schemas.Identity, error) { <-release; return schemas.Identity{}, nil }}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	got := several(t, hanging, deaf, &scripted{}).Look(ctx, jdoe)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	for i := range 2 {
		if s := got.Systems[i]; s.State != schemas.SightingFailed || s.Code != schemas.CodeTimedOut || s.Detail == "" {
			t.Errorf("%s: %+v", s.System, s)
		}
	}
	if s := got.Systems[2]; s.State != schemas.SightingFound {
		t.Errorf("the one that answers: %+v", s)
	}
}

func TestLookAsksAllSystemsAtOnceUpToABound(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	arrived, begin := make(chan struct{}, 40), make(chan struct{})
	var cs []connectors.Connector
	for range 40 {
		cs = append(cs, &scripted{resolve: func(ctx context.Context) (schemas.Identity, error) {
			arrived <- struct{}{}
			select {
			case <-begin:
			case <-ctx.Done():
			}
			return schemas.Identity{ID: "1"}, nil
		}})
	}
	done := make(chan schemas.AccountReport)
	set := several(t, cs...)
	go func() { done <- set.Look(ctx, jdoe) }()
	for range 16 {
		<-arrived // they wait for each other, so they must be there together
	}
	select {
	case <-arrived:
		t.Error("more than the bound are asked at a time")
	case <-time.After(20 * time.Millisecond):
	}
	close(begin)
	for _, s := range (<-done).Systems {
		if s.State != schemas.SightingFound {
			t.Errorf("%+v", s)
		}
	}
}

func TestLookChangesNothingAndCountsAgainstTheRate(t *testing.T) {
	c := &scripted{receipt: func(context.Context) (schemas.Receipt, error) { panic("changed something") }}
	r := newRoom(t, c, func(s *connectors.System, _ *connectors.Options) { s.Rate = connectors.Rate{Count: 1, Per: time.Hour} })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	s := r.Look(ctx, jdoe).Systems[0]
	if s.State != schemas.SightingFailed || s.Code != schemas.CodeRateLimited || s.Identity == nil {
		t.Errorf("the second call of a look passes a rate of one an hour: %+v", s)
	}
	if n := c.calls.Load(); n != 1 {
		t.Errorf("%d calls", n)
	}
}
