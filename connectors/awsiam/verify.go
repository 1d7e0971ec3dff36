package awsiam

import (
	"context"

	"github.com/resetd/resetd/schemas"
)

// Verify reads the flag and resetd's own record beside it, and compares them with those from before.
func (a *account) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	u, f := a.read(ctx, id)
	if f != nil {
		return schemas.Proof{}, f
	}
	return judge(u.evidence(), since, u.profile != nil), nil
}

// judge compares two readings. A password counts as set only where that is proved: AWS had answered so, or the flag, which
// was off right before resetd sent it together with a password, is on; or the password was removed and made anew. What may
// have been is not taken for done: a reset that is made a second time does no harm.
func judge(now, since schemas.Evidence, profile bool) schemas.Proof {
	proof := schemas.Proof{Evidence: now, State: schemas.ProofNotEnforced}
	moved := now.Marker != since.Marker
	stage := stageOf(now.Marker)
	reborn := bornOf(now.Marker) != bornOf(since.Marker) && since.Marker != ""
	proof.Changed = profile && (reborn || moved && (stage == stageSet || stage == stageSent && now.MustChange && !since.MustChange))
	switch {
	case !profile:
		proof.Code, proof.Detail = schemas.CodeNotApplicable, "the user has no console password (any more)"
	case !now.MustChange && proof.Changed:
		proof.Code = schemas.CodeConflict
		proof.Detail = "the password was set since, but PasswordResetRequired is false: the user or an administrator has changed it in between"
	case !now.MustChange:
		proof.Detail = "PasswordResetRequired is false"
	case proof.Changed:
		proof.State, proof.Detail = schemas.ProofEnforced, "a new password is set, and PasswordResetRequired is true"
	case !since.MustChange, moved && stage == stageFlag:
		proof.State, proof.Detail = schemas.ProofEnforced, "PasswordResetRequired is true"
	case !moved:
		proof.Detail = "PasswordResetRequired is true, but it was before, and no reset was noted since"
	default:
		proof.State = schemas.ProofUnknown
		proof.Detail = "PasswordResetRequired is true, but it was before, and AWS does not tell whether the password that was sent has arrived"
	}
	return proof
}
