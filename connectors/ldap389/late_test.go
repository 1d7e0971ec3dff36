package ldap389_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors/conformance"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// A request whose answer timed out still waits, in a slow server or before it, when the next attempt has been made.
func TestResetThatArrivesLateChangesNothingMore(t *testing.T) {
	s := testserver.DS389(t)
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		for _, uid := range []string{testserver.JDoe, testserver.Alice} {
			t.Run(string(mode)+", "+uid, func(t *testing.T) {
				who := s.Person(uid)
				// One account never had a time of expiry, and the other has one.
				change(t, s, who.DN, "passwordExpirationTime", map[string][]string{testserver.Alice: {"19700101000001Z"}}[uid]...)
				id := identityOf(t, s, who.DN)
				p := newProxy(t, s)
				release := sync.OnceFunc(func() { close(p.Release) })
				t.Cleanup(release)
				p.OnModify, p.First = ldaptest.Hold, 1
				config := p.config()
				config.Timeout = time.Second
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
				after := fingerprint(t, s)
				release()
				<-p.Late
				if fingerprint(t, s) != after {
					t.Error("the first attempt landed after the second")
				}
			})
		}
	}
}

// The first attempt lands between the moment at which the second reads the entry and the one at which it writes.
func TestResetThatLandsMeanwhileIsVerifiedAndNotMadeTwice(t *testing.T) {
	s := testserver.DS389(t)
	jdoe := s.Person(testserver.JDoe)
	id := identityOf(t, s, jdoe.DN)
	p := newProxy(t, s)
	var landed string
	p.First, p.Before = 1, func() {
		if _, err := open(t, configOf(s)).Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
			t.Error(err)
		}
		landed = fingerprint(t, s)
	}
	c := open(t, p.config())
	before := evidence(t, c, id)
	_, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
	if code := schemas.CodeOf(err); code != schemas.CodeUnavailable || !code.Retryable() {
		t.Errorf("the entry was changed in between, but Reset gives %v", err)
	}
	if fingerprint(t, s) != landed {
		t.Error("the password was set twice")
	}
	if proof, err := c.Verify(t.Context(), id, before); err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
		t.Errorf("what landed is to be found in force: %+v, %v", proof, err)
	}
}

// A thief who changes the password in the very moment is not told from its owner, and has to change it again. Other changes do
// not matter at all.
func TestNobodyKeepsAResetAwayByWritingToTheEntry(t *testing.T) {
	s := testserver.DS389(t)
	for _, mode := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		t.Run(string(mode), func(t *testing.T) {
			who := s.Person(map[schemas.Mode]string{schemas.ModeRandomize: testserver.JDoe, schemas.ModeExpire: testserver.Alice}[mode])
			const chosen = "Chosen-by-the-thief-1"
			p := newProxy(t, s)
			p.First, p.Before = 1, func() {
				change(t, s, who.DN, "description", "edited")
				choose(t, s, who.DN, who.Password, chosen)
				// The server notes the time of expiry a moment later.
				for value(t, s, who.DN, "passwordExpirationTime") == "" {
					time.Sleep(10 * time.Millisecond)
				}
			}
			if got, err := open(t, p.config()).Reset(t.Context(), identityOf(t, s, who.DN), mode); err != nil || got.Code != schemas.CodeOK {
				t.Fatalf("%+v, %v", got, err)
			}
			want := map[schemas.Mode]conformance.Login{schemas.ModeRandomize: conformance.LoginRefused, schemas.ModeExpire: conformance.LoginMustChange}[mode]
			if got := login(t, s, who.DN, chosen); got != want {
				t.Errorf("the thief's password is %s, want %s", got, want)
			}
			if p.Modifies() != 2 {
				t.Errorf("%d requests, want one that is refused and one more", p.Modifies())
			}
		})
	}
}

// Evidence has seconds; two resets must not share one.
func TestTwoResetsInARowAreToldApart(t *testing.T) {
	for name, options := range map[string][]testserver.DS389Option{"stamps alone": nil, "with entryusn": {testserver.WithUSN()}} {
		t.Run(name, func(t *testing.T) {
			s := testserver.DS389(t, options...)
			c, jdoe := open(t, configOf(s)), s.Person(testserver.JDoe)
			id := identityOf(t, s, jdoe.DN)
			for range 3 {
				before := evidence(t, c, id)
				if _, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
					t.Fatal(err)
				}
				proof, err := c.Verify(t.Context(), id, before)
				if err != nil || proof.State != schemas.ProofEnforced || !proof.Changed {
					t.Errorf("%+v, %v", proof, err)
				}
			}
			if numbered := strings.Contains(evidence(t, c, id).Marker, " "); numbered != (len(options) > 0) {
				t.Errorf("the marker is %q", evidence(t, c, id).Marker)
			}
		})
	}
}
