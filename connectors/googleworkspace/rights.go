package googleworkspace

import (
	"context"
	"net/http"
	"net/url"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// need is a privilege by Google's name and by the one in the console
// (https://developers.google.com/workspace/admin/directory/v1/guides/manage-roles).
type need struct{ privilege, console, why string }

// needs are the privileges that the settings take.
func (w *workspace) needs() []need {
	all := []need{
		{"USERS_RETRIEVE", "Users > Read", "without which no account is found"},
		{"USER_SECURITY_ALL", "Security > User security management", "without which no session is ended"},
	}
	if w.config.ThirdPartyIDP != idpAlways {
		all = append(all, need{"USERS_RESET_PASSWORD", "Users > Update > Reset password", "without which no password is set"},
			need{"USERS_FORCE_PASSWORD_CHANGE", "Users > Update > Force password change", "without which no change is demanded"})
	}
	if w.config.ThirdPartyIDP == idpDetect {
		all = append(all, need{"ORGANIZATION_UNITS_RETRIEVE", "Organizational units > Read", "without which it is not known whose sign-in goes elsewhere"})
	}
	return all
}

// What lets a value be written into a custom attribute: the privilege of its own, or the wider one to update users.
const (
	privilegeAttributes = "USERS_UPDATE_CUSTOM_ATTRIBUTES_USER_PRIVILEGE_GROUP"
	privilegeUpdate     = "USERS_UPDATE"
)

// excesses are privileges that would do harm in the wrong hands and that resetd has no use for.
var excesses = []need{
	{privilege: "USERS_CREATE", console: "Users > Create"},
	{privilege: "USERS_DELETE", console: "Users > Delete"},
	{privilege: "USERS_ALIAS", console: "Users > Update > Rename users"},
	{privilege: "GROUPS_UPDATE", console: "Groups > Update"},
}

// holdings are the privileges that our roles give.
type holdings struct {
	super bool
	names map[string]bool
}

func (h holdings) has(privilege string) bool { return h.names[privilege] }

// privilege is a node of the tree in which one privilege includes others.
type privilege struct {
	Name     string      `json:"privilegeName"`
	Children []privilege `json:"childPrivileges"`
}

// add notes a privilege and all that it includes.
func (h holdings) add(p privilege) {
	h.names[p.Name] = true
	for _, child := range p.Children {
		h.add(child)
	}
}

// spread adds what the privileges held include.
func (h holdings) spread(tree []privilege) {
	for _, p := range tree {
		if h.names[p.Name] {
			h.add(p)
		}
		h.spread(p.Children)
	}
}

// privileges reads what our roles give, directly or through a group.
func (w *workspace) privileges(ctx context.Context) (holdings, *schemas.Failure) {
	h := holdings{names: map[string]bool{}}
	roles, f := w.roles(ctx)
	if f != nil {
		return h, f
	}
	customer := "/admin/directory/v1/customer/" + url.PathEscape(w.config.Customer)
	for _, id := range roles {
		var role struct {
			Super      bool        `json:"isSuperAdminRole"`
			Privileges []privilege `json:"rolePrivileges"`
		}
		_, f := w.api.Do(ctx, rest.Call{Method: http.MethodGet, Path: customer + "/roles/" + url.PathEscape(id), Into: &role, Doing: "reading a role of resetd's"})
		if f != nil {
			return h, f
		}
		h.super = h.super || role.Super
		for _, p := range role.Privileges {
			h.add(p)
		}
	}
	var tree struct {
		Items []privilege `json:"items"`
	}
	_, f = w.api.Do(ctx, rest.Call{Method: http.MethodGet, Path: customer + "/roles/ALL/privileges", Into: &tree, Doing: "reading which privileges there are"})
	if f == nil {
		h.spread(tree.Items)
	}
	return h, f
}

// roles gives the ids of our roles. For an account the server picks them out, those through groups too; for a service
// account, which is no user, we do.
func (w *workspace) roles(ctx context.Context) (ids []string, f *schemas.Failure) {
	query := url.Values{"maxResults": {"200"}}
	if w.config.Subject != "" {
		query.Set("userKey", w.config.Subject)
		query.Set("includeIndirectRoleAssignments", "true")
	}
	for range maxPages {
		var page struct {
			Items []struct {
				Role string `json:"roleId"`
				To   string `json:"assignedTo"`
			} `json:"items"`
			Next string `json:"nextPageToken"`
		}
		_, f := w.api.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/admin/directory/v1/customer/" + url.PathEscape(w.config.Customer) + "/roleassignments",
			Query: query, Into: &page, Doing: "reading the roles of resetd's account"})
		if f != nil {
			return nil, f
		}
		for _, one := range page.Items {
			if w.config.Subject != "" || one.To == w.account.clientID {
				ids = append(ids, one.Role)
			}
		}
		if page.Next == "" { // a page may be empty and not the last
			return ids, nil
		}
		query.Set("pageToken", page.Next)
	}
	return nil, w.endless("reading the roles of resetd's account")
}
