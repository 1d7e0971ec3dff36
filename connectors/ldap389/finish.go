package ldap389

import (
	"context"
	"time"

	"github.com/resetd/resetd/schemas"
)

// finish reads back what the first change did, and makes the second if there has to be one. The server itself marks a password
// that was set by a password administrator, and only under a policy with passwordMustChange on. From everybody else it takes the
// new password for an ordinary one, and puts its own time in the place of any that came in the same request; the mark has to
// follow then.
func (d *directory) finish(ctx context.Context, s *session, before account, p policy, made schemas.Secret, mode schemas.Mode) (schemas.Receipt, *schemas.Failure) {
	done := "the password was marked"
	if mode == schemas.ModeRandomize {
		done = "a random password was set, and no earlier one works any more"
	}
	after, f := d.settled(ctx, s, before.id)
	if f != nil {
		return schemas.Receipt{}, halfway(done, f)
	}
	byServer := after.evidence.MustChange && after.reset
	if mode == schemas.ModeRandomize && !byServer && p.state != policyLax {
		if !after.evidence.MustChange {
			if err := s.Modify(ctx, after.dn, after.mark(mustChange), nil); err != nil {
				return schemas.Receipt{}, halfway(done, s.Lost(ctx, "marking it as one that must be changed", err))
			}
			if after, f = d.read(ctx, s, before.id); f != nil {
				return schemas.Receipt{}, halfway(done, f)
			}
		}
		if p.state == policyUnknown {
			p = d.prove(ctx, s.Server, after, made, p)
		}
	}
	if byServer && mode == schemas.ModeRandomize && p.state == policyUnknown {
		p = d.learn(p, policyStrict)
	}
	if why := d.shortfall(before, after, p, mode); why != "" {
		return schemas.Receipt{}, schemas.Fail(schemas.CodeUnenforced, "%s, but the user need not change the password: %s", done, why)
	}
	if p.state == policyUnknown {
		return schemas.Receipt{Code: schemas.CodeOK, Detail: done + "; whether the server demands a change is not known: " + p.why}, nil
	}
	return schemas.Receipt{Code: schemas.CodeOK, Detail: done + "; the user must change the password: " + p.why}, nil
}

// halfway is the failure for an account that was changed, so no code may say that it was not.
func halfway(done string, f *schemas.Failure) *schemas.Failure {
	f.Code, f.Detail = schemas.CodeTimedOut, done+", but the rest is not known: "+f.Detail
	return f
}

// shortfall says why what was read back does not bind the user, and nothing if it does.
func (d *directory) shortfall(before, after account, p policy, mode schemas.Mode) string {
	hidden := "resetd's account may not read it; " + d.grantAt(after.dn, attrExpires+" || "+attrChanged, rightsRead)
	switch {
	case p.state == policyLax:
		return p.why
	case !after.evidence.MustChange:
		return attrExpires + " is not " + mustChange + " afterwards: somebody changed the password at the same moment, or " + hidden
	case mode == schemas.ModeRandomize && !p.untimed && p.state == policyStrict && !passwordSet(after, before.evidence, p):
		return "the server did not note the new password in " + attrChanged + ", so somebody may have undone it, or " + hidden
	}
	return ""
}

// awaitNextSecond waits until the server's clock shows a later second than the account's stamps, which have seconds only: a
// change within the same second could not be told from the one before. Accounts that nobody has just changed are not waited for.
func awaitNextSecond(ctx context.Context, s *session, a account) *schemas.Failure {
	stamp := a.modified
	if a.evidence.PasswordChangedAt.After(stamp) {
		stamp = a.evidence.PasswordChangedAt
	}
	// A clock that was set back shows earlier times for long; that is not waited for either.
	for range maxWaits {
		now, _, f := serverTime(ctx, s)
		if f != nil {
			return f
		}
		if now.After(stamp) {
			return nil
		}
		select {
		case <-ctx.Done():
			return schemas.Fail(schemas.CodeTimedOut, "waiting for the next second at %s, because %s was changed in this one; nothing was sent", s.Server.URL, a.dn).Because(ctx.Err())
		case <-time.After(waitStep):
		}
	}
	return nil
}

const (
	maxWaits = 15
	waitStep = 100 * time.Millisecond
)
