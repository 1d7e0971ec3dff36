package ldap389

import (
	"context"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

const (
	maxTries      = 3 // passwords that are offered to a policy that rejects them
	maxCollisions = 3 // how often a change is begun anew because somebody else wrote at the same moment
)

// Reset marks the password as one that must be changed, and with randomize sets a random one before. It reads the entry back:
// an operation that succeeded proves nothing (see the README).
func (d *directory) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (got schemas.Receipt, err error) {
	if mode != schemas.ModeRandomize && mode != schemas.ModeExpire {
		return got, schemas.Fail(schemas.CodeUnsupported, "389 Directory Server has no recovery of its own; use randomize or expire")
	}
	err = d.pool.With(ctx, func(s *session) error {
		var f *schemas.Failure
		if got, f = d.force(ctx, s, id.ID, mode); f != nil {
			return f
		}
		return nil
	})
	return got, err
}

// force changes the account as it was read, and begins anew with a reading when somebody else wrote to it in between. It
// does not when that may have been a reset: an earlier request, given up for want of an answer, may have landed.
func (d *directory) force(ctx context.Context, s *session, id string, mode schemas.Mode) (schemas.Receipt, *schemas.Failure) {
	var before account
	for collisions := 0; ; collisions++ {
		a, p, f := d.examine(ctx, s, id, mode)
		switch {
		case f != nil:
			return schemas.Receipt{}, f
		case collisions > 0 && a.expires == before.expires && a.expires == "":
			return schemas.Receipt{}, schemas.Fail(schemas.CodePermissionMissing, "resetd's account may not read %s of %s, so it cannot tell what a reset would do; "+
				"nothing was changed; %s", attrExpires, a.dn, d.grantAt(a.dn, attrExpires, rightsRead))
		case collisions > maxCollisions, collisions > 0 && a.evidence.MustChange:
			return schemas.Receipt{}, schemas.Fail(schemas.CodeUnavailable, "changing %s at %s: the password was changed by another request at the same moment; "+
				"this one changed nothing, and it is verified and made again", a.dn, s.Server.URL)
		}
		before = a
		if f := awaitNextSecond(ctx, s, a); f != nil {
			return schemas.Receipt{}, f
		}
		made, sealed, moved, f := d.send(ctx, s, a, p, mode)
		switch {
		case f != nil:
			return schemas.Receipt{}, f
		case !moved:
			got, f := d.finish(ctx, s, a, p, made, mode)
			got.Sealed = sealed
			return got, f
		}
	}
}

// examine reads the account and its policy, and refuses what must not be changed.
func (d *directory) examine(ctx context.Context, s *session, id string, mode schemas.Mode) (a account, p policy, f *schemas.Failure) {
	if a, f = d.read(ctx, s, id); f != nil {
		return a, p, f
	}
	if p, f = d.policyOf(ctx, s, a.policy); f != nil {
		return a, p, f
	}
	switch {
	case d.ourselves(a):
		f = schemas.Fail(schemas.CodeProtected, "%s is the account that resetd signs in with; nothing was changed", a.dn)
	case mode == schemas.ModeExpire && p.state == policyLax:
		f = schemas.Fail(schemas.CodeUnenforced, "nothing was changed, because the mark alone would have no effect: %s", p.why)
	}
	return a, p, f
}

// send makes the first change: with expire the only one. Moved tells that the server has refused it because the account is not
// as it was read.
func (d *directory) send(ctx context.Context, s *session, a account, p policy, mode schemas.Mode) (made schemas.Secret, sealed string, moved bool, f *schemas.Failure) {
	for try := 1; ; try++ {
		changes := a.mark(mustChange)
		if mode == schemas.ModeRandomize {
			changes = a.mark(pending)
			made = connectors.NewPassword(p.min, 0)
			if sealed, f = d.env.Sealed(made); f != nil {
				return made, "", false, f
			}
			changes = append(changes, ldap.Change{Operation: ldap.ReplaceAttribute, Modification: ldap.PartialAttribute{Type: attrSecret, Vals: []string{made.Reveal()}}})
		}
		err := s.Modify(ctx, a.dn, changes, nil, made)
		code, _ := ldapconn.Answer(err)
		switch {
		case err == nil:
			return made, sealed, false, nil
		case a.collided(err):
			return made, "", true, nil
		case mode == schemas.ModeRandomize && code == ldap.LDAPResultConstraintViolation && !tooYoung(err) && try < maxTries:
			continue // the user's name may stand in one random password and not in the next
		}
		return made, "", false, d.refused(ctx, s, a, err)
	}
}

// mark gives the changes that put another time in the place of the one that was read. The server knows no assertions (RFC 4528), and a request that was
// given up may still wait in it or before it, and be carried out after the one that took its place. So the old value is
// named: of two requests that read the same value, the second finds it gone and changes nothing. Where the mark is there already
// the value stays the same, and there is no telling; Kind.Settle makes up for that.
func (a account) mark(next string) []ldap.Change {
	change := func(operation uint, value string) ldap.Change {
		return ldap.Change{Operation: operation, Modification: ldap.PartialAttribute{Type: attrExpires, Vals: []string{value}}}
	}
	if a.expires == "" {
		return []ldap.Change{change(ldap.AddAttribute, next)}
	}
	return []ldap.Change{change(ldap.DeleteAttribute, a.expires), change(ldap.AddAttribute, next)}
}

// collided tells whether a change was refused because passwordExpirationTime is not what was read: the value to be removed is
// gone (16), or one is there where there was none (20 for the same value, 65 for another, as the attribute has one at most).
func (a account) collided(err error) bool {
	if a.expires == "" {
		return ldap.IsErrorAnyOf(err, ldap.LDAPResultAttributeOrValueExists, ldap.LDAPResultObjectClassViolation)
	}
	return ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchAttribute)
}

// tooYoung tells whether the policy's passwordMinAge keeps a password from being set; the server says so in words only.
func tooYoung(err error) bool { return strings.Contains(err.Error(), "minimum age") }

// refused explains a change that was refused, or had no answer.
func (d *directory) refused(ctx context.Context, s *session, a account, err error) *schemas.Failure {
	f := s.Lost(ctx, "changing "+a.dn, err)
	switch code, _ := ldapconn.Answer(err); {
	case code == ldap.LDAPResultInsufficientAccessRights:
		f.Detail = "resetd's account may not change " + a.dn + " (" + ldapconn.Reason(err) + "); " + d.grantReset(a.dn)
	case code == ldap.LDAPResultConstraintViolation && tooYoung(err):
		f.Code = schemas.CodeConflict
		f.Detail += "; the policy's passwordMinAge binds resetd's account too; make it passwordAdminDN of that policy, or use expire"
	case code == ldap.LDAPResultConstraintViolation:
		f.Code = schemas.CodePasswordRejected
		f.Detail += "; compare the policy's passwordCheckSyntax and what belongs to it with a random password of 32 characters"
	}
	return f
}
