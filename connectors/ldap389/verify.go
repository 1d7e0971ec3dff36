package ldap389

import (
	"context"

	"github.com/resetd/resetd/schemas"
)

// Verify reads the mark, the policy that gives it its effect, and what has changed since.
func (d *directory) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (proof schemas.Proof, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		a, f := d.settled(ctx, s, id.ID)
		if f != nil {
			return f
		}
		p, f := d.policyOf(ctx, s, a.policy)
		if f != nil {
			return f
		}
		proof = judge(a, since, p)
		return nil
	})
	return proof, err
}

// judge compares two readings under a policy. A state without a code may still become enforced, on a copy that has not
// heard of the change yet, or by the next attempt; one with a code will not.
func judge(a account, since schemas.Evidence, p policy) schemas.Proof {
	now := a.evidence
	proof := schemas.Proof{State: schemas.ProofNotEnforced, Evidence: now, Changed: passwordSet(a, since, p)}
	newer := proof.Changed || now.Marker != since.Marker || now.MustChange != since.MustChange
	switch {
	case p.state == policyLax:
		proof.Code, proof.Detail = schemas.CodeUnenforced, p.why
	case !now.MustChange && proof.Changed:
		// No conflict: it may be the first half of a reset whose second never arrived.
		proof.Detail = "the password was set since, but it is not marked as one that must be changed (" + attrExpires + "): " +
			"a reset ended halfway, or the user or an administrator has changed it in between"
	case !now.MustChange:
		proof.Detail = "the password is not marked as one that must be changed (" + attrExpires + ")"
	case !newer:
		proof.Detail = "the password is marked as one that must be changed, but it was before, and the entry has not been written since"
	case p.state == policyUnknown && !a.reset:
		proof.State, proof.Detail = schemas.ProofUnknown, "the password is marked as one that must be changed, but whether the server obeys that is not known: "+p.why
	case p.state == policyUnknown: // the server sets pwdReset of its own, and under passwordMustChange only
		proof.State, proof.Detail = schemas.ProofEnforced, "the server took the password for a reset ("+attrReset+" is TRUE) and demands a change"
	default:
		proof.State, proof.Detail = schemas.ProofEnforced, "the password is marked as one that must be changed, and "+p.why
	}
	return proof
}

// passwordSet tells whether the password was set between two readings. pwdUpdateTime has seconds only, and our own changes never
// share one with an earlier change (see awaitNextSecond). Where the server notes no time, only its own mark of a reset tells.
func passwordSet(a account, since schemas.Evidence, p policy) bool {
	now := a.evidence
	if !now.PasswordChangedAt.Equal(since.PasswordChangedAt) {
		return !now.PasswordChangedAt.IsZero()
	}
	return p.untimed && a.reset && now.MustChange && !since.MustChange && now.Marker != since.Marker
}
