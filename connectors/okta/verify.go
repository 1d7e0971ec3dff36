package okta

import (
	"context"
	"time"

	"github.com/resetd/resetd/schemas"
)

// Verify reads the account by its id, where Okta answers from its record and not from an index.
func (o *org) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	u, _, f := o.read(ctx, id.ID)
	if f != nil {
		return schemas.Proof{}, f
	}
	return u.judge(since), nil
}

// judge compares two readings. A state without a code may still become enforced; one with a code will not.
func (u user) judge(since schemas.Evidence) schemas.Proof {
	now := u.evidence()
	p := schemas.Proof{State: schemas.ProofNotEnforced, Evidence: now,
		Changed: !now.PasswordChangedAt.IsZero() && !now.PasswordChangedAt.Equal(since.PasswordChangedAt)}
	newer := p.Changed || now.Marker != since.Marker || now.MustChange != since.MustChange
	standing := u.standing()
	switch {
	case now.MustChange && newer:
		p.State, p.Detail = schemas.ProofEnforced, "the status is "+u.Status+" "+u.since()+": "+standing.words
	case now.MustChange:
		p.Detail = "the status is " + u.Status + ", but it was before, and Okta records no change since"
	case u.Status == statusLocked && newer:
		// The lock covers what is under it: an expired password shows only when the lock is gone.
		p.State, p.Detail = schemas.ProofUnknown, "the account is locked out after failed sign-ins, which hides whether its password must be changed; unlock it and look again"
	case standing.refuse != "":
		p.Code, p.Detail = schemas.CodeConflict, "the status is "+u.Status+": "+standing.words
	case p.Changed:
		p.Code, p.Detail = schemas.CodeConflict, "the password was set since, but the status is "+u.Status+": the user or an administrator has changed it in between"
	default:
		p.Detail = "the status is " + u.Status + ": nobody has to change the password"
	}
	return p
}

// since says when the status changed, by Okta's clock.
func (u user) since() string {
	if u.StatusChanged.IsZero() {
		return "now"
	}
	return "since " + u.StatusChanged.UTC().Format(time.RFC3339)
}
