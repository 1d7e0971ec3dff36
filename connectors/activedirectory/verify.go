package activedirectory

import (
	"context"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// Verify reads whether the domain controller demands a change, and what has changed since.
func (d *directory) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (proof schemas.Proof, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		a, f := d.read(ctx, s, id.ID)
		if f != nil {
			return f
		}
		proof = judge(a, since)
		return nil
	})
	return proof, err
}

// judge compares two readings. A state without a code may still become enforced, on a domain controller that has not heard of
// the change yet; one with a code will not.
//
// A demand that was there before counts as enforced: Active Directory does not note that it was made again.
func judge(a account, since schemas.Evidence) schemas.Proof {
	now := a.evidence
	proof := schemas.Proof{State: schemas.ProofNotEnforced, Evidence: now, Changed: passwordSet(now, since)}
	switch {
	case !a.readable:
		proof.State = schemas.ProofUnknown
		proof.Detail = "userAccountControl and pwdLastSet are hidden from resetd's account; grant it Read on the account"
	case a.void() != "":
		proof.Code, proof.Detail = schemas.CodeUnenforced, a.void()
	case !now.MustChange && proof.Changed:
		proof.Code = schemas.CodeConflict
		proof.Detail = "the password was set since, but no change is demanded: the user or an administrator has changed it in between"
	case !now.MustChange:
		proof.Detail = "no change of the password is demanded (pwdLastSet is not 0)"
	case since.MustChange && !proof.Changed:
		proof.State, proof.Detail = schemas.ProofEnforced, "pwdLastSet is 0 and the domain controller demands a change, as it did before"
	default:
		proof.State, proof.Detail = schemas.ProofEnforced, "pwdLastSet is 0, and the domain controller demands a change"
	}
	return proof
}

// passwordSet tells whether the password was set between two readings. Without the stamps of replication it is known only of a
// set that demands no change; what only one of two readings shows proves nothing.
func passwordSet(now, since schemas.Evidence) bool {
	hidden, were := strings.HasPrefix(now.Marker, markHidden), strings.HasPrefix(since.Marker, markHidden)
	switch {
	case hidden != were && since.Marker != "":
		return false // a mark of one kind says nothing of one of the other
	case hidden:
		_, was, _ := cutLast(since.Marker, " ")
		_, is, _ := cutLast(now.Marker, " ")
		return is != was && is != "0"
	}
	was, _, _ := strings.Cut(since.Marker, " ")
	is, _, _ := strings.Cut(now.Marker, " ")
	return is != was && is != "none"
}
