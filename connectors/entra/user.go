package entra

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// selected are the properties that are read of a user; Graph gives most of them only when they are asked for.
const selected = "id,userPrincipalName,mail,proxyAddresses,accountEnabled,userType,isResourceAccount,isManagementRestricted," +
	"onPremisesSyncEnabled,onPremisesSamAccountName,onPremisesDomainName,onPremisesSecurityIdentifier,securityIdentifier," +
	"lastPasswordChangeDateTime,signInSessionsValidFromDateTime"

// user is an account as Graph describes it
// (https://learn.microsoft.com/graph/api/resources/user).
type user struct {
	ID           string    `json:"id"`
	UPN          string    `json:"userPrincipalName"`
	Mail         string    `json:"mail"`
	Proxies      []string  `json:"proxyAddresses"`
	Enabled      *bool     `json:"accountEnabled"`
	Type         string    `json:"userType"`
	Resource     *bool     `json:"isResourceAccount"`
	Restricted   *bool     `json:"isManagementRestricted"`
	Synced       *bool     `json:"onPremisesSyncEnabled"` // null in the cloud, false for one that was synced once
	SAM          string    `json:"onPremisesSamAccountName"`
	Domain       string    `json:"onPremisesDomainName"`
	SID          string    `json:"onPremisesSecurityIdentifier"`
	CloudSID     string    `json:"securityIdentifier"`
	Changed      time.Time `json:"lastPasswordChangeDateTime"`
	SessionsFrom time.Time `json:"signInSessionsValidFromDateTime"`
	Profile      *profile  `json:"passwordProfile"` // nil where the rights do not let us read it

	clock time.Time // of the answer
}

// profile is what may be read of a passwordProfile; the password itself never can.
type profile struct {
	Force    *bool `json:"forceChangePasswordNextSignIn"`
	ForceMFA *bool `json:"forceChangePasswordNextSignInWithMfa"`
}

func is(b *bool) bool { return b != nil && *b }

// mustChange tells whether the record shows that a change is demanded, in either form.
func (u *user) mustChange() bool {
	return u.Profile != nil && (is(u.Profile.Force) || is(u.Profile.ForceMFA))
}

// evidence is what the record says of the password. The marker is the moment before which every session is void; it moves
// with a revocation too.
func (u *user) evidence() schemas.Evidence {
	e := schemas.Evidence{PasswordChangedAt: u.Changed, MustChange: u.mustChange()}
	if !u.SessionsFrom.IsZero() {
		e.Marker = u.SessionsFrom.UTC().Format(time.RFC3339Nano)
	}
	return e
}

// read gets a user by the immutable id, or by the user principal name. The property passwordProfile takes rights that a
// directory role alone may not give; a refusal is tried again without it.
func (t *tenant) read(ctx context.Context, key string) (*user, *schemas.Failure) {
	var u user
	call := rest.Call{Method: http.MethodGet, Path: "/users/" + segment(key), Doing: "reading the account",
		Query: url.Values{"$select": {selected + ",passwordProfile"}}, Into: &u}
	a, f := t.rest.Do(ctx, call)
	if f != nil && f.Code == schemas.CodePermissionMissing {
		u = user{}
		call.Query = url.Values{"$select": {selected}}
		a, f = t.rest.Do(ctx, call)
	}
	switch {
	case f != nil && f.Code == schemas.CodePermissionMissing:
		f.Detail += "; " + grantRead
		return nil, f
	case f != nil:
		return nil, f
	case !guidForm.MatchString(u.ID) || u.UPN == "":
		return nil, t.rest.Failure(a, schemas.CodeUnavailable, "the answer holds no account; see whether base_url is right and what stands between")
	}
	u.clock = clockOf(a)
	return &u, nil
}

// byID reads a user of whom the id is known. A name in its place is refused: Graph would take it.
func (t *tenant) byID(ctx context.Context, id string) (*user, *schemas.Failure) {
	if !guidForm.MatchString(id) {
		return nil, schemas.Fail(schemas.CodeAccountNotFound, "this is no object id of Entra (%s), which is a GUID", t.env.System)
	}
	u, f := t.read(ctx, id)
	if f == nil && !strings.EqualFold(u.ID, id) {
		return nil, schemas.Fail(schemas.CodeUnexpected, "Graph (%s) gave another account than the one asked for; nothing was changed", t.env.System)
	}
	return u, f
}

// clockOf gives Graph's own time, of a second's grain, or ours if an answer has none.
func clockOf(a *rest.Answer) time.Time {
	if at, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		return at
	}
	return time.Now()
}
