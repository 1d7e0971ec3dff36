package handlers_test

import (
	"context"
	"fmt"

	"github.com/resetd/resetd/schemas"
)

// stubPortal knows one system, corp-ldap, and records what it is asked to do.
type stubPortal struct {
	did  []string // "permit corp-ldap granted token:root <reason>" …
	fail error
}

func newStubPortal() *stubPortal { return &stubPortal{} }

func (s *stubPortal) Systems(context.Context) ([]schemas.System, error) {
	return []schemas.System{richSystem()}, s.fail
}

func (s *stubPortal) System(_ context.Context, name string) (schemas.System, error) {
	if s.fail != nil {
		return schemas.System{}, s.fail
	}
	if name != "corp-ldap" {
		return schemas.System{}, fmt.Errorf("system %s: %w", name, schemas.ErrNotFound)
	}
	return richSystem(), nil
}

func (s *stubPortal) Check(ctx context.Context, name string) (schemas.Check, error) {
	if _, err := s.System(ctx, name); err != nil {
		return schemas.Check{}, err
	}
	s.did = append(s.did, "check "+name)
	return *richSystem().Check, nil
}

func (s *stubPortal) Permit(ctx context.Context, name string, d schemas.Decision, actor, reason string) (schemas.System, error) {
	system, err := s.System(ctx, name)
	if err == nil {
		s.did = append(s.did, fmt.Sprintf("permit %s %s %s %s", name, d, actor, reason))
	}
	return system, err
}

func (s *stubPortal) Look(_ context.Context, a schemas.Account) (schemas.AccountReport, error) {
	if s.fail != nil {
		return schemas.AccountReport{}, s.fail
	}
	s.did = append(s.did, fmt.Sprintf("look %s %s", a.Type, a.Value))
	return richReport(a), nil
}

// The rich values have something in every field, as those in rich_test.go.

func richSystem() schemas.System {
	return schemas.System{Name: "corp-ldap", Kind: "openldap", State: "paused", Since: clock, Until: clock, Reason: "the system asked to wait", Share: 0.5, Rate: "20/s", TimeoutMS: 10_000, Backlog: 3,
		Enforcement: schemas.PermissionState{Permission: schemas.PermissionGranted, From: schemas.FromRunTime, Configured: schemas.PermissionNotGranted,
			By: "token:root", At: clock, Reason: "CHG0042"},
		Check: &schemas.Check{System: "corp-ldap", At: clock, TookMS: 12, State: schemas.FindingFail, Findings: []schemas.Finding{
			{Topic: schemas.TopicRights, State: schemas.FindingFail, Detail: "grant it"}, {Topic: schemas.TopicClock, State: schemas.FindingUnknown, Detail: "not told"}}},
		History: []schemas.PermissionChange{{System: "corp-ldap", At: clock, Actor: "token:root", Decision: schemas.DecisionGranted,
			From: schemas.PermissionNotGranted, To: schemas.PermissionGranted, Reason: "CHG0042"}},
	}
}

func richReport(a schemas.Account) schemas.AccountReport {
	return schemas.AccountReport{Account: a, Systems: []schemas.Sighting{
		{System: "corp-ldap", Kind: "openldap", State: schemas.SightingFound, Code: schemas.CodeOK, Detail: "found", TookMS: 5,
			Permission: schemas.PermissionGranted, Identity: &schemas.Identity{ID: "5d0ee6c4", Name: "uid=jdoe"},
			Profile: &schemas.Profile{Origin: schemas.OriginSynced, Enabled: true, Privileged: true, Why: "in group admins", PasswordChangedAt: clock,
				MustChange: true, Protected: true, ProtectedBecause: "it is privileged", Source: &schemas.Account{Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-4"}},
			Modes: []schemas.Mode{schemas.ModeRandomize}, Revoke: true},
		{System: "okta", Kind: "okta", State: schemas.SightingFailed, Code: schemas.CodeTimedOut, Detail: "no answer", TookMS: 15_000, Permission: schemas.PermissionNotGranted},
	}}
}
