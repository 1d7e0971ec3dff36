package keycloak

import (
	"context"

	"github.com/resetd/resetd/schemas"
)

// Verify reads the required actions, whether the realm acts on them, and when the password was set.
func (r *realm) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	a, f := r.account(ctx, id.ID)
	if f != nil {
		return schemas.Proof{}, f
	}
	demands, f := r.demandsChange(ctx)
	if f != nil {
		return schemas.Proof{}, f
	}
	proof := judge(a.evidence, since)
	if !demands {
		proof.State, proof.Code, proof.Detail = schemas.ProofNotEnforced, schemas.CodeUnenforced, r.turnedOff()
	}
	return proof, nil
}

// judge compares two readings.
func judge(now, since schemas.Evidence) schemas.Proof {
	// The marker is the credential and the millisecond in which it was set, or when the entry in a directory was written.
	proof := schemas.Proof{Evidence: now, Changed: now.Marker != "" && now.Marker != since.Marker}
	switch {
	case !now.MustChange && proof.Changed:
		proof.State, proof.Code = schemas.ProofNotEnforced, schemas.CodeConflict
		proof.Detail = "the password was set since, but UPDATE_PASSWORD is not among the required actions: the user or an administrator has changed it in between"
	case !now.MustChange:
		proof.State, proof.Detail = schemas.ProofNotEnforced, "UPDATE_PASSWORD is not among the required actions"
	case !proof.Changed && since.MustChange:
		proof.State, proof.Detail = schemas.ProofNotEnforced, "UPDATE_PASSWORD is among the required actions, but it was before, and no password was set since"
	default:
		proof.State, proof.Detail = schemas.ProofEnforced, "UPDATE_PASSWORD is among the required actions, and the realm acts on it"
	}
	return proof
}
