package googleworkspace

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

// idForm is a user's id. An id is checked before it is asked for: in the place of an id Google takes an address just as well,
// and an address may have passed to somebody else.
var idForm = regexp.MustCompile(`^[0-9]{1,40}$`)

// userFields are what is read of a user. When somebody signed in last is not among them: it says nothing of the password.
const userFields = "id,etag,customerId,primaryEmail,aliases,nonEditableAliases,orgUnitPath,isAdmin,isDelegatedAdmin,isGuestUser," +
	"suspended,archived,changePasswordAtNextLogin"

// user is an account as Google describes it.
type user struct {
	ID         string                    `json:"id"`
	ETag       string                    `json:"etag"`
	Customer   string                    `json:"customerId"`
	Primary    string                    `json:"primaryEmail"`
	Aliases    []string                  `json:"aliases"`
	Domain     []string                  `json:"nonEditableAliases"` // aliases that come from a domain alias
	Unit       string                    `json:"orgUnitPath"`
	SuperAdmin bool                      `json:"isAdmin"`
	Admin      bool                      `json:"isDelegatedAdmin"`
	Guest      bool                      `json:"isGuestUser"`
	Suspended  bool                      `json:"suspended"`
	Archived   bool                      `json:"archived"`
	MustChange bool                      `json:"changePasswordAtNextLogin"`
	Custom     map[string]map[string]any `json:"customSchemas"`
}

// has tells whether an address is one of the user's, primary or alias.
func (u user) has(address string) bool {
	return sameAddress(u.Primary, address) || slices.ContainsFunc(append(slices.Clone(u.Aliases), u.Domain...), func(one string) bool {
		return sameAddress(one, address)
	})
}

// sameAddress compares without case, as Google does, but takes no letter for another that merely folds to it: the Kelvin
// sign and the long s are longer than k and s.
func sameAddress(a, b string) bool { return len(a) == len(b) && strings.EqualFold(a, b) }

// markPrefix tells a mark in the proof attribute from an ETag.
const markPrefix = "mark:"

// markForm is what a reset leaves there (rand.Text). Whatever else somebody has written is no mark.
var markForm = regexp.MustCompile(`^[A-Z2-7]{26}$`)

// evidence is what Google says of the password: whether it must be changed, and beside that either the mark that a reset
// leaves in the proof attribute, or the ETag, which moves for other reasons too and may stay when only the password is set.
func (w *workspace) evidence(u user) schemas.Evidence {
	e := schemas.Evidence{MustChange: u.MustChange, Marker: u.ETag}
	if schema, field, ok := strings.Cut(w.config.ProofAttribute, "."); ok {
		e.Marker = markPrefix
		if text, _ := u.Custom[schema][field].(string); markForm.MatchString(text) {
			e.Marker += text
		}
	}
	return e
}

// fetch reads a user by id or address. Its account_not_found says no more than that Google knows none.
func (w *workspace) fetch(ctx context.Context, key, doing string) (u user, f *schemas.Failure) {
	query := url.Values{"fields": {userFields}}
	if schema, _, ok := strings.Cut(w.config.ProofAttribute, "."); ok {
		query = url.Values{"fields": {userFields + ",customSchemas"}, "projection": {"custom"}, "customFieldMask": {schema}}
	}
	_, f = w.api.Do(ctx, rest.Call{Method: http.MethodGet, Path: userPath(key), Query: query, Into: &u, Doing: doing})
	if f == nil && (!idForm.MatchString(u.ID) || u.Primary == "") {
		f = schemas.Fail(schemas.CodeUnavailable, "%s at %s (%s): the answer is no user; see what stands between", doing, product, w.env.System)
	}
	return u, f
}

// read gives the account of an id that Resolve has found, unless it is none that resetd may touch.
func (w *workspace) read(ctx context.Context, id string) (user, *schemas.Failure) {
	if !idForm.MatchString(id) {
		return user{}, schemas.Fail(schemas.CodeAccountNotFound, "there is no user with the id %q (%s): an id is a number there", id, w.env.System)
	}
	u, f := w.fetch(ctx, id, "reading the user")
	switch {
	case f != nil && f.Code == schemas.CodeAccountNotFound:
		return user{}, schemas.Fail(f.Code, "there is no user with the id %s any more (%s)", id, w.env.System)
	case f != nil:
		return user{}, f
	case u.ID != id:
		return user{}, schemas.Fail(schemas.CodeUnexpected, "asked for the user %s, Google gave %s (%s); nothing was changed; please report this", id, u.ID, w.env.System)
	case !w.ours(u):
		return user{}, w.foreign(u)
	}
	return u, nil
}

// myCustomer is Google's name for the customer that whoever calls belongs to.
const myCustomer = "my_customer"

// ours tells whether an account lies within the settings' bounds.
func (w *workspace) ours(u user) bool {
	return w.inDomains(u.Primary) && (w.config.Customer == myCustomer || u.Customer == w.config.Customer)
}

// inDomains tells whether an address is in one of the domains, if there are any to be held to.
func (w *workspace) inDomains(address string) bool {
	at := strings.LastIndexByte(address, '@')
	return len(w.config.Domains) == 0 || at >= 0 && slices.Contains(w.config.Domains, strings.ToLower(address[at+1:]))
}

func (w *workspace) foreign(u user) *schemas.Failure {
	return schemas.Fail(schemas.CodeAccountNotFound, "%s is not in the domains or not of the customer that the settings of the system %s name; it is neither found nor touched",
		u.Primary, w.env.System)
}

// ourselves tells whether an account is the one that resetd acts as.
func (w *workspace) ourselves(u user) bool {
	return w.config.Subject != "" && u.has(w.config.Subject)
}

// usersPath is where users are.
const usersPath = "/admin/directory/v1/users"

// userPath is the address of a user, or of something below.
func userPath(key string, below ...string) string {
	path := usersPath + "/" + url.PathEscape(key)
	for _, one := range below {
		path += "/" + url.PathEscape(one)
	}
	return path
}
