package openldap_test

import (
	"bufio"
	"errors"
	"net"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn/ldaptest"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

func TestServersWordsNeverCarryThePassword(t *testing.T) {
	s := testserver.Slapd(t)
	id := identityOf(t, s, s.Person(testserver.JDoe).DN)
	for _, code := range []uint16{ldap.LDAPResultConstraintViolation, ldap.LDAPResultInsufficientAccessRights, ldap.LDAPResultOther, ldap.LDAPResultUnwillingToPerform} {
		p := newProxy(t, s.URL)
		p.OnModify, p.Refuse = ldaptest.Answer, func(password string) (uint16, string) { return code, "I do not like " + password + "\r\n!" }
		config := configOf(s)
		config.URL = p.URL
		_, err := open(t, config).Reset(t.Context(), id, schemas.ModeRandomize)
		detail := wantCode(t, err, schemas.CodePasswordRejected, schemas.CodePermissionMissing, schemas.CodeUnexpected, schemas.CodeUnavailable)
		if !strings.Contains(detail, "I do not like "+schemas.Redacted) || strings.ContainsAny(detail, "\r\n") {
			t.Errorf("LDAP code %d: the server's words are to be told without the password, in one line: %q", code, detail)
		}
		for e := err; e != nil; e = errors.Unwrap(e) {
			for _, password := range p.Seen() {
				if strings.Contains(e.Error(), password) {
					t.Errorf("LDAP code %d: the password shows in %T", code, e)
				}
			}
		}
	}
}

// Long answers are cut, and the cut may fall anywhere in a password that the server quotes.
func TestServersLongWordsNeverCarryAPartOfThePassword(t *testing.T) {
	s := testserver.Slapd(t)
	id := identityOf(t, s, s.Person(testserver.JDoe).DN)
	for _, before := range []int{150, 176, 188, 191} {
		p := newProxy(t, s.URL)
		p.OnModify, p.Refuse = ldaptest.Answer, func(password string) (uint16, string) {
			return ldap.LDAPResultConstraintViolation, strings.Repeat("x", before) + password
		}
		config := configOf(s)
		config.URL = p.URL
		_, err := open(t, config).Reset(t.Context(), id, schemas.ModeRandomize)
		wantCode(t, err, schemas.CodePasswordRejected)
		for _, password := range p.Seen() {
			if strings.Contains(err.Error(), password[:8]) {
				t.Errorf("cut after %d characters: a part of the password shows: %v", before, err)
			}
		}
	}
}

// The same for resetd's own password, which a server hears at every sign-in.
func TestServersLongWordsNeverCarryAPartOfOurOwnPassword(t *testing.T) {
	const own = "Own-Password-of-resetd-4711"
	url := ldaptest.Listen(t, func(conn net.Conn) {
		defer func() { _ = conn.Close() }()
		if packet, err := ber.ReadPacket(bufio.NewReader(conn)); err == nil {
			_, _ = conn.Write(ldaptest.Result(packet.Children[0].Value.(int64), ldap.ApplicationBindResponse, ldap.LDAPResultInvalidCredentials, strings.Repeat("x", 190)+own))
		}
	})
	config := openldapConfig(url, own)
	_, err := open(t, config).Probe(t.Context())
	if detail := wantCode(t, err, schemas.CodeBadCredentials); strings.Contains(detail, "xOwn-") {
		t.Errorf("a part of the password shows: %s", detail)
	}
}

// A name is written by whoever may write to the entry, who may be the one whom it names.
func TestAccountWithAMisleadingNameIsShownPlainlyAndReset(t *testing.T) {
	s := testserver.Slapd(t)
	dn := "cn=evil \u202egro.elpmaxe@mada\u202c,uid=jdoe," + s.PeopleDN
	add(t, s, dn, map[string][]string{"objectClass": {"inetOrgPerson"}, "sn": {"x"}, "uid": {"evil"}, "userPassword": {"Before-evil-1"}})
	set, err := connectors.NewSet([]connectors.System{{Name: "corp-ldap", Permitted: func() bool { return true }, Connector: open(t, configOf(s))}}, connectors.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id, err := set.Resolve(t.Context(), "corp-ldap", schemas.Account{Type: schemas.AccountUserName, Value: "evil"})
	if err != nil || schemas.CheckText(id.Name, 1<<10, false) != nil || !strings.Contains(id.Name, `evil \u202Egro`) {
		t.Errorf("the name is %q, %v", id.Name, err)
	}
	if _, err := set.Reset(t.Context(), "corp-ldap", id, schemas.ModeRandomize); err != nil {
		t.Error(err)
	}
	if got := login(t, s, dn, "Before-evil-1"); got != "refused" {
		t.Errorf("the old password is %s", got)
	}
}
