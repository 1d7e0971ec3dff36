package entra

import (
	"slices"
	"strings"
)

// What a person must grant, and where. Reports and probes end with these.
const (
	grantRead = "grant the application permission User.Read.All: Entra admin centre, App registrations, API permissions, " +
		"Add a permission, Microsoft Graph, Application permissions, then Grant admin consent"
	grantPassword = "grant the application permission User-PasswordProfile.ReadWrite.All (App registrations, API permissions, then Grant admin consent), " +
		"or give resetd's service principal the role Password Administrator (Roles & admins; it may be limited to an administrative unit)"
	grantRevoke = "grant the application permission User.RevokeSessions.All (App registrations, API permissions, then Grant admin consent)"
	grantSee    = "grant the application permissions RoleManagement.Read.Directory and GroupMember.Read.All, then Grant admin consent; " +
		"or write check_roles: false, which gives up sparing administrators"
	grantAdmins = "only a holder of the role Privileged Authentication Administrator may touch it; give resetd's service principal that role " +
		"if resetd shall act on administrators, or let a person with it do this one"
)

// right is something that resetd needs, and all by which it may be had: application permissions by name, and directory
// roles by their template id.
type right struct {
	need        string // what cannot be done without it
	grant       string
	permissions []string
	roles       []string
}

// The template ids of roles (https://learn.microsoft.com/entra/identity/role-based-access-control/permissions-reference).
const (
	rolePassword       = "966707d0-3269-4727-9be2-8c3a10f19b9d"
	roleHelpdesk       = "729827e3-9c14-49f7-bb1b-9608f156bbb8"
	roleUser           = "fe930be7-5e62-47db-91af-98c3a49a38b1"
	roleAuthentication = "c4e39bd9-1100-46d3-8c65-fb160da0071f"
	rolePrivileged     = "7be44c8a-adaf-4e2a-84d6-ab2649e08a13"
	roleGlobal         = "62e90394-69f5-4237-9190-012177145e10"
	rolePrivilegedRole = "e8611ab8-c189-46e8-94e1-60213ab1f814"
)

var (
	passwordRight = right{"set passwords", grantPassword, []string{"User-PasswordProfile.ReadWrite.All"},
		[]string{rolePassword, roleHelpdesk, roleUser, roleAuthentication, rolePrivileged, roleGlobal}}
	revokeRight = right{"end sessions", grantRevoke, []string{"User.RevokeSessions.All", "User.ReadWrite.All", "Directory.ReadWrite.All"},
		[]string{roleHelpdesk, roleUser, roleAuthentication, rolePrivileged, roleGlobal}}
)

// excess are what resetd does not need and a thief of its credential would like.
var (
	excessPermissions = []string{"User.ReadWrite.All", "Directory.ReadWrite.All", "RoleManagement.ReadWrite.Directory", "AppRoleAssignment.ReadWrite.All",
		"Application.ReadWrite.All", "Group.ReadWrite.All", "GroupMember.ReadWrite.All", "Domain.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All",
		"Policy.ReadWrite.ConditionalAccess"}
	excessRoles = map[string]string{roleGlobal: "Global Administrator", rolePrivilegedRole: "Privileged Role Administrator", roleUser: "User Administrator"}
)

// permissionIDs are the ids of application permissions of Graph, which are the same in every tenant
// (https://learn.microsoft.com/graph/permissions-reference).
var permissionIDs = map[string]string{
	"cc117bb9-00cf-4eb8-b580-ea2a878fe8f7": "User-PasswordProfile.ReadWrite.All",
	"77f3a031-c388-4f99-b373-dc68676a979e": "User.RevokeSessions.All",
	"df021288-bdef-4463-88db-98f22de89214": "User.Read.All",
	"741f803b-c850-494e-b5df-cde7c675a1ca": "User.ReadWrite.All",
	"7ab1d382-f21e-4acd-a863-ba3e13f7da61": "Directory.Read.All",
	"19dbc75e-c2e2-444c-a770-ec69d8559fc7": "Directory.ReadWrite.All",
	"483bed4a-2ad3-4361-a73b-c83ccdbdc53c": "RoleManagement.Read.Directory",
	"9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8": "RoleManagement.ReadWrite.Directory",
	"dbb9058a-0e50-45d7-ae91-66909b5d4664": "Domain.Read.All",
	"9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30": "Application.Read.All",
}

// held is what is known of our own rights.
type held struct {
	permissions []string
	roles       map[string]bool // template ids, with any scope
	limited     []string        // administrative units to which a role that resets passwords is limited
	wide        bool            // whether such a role holds for the whole tenant
	// What could be seen. Where it could not, a right that is not known may be there all the same.
	permissionsKnown, rolesKnown bool
}

// has tells whether a right is known to be there.
func (h held) has(r right) bool {
	return slices.ContainsFunc(r.permissions, func(p string) bool { return slices.Contains(h.permissions, p) }) ||
		slices.ContainsFunc(r.roles, func(id string) bool { return h.roles[id] })
}

// lacks tells whether a right is known not to be there. Roles are known where they can be read; the token alone shows
// those for the whole tenant and no others.
func (h held) lacks(r right) bool { return !h.has(r) && h.permissionsKnown && h.rolesKnown }

// excess names what is more than needed.
func (h held) excess() []string {
	var out []string
	for _, p := range excessPermissions {
		if slices.Contains(h.permissions, p) {
			out = append(out, p)
		}
	}
	for id, name := range excessRoles {
		if h.roles[id] {
			out = append(out, "the role "+name)
		}
	}
	slices.Sort(out)
	return out
}

// permit notes a permission once.
func (h *held) permit(name string) {
	if name != "" && !slices.Contains(h.permissions, name) {
		h.permissions = append(h.permissions, name)
	}
}

// enrol notes a role and where it holds.
func (h *held) enrol(template, scope string) {
	template = strings.ToLower(template)
	if template == "" {
		return
	}
	if h.roles == nil {
		h.roles = map[string]bool{}
	}
	h.roles[template] = true
	if !slices.Contains(passwordRight.roles, template) {
		return
	}
	if scope == "/" || scope == "" {
		h.wide = true
	} else {
		h.limited = append(h.limited, scope)
	}
}
