package entra

import (
	"context"
	"net/url"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// maxPages bounds how much of a list of memberships is read; each page has up to 999.
const maxPages = 10

// harmless are the roles whose holders any of the roles that reset passwords may reset; every other one protects its holder
// (https://learn.microsoft.com/entra/identity/role-based-access-control/privileged-roles-permissions, "Who can reset passwords").
var harmless = map[string]bool{
	"88d8e3e3-8f55-4a1e-953a-9b9898b8876b": true, // Directory Readers
	"95e79109-95c0-4d8e-aee3-d01accf2d47b": true, // Guest Inviter
	"790c1fb9-7f7d-4f88-86a1-ef1f95c05c1b": true, // Message Center Reader
	"4a5d8f65-41da-4de4-8968-e035b65339cf": true, // Reports Reader
	"75934031-6c7e-415a-99d7-48dbd49e875e": true, // Usage Summary Reports Reader
}

// syncRole is held by the account with which Entra Connect writes to the tenant.
const syncRole = "d29b2b05-8046-44ba-8758-1e26182fcf32"

// privileges is what protects an account in Entra.
type privileges struct {
	roles, groups []string
	restricted    bool
	sync          bool
	hidden        bool // whether the roles or groups could not be read
}

// any tells whether something is known to protect the account.
func (p privileges) any() bool { return len(p.roles)+len(p.groups) > 0 || p.restricted }

// String tells it to a person.
func (p privileges) String() string {
	var out []string
	if len(p.roles) > 0 {
		out = append(out, "holds the role "+strings.Join(p.roles, ", "))
	}
	if len(p.groups) > 0 {
		out = append(out, "is in a group that roles can be given to: "+strings.Join(p.groups, ", "))
	}
	if p.restricted {
		out = append(out, "isManagementRestricted is true: only roles that are given in its restricted management administrative unit may touch it")
	}
	if p.hidden {
		out = append(out, "whether it holds a role is not known; grant RoleManagement.Read.Directory and GroupMember.Read.All")
	}
	return strings.Join(out, "; ")
}

// member is a role or a group that an account is in.
type member struct {
	Name       string `json:"displayName"`
	Template   string `json:"roleTemplateId"`
	Assignable *bool  `json:"isAssignableToRole"`
}

// privileges reads what protects an account. A right that is missing for it is no failure: Entra keeps its protection
// whether or not we see it.
func (t *tenant) privileges(ctx context.Context, u *user) (privileges, *schemas.Failure) {
	p := privileges{restricted: is(u.Restricted)}
	roles, seen, f := t.memberships(ctx, u, "microsoft.graph.directoryRole", "id,displayName,roleTemplateId")
	if f != nil {
		return p, f
	}
	p.hidden = !seen
	for _, r := range roles {
		p.sync = p.sync || r.Template == syncRole
		if !harmless[strings.ToLower(r.Template)] {
			p.roles = append(p.roles, nameOf(r))
		}
	}
	groups, seen, f := t.memberships(ctx, u, "microsoft.graph.group", "id,displayName,isAssignableToRole")
	if f != nil {
		return p, f
	}
	p.hidden = p.hidden || !seen
	for _, g := range groups {
		if g.Name == "" { // that it is there may be seen, but not what it is
			p.hidden = true
		}
		if is(g.Assignable) {
			p.groups = append(p.groups, nameOf(g))
		}
	}
	return p, nil
}

func nameOf(m member) string {
	if m.Name == "" { // the right to see that it is there, but not what it is
		return "without a readable name"
	}
	return m.Name
}

// memberships lists what an account is in, directly or through groups, and whether we may see it.
func (t *tenant) memberships(ctx context.Context, u *user, kind, properties string) (out []member, seen bool, _ *schemas.Failure) {
	query := url.Values{"$select": {properties}, "$top": {"999"}}
	for range maxPages {
		var got page[member]
		f := t.get(ctx, "reading the roles and groups of the account", "/users/"+segment(u.ID)+"/transitiveMemberOf/"+kind, query, &got)
		switch {
		case f != nil && f.Code == schemas.CodePermissionMissing:
			return out, false, nil
		case f != nil:
			return nil, false, f
		}
		out = append(out, got.Value...)
		// Only the mark of the place is taken out of the link: an address is not followed wherever it leads.
		next, err := url.Parse(got.Next)
		if err != nil || next.Query().Get("$skiptoken") == "" {
			return out, true, nil
		}
		query.Set("$skiptoken", next.Query().Get("$skiptoken"))
	}
	return out, false, nil
}
