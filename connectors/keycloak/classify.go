package keycloak

import (
	"context"
	"net/url"
	"slices"

	"github.com/resetd/resetd/schemas"
)

// Classify reads what the account is, and when its password was set.
func (r *realm) Classify(ctx context.Context, id schemas.Identity) (schemas.Class, error) {
	a, f := r.account(ctx, id.ID)
	if f != nil {
		return schemas.Class{}, f
	}
	o, f := r.originOf(ctx, a)
	if f != nil {
		return schemas.Class{}, f
	}
	powers, f := r.powers(ctx, a.ID)
	if f != nil {
		return schemas.Class{}, f
	}
	class := schemas.Class{Origin: o.of, Source: o.source, Enabled: a.Enabled, Privileged: powers != "", Evidence: a.evidence, Why: o.why}
	if !a.Enabled {
		class.Why += "; disabled"
	}
	if powers != "" {
		class.Why += "; privileged: " + powers
	}
	return class, nil
}

// powers says by what an account may administer the realm, or "" if by nothing that can be seen. With the role view-clients
// all of its roles can be seen, however it came by them. Without it the roles of its groups are all that Keycloak shows.
func (r *realm) powers(ctx context.Context, id string) (string, *schemas.Failure) {
	mappings := r.at(id) + "/role-mappings"
	if r.config.Realm == "master" {
		var roles []role
		if _, f := r.get(ctx, "reading the account's roles", mappings+"/realm/composite", nil, &roles); f != nil {
			return "", f
		}
		for _, one := range roles {
			if ruling(one.Name) {
				return "the role " + one.Name, nil
			}
		}
	}
	client, f := r.managerID(ctx)
	if f != nil {
		return "", f
	}
	if client != "" {
		var roles []role
		if _, f := r.get(ctx, "reading the account's roles", mappings+"/clients/"+url.PathEscape(client)+"/composite", nil, &roles); f != nil {
			return "", f
		}
		if len(roles) > 0 {
			return "the role " + roles[0].Name + " of " + r.managerName(), nil
		}
		return "", nil
	}
	return r.groupPowers(ctx, id)
}

type role struct {
	Name string `json:"name"`
}

// ruling tells whether a realm role of master makes an administrator.
func ruling(role string) bool { return role == "admin" || role == "create-realm" }

// groupPowers looks at the groups that an account is a member of.
func (r *realm) groupPowers(ctx context.Context, id string) (string, *schemas.Failure) {
	var groups []struct {
		Path        string              `json:"path"`
		RealmRoles  []string            `json:"realmRoles"`
		ClientRoles map[string][]string `json:"clientRoles"`
	}
	if _, f := r.get(ctx, "reading the account's groups", r.at(id)+"/groups", url.Values{"briefRepresentation": {"false"}}, &groups); f != nil {
		return "", f
	}
	for _, g := range groups {
		if roles := g.ClientRoles[r.managerName()]; len(roles) > 0 {
			return "the role " + roles[0] + " of " + r.managerName() + ", by the group " + g.Path, nil
		}
		if i := slices.IndexFunc(g.RealmRoles, ruling); i >= 0 && r.config.Realm == "master" {
			return "the role " + g.RealmRoles[i] + ", by the group " + g.Path, nil
		}
	}
	return "", nil
}

// managerName is the client, in the realm itself, whose roles make an administrator of it.
func (r *realm) managerName() string {
	if r.config.Realm == "master" {
		return "master-realm"
	}
	return "realm-management"
}

// seesRoles tells whether our token names a role by which the roles of accounts can be seen.
func (r *realm) seesRoles() bool {
	return r.rights().has("view-clients", "manage-clients", "realm-admin")
}

// managerID gives the id of that client, or "" if we may not see it.
func (r *realm) managerID(ctx context.Context) (string, *schemas.Failure) {
	r.mu.Lock()
	known := r.manager
	r.mu.Unlock()
	if known != "" || !r.seesRoles() {
		return known, nil
	}
	var clients []struct {
		ID       string `json:"id"`
		ClientID string `json:"clientId"`
	}
	if _, f := r.get(ctx, "looking for the realm's administration roles", r.path+"/clients", url.Values{"clientId": {r.managerName()}}, &clients); f != nil {
		return "", f
	}
	for _, c := range clients {
		if c.ClientID == r.managerName() {
			known = c.ID
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.manager = known
	return known, nil
}
