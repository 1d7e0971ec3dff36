package okta_test

import (
	"testing"

	"github.com/resetd/resetd/schemas"
)

func TestTheProviderTellsWhereThePasswordLives(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	for provider, want := range map[string]struct {
		origin schemas.Origin
		reset  schemas.Code
	}{
		"OKTA":             {schemas.OriginNative, schemas.CodeOK},
		"IMPORT":           {schemas.OriginNative, schemas.CodeOK},
		"ACTIVE_DIRECTORY": {schemas.OriginSynced, schemas.CodeResetAtSource},
		"LDAP":             {schemas.OriginSynced, schemas.CodeResetAtSource},
		"FEDERATION":       {schemas.OriginFederated, schemas.CodeNotApplicable},
		"SOCIAL":           {schemas.OriginFederated, schemas.CodeNotApplicable},
	} {
		t.Run(provider, func(t *testing.T) {
			p := o.add(person{Provider: provider, Server: "corp.example.com"})
			id := schemas.Identity{ID: p.ID}
			class, err := c.Classify(t.Context(), id)
			if err != nil || class.Origin != want.origin || class.Why == "" {
				t.Errorf("%+v, %v; want %s", class, err, want.origin)
			}
			if (class.Source != nil) != (want.origin == schemas.OriginSynced) {
				t.Errorf("the source is %v", class.Source)
			}
			for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire, schemas.ModeRecovery} {
				q := o.add(person{Provider: provider, Server: "corp.example.com"})
				if _, err := c.Reset(t.Context(), schemas.Identity{ID: q.ID}, mode); schemas.CodeOf(err) != want.reset {
					t.Errorf("Reset in the mode %s: %v, want %s", mode, err, want.reset)
				}
				if sent := o.sent(q.ID + "/lifecycle"); (len(sent) > 0) != (want.reset == schemas.CodeOK) {
					t.Errorf("sent: %q", sent)
				}
			}
			// The sessions are Okta's own, wherever the password lives.
			if got, err := c.Revoke(t.Context(), id); err != nil || got.Code != schemas.CodeOK || o.now(p.ID).Sessions != 0 {
				t.Errorf("Revoke: %+v, %v", got, err)
			}
		})
	}
	t.Run("one that is not known", func(t *testing.T) {
		p := o.add(person{Provider: "QUANTUM", Server: "q"})
		if _, err := c.Classify(t.Context(), schemas.Identity{ID: p.ID}); schemas.CodeOf(err) != schemas.CodeUnexpected {
			t.Errorf("Classify: %v", err)
		}
		if _, err := c.Reset(t.Context(), schemas.Identity{ID: p.ID}, schemas.ModeRandomize); schemas.CodeOf(err) != schemas.CodeUnexpected || len(o.sent(p.ID+"/lifecycle")) > 0 {
			t.Errorf("Reset: %v", err)
		}
	})
}

func TestASyncedAccountIsNamedAsItsDirectoryKnowsIt(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	p := o.add(person{Login: "jdoe@corp.example.com", Provider: "ACTIVE_DIRECTORY", Server: "corp.example.com",
		Extra: map[string]string{"objectGuid": "{0E7A2F7C-91B5-4F0E-8A0B-3F6B1D1E2C3D}", "objectSid": "S-1-5-21-1-2-3-1001", "windowsName": `CORP\jdoe`, "odd": " "}})
	for attribute, want := range map[string]schemas.Account{
		"":            {Type: schemas.AccountLogin, Value: "jdoe@corp.example.com"},
		"objectGuid":  {Type: schemas.AccountObjectID, Value: "0e7a2f7c-91b5-4f0e-8a0b-3f6b1d1e2c3d"},
		"objectSid":   {Type: schemas.AccountSID, Value: "S-1-5-21-1-2-3-1001"},
		"windowsName": {Type: schemas.AccountDownLevel, Value: `CORP\jdoe`},
		"absent":      {Type: schemas.AccountLogin, Value: "jdoe@corp.example.com"},
		"odd":         {Type: schemas.AccountLogin, Value: "jdoe@corp.example.com"},
	} {
		config := byToken(o, o.url)
		config.SourceAttribute = attribute
		class, err := connect(t, config).Classify(t.Context(), schemas.Identity{ID: p.ID})
		if err != nil || class.Source == nil || *class.Source != want {
			t.Errorf("source_attribute %q: %v, %v; want %v", attribute, class.Source, err, want)
		}
	}
}

func TestEveryStatusIsReadForWhatItIs(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	c := connect(t, byToken(o, o.url))
	for status, want := range map[string]struct{ enabled, mustChange bool }{
		"STAGED": {false, false}, "PROVISIONED": {true, false}, "ACTIVE": {true, false}, "RECOVERY": {true, true}, "PASSWORD_EXPIRED": {true, true},
		"LOCKED_OUT": {true, false}, "SUSPENDED": {false, false}, "DEPROVISIONED": {false, false}, "SOMETHING_NEW": {false, false},
	} {
		p := o.add(person{Status: status})
		class, err := c.Classify(t.Context(), schemas.Identity{ID: p.ID})
		if err != nil || class.Enabled != want.enabled || class.Evidence.MustChange != want.mustChange || class.Evidence.PasswordChangedAt.IsZero() {
			t.Errorf("%s: %+v, %v; want %+v", status, class, err, want)
		}
	}
}

func TestWhoeverHasAnAdministratorsRoleIsPrivileged(t *testing.T) {
	t.Parallel()
	o := newImitation(t)
	p := o.add(person{Roles: []string{"READ_ONLY_ADMIN"}})
	id := schemas.Identity{ID: p.ID}
	if class, err := connect(t, byToken(o, o.url)).Classify(t.Context(), id); err != nil || !class.Privileged {
		t.Errorf("%+v, %v", class, err)
	}
	o.refuse["roles"] = "E0000006"
	if _, err := connect(t, byToken(o, o.url)).Classify(t.Context(), id); schemas.CodeOf(err) != schemas.CodePermissionMissing {
		t.Errorf("the roles cannot be read: %v", err)
	}
	config := byToken(o, o.url)
	config.CheckRoles = false
	if class, err := connect(t, config).Classify(t.Context(), id); err != nil || class.Privileged || class.Why == "" {
		t.Errorf("check_roles off: %+v, %v", class, err)
	}
}
