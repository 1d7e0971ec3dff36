package entra

import (
	"context"
	"fmt"

	"github.com/resetd/resetd/schemas"
)

// denied tells the two things apart that Graph says with one answer (403 Authorization_RequestDenied): that we lack a right,
// and that the account is protected from all who do not hold a higher role. What we are told of ourselves and of the
// account decides; nothing was changed in either case.
func (t *tenant) denied(ctx context.Context, u *user, refusal *schemas.Failure, r right) *schemas.Failure {
	h, f := t.ourselves(ctx)
	if f != nil {
		h = held{}
	}
	t.renew()
	p, f := t.privileges(ctx, u)
	if f != nil {
		p = privileges{restricted: is(u.Restricted), hidden: true}
	}
	fail := func(code schemas.Code, format string, args ...any) *schemas.Failure {
		return schemas.Fail(code, "%s: %s; nothing was changed", refusal.Detail, fmt.Sprintf(format, args...)).Because(refusal)
	}
	switch {
	case h.lacks(r):
		return fail(schemas.CodePermissionMissing, "resetd may not %s; %s", r.need, r.grant)
	case p.restricted:
		return fail(schemas.CodeProtected, "%s is in a restricted management administrative unit; give resetd's service principal "+
			"the role Password Administrator with that unit as its scope, or let a person with such a role do this one", u.UPN)
	case p.any() && (h.has(r) || !p.hidden):
		return fail(schemas.CodeProtected, "%s is an administrator to Entra (%s); %s", u.UPN, p, grantAdmins)
	case h.has(r) && !h.wide && len(h.limited) > 0:
		return fail(schemas.CodePermissionMissing, "resetd's role is limited to administrative units, and %s is in none of them; add the account there, or %s", u.UPN, r.grant)
	case h.has(r) && p.hidden:
		return fail(schemas.CodePermissionMissing, "resetd holds a right to %s, so the account may be protected: %s, which cannot be seen; "+
			"grant RoleManagement.Read.Directory and GroupMember.Read.All to know", r.need, grantAdmins)
	case h.has(r):
		return fail(schemas.CodePermissionMissing, "resetd holds a right to %s that does not suffice here; give its service principal the role Password Administrator too", r.need)
	}
	return fail(schemas.CodePermissionMissing, "resetd may not %s as far as can be seen; %s", r.need, r.grant)
}
