package okta

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"sync"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// org is the connector of one org.
type org struct {
	config Config
	env    connectors.Env
	client *rest.Client
	app    *app // nil with an API token

	pace pace

	mu    sync.Mutex
	owner string // the id of the API token's owner, once it is known
}

// idForm is what an Okta id consists of. Anything else cannot be one, and must not get into a path.
var idForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// isID tells whether a text may be the id of a user.
func isID(id string) bool { return idForm.MatchString(id) && id != "me" }

// read reads one user by id. Okta takes a login, a short name and the word "me" in the same place, so the answer is held
// against the question.
func (o *org) read(ctx context.Context, id string) (user, *rest.Answer, *schemas.Failure) {
	if !isID(id) {
		return user{}, nil, notThere()
	}
	u, answer, f := o.get(ctx, id)
	switch {
	case f != nil:
		return u, answer, f
	case u.ID != id:
		return user{}, answer, notThere()
	}
	return u, answer, nil
}

func notThere() *schemas.Failure {
	return schemas.Fail(schemas.CodeAccountNotFound, "Okta has no account of that id any more")
}

// get reads the user that Okta finds for an id, a login or a short name.
func (o *org) get(ctx context.Context, what string) (u user, answer *rest.Answer, f *schemas.Failure) {
	answer, f = o.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/api/v1/users/" + url.PathEscape(what), Into: &u, Doing: "reading the user"})
	if f == nil && !isID(u.ID) {
		f = o.none(answer)
	}
	return u, answer, f
}

// none is the failure for a success that does not hold what was asked for, so that it is none of Okta's.
func (o *org) none(a *rest.Answer) *schemas.Failure {
	return o.client.Failure(a, schemas.CodeUnavailable, "the answer does not hold what Okta gives; see whether org_url is right and what stands between resetd and Okta")
}

// role is one assignment of an administrator's role.
type role struct {
	Type  string `json:"type"`
	Label string `json:"label"`
	Role  string `json:"role"` // the id of a custom role
}

// roles lists the administrator's roles of a user, by group or by himself.
func (o *org) roles(ctx context.Context, id string) (out []role, f *schemas.Failure) {
	a, f := o.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/api/v1/users/" + url.PathEscape(id) + "/roles", Into: &out, Doing: "reading the user's roles"})
	if f == nil && out == nil { // an empty list is a list
		f = o.none(a)
	}
	return out, f
}

// ourselves tells whether an account is the one that resetd signs in as. A service app is no user.
func (o *org) ourselves(ctx context.Context, id string) (bool, *schemas.Failure) {
	if o.app != nil {
		return false, nil
	}
	o.mu.Lock()
	owner := o.owner
	o.mu.Unlock()
	if owner == "" {
		u, f := o.me(ctx)
		if f != nil {
			return false, f
		}
		owner = u.ID
	}
	return owner == id, nil
}

// me reads the owner of the API token, who is the same for as long as there is the token.
func (o *org) me(ctx context.Context) (user, *schemas.Failure) {
	var u user
	a, f := o.client.Do(ctx, rest.Call{Method: http.MethodGet, Path: "/api/v1/users/me", Into: &u, Doing: "reading the owner of the API token"})
	switch {
	case f != nil:
		return u, f
	case !isID(u.ID): // whose account must not be reset would not be known
		return u, o.none(a)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owner = u.ID
	return u, nil
}

// Close lets go of connections.
func (o *org) Close() error {
	if o.app != nil {
		_ = o.app.client.Close()
	}
	return o.client.Close()
}
