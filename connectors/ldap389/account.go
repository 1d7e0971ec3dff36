package ldap389

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// The attributes that are read of an account. All but objectClass are operational and have to be named.
const (
	attrClass    = "objectClass"
	attrID       = "nsUniqueId"             // never changes
	attrModified = "modifyTimestamp"        // to the second
	attrNumber   = "entryusn"               // grows with every write, where the plug-in USN is on
	attrExpires  = "passwordExpirationTime" // mustChange: must be changed
	attrChanged  = "pwdUpdateTime"          // when the password was set, to the second, where passwordTrackUpdateTime is on
	attrReset    = "pwdReset"               // TRUE: the server itself took the last password for a reset
	attrLocked   = "nsAccountLock"
	attrPolicy   = "pwdPolicySubentry" // the account's own policy, or that of its subtree
	attrSecret   = "userPassword"
)

// mustChange is the time by which the server marks a password that has to be changed: the first second of the count. A password that
// does not expire has the next second.
const mustChange = "19700101000000Z"

// pending is the time that resetd writes together with a new password. The server answers before it has put its own time in the place of
// that, so whoever reads this one reads too early.
const pending = "19700101000002Z"

// account is an entry as it was read.
type account struct {
	dn       string
	id       string
	name     string
	classes  []string
	locked   bool
	policy   string
	expires  string // passwordExpirationTime as the server wrote it
	reset    bool
	modified time.Time
	evidence schemas.Evidence
}

// read reads the account with that id. It holds the user filter against it again: what an operator has taken out of
// reach since is out of reach.
func (d *directory) read(ctx context.Context, s *session, id string) (account, *schemas.Failure) {
	filter := "(&" + d.config.UserFilter + "(" + attrID + "=" + ldap.EscapeFilter(id) + "))"
	entries, err := s.Search(ctx, d.config.BaseDN, ldap.ScopeWholeSubtree, filter, 2, d.attributes()...)
	if err != nil {
		return account{}, s.Failure(ctx, "reading the account "+id, err)
	}
	if len(entries) != 1 {
		return account{}, schemas.Fail(schemas.CodeAccountNotFound, "%s has no account with the id %s any more", s.Server.URL, id)
	}
	return accountOf(entries[0], d.config.UIDAttribute), nil
}

// How long the server is given to put its own time in the place of pending. It takes milliseconds; a server that was killed
// in between never does.
const (
	pendingReads = 40
	pendingStep  = 50 * time.Millisecond
)

// settled is read, once the server has done all that belongs to the last change.
func (d *directory) settled(ctx context.Context, s *session, id string) (account, *schemas.Failure) {
	for range pendingReads {
		a, f := d.read(ctx, s, id)
		if f != nil || a.expires != pending {
			return a, f
		}
		select {
		case <-ctx.Done():
			return a, schemas.Fail(schemas.CodeTimedOut, "waiting for %s to finish the last change of %s", s.Server.URL, a.dn).Because(ctx.Err())
		case <-time.After(pendingStep):
		}
	}
	return d.read(ctx, s, id)
}

// attributes are those that are read of an account.
func (d *directory) attributes() []string {
	return []string{attrClass, d.config.UIDAttribute, attrID, attrModified, attrNumber, attrExpires, attrChanged, attrReset, attrLocked, attrPolicy}
}

// accountOf takes what a search showed. The server spells the names of attributes as they were asked for.
func accountOf(e *ldap.Entry, uid string) account {
	is := func(attribute string) bool { return strings.EqualFold(e.GetEqualFoldAttributeValue(attribute), "true") }
	modified := e.GetEqualFoldAttributeValue(attrModified)
	a := account{
		dn: e.DN, id: e.GetEqualFoldAttributeValue(attrID), name: e.GetEqualFoldAttributeValue(uid), classes: e.GetEqualFoldAttributeValues(attrClass),
		locked: is(attrLocked), policy: e.GetEqualFoldAttributeValue(attrPolicy), expires: e.GetEqualFoldAttributeValue(attrExpires),
		reset: is(attrReset), modified: generalizedTime(modified),
	}
	a.evidence = schemas.Evidence{PasswordChangedAt: generalizedTime(e.GetEqualFoldAttributeValue(attrChanged)), MustChange: a.expires == mustChange,
		Marker: strings.TrimSpace(modified + " " + e.GetEqualFoldAttributeValue(attrNumber))}
	if a.name == "" {
		a.name = a.dn
	}
	return a
}

// generalizedTime reads the form that the server writes (RFC 4517 §3.3.13, in UTC). The zero time stands for anything else.
func generalizedTime(text string) time.Time {
	t, err := time.Parse("20060102150405Z", text)
	if err != nil {
		return time.Time{}
	}
	return t
}

// ourselves tells whether the account is the one that resetd signs in with.
func (d *directory) ourselves(a account) bool {
	dn, err := ldap.ParseDN(a.dn)
	return err == nil && dn.EqualFold(d.bind)
}

// has tells whether the entry is of an object class. Directories compare without case.
func (a account) has(class string) bool {
	return slices.ContainsFunc(a.classes, func(c string) bool { return strings.EqualFold(c, class) })
}

// Classify reads what the account is. The server knows no privileged accounts; groups are a matter of the applications.
func (d *directory) Classify(ctx context.Context, id schemas.Identity) (class schemas.Class, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		a, f := d.read(ctx, s, id.ID)
		if f != nil {
			return f
		}
		class = d.classOf(a)
		return nil
	})
	return class, err
}

// serviceClasses mark entries that programs sign in with. The standard ones: RFC 4519 §3 and RFC 4524 §3.
var serviceClasses = []string{"applicationProcess", "applicationEntity", "device", "simpleSecurityObject"}

// classOf judges an entry.
func (d *directory) classOf(a account) schemas.Class {
	class := schemas.Class{Origin: schemas.OriginNative, Enabled: true, Evidence: a.evidence, Why: "an entry of the directory with its password in it"}
	switch {
	case d.ourselves(a):
		class.Origin, class.Why = schemas.OriginService, "resetd itself signs in with this account"
	case slices.ContainsFunc(serviceClasses, a.has):
		class.Origin, class.Why = schemas.OriginService, "its objectClass is one of programs, not people"
	case a.has(classKerberos):
		class.Why += "; it is a Kerberos principal too, and whether its key follows the password depends on the server's plug-ins"
	}
	if a.locked {
		class.Enabled = false
		class.Why += "; it was made inactive (nsAccountLock)"
	}
	return class
}

// classKerberos marks entries that are Kerberos principals as well, as all users of FreeIPA are.
const classKerberos = "krbPrincipalAux"

// serverTime gives the server's clock, to the second; the local one if the server does not show it.
func serverTime(ctx context.Context, s *session) (at time.Time, told bool, f *schemas.Failure) {
	entries, err := s.Search(ctx, "cn=monitor", ldap.ScopeBaseObject, "(objectClass=*)", 1, "currentTime")
	if _, answered := ldapconn.Answer(err); err != nil && !answered {
		return at, false, s.Failure(ctx, "reading the server's clock", err)
	}
	if len(entries) == 1 {
		at = generalizedTime(entries[0].GetEqualFoldAttributeValue("currentTime"))
	}
	if at.IsZero() {
		return time.Now().UTC().Truncate(time.Second), false, nil
	}
	return at, true, nil
}
