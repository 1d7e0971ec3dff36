package cognito

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/resetd/resetd/schemas"
)

// Verify reads the status and compares it with the evidence.
func (p *pool) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (schemas.Proof, error) {
	u, f := p.bySub(ctx, id.ID)
	if f != nil {
		return schemas.Proof{}, f
	}
	return judge(u, since), nil
}

// judge compares two readings. The status tells most of it: FORCE_CHANGE_PASSWORD comes with a password that an
// administrator sets and with nothing else, and RESET_REQUIRED ends with a new password.
func judge(u user, since schemas.Evidence) schemas.Proof {
	proof := schemas.Proof{Evidence: u.evidence(), State: schemas.ProofNotEnforced}
	now, before := markerOf(proof.Evidence.Marker), markerOf(since.Marker)
	moved := now.modified != before.modified
	switch u.status {
	case types.UserStatusTypeForceChangePassword:
		switch {
		case before.status == "":
			proof.State, proof.Detail = schemas.ProofUnknown, "the status is FORCE_CHANGE_PASSWORD, and since when is not known"
		case before.status != now.status, moved && now.seen == before.seen:
			proof.State, proof.Changed, proof.Detail = schemas.ProofEnforced, true, "a temporary password is set (FORCE_CHANGE_PASSWORD)"
		case moved:
			proof.State = schemas.ProofUnknown
			proof.Detail = "the status was FORCE_CHANGE_PASSWORD before, and the user was changed since, but not only by a password; Cognito does not tell whether one was set"
		default:
			proof.Detail = "the status is FORCE_CHANGE_PASSWORD, but it was before, and the user was not changed since"
		}
	case types.UserStatusTypeResetRequired:
		// The password before it works no more, whoever asked for that and when.
		proof.State, proof.Detail = schemas.ProofEnforced, "the password must be recovered before the next sign-in (RESET_REQUIRED)"
	default:
		proof.Detail = "the status is " + string(u.status)
		if since.MustChange {
			proof.Changed, proof.Code = true, schemas.CodeConflict
			proof.Detail += ": a password was chosen in between, by the user or an administrator"
		}
	}
	return proof
}
