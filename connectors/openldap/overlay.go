package openldap

import (
	"context"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// overlay tells whether the ppolicy overlay acts on the database that an account is in. The server announces the control
// and knows pwdReset as soon as the module is loaded, wherever the overlay then is, so neither proves anything.
type overlay int

const (
	overlayUnproved overlay = iota // nothing shows it
	overlayHinted                  // the entry has an attribute that the overlay writes or reads; it may be from earlier
	overlayIdle                    // the database answered in its place
	overlayActs                    // it answered itself
)

// oneValueOnly is what the overlay says of two passwords in one request, in the words of slapo-ppolicy 2.4 and later.
const oneValueOnly = "only allows one password value"

// never matches no entry: nobody has an entryUUID of nothing but zeros (RFC 4122 §4.1.7).
const never = "(" + attrID + "=00000000-0000-0000-0000-000000000000)"

// overlayOf asks for a change that cannot be made: two passwords for one account, under an assertion that does not hold,
// together with the removal of a value that is not there. Where the overlay acts, it refuses the two passwords (19)
// before the database sees the request; elsewhere the database refuses the assertion (122). Each of the last two keeps
// the request from being carried out by itself. A server without assertions is not asked; then the entry itself has to
// show the overlay.
func (d *directory) overlayOf(ctx context.Context, s *session, a account) (overlay, *schemas.Failure) {
	hint := overlayUnproved
	if a.changed != "" || a.policy != "" {
		hint = overlayHinted
	}
	if !s.Root.asserts {
		return hint, nil
	}
	one, two, three := connectors.NewPassword(0, 0).Reveal(), connectors.NewPassword(0, 0).Reveal(), connectors.NewPassword(0, 0).Reveal()
	err := modify(ctx, s, a.dn, never, "",
		ldap.Change{Operation: ldap.DeleteAttribute, Modification: ldap.PartialAttribute{Type: attrSecret, Vals: []string{one}}},
		ldap.Change{Operation: ldap.AddAttribute, Modification: ldap.PartialAttribute{Type: attrSecret, Vals: []string{two, three}}})
	switch code, answered := ldapconn.Answer(err); {
	case err == nil:
		return hint, schemas.Fail(schemas.CodeUnexpected, "%s says that it changed %s under an assertion that does not hold (RFC 4528); "+
			"see what stands between resetd and the server", s.Server.URL, a.dn)
	case !answered:
		return hint, s.Failure(ctx, "asking whether the ppolicy overlay acts on "+a.dn, err)
	case code == ldap.LDAPResultConstraintViolation && strings.Contains(err.Error(), oneValueOnly):
		return overlayActs, nil
	case code == ldap.LDAPResultAssertionFailed:
		return overlayIdle, nil
	}
	return hint, nil
}

// holding gives the policy as it holds for the account: one that the server would obey is worth nothing on a database
// where the overlay does not act.
func (d *directory) holding(ctx context.Context, s *session, a account) (policy, *schemas.Failure) {
	p, f := d.policyOf(ctx, s, a.policy)
	if f != nil || p.state == policyMissing {
		return p, f
	}
	if p.overlay, f = d.overlayOf(ctx, s, a); f != nil {
		return p, f
	}
	if p.overlay == overlayIdle {
		p.state, p.why = policyIdle, idle(s, a)
	}
	return p, nil
}

// idle says that the overlay is elsewhere, and what to do.
func idle(s *session, a account) string {
	return "the ppolicy module is loaded on " + s.Server.URL + ", but its overlay does not act on the database of " + a.dn +
		", so no password policy holds there; add olcOverlay=ppolicy to that database"
}

// unproved says that nothing shows the overlay, and what would.
const unproved = "it cannot be proved that the ppolicy overlay acts on the account's database: the entry has neither pwdChangedTime nor " +
	"pwdPolicySubentry, or resetd's account may not read them; use randomize, or set pwdPolicySubentry on the account"
