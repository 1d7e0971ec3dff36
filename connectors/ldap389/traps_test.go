package ldap389_test

import (
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// The setting that a new instance has: the mark is stored, and ignored.
func TestWithoutPasswordMustChangeNothingIsCalledEnforced(t *testing.T) {
	for name, one := range map[string]struct {
		options []testserver.DS389Option
		who     string
		hidden  bool
	}{
		"the server's policy":                   {[]testserver.DS389Option{testserver.WithoutMustChange()}, testserver.JDoe, false},
		"the server's policy, ordinary account": {[]testserver.DS389Option{testserver.WithoutMustChange(), testserver.WithoutPasswordAdmin()}, testserver.JDoe, false},
		"a policy that cannot be read":          {[]testserver.DS389Option{testserver.WithoutMustChange(), testserver.WithHiddenPolicy()}, testserver.JDoe, true},
		"the account's own policy":              {nil, testserver.Larry, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := testserver.DS389(t, one.options...)
			c, who := open(t, configOf(s)), s.Person(one.who)
			id := identityOf(t, s, who.DN)
			before := evidence(t, c, id)
			if !one.hidden {
				detail := wantCode(t, func() error { _, err := c.Reset(t.Context(), id, schemas.ModeExpire); return err }(), schemas.CodeUnenforced)
				if !strings.Contains(detail, "passwordMustChange") || !evidence(t, c, id).Same(before) || login(t, s, who.DN, who.Password) != conformance.LoginAccepted {
					t.Errorf("expire must change nothing and name the setting; it said %q", detail)
				}
			}
			_, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
			if detail := wantCode(t, err, schemas.CodeUnenforced); !strings.Contains(detail, "passwordMustChange") {
				t.Errorf("the detail names no remedy: %q", detail)
			}
			if got := login(t, s, who.DN, who.Password); got != conformance.LoginRefused {
				t.Errorf("after randomize the old password is %s all the same", got)
			}
			proof, err := c.Verify(t.Context(), id, before)
			if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != schemas.CodeUnenforced || !proof.Changed {
				t.Errorf("Verify: %+v, %v", proof, err)
			}
		})
	}
}

// For an account that is no password administrator the server takes a new password for an ordinary one.
func TestOrdinaryServiceAccountMarksThePasswordItself(t *testing.T) {
	for name, options := range map[string][]testserver.DS389Option{
		"policy readable": {testserver.WithoutPasswordAdmin()},
		"policy hidden":   {testserver.WithoutPasswordAdmin(), testserver.WithHiddenPolicy()},
	} {
		t.Run(name, func(t *testing.T) {
			s := testserver.DS389(t, options...)
			p := newProxy(t, s)
			c, jdoe := open(t, p.config()), s.Person(testserver.JDoe)
			id := identityOf(t, s, jdoe.DN)
			before := evidence(t, c, id)
			if got, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
				t.Fatalf("%+v, %v", got, err)
			}
			if p.Modifies() != 2 || len(p.Seen()) != 1 {
				t.Errorf("%d changes with %d passwords; want the password, and then the mark", p.Modifies(), len(p.Seen()))
			}
			if got := login(t, s, jdoe.DN, p.Seen()[0]); got != conformance.LoginMustChange {
				t.Errorf("the new password is %s", got)
			}
			proof, err := c.Verify(t.Context(), id, before)
			if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
				t.Errorf("Verify: %+v, %v", proof, err)
			}
			got, err := c.Probe(t.Context())
			if err != nil || len(got.Missing) > 0 || !has(got.Warn, "passwordAdminDN") && name == "policy readable" {
				t.Errorf("Probe: %+v, %v", got, err)
			}
		})
	}
}

// The answer to the first of two changes is lost: the password is set and not marked. The next attempt must be let through.
func TestResetThatEndedHalfwayIsMadeAgain(t *testing.T) {
	s := testserver.DS389(t, testserver.WithoutPasswordAdmin())
	p := newProxy(t, s)
	p.OnModify, p.First = ldaptest.LoseAnswer, 1
	c, jdoe := open(t, p.config()), s.Person(testserver.JDoe)
	id := identityOf(t, s, jdoe.DN)
	before := evidence(t, c, id)
	_, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeTimedOut)
	proof, err := c.Verify(t.Context(), id, before)
	if err != nil || proof.State != schemas.ProofNotEnforced || proof.Code != "" || !proof.Changed {
		t.Errorf("half a reset is %+v, %v; want not_enforced without a final code, and changed", proof, err)
	}
	if _, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if proof, err = c.Verify(t.Context(), id, before); err != nil || proof.State != schemas.ProofEnforced {
		t.Errorf("Verify: %+v, %v", proof, err)
	}
}

// After a reset the server answers whatever else the user asks for with 53 and not, as OpenLDAP, with 50.
func TestUserMayDoNothingButChangeThePassword(t *testing.T) {
	s := testserver.DS389(t)
	jdoe := s.Person(testserver.JDoe)
	if _, err := open(t, configOf(s)).Reset(t.Context(), identityOf(t, s, jdoe.DN), schemas.ModeExpire); err != nil {
		t.Fatal(err)
	}
	conn, err := s.Connect(jdoe.DN, jdoe.Password)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_, err = conn.Search(ldap.NewSearchRequest(jdoe.DN, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)", nil, nil))
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform) {
		t.Errorf("a search before the change: %v", err)
	}
	choose(t, s, jdoe.DN, jdoe.Password, "Chosen-by-herself-1")
	if got := login(t, s, jdoe.DN, "Chosen-by-herself-1"); got != conformance.LoginAccepted {
		t.Errorf("after the change the password is %s", got)
	}
}

// resetd's own account may be the one that has to change its password, or that was made inactive: both are 53 somewhere.
func TestOwnAccountThatMayNotWorkIsBadCredentials(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, s *testserver.DS389Server){
		"must change": func(t *testing.T, s *testserver.DS389Server) {
			change(t, s, s.ServiceDN, "passwordExpirationTime", "19700101000000Z")
		},
		"inactive": func(t *testing.T, s *testserver.DS389Server) { change(t, s, s.ServiceDN, "nsAccountLock", "true") },
	} {
		t.Run(name, func(t *testing.T) {
			s := testserver.DS389(t)
			spoil(t, s)
			_, err := open(t, configOf(s)).Resolve(t.Context(), schemas.Account{Type: schemas.AccountUserName, Value: testserver.JDoe})
			if detail := wantCode(t, err, schemas.CodeBadCredentials); !strings.Contains(detail, s.ServiceDN) && !strings.Contains(detail, "bind_dn") {
				t.Errorf("%q", detail)
			}
		})
	}
}

func TestInactiveAccountIsToldAndStaysSo(t *testing.T) {
	s := testserver.DS389(t)
	c, idle := open(t, configOf(s)), s.Person(testserver.Idle)
	id := identityOf(t, s, idle.DN)
	class, err := c.Classify(t.Context(), id)
	if err != nil || class.Enabled || class.Origin != schemas.OriginNative || !strings.Contains(class.Why, "nsAccountLock") {
		t.Errorf("%+v, %v", class, err)
	}
	if _, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
		t.Error(err)
	}
	if class, err = c.Classify(t.Context(), id); err != nil || class.Enabled {
		t.Errorf("a reset made the account active again: %+v, %v", class, err)
	}
}

func TestOwnAccountIsProtected(t *testing.T) {
	s := testserver.DS389(t)
	config := configOf(s)
	config.UserFilter = "(uid=*)"
	c := open(t, config)
	id := identityOf(t, s, s.ServiceDN)
	if class, err := c.Classify(t.Context(), id); err != nil || class.Origin != schemas.OriginService {
		t.Errorf("%+v, %v", class, err)
	}
	_, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeProtected)
}
