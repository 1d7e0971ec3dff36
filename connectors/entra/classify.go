package entra

import (
	"context"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// Classify reads where the password lives, what the account may do, and the evidence.
func (t *tenant) Classify(ctx context.Context, id schemas.Identity) (schemas.Class, error) {
	u, f := t.byID(ctx, id.ID)
	if f != nil {
		return schemas.Class{}, f
	}
	origin, why, f := t.origin(ctx, u)
	if f != nil {
		return schemas.Class{}, f
	}
	class := schemas.Class{Origin: origin, Enabled: is(u.Enabled), Evidence: u.evidence()}
	if origin == schemas.OriginSynced && u.SID != "" {
		class.Source = &schemas.Account{Type: schemas.AccountSID, Value: u.SID}
	}
	p, f := t.privileges(ctx, u)
	if f != nil {
		return schemas.Class{}, f
	}
	if p.hidden && t.config.CheckRoles && !p.any() && !p.sync {
		// Entra protects administrators from most who reset passwords, but not from all that resetd may hold; and then the
		// rules for privileged accounts would not hold.
		return schemas.Class{}, schemas.Fail(schemas.CodePermissionMissing, "whether %s is an administrator cannot be read from Entra (%s): %s", u.UPN, t.env.System, grantSee)
	}
	if p.sync {
		class.Origin = schemas.OriginService
	}
	reasons := []string{why}
	if !class.Enabled {
		reasons = append(reasons, "accountEnabled is not true")
	}
	class.Privileged = p.any()
	if text := p.String(); text != "" {
		reasons = append(reasons, text)
	}
	class.Why = strings.Join(reasons, "; ")
	return class, nil
}

// origin tells where the password lives, and from what that was read. The order matters: a guest signs in at home whatever
// else is true, and the password of a synced user is made in the on-premises directory even if sign-ins go to a federation
// server, which asks that directory.
func (t *tenant) origin(ctx context.Context, u *user) (schemas.Origin, string, *schemas.Failure) {
	_, domain, _ := strings.Cut(u.UPN, "@")
	switch {
	case strings.Contains(strings.ToUpper(u.UPN), "#EXT#"):
		return schemas.OriginGuest, "the login name has #EXT#: a guest, who signs in at home", nil
	case is(u.Synced):
		return schemas.OriginSynced, "onPremisesSyncEnabled is true", nil
	case strings.EqualFold(u.Type, "Guest"):
		return schemas.OriginGuest, "userType is Guest; if its password is kept in this tenant all the same (an internal guest), reset it and end its sessions by hand", nil
	case is(u.Resource):
		return schemas.OriginService, "isResourceAccount is true", nil
	}
	kind, f := t.authentication(ctx, domain)
	switch {
	case f != nil:
		return "", "", f
	case kind == domainFederated:
		return schemas.OriginFederated, "the domain " + domain + " is federated: another identity provider has the password", nil
	case kind == domainUnknown:
		return schemas.OriginNative, "not synced and no guest; whether the domain " + domain + " is federated is not known, because Domain.Read.All is not granted", nil
	}
	return schemas.OriginNative, "not synced, no guest, and the domain " + domain + " is managed by Entra", nil
}
