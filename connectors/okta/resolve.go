package okta

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// mostMatches is how many accounts of one name are looked at. There may be several that are deactivated beside the one
// that is meant.
const mostMatches = 20

// Resolve finds the one account that is meant. A login and an id are asked for directly; an e-mail address is searched for,
// which Okta answers from an index that lags behind, so each match is read by its id and held against the question.
// A deactivated account (DEPROVISIONED) has no password, and counts only where an id names it.
func (o *org) Resolve(ctx context.Context, a schemas.Account) (schemas.Identity, error) {
	var found []user
	var f *schemas.Failure
	switch a.Type {
	case schemas.AccountObjectID:
		u, _, f := o.read(ctx, a.Value)
		if f != nil {
			return schemas.Identity{}, f
		}
		return schemas.Identity{ID: u.ID, Name: u.login()}, nil
	case schemas.AccountLogin:
		found, f = o.byLogin(ctx, a.Value)
	case schemas.AccountUserName:
		found, f = o.byShort(ctx, a.Value)
	case schemas.AccountEmail:
		found, f = o.byAttribute(ctx, "email", a.Value)
	case schemas.AccountAddress:
		if found, f = o.byLogin(ctx, a.Value); f == nil {
			var more []user
			more, f = o.byAttribute(ctx, "email", a.Value)
			found = append(found, more...)
		}
	case schemas.AccountSID:
		found, f = o.byOption(ctx, a, "sid_attribute", o.config.SIDAttribute)
	case schemas.AccountDownLevel:
		found, f = o.byOption(ctx, a, "down_level_attribute", o.config.DownLevelAttribute)
	default:
		f = schemas.Fail(schemas.CodeAccountNotFound, "Okta has no identifier of the type %s; name the account by login, e-mail address, user name or Okta id (object_id)", a.Type)
	}
	if f != nil {
		return schemas.Identity{}, f
	}
	return only(found, a.Type)
}

// only gives the one account that is not deactivated.
func only(found []user, t schemas.AccountType) (schemas.Identity, error) {
	var one user
	for _, u := range found {
		switch {
		case u.Status == statusGone || u.ID == one.ID:
			continue
		case one.ID == "":
			one = u
			continue
		}
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountAmbiguous, "more than one account in Okta matches this %s; name the account by its login or Okta id (object_id)", t)
	}
	switch {
	case one.ID == "" && len(found) > 0:
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountNotFound, "the account in Okta that matches this %s is deactivated (DEPROVISIONED): it cannot sign in and has no password", t)
	case one.ID == "":
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountNotFound, "no account in Okta matches this %s", t)
	}
	return schemas.Identity{ID: one.ID, Name: one.login()}, nil
}

// byLogin finds a login, which Okta keeps unique.
func (o *org) byLogin(ctx context.Context, login string) ([]user, *schemas.Failure) {
	if !direct(login) {
		return o.byAttribute(ctx, "login", login)
	}
	return o.named(ctx, login, func(u user) bool { return u.loginIs(login) })
}

// byShort finds a login, or the part of one before the @ while Okta takes it for unambiguous. When Okta finds none, there
// may be several: of those, one is taken if all others are deactivated, but not if the index knows only one, for then it may
// not yet know the other.
func (o *org) byShort(ctx context.Context, name string) ([]user, *schemas.Failure) {
	if !direct(name) {
		return o.byAttribute(ctx, "login", name)
	}
	found, f := o.named(ctx, name, func(u user) bool { return u.shortIs(name) })
	if f != nil || len(found) > 0 || strings.Contains(name, "@") {
		return found, f
	}
	found, f = o.search(ctx, "profile.login sw "+quote(name+"@"), func(u user) bool { return u.shortIs(name) })
	if f != nil || len(found) > 1 {
		return found, f
	}
	return nil, nil
}

// direct tells whether a name can stand in a path. Okta cannot find a login with a slash there, and a name of dots alone
// would be taken for a step in the path by what stands between.
func direct(name string) bool { return !strings.Contains(name, "/") && strings.Trim(name, ".") != "" }

// named asks for a name directly and gives the account if it is the one.
func (o *org) named(ctx context.Context, name string, is func(user) bool) ([]user, *schemas.Failure) {
	u, _, f := o.get(ctx, name)
	switch {
	case f != nil && f.Code == schemas.CodeAccountNotFound:
		return nil, nil
	case f != nil:
		return nil, f
	case !is(u): // what was meant as a name is somebody's id, or "me"
		return nil, nil
	}
	return []user{u}, nil
}

// byOption finds accounts by an attribute that the settings may name.
func (o *org) byOption(ctx context.Context, a schemas.Account, option, attribute string) ([]user, *schemas.Failure) {
	if attribute == "" {
		return nil, schemas.Fail(schemas.CodeAccountNotFound, "Okta has no %s of its own; if a profile attribute holds it, name that as %s of the system %s, "+
			"or name the account by login or e-mail address", a.Type, option, o.env.System)
	}
	return o.byAttribute(ctx, attribute, a.Value)
}

// byAttribute finds accounts by the exact value of a profile attribute, without regard to case.
func (o *org) byAttribute(ctx context.Context, attribute, value string) ([]user, *schemas.Failure) {
	return o.search(ctx, "profile."+attribute+" eq "+quote(value), func(u user) bool { return same(u.text(attribute), value) })
}

// quote makes a string of Okta's filter expressions, which are those of SCIM (RFC 7644 §3.4.2.2): JSON strings.
func quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// search gives the accounts that match, each read anew by its id. It stops at the second that is not deactivated.
func (o *org) search(ctx context.Context, expression string, is func(user) bool) (found []user, f *schemas.Failure) {
	var hits []user
	a, f := o.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/api/v1/users", Into: &hits, Doing: "looking for the user",
		Query: url.Values{"search": {expression}, "limit": {strconv.Itoa(mostMatches)}}})
	switch {
	case f != nil:
		return nil, f
	case hits == nil: // an empty list is a list
		return nil, o.none(a)
	}
	live := 0
	for _, hit := range hits {
		u, _, f := o.read(ctx, hit.ID)
		switch {
		case f != nil && f.Code == schemas.CodeAccountNotFound: // deleted since the index was made
			continue
		case f != nil:
			return nil, f
		case !is(u):
			continue
		}
		found = append(found, u)
		if u.Status != statusGone {
			live++
		}
		if live > 1 {
			return found, nil
		}
	}
	if len(hits) >= mostMatches {
		return nil, schemas.Fail(schemas.CodeAccountAmbiguous, "%d or more accounts in Okta match; name the account by its login or Okta id (object_id)", mostMatches)
	}
	return found, nil
}
