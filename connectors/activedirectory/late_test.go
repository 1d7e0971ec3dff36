package activedirectory_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/schemas"
)

// A request that was given up is carried out after the next attempt: it must find that pwdLastSet is not what it read.
func TestLateRequestChangesNothingOnceAnotherWasMade(t *testing.T) {
	s := domain(t)
	next := fresh(s)
	for _, late := range []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire} {
		t.Run(string(late), func(t *testing.T) {
			person := next(t)
			id := schemas.Identity{ID: person.ID}
			p := newProxy(t, s)
			p.OnModify = ldaptest.Hold
			slow := open(t, through(s, p))
			ctx, cancel := context.WithCancel(t.Context())
			p.Before = cancel // given up as soon as it was sent
			_, err := slow.Reset(ctx, id, late)
			wantCode(t, err, schemas.CodeTimedOut)

			healthy := newProxy(t, s)
			if _, err := open(t, through(s, healthy)).Reset(t.Context(), id, schemas.ModeRandomize); err != nil {
				t.Fatal(err)
			}
			p.Release <- struct{}{}
			select {
			case <-p.Late:
			case <-time.After(30 * time.Second):
				t.Fatal("the late request was never answered")
			}
			if got := login(t, s, person.Account.Value, healthy.Seen()[0]); got != "must change" {
				t.Errorf("the password that was set last is %s", got)
			}
		})
	}
}

// Somebody else sets the password between reading and writing.
func TestPasswordThatIsSetInBetweenIsSetAnew(t *testing.T) {
	s := domain(t)
	person := fresh(s)(t)
	dn := s.Person(person.Account.Value).DN
	p := newProxy(t, s)
	var once atomic.Bool
	p.Before = func() {
		if once.CompareAndSwap(false, true) {
			change(t, s, dn, "unicodePwd", quotedForTest("In-between-1"))
		}
	}
	got, err := open(t, through(s, p)).Reset(t.Context(), schemas.Identity{ID: person.ID}, schemas.ModeRandomize)
	if err != nil || got.Code != schemas.CodeOK {
		t.Fatalf("Reset: %+v, %v", got, err)
	}
	if p.Modifies() != 2 {
		t.Errorf("%d requests were sent, want a second one after the first was refused", p.Modifies())
	}
	if got := login(t, s, person.Account.Value, "In-between-1"); got != "refused" {
		t.Errorf("the password that was set in between is %s", got)
	}
}

// What came in between may be an earlier reset of resetd's own, so no other one is laid over it.
func TestResetThatCameInBetweenIsNotRepeated(t *testing.T) {
	s := domain(t)
	person := fresh(s)(t)
	dn := s.Person(person.Account.Value).DN
	p := newProxy(t, s)
	p.Before = func() {
		r := ldap.NewModifyRequest(dn, nil)
		r.Replace("unicodePwd", []string{quotedForTest("Earlier-reset-1")})
		r.Replace("pwdLastSet", []string{"0"})
		if err := s.As(t).Modify(r); err != nil {
			t.Error(err)
		}
	}
	_, err := open(t, through(s, p)).Reset(t.Context(), schemas.Identity{ID: person.ID}, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeUnavailable)
	if got := login(t, s, person.Account.Value, "Earlier-reset-1"); got != "must change" {
		t.Errorf("the earlier reset's password is %s", got)
	}
}

// A server that cannot compare refuses although nothing has changed; it is then asked without.
func TestServerThatCannotCompareIsAskedWithoutComparison(t *testing.T) {
	s := domain(t)
	next := fresh(s)
	for text, code := range map[string]uint16{
		"00002083: AtrErr: DSID-03151D39": ldap.LDAPResultAttributeOrValueExists,
		"00000057: SysErr: DSID-031A1256": ldap.LDAPResultConstraintViolation,
		"00000057: LdapErr: DSID-0C090F1": ldap.LDAPResultUnwillingToPerform,
	} {
		p := newProxy(t, s)
		p.OnModify, p.First = ldaptest.Answer, 1
		p.Refuse = func(string) (uint16, string) { return code, text }
		c := open(t, through(s, p))
		for i := range 2 {
			if got, err := c.Reset(t.Context(), schemas.Identity{ID: next(t).ID}, schemas.ModeRandomize); err != nil || got.Code != schemas.CodeOK {
				t.Errorf("%s, reset %d: %+v, %v", text, i, got, err)
			}
		}
		if n := p.Modifies(); n != 3 {
			t.Errorf("%s: %d requests were sent; want one that is refused and two that are not", text, n)
		}
	}
}

func TestBusyServerIsLeftForTheNext(t *testing.T) {
	s := domain(t)
	person := fresh(s)(t)
	for _, code := range []uint16{ldap.LDAPResultBusy, ldap.LDAPResultUnavailable} {
		busy := newProxy(t, s)
		busy.RefuseSearch = func(base string) (uint16, string) {
			if base == "" {
				return 0, "" // it lets us in, and is busy afterwards
			}
			return code, "0000200E: too busy"
		}
		config := through(s, busy)
		config.URL = ""
		config.URLs = []string{busy.URL, busy.URL}
		_, err := open(t, config).Classify(t.Context(), schemas.Identity{ID: person.ID})
		if detail := wantCode(t, err, schemas.CodeUnavailable); !strings.Contains(detail, busy.URL) {
			t.Errorf("the detail does not name the server: %s", detail)
		}
		healthy := newProxySharing(t, s, busy)
		config.URLs = []string{busy.URL, healthy.URL}
		if _, err := open(t, config).Classify(t.Context(), schemas.Identity{ID: person.ID}); err != nil {
			t.Errorf("LDAP code %d: the next server was not asked: %v", code, err)
		}
	}
}

func TestAnswersHaveTheirMeaning(t *testing.T) {
	s := domain(t)
	next := fresh(s)
	for name, one := range map[string]struct {
		code uint16
		text string
		want schemas.Code
	}{
		"referral":              {ldap.LDAPResultReferral, "0000202B: RefErr: DSID-031007EF, data 0, 1 access points", schemas.CodeUnsupported},
		"no right":              {ldap.LDAPResultInsufficientAccessRights, "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0", schemas.CodePermissionMissing},
		"access denied":         {ldap.LDAPResultInsufficientAccessRights, "00000005: SecErr: DSID-031A1256, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0", schemas.CodePermissionMissing},
		"busy":                  {ldap.LDAPResultBusy, "0000200E: SvcErr", schemas.CodeUnavailable},
		"not signed in":         {ldap.LDAPResultOperationsError, "000004DC: LdapErr: DSID-0C090A5C, comment: a successful bind must be completed", schemas.CodeUnavailable},
		"strong authentication": {ldap.LDAPResultStrongAuthRequired, "00002028: LdapErr", schemas.CodePermissionMissing},
		"gone":                  {ldap.LDAPResultNoSuchObject, "00002030: NameErr", schemas.CodeAccountNotFound},
		"nonsense":              {80, "00000057: LdapErr", schemas.CodeUnexpected},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, s)
			p.OnModify = ldaptest.Answer
			p.Refuse = func(string) (uint16, string) { return one.code, one.text }
			_, err := open(t, through(s, p)).Reset(t.Context(), schemas.Identity{ID: next(t).ID}, schemas.ModeExpire)
			wantCode(t, err, one.want)
		})
	}
}

// It takes the connection, even encrypts it, and then says nothing.
func TestServerThatHangsBehindItsEncryptionEndsWithTheTimeout(t *testing.T) {
	s := domain(t)
	ca, certificate := ldaptest.Authority(t, "127.0.0.1")
	config := configOf(s)
	config.TLSCA, config.Timeout = ca, 300*time.Millisecond
	config.URL = secure(ldaptest.Listen(t, func(c net.Conn) {
		_, _ = io.Copy(io.Discard, tls.Server(c, &tls.Config{Certificates: []tls.Certificate{certificate}}))
	}))
	_, err := open(t, config).Probe(t.Context())
	wantCode(t, err, schemas.CodeTimedOut)
}

func TestServerThatHangsInTheMiddleEndsWithTheTimeout(t *testing.T) {
	s := domain(t)
	next := fresh(s)
	p := newProxy(t, s)
	p.OnModify = ldaptest.Swallow
	config := through(s, p)
	config.Timeout = 2 * time.Second
	c := open(t, config)
	person := next(t)
	_, err := c.Reset(t.Context(), schemas.Identity{ID: person.ID}, schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeTimedOut)
	// The connection with the open request must not be used again.
	if _, err := c.Classify(t.Context(), schemas.Identity{ID: person.ID}); err != nil {
		t.Errorf("the next call: %v", err)
	}
}
