package openldap

import (
	"context"

	"github.com/go-ldap/ldap/v3"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/ldapconn"
	"github.com/resetd/resetd/schemas"
)

// maxTries is how many passwords are offered to a policy that rejects them.
const maxTries = 3

// Reset sets pwdReset, and with randomize a random password in the same operation, so that there is no moment with one
// and not the other. It reads the entry back: the modify operation alone proves nothing (see the README).
func (d *directory) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (got schemas.Receipt, err error) {
	if mode != schemas.ModeRandomize && mode != schemas.ModeExpire {
		return got, schemas.Fail(schemas.CodeUnsupported, "OpenLDAP has no recovery of its own; use randomize or expire")
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
	var first account
	for collisions := 0; ; collisions++ {
		a, p, f := d.examine(ctx, s, id, mode)
		if f != nil {
			return schemas.Receipt{}, f
		}
		if collisions == 0 {
			first = a
		} else if landed(a.evidence, first.evidence) || p.state == policyMissing || p.state == policyIdle { // without the overlay nothing tells a reset
			return schemas.Receipt{}, overtaken(s, a)
		}
		p, sealed, moved, f := d.send(ctx, s, a, p, mode, a.assertion(p, collisions))
		switch {
		case f != nil:
			return schemas.Receipt{}, f
		case !moved:
			got, f := d.readBack(ctx, s, a, p, mode)
			got.Sealed = sealed
			return got, f
		case collisions == maxCollisions:
			return schemas.Receipt{}, overtaken(s, a)
		}
	}
}

// examine reads the account and its policy, and refuses what must not be changed.
func (d *directory) examine(ctx context.Context, s *session, id string, mode schemas.Mode) (account, policy, *schemas.Failure) {
	a, f := d.read(ctx, s, id)
	if f != nil {
		return a, policy{}, f
	}
	p, f := d.holding(ctx, s, a)
	if f == nil {
		f = d.refuse(a, p, mode)
	}
	return a, p, f
}

// refuse stops what would do harm, or no good, before anything is changed.
func (d *directory) refuse(a account, p policy, mode schemas.Mode) *schemas.Failure {
	switch {
	case d.ourselves(a):
		return schemas.Fail(schemas.CodeProtected, "%s is the account that resetd signs in with; nothing was changed", a.dn)
	case mode == schemas.ModeExpire && p.void():
		return schemas.Fail(schemas.CodeUnenforced, "nothing was changed, because the flag alone would have no effect: %s", p.why)
	case mode == schemas.ModeExpire && p.overlay == overlayUnproved:
		return schemas.Fail(schemas.CodeUnenforced, "nothing was changed, because the flag alone may have no effect: %s", unproved)
	case mode == schemas.ModeRandomize && a.locked == lockedForever:
		// ppolicy drops the lock when the password is set, even if the same operation sets the lock again.
		return schemas.Fail(schemas.CodeConflict, "%s is locked by an administrator, and OpenLDAP would unlock it with a new password; "+
			"nothing was changed; the account cannot sign in as it is", a.dn)
	}
	return nil
}

// replace puts one value in the place of all that are there.
func replace(attribute, value string) ldap.Change {
	return ldap.Change{Operation: ldap.ReplaceAttribute, Modification: ldap.PartialAttribute{Type: attribute, Vals: []string{value}}}
}

// send makes the change. Moved tells that the server has refused it because the assertion did not hold.
//
// In the mode expire it sets the flag, also where it is set already: that is how the entry shows that somebody asked again.
func (d *directory) send(ctx context.Context, s *session, a account, p policy, mode schemas.Mode, assertion string) (_ policy, sealed string, moved bool, f *schemas.Failure) {
	if mode == schemas.ModeRandomize {
		return d.randomize(ctx, s, a, p, assertion)
	}
	err := modify(ctx, s, a.dn, assertion, "", replace(attrReset, "TRUE"))
	if err == nil || ldap.IsErrorWithCode(err, ldap.LDAPResultAssertionFailed) {
		return p, "", err != nil, nil
	}
	return p, "", false, d.refused(ctx, s, a, err)
}

// randomize replaces every value of userPassword. Without the overlay the attribute pwdReset does not exist; the password
// is replaced all the same, because that puts out whoever stole the old one. It gives the policy as it is known afterwards,
// and the password as it may be delivered.
func (d *directory) randomize(ctx context.Context, s *session, a account, p policy, assertion string) (_ policy, sealed string, moved bool, f *schemas.Failure) {
	for try := 1; ; try++ {
		made := connectors.NewPassword(p.min, p.max)
		sealed, f := d.env.Sealed(made)
		if f != nil {
			return p, "", false, f
		}
		password := made.Reveal()
		changes := []ldap.Change{replace(attrSecret, password)}
		if p.state != policyMissing {
			changes = append(changes, replace(attrReset, "TRUE"))
		}
		err := modify(ctx, s, a.dn, assertion, password, changes...)
		if err == nil {
			if p.state == policyUnknown {
				p = d.prove(ctx, s.Server, a, password, p)
			}
			return p, sealed, false, nil
		}
		code, _ := ldapconn.Answer(err)
		switch {
		case code == ldap.LDAPResultAssertionFailed:
			return p, "", true, nil
		case code == ldap.LDAPResultConstraintViolation && try < maxTries:
			continue // a module of the policy may dislike one random password and not the next
		}
		f = d.refused(ctx, s, a, err)
		if code == ldap.LDAPResultConstraintViolation {
			f.Code = schemas.CodePasswordRejected
			f.Detail += "; compare the policy's pwdMinLength, pwdMaxLength and pwdCheckModule with a random password of 32 characters"
		}
		return p, "", false, f
	}
}

// refused explains a change that was refused, or had no answer.
func (d *directory) refused(ctx context.Context, s *session, a account, err error) *schemas.Failure {
	f := s.Lost(ctx, "changing "+a.dn, err)
	if code, _ := ldapconn.Answer(err); code == ldap.LDAPResultInsufficientAccessRights {
		f.Detail = "resetd's account may not change " + a.dn + " (" + ldapconn.Reason(err) + "); " + d.grantWrite(a.dn, attrSecret) + "; " + d.grantWrite(a.dn, attrReset) +
			"; under a policy with pwdSafeModify TRUE it takes manage on userPassword"
	}
	return f
}

// readBack proves that the flag was stored and that the policy gives it an effect.
func (d *directory) readBack(ctx context.Context, s *session, before account, p policy, mode schemas.Mode) (schemas.Receipt, *schemas.Failure) {
	done := "pwdReset was set"
	if mode == schemas.ModeRandomize {
		done = "a random password was set, and no earlier one works any more"
	}
	after, f := d.read(ctx, s, before.id)
	if f != nil {
		// The change was made, so no code may say that it was not.
		f.Code, f.Detail = schemas.CodeTimedOut, done+", but it cannot be read back: "+f.Detail
		return schemas.Receipt{}, f
	}
	if why := d.shortfall(before, after, p, mode); why != "" {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnenforced, "%s, but the user need not change the password: %s", done, why)
	}
	if p.state == policyUnknown {
		return schemas.Receipt{Code: schemas.CodeOK, Detail: done + "; whether the server demands a change is not known: " + p.why}, nil
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: done + "; the user must change the password: " + p.why}, nil
}

// shortfall says why what was read back does not bind the user, and nothing if it does.
func (d *directory) shortfall(before, after account, p policy, mode schemas.Mode) string {
	hidden := "resetd's account may not read it; " + d.grantAt(after.dn, attrReset+","+attrChanged, "read")
	switch {
	case p.void():
		return p.why
	case !after.evidence.MustChange:
		return "pwdReset is not TRUE afterwards: somebody changed the password at the same moment, or " + hidden
	case mode == schemas.ModeRandomize && !passwordSet(after.evidence, before.evidence):
		return "the server did not note the new password in pwdChangedTime, so the ppolicy overlay is loaded but does not act on this database, or " + hidden
	}
	return ""
}
