package keycloak

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// updatePassword is the required action that demands a new password.
const updatePassword = "UPDATE_PASSWORD"

// user is an account as the admin API shows it.
type user struct {
	ID              string              `json:"id"`
	Username        string              `json:"username"`
	Email           string              `json:"email"`
	Enabled         bool                `json:"enabled"`
	FederationLink  string              `json:"federationLink"`
	RequiredActions []string            `json:"requiredActions"`
	Attributes      map[string][]string `json:"attributes"`
	Access          map[string]bool     `json:"access"`
}

// attribute gives the first value of an attribute, or "".
func (u user) attribute(name string) string {
	if values := u.Attributes[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// credential is one way to sign in.
type credential struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Created int64  `json:"createdDate"` // in milliseconds since 1970
}

// account is a user and what tells of the password.
type account struct {
	user
	password *credential // nil if Keycloak holds none
	evidence schemas.Evidence
}

// at is the path of an account.
func (r *realm) at(id string) string { return r.path + "/users/" + url.PathEscape(id) }

// get reads something of the realm.
func (r *realm) get(ctx context.Context, doing, path string, query url.Values, into any) (*rest.Answer, *schemas.Failure) {
	return r.api.Do(ctx, rest.Call{Method: http.MethodGet, Path: path, Query: query, Into: into, Doing: doing})
}

// user reads the account of an id. Beside accounts there is more under the same path (count, profile), so only what bears
// the id is taken.
func (r *realm) user(ctx context.Context, id string) (user, *schemas.Failure) {
	none := schemas.Fail(schemas.CodeAccountNotFound, "there is no account of that id in the realm %s of %s", r.config.Realm, r.env.System)
	if id == "" || id == "." || id == ".." {
		return user{}, none
	}
	var raw json.RawMessage
	if _, f := r.get(ctx, "reading the account", r.at(id), nil, &raw); f != nil {
		return user{}, f
	}
	var u user
	if json.Unmarshal(raw, &u) != nil || u.ID != id {
		return user{}, none
	}
	return u, nil
}

// account reads an account with its evidence.
func (r *realm) account(ctx context.Context, id string) (account, *schemas.Failure) {
	u, f := r.user(ctx, id)
	if f != nil {
		return account{}, f
	}
	var credentials []credential
	if _, f := r.get(ctx, "reading the account's credentials", r.at(id)+"/credentials", nil, &credentials); f != nil {
		return account{}, f
	}
	a := account{user: u, evidence: schemas.Evidence{MustChange: slices.Contains(u.RequiredActions, updatePassword)}}
	for i, c := range credentials {
		if c.Type != "password" {
			continue
		}
		a.password = &credentials[i]
		a.evidence.Marker = c.ID + "@" + strconv.FormatInt(c.Created, 10)
		if c.Created > 0 { // an imported password may have no date, and is one all the same
			a.evidence.PasswordChangedAt = time.UnixMilli(c.Created).UTC()
		}
	}
	// The password of an account from a directory has no date here; when its entry was written is all that there is.
	if stamp := u.attribute("modifyTimestamp"); a.password == nil && stamp != "" {
		a.evidence.Marker = "modifyTimestamp=" + stamp
	}
	return a, nil
}

// demandsChange tells whether the realm acts on the required action UPDATE_PASSWORD. Where it is turned off, Keycloak
// stores the demand and asks nobody for anything. The answer is believed for a minute.
func (r *realm) demandsChange(ctx context.Context) (bool, *schemas.Failure) {
	r.mu.Lock()
	known, demands := time.Since(r.asked) < time.Minute, r.demands
	r.mu.Unlock()
	if known {
		return demands, nil
	}
	var actions []struct {
		Alias   string `json:"alias"`
		Enabled bool   `json:"enabled"`
	}
	if _, f := r.get(ctx, "reading the realm's required actions", r.path+"/authentication/required-actions", nil, &actions); f != nil {
		return false, f
	}
	demands = false
	for _, a := range actions {
		demands = demands || a.Alias == updatePassword && a.Enabled
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.demands, r.asked = demands, time.Now()
	return demands, nil
}

// turnedOff says what to mend where demandsChange tells no.
func (r *realm) turnedOff() string {
	return "the required action Update Password is turned off in the realm " + r.config.Realm +
		", so Keycloak demands no change of anybody; turn it on: console, Authentication, Required actions"
}
