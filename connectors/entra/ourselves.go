package entra

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas"
)

// ourselves finds out what we may do, from the token, from Graph's list of permissions that were granted to us, and from
// the roles that were given to us. What may not be read stays unknown; only other failures are given.
func (t *tenant) ourselves(ctx context.Context) (h held, _ *schemas.Failure) {
	c := t.signIn.claims()
	h.permissionsKnown = c.readable()
	for _, name := range c.Roles {
		h.permit(name)
	}
	for _, template := range c.WIDs {
		h.enrol(template, "/")
	}
	id := c.OID
	if !h.permissionsKnown && t.config.ClientID != "" {
		var f *schemas.Failure
		if id, f = t.granted(ctx, &h); f != nil {
			return h, f
		}
	}
	if !guidForm.MatchString(id) {
		return h, nil
	}
	var got page[struct {
		Scope      string `json:"directoryScopeId"`
		Definition struct {
			Template string `json:"templateId"`
		} `json:"roleDefinition"`
	}]
	f := t.get(ctx, "reading the roles of resetd's own service principal", "/roleManagement/directory/roleAssignments",
		url.Values{"$filter": {"principalId eq " + quote(id)}, "$expand": {"roleDefinition"}}, &got)
	switch {
	case f == nil:
		h.rolesKnown = true
	case unreadable(f):
		return h, nil
	default:
		return h, f
	}
	for _, one := range got.Value {
		h.enrol(one.Definition.Template, one.Scope)
	}
	return h, nil
}

// granted reads the permissions that were granted to our service principal, for a token that says nothing. It gives the
// principal's id.
func (t *tenant) granted(ctx context.Context, h *held) (string, *schemas.Failure) {
	path := "/servicePrincipals(appId='" + segment(t.config.ClientID) + "')"
	var self struct {
		ID string `json:"id"`
	}
	f := t.get(ctx, "reading resetd's own service principal", path, url.Values{"$select": {"id"}}, &self)
	if f != nil {
		return "", unless(unreadable(f), f)
	}
	var got page[struct {
		Role string `json:"appRoleId"`
	}]
	f = t.get(ctx, "reading the permissions of resetd's own service principal", path+"/appRoleAssignments", url.Values{"$top": {"999"}}, &got)
	if f != nil {
		return self.ID, unless(unreadable(f), f)
	}
	h.permissionsKnown = true
	for _, one := range got.Value {
		h.permit(permissionIDs[strings.ToLower(one.Role)])
	}
	return self.ID, nil
}

// secretEnd gives when the last of our application's client secrets ends, or zero if that may not be read.
func (t *tenant) secretEnd(ctx context.Context) (end time.Time, _ *schemas.Failure) {
	var app struct {
		Secrets []struct {
			End time.Time `json:"endDateTime"`
		} `json:"passwordCredentials"`
	}
	f := t.get(ctx, "reading resetd's own application", "/applications(appId='"+segment(t.config.ClientID)+"')", url.Values{"$select": {"id,passwordCredentials"}}, &app)
	if f != nil {
		return end, unless(unreadable(f), f)
	}
	for _, one := range app.Secrets {
		if one.End.After(end) {
			end = one.End
		}
	}
	return end, nil
}

// unreadable tells whether a failure says that we may not read something, or that it is not there.
func unreadable(f *schemas.Failure) bool {
	return f.Code == schemas.CodePermissionMissing || f.Code == schemas.CodeAccountNotFound
}

func unless(condition bool, f *schemas.Failure) *schemas.Failure {
	if condition {
		return nil
	}
	return f
}
