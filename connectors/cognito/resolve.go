package cognito

import (
	"context"

	"github.com/resetd/resetd/schemas"
)

// Resolve finds the one user that is meant: by user name for a user name; by what the pool lets a user sign in with for a
// login; by the attribute email for an e-mail address; by either for what may be both; by sub for an object id.
func (p *pool) Resolve(ctx context.Context, what schemas.Account) (schemas.Identity, error) {
	if _, f := p.aws.Caller(ctx); f != nil {
		return schemas.Identity{}, f
	}
	found := map[string]string{} // sub to user name
	var f *schemas.Failure
	switch what.Type {
	case schemas.AccountUserName:
		f = p.byName(ctx, what.Value, false, found)
	case schemas.AccountLogin:
		f = p.byName(ctx, what.Value, true, found)
	case schemas.AccountEmail:
		f = p.byEmail(ctx, what.Value, found)
	case schemas.AccountAddress:
		if f = p.byName(ctx, what.Value, true, found); f == nil {
			f = p.byEmail(ctx, what.Value, found)
		}
	case schemas.AccountObjectID:
		var u user
		if u, f = p.bySub(ctx, what.Value); f == nil {
			found[u.sub] = u.name
		}
	default:
		f = schemas.Fail(schemas.CodeAccountNotFound, "Amazon Cognito has no identifier of the type %s; name the account by user name, login, e-mail address or sub (object_id)", what.Type)
	}
	switch {
	case f != nil:
		return schemas.Identity{}, f
	case len(found) == 0:
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountNotFound, "no user of the pool %s matches this %s", p.config.UserPoolID, what.Type)
	case len(found) > 1:
		return schemas.Identity{}, schemas.Fail(schemas.CodeAccountAmbiguous, "more than one user of the pool %s matches this %s; name the account by user name or sub",
			p.config.UserPoolID, what.Type)
	}
	var id schemas.Identity
	for sub, name := range found {
		id = schemas.Identity{ID: sub, Name: name}
	}
	p.names.keep(id.ID, id.Name)
	return id, nil
}

// byName takes whom Cognito finds by a name, if the name is the user name, or with logins set an attribute that the pool
// lets users sign in with. Cognito would also take a sub here, which is another type.
func (p *pool) byName(ctx context.Context, value string, logins bool, found map[string]string) *schemas.Failure {
	if !nameForm.MatchString(value) {
		return nil
	}
	r, f := p.described(ctx)
	if f != nil {
		return f
	}
	u, f := p.get(ctx, value)
	switch {
	case f != nil && f.Code == schemas.CodeConflict: // a name that no user can have
		return nil
	case f != nil || u == nil:
		return f
	}
	match := r.same(u.name, value)
	for _, attribute := range r.logins {
		match = match || logins && r.same(u.attributes[attribute], value)
	}
	if match {
		found[u.sub] = u.name
	}
	return nil
}

// byEmail reads the users with an address. Several may have the same one. The list may lag behind: by now the address may
// be somebody else's, so it is compared with what the user itself shows.
func (p *pool) byEmail(ctx context.Context, address string, found map[string]string) *schemas.Failure {
	names, f := p.list(ctx, "email", address)
	if f != nil {
		return f
	}
	r, f := p.described(ctx)
	if f != nil {
		return f
	}
	for _, name := range names {
		u, f := p.get(ctx, name)
		if f != nil {
			return f
		}
		if u != nil && u.name == name && r.same(u.attributes["email"], address) {
			found[u.sub] = u.name
		}
	}
	return nil
}
