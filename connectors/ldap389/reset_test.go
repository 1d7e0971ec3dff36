package ldap389_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestRejectedPasswordIsFollowedByAnotherThreeAtMost(t *testing.T) {
	s := testserver.DS389(t)
	for name, one := range map[string]struct {
		first, tries int
		code         schemas.Code
	}{"twice": {2, 3, ""}, "always": {0, 3, schemas.CodePasswordRejected}} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, s)
			p.OnModify, p.First = ldaptest.Answer, one.first
			p.Refuse = func(password string) (uint16, string) {
				return ldap.LDAPResultConstraintViolation, "invalid password syntax: " + password
			}
			_, err := open(t, p.config()).Reset(t.Context(), identityOf(t, s, s.Person(testserver.JDoe).DN), schemas.ModeRandomize)
			if got := schemas.CodeOf(err); one.code == "" && err != nil || one.code != "" && got != one.code {
				t.Errorf("%v", err)
			}
			if len(p.Seen()) != one.tries {
				t.Errorf("%d passwords were offered, want %d", len(p.Seen()), one.tries)
			}
			for _, password := range p.Seen() {
				for e := err; e != nil; e = errors.Unwrap(e) {
					if strings.Contains(e.Error(), password) {
						t.Error("the server quoted the password, and the error shows it")
					}
				}
			}
		})
	}
}

// passwordMinAge binds everybody but password administrators.
func TestMinimumAgeIsAConflictThatNamesTheWayOut(t *testing.T) {
	s := testserver.DS389(t, testserver.WithoutPasswordAdmin())
	change(t, s, "cn=config", "passwordMinAge", "86400")
	jdoe := s.Person(testserver.JDoe)
	choose(t, s, jdoe.DN, jdoe.Password, "Chosen-by-herself-1")
	for deadline := time.Now().Add(10 * time.Second); value(t, s, jdoe.DN, "passwordAllowChangeTime") == ""; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the server did not note the password's age")
		}
	}
	c, id := open(t, configOf(s)), identityOf(t, s, jdoe.DN)
	_, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
	if detail := wantCode(t, err, schemas.CodeConflict); !strings.Contains(detail, "passwordAdminDN") {
		t.Errorf("%q", detail)
	}
	change(t, s, "cn=config", "passwordAdminDN", s.ServiceDN)
	if _, err := c.Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
		t.Errorf("as a password administrator: %v", err)
	}
}

// The server's own logs are the place where a password would be found later.
func TestPasswordsAreNotInTheServersLogs(t *testing.T) {
	s := testserver.DS389(t)
	p := newProxy(t, s)
	jdoe := s.Person(testserver.JDoe)
	if _, err := open(t, p.config()).Reset(t.Context(), identityOf(t, s, jdoe.DN), schemas.ModeRandomize); err != nil {
		t.Fatal(err)
	}
	if len(p.Seen()) != 1 {
		t.Fatalf("%d passwords went by", len(p.Seen()))
	}
	if err := s.Stop(); err != nil { // which writes everything down
		t.Fatal(err)
	}
	text := logged(t, s)
	if !strings.Contains(strings.ToLower(text), strings.ToLower(jdoe.DN)) {
		t.Fatal("the log of changes does not show the reset at all")
	}
	if strings.Contains(text, p.Seen()[0]) {
		t.Error("the server's log shows the password")
	}
}

func TestPasswordThatCannotBeSealedIsNotSet(t *testing.T) {
	s := testserver.DS389(t)
	jdoe := s.Person(testserver.JDoe)
	id := identityOf(t, s, jdoe.DN)
	p := newProxy(t, s)
	for name, seal := range map[string]func(schemas.Secret) (string, error){
		"sealed": func(schemas.Secret) (string, error) { return "ciphertext", nil },
		"fails":  func(schemas.Secret) (string, error) { return "", errors.New("no recipient") },
	} {
		t.Run(name, func(t *testing.T) {
			c, err := p.config().Open(connectors.Env{System: "corp-ds", Seal: seal})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			was := len(p.Seen())
			got, err := c.Reset(t.Context(), id, schemas.ModeRandomize)
			if name == "sealed" && (err != nil || got.Sealed != "ciphertext") {
				t.Errorf("%+v, %v", got, err)
			}
			if name == "fails" && (err == nil || len(p.Seen()) != was) {
				t.Errorf("%+v, %v, and %d passwords were sent", got, err, len(p.Seen())-was)
			}
		})
	}
}

func TestTLSIsNotDoneWithout(t *testing.T) {
	s := testserver.DS389(t)
	config := configOf(s)
	config.TLSCA, _ = ldaptest.Authority(t, "127.0.0.1")
	_, err := open(t, config).Probe(t.Context())
	if detail := wantCode(t, err, schemas.CodeUnavailable); !strings.Contains(detail, "tls_ca") {
		t.Errorf("a certificate of another authority: %q", detail)
	}
}
