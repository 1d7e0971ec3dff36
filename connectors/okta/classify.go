package okta

import (
	"context"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// Classify reads the account, and whether it administers Okta: whoever has any administrator's role, by group or not, is
// privileged. Where that cannot be read, nothing is said of the account, because the rules for privileged accounts would
// not hold; check_roles: false gives them up on purpose.
func (o *org) Classify(ctx context.Context, id schemas.Identity) (schemas.Class, error) {
	u, _, f := o.read(ctx, id.ID)
	if f != nil {
		return schemas.Class{}, f
	}
	origin, why, f := u.origin()
	if f != nil {
		return schemas.Class{}, f
	}
	s := u.standing()
	class := schemas.Class{Origin: origin, Enabled: s.enabled, Evidence: u.evidence(), Why: why + "; " + s.words}
	if origin == schemas.OriginSynced {
		class.Source = u.source(o.config.SourceAttribute)
	}
	if !o.config.CheckRoles {
		class.Why += "; whether it administers Okta is not looked at (check_roles)"
		return class, nil
	}
	roles, f := o.roles(ctx, u.ID)
	if f != nil {
		if f.Code == schemas.CodePermissionMissing {
			f.Detail = "whether the account administers Okta cannot be read: " + o.grantText(rightRoles) + "; or write check_roles: false"
		}
		return schemas.Class{}, f
	}
	if len(roles) > 0 {
		class.Privileged = true
		class.Why += "; it administers Okta (" + strings.Join(typesOf(roles), ", ") + ")"
	}
	return class, nil
}

// typesOf gives the types of roles, each once.
func typesOf(roles []role) (out []string) {
	seen := map[string]bool{}
	for _, r := range roles {
		if !seen[r.Type] {
			seen[r.Type] = true
			out = append(out, r.Type)
		}
	}
	return out
}
