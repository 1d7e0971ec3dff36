package openldap_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// A request whose answer timed out still waits, in a slow server or before it, when the next attempt has been made.
func TestResetThatArrivesLateChangesNothingMore(t *testing.T) {
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		t.Run(string(mode), func(t *testing.T) {
			s := testserver.Slapd(t)
			jdoe := s.Person(testserver.JDoe)
			id := identityOf(t, s, jdoe.DN)
			p := newProxy(t, s.URL)
			release := sync.OnceFunc(func() { close(p.Release) })
			t.Cleanup(release)
			p.OnModify, p.First = ldaptest.Hold, 1
			config := configOf(s)
			config.URL, config.Timeout = p.URL, time.Second
			c := open(t, config)
			before := evidence(t, c, id)

			_, err := c.Reset(t.Context(), id, mode)
			wantCode(t, err, schemas.CodeTimedOut)
			if proof, err := c.Verify(t.Context(), id, before); err != nil || proof.Changed || !proof.Evidence.Same(before) {
				t.Fatalf("nothing has landed yet, but Verify gives %+v, %v", proof, err)
			}
			if _, err := c.Reset(t.Context(), id, mode); err != nil {
				t.Fatalf("the second attempt: %v", err)
			}
			after := evidence(t, c, id)
			release()
			<-p.Late
			if got := evidence(t, c, id); !got.Same(after) {
				t.Errorf("the first attempt landed after the second: %+v became %+v", after, got)
			}
			want := map[schemas.Mode]int{schemas.ModeRandomize: 1}[mode]
			if got := writesTo(t, s, jdoe.DN); got != want {
				t.Errorf("the password was set %d times, want %d", got, want)
			}
		})
	}
}

// The first attempt lands between the moment at which the second reads the entry and the one at which it writes.
func TestResetThatLandsMeanwhileIsVerifiedAndNotMadeTwice(t *testing.T) {
	s := testserver.Slapd(t)
	jdoe := s.Person(testserver.JDoe)
	id := identityOf(t, s, jdoe.DN)
	p := newProxy(t, s.URL)
	p.First, p.Before = 1, func() {
		if _, err := open(t, configOf(s)).Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
			t.Error(err)
		}
	}
	config := configOf(s)
	config.URL = p.URL
	c := open(t, config)
	before := evidence(t, c, id)
	_, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
	if code := schemas.CodeOf(err); code != schemas.CodeUnavailable || !code.Retryable() {
		t.Errorf("the entry was changed in between, but Reset gives %v", err)
	}
	if got := writesTo(t, s, jdoe.DN); got != 1 {
		t.Errorf("the password was set %d times", got)
	}
	if proof, err := c.Verify(t.Context(), id, before); err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("what landed is to be found in force: %+v, %v", proof, err)
	}
}

// Whoever can write to the entry must not be able to keep a reset away by doing so.
func TestOtherChangesAtTheSameMomentDoNotKeepAResetAway(t *testing.T) {
	for name, disturb := range map[string]func(t *testing.T, s *testserver.SlapdServer, who testserver.Person, count int){
		"another attribute": func(t *testing.T, s *testserver.SlapdServer, who testserver.Person, count int) {
			change(t, s, who.DN, "description", fmt.Sprint("edit ", count))
		},
		"a log-in that fails": func(t *testing.T, s *testserver.SlapdServer, who testserver.Person, _ int) {
			if _, err := s.Bind(who.DN, "not the password"); !ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
				t.Errorf("a wrong password: %v", err)
			}
		},
		"the flag alone": func(t *testing.T, s *testserver.SlapdServer, who testserver.Person, _ int) {
			change(t, s, who.DN, "pwdReset", "TRUE")
		},
	} {
		for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				t.Parallel()
				s := testserver.Slapd(t)
				change(t, s, s.StrictPolicyDN, "pwdMaxFailure", "100")
				for _, uid := range []string{testserver.JDoe, testserver.Alice} {
					who := s.Person(uid)
					if uid == testserver.Alice { // slapd knows since when she has her password: for more than its clock's grain
						who.Password = choose(t, s, who.DN, who.Password, "Chosen-by-herself-1")
						time.Sleep(1100 * time.Millisecond)
					}
					count := 0
					p := newProxy(t, s.URL)
					p.Before = func() { count++; disturb(t, s, who, count) }
					config := configOf(s)
					config.URL = p.URL
					c := open(t, config)
					got, err := c.Reset(t.Context(), identityOf(t, s, who.DN), mode)
					if err != nil || got.Code != schemas.CodeOK {
						t.Errorf("%s: after %d changes by others: %+v, %v", uid, count, got, err)
					}
					if count > 4 {
						t.Errorf("%s: tried %d times", uid, count)
					}
				}
			})
		}
	}
}

// A thief who changes the password in the very moment is not told from its owner, and has to change it again.
func TestPasswordThatTheUserSetsAtTheSameMomentIsResetAllTheSame(t *testing.T) {
	s := testserver.Slapd(t)
	jdoe := s.Person(testserver.JDoe)
	p := newProxy(t, s.URL)
	passwords := []string{jdoe.Password}
	p.First, p.Before = 3, func() {
		passwords = append(passwords, choose(t, s, jdoe.DN, passwords[len(passwords)-1], fmt.Sprint("Chosen-by-the-thief-", len(passwords))))
	}
	config := configOf(s)
	config.URL = p.URL
	if _, err := open(t, config).Reset(t.Context(), identityOf(t, s, jdoe.DN), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	for _, password := range passwords {
		if got := login(t, s, jdoe.DN, password); got != "refused" {
			t.Errorf("%s is %s", password, got)
		}
	}
}

// Without the overlay nothing tells a reset from another change, so what changed in between counts as one.
func TestWithoutThePolicyOverlayAnyChangeMeanwhileIsVerified(t *testing.T) {
	s := testserver.Slapd(t, testserver.WithoutPpolicy())
	jdoe := s.Person(testserver.JDoe)
	p := newProxy(t, s.URL)
	p.First, p.Before = 1, func() { change(t, s, jdoe.DN, "description", "edited") }
	config := configOf(s)
	config.URL = p.URL
	_, err := open(t, config).Reset(t.Context(), identityOf(t, s, jdoe.DN), schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeUnavailable)
	if got := writesTo(t, s, jdoe.DN); got != 0 {
		t.Errorf("the password was set %d times", got)
	}
}

// choose gives the account a password of its owner's choice.
func choose(t *testing.T, s *testserver.SlapdServer, dn, now, next string) string {
	t.Helper()
	conn, err := s.Connect(dn, now)
	if err != nil {
		t.Error(err)
		return now
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.PasswordModify(ldap.NewPasswordModifyRequest("", now, next)); err != nil {
		t.Error(err)
	}
	return next
}

// writesTo tells how often an account's password was set.
func writesTo(t *testing.T, s *testserver.SlapdServer, dn string) int {
	t.Helper()
	all, err := s.PasswordWrites()
	if err != nil {
		t.Fatal(err)
	}
	return all[strings.ToLower(dn)]
}
