package openldap

import (
	"context"
	"strings"

	"github.com/go-ldap/ldap/v3"

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
	err = d.pool.with(ctx, func(s *session) error {
		a, f := d.read(ctx, s, id.ID)
		if f != nil {
			return f
		}
		p, f := d.policyOf(ctx, s, a.policy)
		if f != nil {
			return f
		}
		if f := d.refuse(a, p, mode); f != nil {
			return f
		}
		if mode == schemas.ModeExpire {
			f = d.expire(ctx, s, a)
		} else {
			p, f = d.randomize(ctx, s, a, p)
		}
		if f == nil {
			got, f = d.readBack(ctx, s, a, p, mode)
		}
		if f != nil {
			return f
		}
		return nil
	})
	return got, err
}

// refuse stops what would do harm, or no good, before anything is changed.
func (d *directory) refuse(a account, p policy, mode schemas.Mode) *schemas.Failure {
	switch {
	case d.ourselves(a):
		return schemas.Fail(schemas.CodeProtected, "%s is the account that resetd signs in with; nothing was changed", a.dn)
	case mode == schemas.ModeExpire && (p.state == policyMissing || p.state == policyLax):
		return schemas.Fail(schemas.CodeUnenforced, "nothing was changed, because the flag alone would have no effect: %s", p.why)
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

// expire sets the flag, also where it is set already: that is how the entry shows that somebody asked again.
func (d *directory) expire(ctx context.Context, s *session, a account) *schemas.Failure {
	if err := s.modify(ctx, a.dn, a.id, replace(attrReset, "TRUE")); err != nil {
		return d.refused(ctx, s, a, err)
	}
	return nil
}

// randomize replaces every value of userPassword. Without the overlay the attribute pwdReset does not exist; the password
// is replaced all the same, because that puts out whoever stole the old one. It gives the policy as it is known afterwards.
func (d *directory) randomize(ctx context.Context, s *session, a account, p policy) (policy, *schemas.Failure) {
	for try := 1; ; try++ {
		password := newPassword(p)
		changes := []ldap.Change{replace(attrSecret, password)}
		if p.state != policyMissing {
			changes = append(changes, replace(attrReset, "TRUE"))
		}
		err := s.modify(ctx, a.dn, a.id, changes...)
		if err == nil {
			if p.state == policyUnknown {
				p = d.prove(ctx, s.server, a, password, p)
			}
			return p, nil
		}
		// A module of the policy may dislike one random password and not the next.
		code, _ := answer(err)
		if code == ldap.LDAPResultConstraintViolation && try < maxTries {
			continue
		}
		f := d.refused(ctx, s, a, err)
		// A server may quote what it was sent.
		f.Detail = strings.ReplaceAll(f.Detail, password, schemas.Redacted)
		if code == ldap.LDAPResultConstraintViolation {
			f.Code = schemas.CodePasswordRejected
			f.Detail += "; compare the policy's pwdMinLength, pwdMaxLength and pwdCheckModule with a random password of 32 characters"
		}
		f.Cause = nil // go-ldap keeps the whole answer in it
		return p, f
	}
}

// refused explains a change that was refused, or had no answer.
func (d *directory) refused(ctx context.Context, s *session, a account, err error) *schemas.Failure {
	f := s.lost(ctx, "changing "+a.dn, err)
	if code, _ := answer(err); code == ldap.LDAPResultInsufficientAccessRights {
		f.Detail = "resetd's account may not change " + a.dn + " (" + reason(err) + "); grant: " + d.grantWrite(attrSecret) + "; " + d.grantWrite(attrReset) +
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
	if why := d.shortfall(after.evidence, p, mode); why != "" {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnenforced, "%s, but the user need not change the password: %s", done, why)
	}
	if p.state == policyUnknown {
		return schemas.Receipt{Code: schemas.CodeOK, Detail: done + "; whether the server demands a change is not known: " + p.why}, nil
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: done + "; the user must change the password: " + p.why}, nil
}

// shortfall says why what was read back does not bind the user, and nothing if it does.
func (d *directory) shortfall(after schemas.Evidence, p policy, mode schemas.Mode) string {
	hidden := "resetd's account may not read it; grant: " + d.grant(attrReset+","+attrChanged, "read")
	switch {
	case p.state == policyMissing || p.state == policyLax:
		return p.why
	case !after.MustChange:
		return "pwdReset is not TRUE afterwards: somebody changed the password at the same moment, or " + hidden
	case mode == schemas.ModeRandomize && after.PasswordChangedAt.IsZero():
		return "the server noted no pwdChangedTime, so the ppolicy overlay is loaded but not active on this database, or " + hidden
	}
	return ""
}
