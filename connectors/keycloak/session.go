package keycloak

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// realm is the connector.
type realm struct {
	config Config
	env    connectors.Env
	path   string       // of the realm in the admin API
	door   *rest.Client // for tokens
	api    *rest.Client // for all else

	mu      sync.Mutex
	own     rights
	ahead   time.Duration // how much Keycloak's clock is ahead of ours
	rulers  []manager     // the clients that hold the roles of administration; none if they are hidden from us
	listed  time.Time     // when these were read
	demands bool          // whether the realm acts on UPDATE_PASSWORD
	asked   time.Time     // when demands was read
}

// Close lets go of connections.
func (r *realm) Close() error { return errors.Join(r.door.Close(), r.api.Close()) }

// rights is what the last token said about ourselves.
type rights struct {
	account string   // the id of our service account
	roles   []string // roles of administration in the realm
	all     bool     // of the administrator of all realms
}

// has tells whether the token names one of the roles. A token may be made to name none, so no is not the last word.
func (o rights) has(roles ...string) bool {
	return o.all || slices.ContainsFunc(roles, func(role string) bool { return slices.Contains(o.roles, role) })
}

// seesAll tells whether a role lets us see every account.
func (o rights) seesAll() bool { return o.has("view-users", "manage-users", "realm-admin") }

// signIn gets a token by client credentials (RFC 6749 §4.4).
func (r *realm) signIn(ctx context.Context) (rest.Token, error) {
	var got struct {
		Token string  `json:"access_token"`
		Life  float64 `json:"expires_in"`
	}
	began := time.Now()
	_, f := r.door.Do(ctx, rest.Call{
		Method: http.MethodPost, Path: "/realms/" + url.PathEscape(r.config.AdminRealm) + "/protocol/openid-connect/token",
		Body: url.Values{
			"grant_type": {"client_credentials"}, "client_id": {r.config.ClientID}, "client_secret": {r.config.ClientSecret.Reveal()},
		},
		Into: &got, Doing: "signing in", Reads: true,
	})
	if f != nil {
		return rest.Token{}, f
	}
	r.note(got.Token, began, time.Now())
	return rest.Token{Text: got.Token, Until: began.Add(time.Duration(got.Life * float64(time.Second)))}, nil
}

// note reads what a token says about ourselves, and about the clock: Keycloak's answers bear no date of their own. Its
// signature is not checked, because it came from the very server that is asked next.
func (r *realm) note(token string, began, ended time.Time) {
	var claims struct {
		Subject string `json:"sub"`
		Issued  int64  `json:"iat"` // in seconds since 1970
		Realm   struct {
			Roles []string `json:"roles"`
		} `json:"realm_access"`
		Clients map[string]struct {
			Roles []string `json:"roles"`
		} `json:"resource_access"`
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &claims) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.own = rights{account: claims.Subject, roles: claims.Clients[r.grantor()].Roles, all: slices.Contains(claims.Realm.Roles, "admin") && r.config.AdminRealm == "master"}
	if claims.Issued > 0 {
		// In the middle of the second that it names, and of the call.
		r.ahead = time.Unix(claims.Issued, 0).Add(500 * time.Millisecond).Sub(began.Add(ended.Sub(began) / 2))
	}
}

// clock gives the time by Keycloak's clock, to about a second.
func (r *realm) clock() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Now().Add(r.ahead).UTC()
}

// rights gives what is known of ourselves. It is empty before the first call.
func (r *realm) rights() rights {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.own
}

// grantor is the client, in the realm where ours is, whose roles let us act on the realm.
func (r *realm) grantor() string {
	if r.config.AdminRealm != r.config.Realm || r.config.Realm == "master" {
		return r.config.Realm + "-realm"
	}
	return "realm-management"
}

// explainSignIn gives the meaning of a token that is refused (RFC 6749 §5.2).
func (r *realm) explainSignIn(a *rest.Answer) *schemas.Failure {
	switch {
	case a.Status == http.StatusNotFound:
		return r.door.Failure(a, schemas.CodeUnexpected, "there is no realm "+r.config.AdminRealm+" at "+r.config.BaseURL+"; correct base_url, realm or admin_realm")
	case a.Status != http.StatusBadRequest && a.Status != http.StatusUnauthorized:
		return nil
	case said(a).is("invalid_client", "unauthorized_client", "invalid_grant"):
		return r.door.Failure(a, schemas.CodeBadCredentials, "the realm "+r.config.AdminRealm+" does not let the client "+r.config.ClientID+" in; see that client_id and "+
			"client_secret are right, that the client is enabled, and that it has Client authentication and Service accounts roles turned on")
	}
	return nil
}
