package okta

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Probe asks who resetd is at Okta and what its roles and scopes allow, and reads one user. Okta has no way to try a change
// without making it, so a resource set that leaves some users out shows only when they are reset.
func (o *org) Probe(ctx context.Context) (schemas.Capabilities, error) {
	got := schemas.Capabilities{Product: "Okta", Modes: []schemas.Mode{schemas.ModeRandomize, schemas.ModeExpire}, Revoke: true}
	roles, known, f := o.own(ctx, &got)
	if f == nil {
		f = o.probeUsers(ctx, &got)
	}
	if f == nil {
		f = o.judge(ctx, &got, roles, known)
	}
	switch {
	case noToken(f):
		got.Missing, got.Modes = append(got.Missing, f.Detail), append(got.Modes, schemas.ModeRecovery)
	case f != nil:
		return schemas.Capabilities{}, f
	}
	got.TLS, got.Clock = o.client.Seen()
	got.Limit = o.pace.last()
	return got, nil
}

// noToken tells a failure for want of scopes.
func noToken(f *schemas.Failure) bool {
	if f == nil {
		return false
	}
	_, denied := errors.AsType[scopesDenied](f)
	return denied
}

// own reads the roles that resetd itself has. Known is false where they cannot be read.
func (o *org) own(ctx context.Context, got *schemas.Capabilities) (roles []role, known bool, f *schemas.Failure) {
	if o.app == nil {
		me, f := o.me(ctx)
		if f != nil {
			return nil, false, f
		}
		got.Warn = append(got.Warn, "the API token acts as "+me.login()+" and ends when that account is deactivated or the token is not used for 30 days; "+
			"a service app (client_id, private_key) has scopes of its own and depends on no person")
		roles, f = o.roles(ctx, me.ID)
		return o.ownRoles(got, roles, f)
	}
	if !o.config.CheckRoles { // the scope for it is not asked for
		got.Warn = append(got.Warn, "check_roles is off: resetd can neither tell administrators among the accounts nor see what its own role allows")
		return nil, false, nil
	}
	_, f = o.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/oauth2/v1/clients/" + url.PathEscape(o.config.ClientID) + "/roles", Into: &roles, Doing: "reading the service app's roles"})
	return o.ownRoles(got, roles, f)
}

// ownRoles sorts what came of reading them.
func (o *org) ownRoles(got *schemas.Capabilities, roles []role, f *schemas.Failure) ([]role, bool, *schemas.Failure) {
	switch {
	case f == nil:
		return roles, true, nil
	case noToken(f) || !unreadable(f):
		return nil, false, f
	}
	got.Warn = append(got.Warn, "the roles of "+o.whose()+" cannot be read, so what they allow shows only at a reset; "+o.grantText(rightRoles))
	return nil, false, nil
}

// probeUsers reads one user, and his roles as they are read of each account that is to be reset.
func (o *org) probeUsers(ctx context.Context, got *schemas.Capabilities) *schemas.Failure {
	var some []user
	_, f := o.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/api/v1/users", Into: &some, Doing: "listing one user", Query: url.Values{"limit": {"1"}}})
	switch {
	case f != nil && f.Code == schemas.CodePermissionMissing && !noToken(f):
		got.Missing = append(got.Missing, o.grantText(rightRead))
		return nil
	case f != nil:
		return f
	case len(some) == 0:
		got.Missing = append(got.Missing, "Okta shows no user to resetd; "+o.grantText(rightRead))
		return nil
	case !o.config.CheckRoles:
		return nil
	}
	_, f = o.roles(ctx, some[0].ID)
	if f != nil && f.Code == schemas.CodePermissionMissing && !noToken(f) {
		got.Missing = append(got.Missing, "whether an account administers Okta cannot be read: "+o.grantText(rightRoles)+"; or write check_roles: false")
		return nil
	}
	return f
}

// judge holds the roles against what resetd does.
func (o *org) judge(ctx context.Context, got *schemas.Capabilities, roles []role, known bool) *schemas.Failure {
	if o.app != nil {
		if lacking := o.app.lacking(); len(lacking) > 0 {
			got.Missing = append(got.Missing, o.app.grantScopes(lacking))
		}
	}
	types := typesOf(roles)
	if slices.Contains(types, "SUPER_ADMIN") || slices.Contains(types, "ORG_ADMIN") {
		got.Warn = append(got.Warn, o.whose()+" has the role "+strings.Join(types, ", ")+", which allows far more than resets; give it a custom role instead (see the README of okta)")
	}
	a, f := o.weigh(ctx, roles)
	if f != nil {
		return f
	}
	if known && a.unread {
		got.Warn = append(got.Warn, "the permissions of the custom role of "+o.whose()+" cannot be read, so what it allows shows only at a reset; "+o.grantText(rightRoles))
	}
	for _, r := range []right{rightRead, rightExpire, rightSessions} {
		if known && !a.has(r) {
			got.Missing = append(got.Missing, o.grantText(r))
		}
	}
	if known && !a.has(rightRecover) {
		got.Warn = append(got.Warn, "the mode recovery is not allowed; "+o.grantText(rightRecover))
	} else {
		got.Modes = append(got.Modes, schemas.ModeRecovery)
	}
	return nil
}
