package entra

import (
	"context"
	"time"

	"github.com/resetd/resetd/schemas"
)

// Verify reads whether the account must change its password, and what has changed since.
func (t *tenant) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	u, f := t.byID(ctx, id.ID)
	if f != nil {
		return schemas.Proof{}, f
	}
	return judge(u, since), nil
}

// judge compares a reading with the evidence of an earlier one. A read of Graph may come from a copy that has not heard of
// a change yet. So only what is later than the evidence counts as a change, never what is merely different; and a state
// that a later reading may mend has no code.
func judge(u *user, since schemas.Evidence) schemas.Proof {
	now := u.evidence()
	proof := schemas.Proof{Evidence: now, Changed: now.PasswordChangedAt.After(since.PasswordChangedAt), State: schemas.ProofNotEnforced}
	newer := proof.Changed || now.MustChange && !since.MustChange || now.MustChange && moment(now).After(moment(since))
	switch {
	case u.Profile == nil && proof.Changed:
		proof.State = schemas.ProofUnknown
		proof.Detail = "the password was set since, but whether the user must change it cannot be read; grant User-PasswordProfile.ReadWrite.All"
	case u.Profile == nil:
		proof.State = schemas.ProofUnknown
		proof.Detail = "the password was not set since, and whether the user must change it cannot be read; grant User-PasswordProfile.ReadWrite.All"
	case !now.MustChange && proof.Changed:
		proof.Code = schemas.CodeConflict
		proof.Detail = "the password was set since, but no change of it is demanded: the user or an administrator has changed it in between"
	case !now.MustChange:
		proof.Detail = "no change of the password is demanded, and none has been made; Graph may show one with a delay"
	case !newer:
		proof.Detail = "a change of the password is demanded, but it was before, and nothing has happened since as far as Graph shows"
	case proof.Changed:
		proof.State, proof.Detail = schemas.ProofEnforced, "the password was set since (lastPasswordChangeDateTime), and the user must change it at the next sign-in"
	default:
		proof.State, proof.Detail = schemas.ProofEnforced, "the user must change the password at the next sign-in"
	}
	return proof
}

// moment gives the time that a marker holds; zero if it holds none.
func moment(e schemas.Evidence) time.Time {
	at, err := time.Parse(time.RFC3339Nano, e.Marker)
	if err != nil {
		return time.Time{}
	}
	return at
}
