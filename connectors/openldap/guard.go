package openldap

import (
	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/schemas"
)

// maxCollisions is how often a change is begun anew because somebody else wrote to the entry at the same moment. After
// that the assertion is about the password alone, so that nobody can keep a reset away by writing to the entry all the time.
const maxCollisions = 3

// assertion gives the filter under which the change of an account may be made (RFC 4528). A request that was given up may
// still wait in a server or before it, and be carried out after the one that took its place. So the entry must be as it was
// read: by entryCSN, which every write changes; after too many collisions by what every reset changes.
func (a account) assertion(p policy, collisions int) string {
	all := is(attrID, a.id)
	known := p.state != policyMissing // without the overlay its attributes do not exist, and a filter with them matches nothing
	switch {
	case a.evidence.Marker != "" && (collisions < maxCollisions || !known):
		all += is(attrCSN, a.evidence.Marker)
	case known:
		all += onlyIf(a.evidence.MustChange, is(attrReset, "TRUE"))
		if a.changed == "" {
			all += onlyIf(false, "("+attrChanged+"=*)")
		} else {
			all += is(attrChanged, a.changed)
		}
	}
	return "(&" + all + ")"
}

// is gives the filter for one value. It is escaped (RFC 4515 §3).
func is(attribute, value string) string {
	return "(" + attribute + "=" + ldap.EscapeFilter(value) + ")"
}

// onlyIf gives the filter, or its opposite.
func onlyIf(match bool, filter string) string {
	if match {
		return filter
	}
	return "(!" + filter + ")"
}

// landed tells whether a reset was made between two readings: a password was set together with the flag. A user who sets
// a password leaves no flag, and must not escape the reset by being quick.
func landed(now, first schemas.Evidence) bool { return now.MustChange && passwordSet(now, first) }

// overtaken is the failure for an entry that changed under our hands. Whether the change was an earlier request of ours,
// whose answer came too late, is told by the evidence that was stored before that.
func overtaken(s *session, a account) *schemas.Failure {
	return schemas.Fail(schemas.CodeUnavailable, "changing %s at %s: the entry was changed by another request at the same moment; this one changed nothing, "+
		"and it is verified and made again", a.dn, s.Server.URL)
}
