package activedirectory

import (
	"context"
	"strconv"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// maxTries is how many passwords are offered to a policy that rejects them.
const maxTries = 3

// send makes the change. Moved tells that the domain controller has refused it because the account is not as it was read.
func (d *directory) send(ctx context.Context, s *session, a account, mode schemas.Mode) (sealed string, moved bool, f *schemas.Failure) {
	if mode == schemas.ModeRandomize {
		return d.randomize(ctx, s, a)
	}
	err := s.Modify(ctx, a.address(), d.demand(a), nil)
	if err == nil || d.collided(a, err) {
		return "", err != nil, nil
	}
	return "", false, d.refused(ctx, s, a, err)
}

// address names the entry by what never changes ([MS-ADTS] 3.1.1.3.1.2.4): a name may have passed to somebody else.
func (a account) address() string { return "<GUID=" + a.guid + ">" }

// demand gives the changes by which the password must be changed. A request that was given up may still wait in a server or before
// it, and be carried out after the one that took its place. So the old value is named: of two requests that read the same value,
// the second finds it gone and changes nothing. Where the value is 0 already, there is no telling; Kind.Settle makes up for that.
func (d *directory) demand(a account) []ldap.Change {
	change := func(operation uint, value string) ldap.Change {
		return ldap.Change{Operation: operation, Modification: ldap.PartialAttribute{Type: attrLastSet, Vals: []string{value}}}
	}
	if d.compare.off.Load() {
		return []ldap.Change{change(ldap.ReplaceAttribute, "0")}
	}
	return []ldap.Change{change(ldap.DeleteAttribute, a.lastSet), change(ldap.AddAttribute, "0")}
}

// collided tells whether a change was refused because pwdLastSet is not what was read. (20 is what a server says that applies the
// addition before the removal, and ERROR_INVALID_PARAMETER what one might say that takes no removal here at all: no Windows was asked.)
func (d *directory) collided(a account, err error) bool {
	code, _ := ldapconn.Answer(err)
	return !d.compare.off.Load() && (code == ldap.LDAPResultNoSuchAttribute || code == ldap.LDAPResultAttributeOrValueExists || windowsCode(err) == winInvalid)
}

// randomize sets a random password together with the demand.
func (d *directory) randomize(ctx context.Context, s *session, a account) (sealed string, moved bool, f *schemas.Failure) {
	least, f := d.leastLength(ctx, s, a)
	if f != nil {
		return "", false, f
	}
	for try := 1; ; try++ {
		made := connectors.NewPassword(least, 0)
		if sealed, f = d.env.Sealed(made); f != nil {
			return "", false, f
		}
		written := quoted(made.Reveal())
		changes := append([]ldap.Change{{Operation: ldap.ReplaceAttribute, Modification: ldap.PartialAttribute{Type: attrPassword, Vals: []string{written}}}}, d.demand(a)...)
		err := s.Modify(ctx, a.address(), changes, nil, made, schemas.NewSecret(written))
		switch {
		case err == nil:
			return sealed, false, nil
		case windowsCode(err) == winPasswordRejected && try < maxTries:
			continue // the user's name may stand in one random password and not in the next
		case windowsCode(err) != winPasswordRejected && d.collided(a, err):
			return "", true, nil
		}
		return "", false, d.refused(ctx, s, a, err)
	}
}

// refused explains a change that was refused, or had no answer.
func (d *directory) refused(ctx context.Context, s *session, a account, err error) *schemas.Failure {
	f := s.Lost(ctx, "changing "+a.dn, err)
	if f.Code == schemas.CodePermissionMissing && windowsCode(err) != winNotConfidential {
		f.Detail = "resetd's account may not reset " + a.dn + " (" + ldapconn.Reason(err) + "); " + d.grantReset(a.dn)
		if a.admin {
			f.Detail += "; adminCount is 1 there: the domain takes delegated rights away from members of protected groups every hour (AdminSDHolder)"
		}
	}
	return f
}

// leastLength gives the password length that the policy asks for: the account's own password settings object, if there is one and
// resetd may read it, or the domain's policy. What is hidden is no obstacle: 32 characters are enough for most.
func (d *directory) leastLength(ctx context.Context, s *session, a account) (int, *schemas.Failure) {
	at, attribute := s.Root.domain, "minPwdLength"
	if a.policy != "" {
		at, attribute = a.policy, "msDS-MinimumPasswordLength"
	}
	entries, err := s.Search(ctx, at, ldap.ScopeBaseObject, "(objectClass=*)", 1, attribute)
	if _, answered := ldapconn.Answer(err); err != nil && !answered {
		return 0, s.Failure(ctx, "reading the password policy "+at, err)
	}
	if len(entries) == 0 {
		return 0, nil
	}
	return int(number(entries[0].GetEqualFoldAttributeValue(attribute))), nil
}

// number reads a number, and what is none as zero.
func number(text string) uint32 {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0
	}
	return uint32(n)
}
