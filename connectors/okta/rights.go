package okta

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// right is something that resetd's role must allow.
type right struct {
	permission string   // as the API names it
	label      string   // as the Admin Console names it
	scope      string   // what the token of a service app must have beside
	within     []string // permissions that include it
}

// The rights that resetd takes, by Okta's permissions catalog.
var (
	rightRead     = right{"okta.users.read", "View users and their details", scopeRead, []string{"okta.users.manage"}}
	rightExpire   = right{"okta.users.credentials.expirePassword", "Set users' temporary password", scopeManage, []string{"okta.users.credentials.manage", "okta.users.manage"}}
	rightRecover  = right{"okta.users.credentials.resetPassword", "Reset users' passwords", scopeManage, []string{"okta.users.credentials.manage", "okta.users.manage"}}
	rightSessions = right{"okta.users.lifecycle.clearSessions", "Clear users' sessions", scopeManage, []string{"okta.users.lifecycle.manage", "okta.users.manage"}}
	rightRoles    = right{"okta.iam.read", "View roles, resources, and admin assignments", scopeRoles, nil}
)

// rightFor gives the right that a call takes.
func rightFor(path string) right {
	switch {
	case strings.HasSuffix(path, "/roles") || strings.HasSuffix(path, "/permissions"):
		return rightRoles
	case strings.HasSuffix(path, "/sessions"):
		return rightSessions
	case strings.HasSuffix(path, "/reset_password"):
		return rightRecover
	case strings.Contains(path, "/lifecycle/"):
		return rightExpire
	}
	return rightRead
}

// grant says what to grant after a refusal.
func (o *org) grant(call *rest.Call) string {
	return "resetd's role does not allow it for this account; " + o.grantText(rightFor(call.Path))
}

// grantText says what to grant, and where.
func (o *org) grantText(r right) string {
	where := " to the custom role of " + o.whose() + ", on a resource set that holds the users (Admin Console, Security > Administrators)"
	if o.app != nil {
		where += ", and the scope " + r.scope + " to the app (its page, Okta API Scopes)"
	}
	return "grant " + r.permission + " (\"" + r.label + "\")" + where
}

// whose names the account that resetd signs in as.
func (o *org) whose() string {
	if o.app != nil {
		return "the service app " + o.config.ClientID
	}
	return "the API token's owner"
}

// allowed is what a set of roles allows.
type allowed struct {
	everything  bool            // a standard role that may do all that resetd does
	permissions map[string]bool // of custom roles
	unread      bool            // the permissions of a custom role cannot be read
}

func (a allowed) has(r right) bool {
	return a.everything || a.unread || a.permissions[r.permission] || slices.ContainsFunc(r.within, func(p string) bool { return a.permissions[p] })
}

// enough are the standard roles that may reset the passwords of users who are no administrators.
var enough = []string{"SUPER_ADMIN", "ORG_ADMIN", "USER_ADMIN", "HELP_DESK_ADMIN"}

// weigh reads what roles allow. Only custom roles have permissions to be read.
func (o *org) weigh(ctx context.Context, roles []role) (allowed, *schemas.Failure) {
	a := allowed{permissions: map[string]bool{}}
	for _, r := range roles {
		if slices.Contains(enough, r.Type) {
			a.everything = true
		}
		if r.Type != "CUSTOM" || r.Role == "" {
			continue
		}
		var got struct {
			Permissions []struct {
				Label string `json:"label"`
			} `json:"permissions"`
		}
		_, f := o.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/api/v1/iam/roles/" + url.PathEscape(r.Role) + "/permissions", Into: &got, Doing: "reading the permissions of resetd's role"})
		switch {
		case f != nil && unreadable(f):
			a.unread = true
		case f != nil:
			return a, f
		}
		for _, p := range got.Permissions {
			a.permissions[p.Label] = true
		}
	}
	return a, nil
}

// unreadable tells a refusal to show something, which a probe can go on after.
func unreadable(f *schemas.Failure) bool {
	return f.Code == schemas.CodePermissionMissing || f.Code == schemas.CodeAccountNotFound
}
