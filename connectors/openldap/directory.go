package openldap

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// directory is the connector.
type directory struct {
	config Config
	env    connectors.Env
	base   *ldap.DN
	bind   *ldap.DN
	pool   *ldapconn.Pool[root]

	learned learned
}

// The attributes that are read of an account. All but the first three are operational and have to be named.
const (
	attrClass   = "objectClass"
	attrID      = "entryUUID"      // RFC 4530: never changes
	attrCSN     = "entryCSN"       // changes with every write to the entry
	attrChanged = "pwdChangedTime" // when the password was set, in the server's time, to the second
	attrReset   = "pwdReset"       // TRUE: must be changed
	attrLocked  = "pwdAccountLockedTime"
	attrPolicy  = "pwdPolicySubentry" // the account's own policy
	attrSecret  = "userPassword"
)

// lockedForever is the lock time by which an administrator locks an account (draft-behera-ldap-password-policy §5.3.3).
const lockedForever = "000001010000Z"

// account is an entry as it was read.
type account struct {
	dn       string
	id       string
	name     string
	classes  []string
	locked   string
	policy   string
	changed  string // pwdChangedTime as the server wrote it
	evidence schemas.Evidence
}

// read reads the account with that id. It holds the user filter against it again: what an operator has taken out of
// reach since is out of reach.
func (d *directory) read(ctx context.Context, s *session, id string) (account, *schemas.Failure) {
	filter := "(&" + d.config.UserFilter + "(" + attrID + "=" + ldap.EscapeFilter(id) + "))"
	entries, err := s.Search(ctx, d.config.BaseDN, ldap.ScopeWholeSubtree, filter, 2,
		attrClass, d.config.UIDAttribute, attrID, attrCSN, attrChanged, attrReset, attrLocked, attrPolicy)
	if err != nil {
		return account{}, s.Failure(ctx, "reading the account "+id, err)
	}
	if len(entries) != 1 {
		return account{}, schemas.Fail(schemas.CodeAccountNotFound, "%s has no account with the id %s any more", s.Server.URL, id)
	}
	return accountOf(entries[0], d.config.UIDAttribute), nil
}

// accountOf takes what a search showed. Servers may spell the names of attributes as they like.
func accountOf(e *ldap.Entry, uid string) account {
	a := account{
		dn: e.DN, id: e.GetEqualFoldAttributeValue(attrID), name: e.GetEqualFoldAttributeValue(uid),
		classes: e.GetEqualFoldAttributeValues(attrClass), locked: e.GetEqualFoldAttributeValue(attrLocked),
		policy:   e.GetEqualFoldAttributeValue(attrPolicy),
		evidence: schemas.Evidence{MustChange: e.GetEqualFoldAttributeValue(attrReset) == "TRUE", Marker: e.GetEqualFoldAttributeValue(attrCSN)},
	}
	a.changed = e.GetEqualFoldAttributeValue(attrChanged)
	a.evidence.PasswordChangedAt = generalizedTime(a.changed)
	if a.name == "" {
		a.name = a.dn
	}
	return a
}

// generalizedTime reads the form that slapd writes (RFC 4517 §3.3.13, in UTC, with or without a fraction). The zero time
// stands for anything else.
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

// Classify reads what the account is. OpenLDAP knows no privileged accounts; groups are a matter of the applications.
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

// isServiceClass compares without case, as directories do.
func isServiceClass(name string) bool {
	return slices.ContainsFunc(serviceClasses, func(c string) bool { return strings.EqualFold(c, name) })
}

// classOf judges an entry. A lock of an administrator disables an account; one after failed log-ins passes.
func (d *directory) classOf(a account) schemas.Class {
	class := schemas.Class{Origin: schemas.OriginNative, Enabled: true, Evidence: a.evidence, Why: "an entry of the directory with its password in it"}
	switch {
	case d.ourselves(a):
		class.Origin, class.Why = schemas.OriginService, "resetd itself signs in with this account"
	case slices.ContainsFunc(a.classes, isServiceClass):
		class.Origin, class.Why = schemas.OriginService, "its objectClass is one of programs, not people"
	}
	switch a.locked {
	case "":
	case lockedForever:
		class.Enabled = false
		class.Why += "; an administrator has locked it (pwdAccountLockedTime)"
	default:
		class.Why += "; locked after failed log-ins at " + ldapconn.Printable(a.locked)
	}
	return class
}

// Revoke says that there is nothing to end: LDAP has no sessions beyond the connection, and no way to end those of others.
func (d *directory) Revoke(context.Context, schemas.Identity) (schemas.Receipt, error) {
	return schemas.Receipt{Code: schemas.CodeUnsupported, Detail: "OpenLDAP cannot end sessions: connections that are signed in already go on, " +
		"and so do the sessions of the applications behind them"}, nil
}

// Close ends the connections.
func (d *directory) Close() error {
	d.pool.Close()
	return nil
}
