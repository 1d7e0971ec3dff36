package keycloak

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// serviceAccount begins the user names of service accounts.
const serviceAccount = "service-account-"

// origin is where an account's password lives, and how that was told.
type origin struct {
	of     schemas.Origin
	why    string
	source *schemas.Account
}

// originOf tells where the password of an account lives.
func (r *realm) originOf(ctx context.Context, a account) (origin, *schemas.Failure) {
	if provider := a.provider(); provider != "" {
		return r.federated(ctx, a, provider)
	}
	// The API does not tell them from people otherwise. Keycloak gives them no password, and names them itself.
	if client, ok := strings.CutPrefix(a.Username, serviceAccount); ok && a.password == nil {
		return origin{of: schemas.OriginService, why: "the service account of the client " + client}, nil
	}
	if a.password != nil {
		return origin{of: schemas.OriginNative, why: "has a password in Keycloak"}, nil
	}
	var links []struct {
		Provider string `json:"identityProvider"`
	}
	if _, f := r.get(ctx, "reading the account's identity providers", r.at(a.ID)+"/federated-identity", nil, &links); f != nil {
		return origin{}, f
	}
	if len(links) > 0 {
		return origin{of: schemas.OriginFederated, why: "signs in at the identity provider " + links[0].Provider + " and has no password in Keycloak"}, nil
	}
	return origin{of: schemas.OriginNative, why: "has no password yet"}, nil
}

// provider gives the id of the directory that an account comes from, or "". Accounts that are not copied bear it in their
// own id, f:PROVIDER:NAME.
func (u user) provider() string {
	if parts := strings.SplitN(u.ID, ":", 3); u.FederationLink == "" && len(parts) == 3 && parts[0] == "f" {
		return parts[1]
	}
	return u.FederationLink
}

// federated tells what Keycloak does with a password that is set for an account from a directory.
func (r *realm) federated(ctx context.Context, a account, provider string) (origin, *schemas.Failure) {
	var component struct {
		Name     string              `json:"name"`
		Provider string              `json:"providerId"`
		Config   map[string][]string `json:"config"`
	}
	out := origin{of: schemas.OriginSynced, source: a.source()}
	answer, f := r.get(ctx, "reading the user federation", r.path+"/components/"+url.PathEscape(provider), nil, &component)
	switch {
	case f != nil && answer != nil && answer.Status == http.StatusForbidden:
		// Whoever sets a password in the wrong place reports a success that is none.
		out.why = "comes from a directory; resetd cannot read whether Keycloak may write there, so it counts as read only; if it is WRITABLE, " + r.grant("view-realm")
		return out, nil
	case f != nil && answer != nil && answer.Status == http.StatusNotFound:
		out.why = "comes from a user federation that is not there any more"
		return out, nil
	case f != nil:
		return out, f
	}
	mode := ""
	if values := component.Config["editMode"]; len(values) > 0 {
		mode = values[0]
	}
	from := "comes from the user federation " + component.Name
	switch {
	case component.Provider == "ldap" && mode == "WRITABLE":
		out.of, out.source, out.why = schemas.OriginNative, nil, from+" (WRITABLE): Keycloak sets the password in the directory"
	case mode == "UNSYNCED":
		out.why = from + " (UNSYNCED): Keycloak would set a password of its own, and the one in the directory would go on working"
	case mode != "":
		out.why = from + " (" + mode + "): Keycloak cannot set the password"
	default:
		out.why = from + " (" + component.Provider + "), which holds the password"
	}
	return out, nil
}

// source names the account as its directory does.
func (u user) source() *schemas.Account {
	if id := u.attribute("LDAP_ID"); id != "" {
		return &schemas.Account{Type: schemas.AccountObjectID, Value: strings.ToLower(id)}
	}
	if dn := u.attribute("LDAP_ENTRY_DN"); dn != "" {
		return &schemas.Account{Type: schemas.AccountDN, Value: dn}
	}
	return nil
}

// barred is why Reset leaves an account alone, or nil.
func (r *realm) barred(a account, o origin) *schemas.Failure {
	switch {
	case a.ID == r.rights().account:
		return schemas.Fail(schemas.CodeProtected, "%s is the account that resetd itself signs in with; nothing was changed", a.Username)
	case o.of == schemas.OriginSynced:
		return schemas.Fail(schemas.CodeResetAtSource, "%s %s; nothing was changed; reset the account there", a.Username, o.why)
	case o.of == schemas.OriginFederated:
		return schemas.Fail(schemas.CodeNotApplicable, "%s %s; nothing was changed; reset the account there", a.Username, o.why)
	case o.of == schemas.OriginService:
		return schemas.Fail(schemas.CodeNotApplicable, "%s is %s, with which no person signs in; nothing was changed; renew the client's secret instead", a.Username, o.why)
	}
	return nil
}
