package activedirectory

import (
	"context"
	"sync/atomic"

	"github.com/resetd/resetd/schemas"
)

// maxCollisions is how often a change is begun anew because somebody else wrote at the same moment.
const maxCollisions = 3

// compare notes whether domain controllers compare the pwdLastSet that is to be replaced with the one they have.
type compare struct{ off atomic.Bool }

// Reset sets pwdLastSet to 0, and with randomize a random password in the same operation, so that there is no moment with one and
// not the other. It reads the account back: the operation alone proves nothing (see the README).
func (d *directory) Reset(ctx context.Context, id schemas.Identity, mode schemas.Mode) (got schemas.Receipt, err error) {
	if mode != schemas.ModeRandomize && mode != schemas.ModeExpire {
		return got, schemas.Fail(schemas.CodeUnsupported, "Active Directory has no recovery of its own; use randomize or expire")
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

// force changes the account as it was read, and begins anew with a reading when somebody else wrote to it in between. It does
// not when that may have been a reset: an earlier request, given up for want of an answer, may have landed.
func (d *directory) force(ctx context.Context, s *session, id string, mode schemas.Mode) (schemas.Receipt, *schemas.Failure) {
	var before account
	for collisions := 0; ; collisions++ {
		a, f := d.examine(ctx, s, id, mode)
		switch {
		case f != nil:
			return schemas.Receipt{}, f
		case mode == schemas.ModeExpire && a.evidence.MustChange:
			return schemas.Receipt{Code: schemas.CodeAlreadyInForce, Detail: "the user had to change the password already (pwdLastSet is 0); nothing was changed"}, nil
		case collisions > 0 && a.lastSet == before.lastSet:
			// Refused although nothing has changed: this domain controller knows no such comparison.
			d.compare.off.Store(true)
		case collisions > 0 && a.evidence.MustChange && passwordSet(a.evidence, before.evidence), collisions > maxCollisions:
			return schemas.Receipt{}, schemas.Fail(schemas.CodeUnavailable, "changing %s at %s: the password was changed by another request at the same moment; "+
				"this one changed nothing, and it is verified and made again", a.dn, s.Server.URL)
		}
		before = a
		sealed, moved, f := d.send(ctx, s, a, mode)
		switch {
		case f != nil:
			return schemas.Receipt{}, f
		case !moved:
			got, f := d.readBack(ctx, s, a, mode)
			got.Sealed = sealed
			return got, f
		}
	}
}

// examine reads the account, and refuses what must not be changed.
func (d *directory) examine(ctx context.Context, s *session, id string, mode schemas.Mode) (account, *schemas.Failure) {
	a, f := d.read(ctx, s, id)
	if f != nil {
		return a, f
	}
	_, _, me, f := d.learn(ctx, s)
	if f == nil {
		f = d.refuse(a, me, mode)
	}
	return a, f
}

// refuse stops what would do harm, or no good, before anything is changed.
func (d *directory) refuse(a account, me self, mode schemas.Mode) *schemas.Failure {
	kind := a.service(me)
	switch {
	case !a.readable:
		return schemas.Fail(schemas.CodePermissionMissing, "resetd's account may not read userAccountControl and pwdLastSet of %s, so it could not tell whether the reset is enforced; "+
			"nothing was changed; grant: %s", a.dn, d.grantRead(a.dn))
	case kind != "" && !a.ourselves(me) && (a.has("computer") || a.control&uacTrusts != 0) && !a.critical:
		return schemas.Fail(schemas.CodeNotApplicable, "%s is %s: machines change such passwords by themselves, and a reset would cut them off; nothing was changed", a.dn, kind)
	case kind != "":
		return schemas.Fail(schemas.CodeProtected, "%s is not to be reset: %s; nothing was changed", a.dn, kind)
	case a.control&uacSmartCard != 0:
		return schemas.Fail(schemas.CodeConflict, "%s; nothing was changed; revoke the user's certificate, and clear and set that option to renew the stored secret", a.void())
	case mayNotChange(a.access):
		return schemas.Fail(schemas.CodeConflict, `"User cannot change password" is set on %s, so a demand for a change would lock the user out for good; nothing was changed; `+
			"clear it, or disable the account", a.dn)
	case mode == schemas.ModeExpire && a.void() != "":
		return schemas.Fail(schemas.CodeUnenforced, "nothing was changed, because the demand alone would have no effect: %s, or use randomize", a.void())
	}
	return nil
}

// readBack proves that the demand was stored and that it has an effect.
func (d *directory) readBack(ctx context.Context, s *session, before account, mode schemas.Mode) (schemas.Receipt, *schemas.Failure) {
	done := "the demand for a change was set"
	if mode == schemas.ModeRandomize {
		done = "a random password was set, and no earlier one works any more"
	}
	after, f := d.read(ctx, s, before.guid)
	if f != nil {
		// The change was made, so no code may say that it was not.
		f.Code, f.Detail = schemas.CodeTimedOut, done+", but it cannot be read back: "+f.Detail
		return schemas.Receipt{}, f
	}
	if why := after.shortfall(); why != "" {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnenforced, "%s, but the user need not change the password: %s", done, why)
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: done + "; the user must change the password at the next log-in"}, nil
}

// shortfall says why what was read back does not bind the user, and nothing if it does.
func (a account) shortfall() string {
	switch void := a.void(); {
	case void != "":
		return void
	case !a.evidence.MustChange:
		return "pwdLastSet is not 0 afterwards, or the domain controller does not act on it: somebody changed the password at the same moment"
	}
	return ""
}
