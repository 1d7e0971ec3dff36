package entra

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/resetd/resetd/connectors/internal/rest"
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

// syncRoles are held by the accounts with which Entra Connect and cloud sync write to the tenant: Directory Synchronization
// Accounts, and On Premises Directory Sync Account.
var syncRoles = []string{"d29b2b05-8046-44ba-8758-1e26182fcf32", "a92aed5d-d78a-4d16-b381-09adb37eb3b0"}

// syncName is how these accounts are called, which can be told where roles cannot be seen: without them no change of the
// on-premises directory reaches the tenant.
var syncName = regexp.MustCompile(`(?i)^(Sync_.+_[0-9a-f]{12}|ADToAADSyncServiceAccount)@[^@]+\.onmicrosoft\.[a-z]+$`)

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

// privileges reads what protects an account. A right that is missing for it is no failure here; what it hides is told.
func (t *tenant) privileges(ctx context.Context, u *user) (privileges, *schemas.Failure) {
	p := privileges{restricted: is(u.Restricted), sync: syncName.MatchString(u.UPN)}
	roles, seen, f := t.memberships(ctx, u, "microsoft.graph.directoryRole", "id,displayName,roleTemplateId")
	if f != nil {
		return p, f
	}
	p.hidden = !seen
	for _, list := range []string{"roleAssignments", "roleEligibilityScheduleInstances"} {
		more, seen, f := t.assignments(ctx, u, list)
		if f != nil {
			return p, f
		}
		p.hidden = p.hidden || !seen
		roles = append(roles, more...)
	}
	for _, r := range roles {
		template := strings.ToLower(r.Template)
		p.sync = p.sync || slices.Contains(syncRoles, template)
		if name := nameOf(r); !harmless[template] && !slices.Contains(p.roles, name) {
			p.roles = append(p.roles, name)
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
		if f := t.empty(got.Value != nil, "reading the roles and groups of the account"); f != nil {
			return nil, false, f
		}
		out = append(out, got.Value...)
		if got.Next == "" {
			return out, true, nil
		}
		token := skipToken(got.Next)
		if token == "" {
			return out, false, nil // there is more, and no way to it
		}
		query.Set("$skiptoken", token)
	}
	return out, false, nil
}

// skipToken takes the mark of the place out of a link to the next page. An address is not followed wherever it leads.
func skipToken(link string) string {
	next, err := url.Parse(link)
	if err != nil {
		return ""
	}
	for name, values := range next.Query() {
		if strings.EqualFold(name, "$skiptoken") {
			return values[0]
		}
	}
	return ""
}

// assignments lists the roles of an account that no membership shows: those in an administrative unit and custom ones
// (roleAssignments), and those that it may take whenever it wants (PIM, roleEligibilityScheduleInstances).
func (t *tenant) assignments(ctx context.Context, u *user, list string) (out []member, seen bool, _ *schemas.Failure) {
	const doing = "reading the role assignments of the account"
	var got page[struct {
		Definition struct {
			Name     string `json:"displayName"`
			Template string `json:"templateId"`
		} `json:"roleDefinition"`
	}]
	a, f := t.rest.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/roleManagement/directory/" + list, Doing: doing, Into: &got,
		Query: url.Values{"$filter": {"principalId eq " + quote(u.ID)}, "$expand": {"roleDefinition"}}})
	switch {
	case f != nil && a != nil && strings.Contains(errorOf(a).Error.Code, "LicenseRequired"): // no PIM, so nobody is eligible
		return nil, true, nil
	case f != nil && f.Code == schemas.CodePermissionMissing:
		return nil, false, nil
	case f != nil:
		return nil, false, f
	}
	for _, one := range got.Value {
		out = append(out, member{Name: one.Definition.Name, Template: one.Definition.Template})
	}
	return out, got.Next == "", t.empty(got.Value != nil, doing)
}
