package googleworkspace

import (
	"context"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// Verify reads the demand, who signs in, and what is known to have happened since.
func (w *workspace) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	u, f := w.read(ctx, id.ID)
	if f != nil {
		return schemas.Proof{}, f
	}
	origin, why, f := w.origin(ctx, u)
	if f != nil {
		return schemas.Proof{}, f
	}
	now := w.evidence(u)
	demanded, set := w.memory.since(u.ID, since)
	marked := markMoved(now, since)
	proof := schemas.Proof{Evidence: now, Changed: set || marked}
	switch {
	case origin != schemas.OriginNative:
		proof.State, proof.Code = schemas.ProofNotEnforced, schemas.CodeUnenforced
		proof.Detail = why + ", where a demand of Google's does not apply"
	case !now.MustChange && marked:
		proof.State, proof.Code = schemas.ProofNotEnforced, schemas.CodeConflict
		proof.Detail = "the password was set since, but changePasswordAtNextLogin is false: the user or an administrator has changed it in between, or Google did not take the demand"
	case !now.MustChange && demanded:
		// No code: a reading may be older than what Google has acknowledged.
		proof.State, proof.Detail = schemas.ProofNotEnforced, "Google took the demand, but changePasswordAtNextLogin is false: it is not visible yet, or the password was changed in between"
	case !now.MustChange:
		proof.State, proof.Detail = schemas.ProofNotEnforced, "changePasswordAtNextLogin is false"
	case proof.Changed || demanded:
		proof.State, proof.Detail = schemas.ProofEnforced, "changePasswordAtNextLogin is true, and "+how(marked)
	case !since.MustChange:
		proof.State, proof.Detail = schemas.ProofEnforced, "changePasswordAtNextLogin is true and was not before"+w.unproved()
	default:
		proof.State, proof.Detail = schemas.ProofUnknown, "changePasswordAtNextLogin is true, but it was before, and Google keeps no record of when it was demanded"+w.unproved()
	}
	return proof, nil
}

// markMoved tells whether a reset has left another mark since. Evidence from before proof_attribute was set tells nothing.
func markMoved(now, since schemas.Evidence) bool {
	return strings.HasPrefix(since.Marker, markPrefix) && strings.HasPrefix(now.Marker, markPrefix) &&
		now.Marker != markPrefix && now.Marker != since.Marker
}

func how(marked bool) string {
	if marked {
		return "the proof attribute holds the mark of a newer reset"
	}
	return "Google acknowledged the reset"
}

// unproved says what cannot be told of a password whose setting Google has not acknowledged to this process.
func (w *workspace) unproved() string {
	if w.config.ProofAttribute != "" {
		return ""
	}
	return "; whether a password was set cannot be told, because Google keeps no record of that; proof_attribute in the settings of the system " + w.env.System + " would tell"
}
