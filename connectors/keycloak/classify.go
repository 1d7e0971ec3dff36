package keycloak

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

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
	clients, f := r.managers(ctx)
	if f != nil {
		return "", f
	}
	for _, client := range clients {
		var roles []role
		if _, f := r.get(ctx, "reading the account's roles", mappings+"/clients/"+url.PathEscape(client.ID)+"/composite", nil, &roles); f != nil {
			return "", f
		}
		if len(roles) > 0 {
			return "the role " + roles[0].Name + " of " + client.Name, nil
		}
	}
	if len(clients) > 0 {
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
		for client, roles := range g.ClientRoles {
			if r.manages(client) && len(roles) > 0 {
				return "the role " + roles[0] + " of " + client + ", by the group " + g.Path, nil
			}
		}
		if i := slices.IndexFunc(g.RealmRoles, ruling); i >= 0 && r.config.Realm == "master" {
			return "the role " + g.RealmRoles[i] + ", by the group " + g.Path, nil
		}
	}
	return "", nil
}

// manages tells whether the roles of a client of the realm make an administrator. In the realm master there is one for each
// realm, called NAME-realm.
func (r *realm) manages(client string) bool {
	if r.config.Realm == "master" {
		return strings.HasSuffix(client, "-realm")
	}
	return client == "realm-management"
}

// seesRoles tells whether our token names a role by which the roles of accounts can be seen.
func (r *realm) seesRoles() bool {
	return r.rights().has("view-clients", "manage-clients", "realm-admin")
}

// manager is a client whose roles make administrators.
type manager struct {
	ID   string `json:"id"`
	Name string `json:"clientId"`
}

// managersFor is how long the list of them is believed: another realm brings another one.
const managersFor = time.Minute

// managers gives these clients, or none if we may not see them. A token that names no role at all may have been made short, so
// it is tried out then.
func (r *realm) managers(ctx context.Context) ([]manager, *schemas.Failure) {
	r.mu.Lock()
	known, fresh := r.rulers, time.Since(r.listed) < managersFor
	r.mu.Unlock()
	if fresh {
		return known, nil
	}
	var found []manager
	if r.seesRoles() || len(r.rights().roles) == 0 {
		search := url.Values{"clientId": {"realm-management"}}
		if r.config.Realm == "master" {
			search = url.Values{"clientId": {"-realm"}, "search": {"true"}}
		}
		_, f := r.get(ctx, "looking for the realm's administration roles", r.path+"/clients", search, &found)
		if f != nil && (f.Code != schemas.CodePermissionMissing || r.seesRoles()) {
			return nil, f
		}
	}
	found = slices.DeleteFunc(found, func(m manager) bool { return m.ID == "" || !r.manages(m.Name) })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rulers, r.listed = found, time.Now()
	return found, nil
}
