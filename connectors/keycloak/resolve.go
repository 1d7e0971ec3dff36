package keycloak

import (
	"context"
	"net/url"

	"github.com/resetd/resetd/connectors/internal/alike"
	"github.com/resetd/resetd/schemas"
)

// Resolve finds the one account that is meant.
func (r *realm) Resolve(ctx context.Context, a schemas.Account) (schemas.Identity, error) {
	found, f := r.find(ctx, a)
	switch {
	case f != nil:
		return schemas.Identity{}, f
	case len(found) > 1:
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountAmbiguous, "more than one account of the realm %s of %s bears this name or address; name it by its id (object_id)",
			r.config.Realm, r.env.System)
	case len(found) == 0:
		return schemas.Identity{}, r.nobody(ctx)
	}
	return schemas.Identity{ID: found[0].ID, Name: found[0].Username}, nil
}

// find gives every account that matches, each once.
func (r *realm) find(ctx context.Context, a schemas.Account) ([]user, *schemas.Failure) {
	switch a.Type {
	case schemas.AccountObjectID:
		u, f := r.user(ctx, a.Value)
		return []user{u}, f
	case schemas.AccountUserName, schemas.AccountLogin:
		return r.search(ctx, "username", a.Value)
	case schemas.AccountEmail:
		return r.search(ctx, "email", a.Value)
	case schemas.AccountAddress:
		found, f := r.search(ctx, "username", a.Value)
		if f != nil {
			return nil, f
		}
		more, f := r.search(ctx, "email", a.Value)
		for _, u := range more {
			if len(found) == 0 || u.ID != found[0].ID {
				found = append(found, u)
			}
		}
		return found, f
	}
	return nil, schemas.Fail(schemas.CodeAccountNotFound, "Keycloak knows no account by a %s; %s has user names, e-mail addresses and ids (object_id)", a.Type, r.env.System)
}

// search looks for an exact value. Without exact Keycloak would look for parts of names. What it gives is compared once
// more, because a wrong match resets somebody else's password.
func (r *realm) search(ctx context.Context, field, value string) ([]user, *schemas.Failure) {
	var found, out []user
	_, f := r.get(ctx, "looking for the account", r.path+"/users",
		url.Values{field: {value}, "exact": {"true"}, "briefRepresentation": {"true"}, "max": {"10"}}, &found)
	for _, u := range found {
		has := map[string]string{"username": u.Username, "email": u.Email}[field]
		if u.ID != "" && alike.Names(has, value) {
			out = append(out, u)
		}
	}
	return out, f
}

// nobody explains an empty answer. To a client that may ask for accounts but see none, every realm is empty.
func (r *realm) nobody(ctx context.Context) *schemas.Failure {
	missing := schemas.Fail(schemas.CodeAccountNotFound, "no account of the realm %s of %s bears this name or address", r.config.Realm, r.env.System)
	if r.rights().seesAll() {
		return missing
	}
	var some []user
	if _, f := r.get(ctx, "looking for any account", r.path+"/users", url.Values{"max": {"1"}, "briefRepresentation": {"true"}}, &some); f != nil {
		return f
	}
	if len(some) == 0 {
		return schemas.Fail(schemas.CodePermissionMissing, "resetd's client sees no account at all in the realm %s of %s, so nobody can be found; %s",
			r.config.Realm, r.env.System, r.grant("view-users"))
	}
	missing.Detail += "; resetd's client sees only some of its accounts (fine-grained permissions)"
	return missing
}
