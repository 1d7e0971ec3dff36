package openldap

import (
	"context"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// Verify reads the flag, the policy that gives it its effect, and what has changed since.
func (d *directory) Verify(ctx context.Context, id schemas.Identity, since schemas.Evidence) (proof schemas.Proof, err error) {
	err = d.pool.With(ctx, func(s *session) error {
		a, f := d.read(ctx, s, id.ID)
		if f != nil {
			return f
		}
		p, f := d.holding(ctx, s, a)
		if f != nil {
			return f
		}
		proof = judge(a.evidence, since, p)
		return nil
	})
	return proof, err
}

// judge compares two readings under a policy. A state without a code may still become enforced, on a copy that has not
// heard of the change yet; one with a code will not.
func judge(now, since schemas.Evidence, p policy) schemas.Proof {
	proof := schemas.Proof{Evidence: now, Changed: passwordSet(now, since)}
	newer := proof.Changed || now.Marker != since.Marker || now.MustChange != since.MustChange
	switch {
	case p.void():
		proof.State, proof.Code, proof.Detail = schemas.ProofNotEnforced, schemas.CodeUnenforced, p.why
	case !now.MustChange && proof.Changed:
		proof.State, proof.Code = schemas.ProofNotEnforced, schemas.CodeConflict
		proof.Detail = "the password was set since, but pwdReset is not TRUE: the user or an administrator has changed it in between"
	case !now.MustChange:
		proof.State, proof.Detail = schemas.ProofNotEnforced, "pwdReset is not TRUE"
	case !newer:
		proof.State, proof.Detail = schemas.ProofNotEnforced, "pwdReset is TRUE, but it was before, and the entry has not been written since"
	case !proof.Changed && p.overlay == overlayUnproved:
		proof.State, proof.Code, proof.Detail = schemas.ProofNotEnforced, schemas.CodeUnenforced, "pwdReset is TRUE, but "+unproved
	case p.state == policyUnknown:
		proof.State, proof.Detail = schemas.ProofUnknown, "pwdReset is TRUE, but whether the server obeys it is not known: "+p.why
	default:
		proof.State, proof.Detail = schemas.ProofEnforced, "pwdReset is TRUE, and "+p.why
	}
	return proof
}

// passwordSet tells whether the password was set between two readings. pwdChangedTime has seconds only: a second set
// within the same second shows in entryCSN, which has microseconds. entryCSN changes with any write, so it counts only
// when it lies in the very second of pwdChangedTime.
func passwordSet(now, since schemas.Evidence) bool {
	if now.PasswordChangedAt.IsZero() {
		return false
	}
	if !now.PasswordChangedAt.Equal(since.PasswordChangedAt) {
		return true
	}
	stamp, _, _ := strings.Cut(now.Marker, "#")
	return now.Marker != since.Marker && generalizedTime(stamp).Truncate(time.Second).Equal(now.PasswordChangedAt.Truncate(time.Second))
}
