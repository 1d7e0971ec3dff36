package okta

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// tokenPath is where the org itself gives tokens for its API; custom authorization servers give none for that.
const tokenPath = "/oauth2/v1/token"

// The scopes of what is called.
const (
	scopeManage = "okta.users.manage"
	scopeRead   = "okta.users.read"
	scopeRoles  = "okta.roles.read"
)

// app is a service app that signs in with a key of its own (private_key_jwt, RFC 7523).
type app struct {
	org    *org
	client *rest.Client
	key    signer
	proof  *dpop

	mu      sync.Mutex
	granted string // the scopes of the last token
}

// scopes are those to ask for.
func (a *app) scopes() []string {
	if a.org.config.CheckRoles {
		return []string{scopeManage, scopeRead, scopeRoles}
	}
	return []string{scopeManage, scopeRead}
}

// token asks for a token. Okta refuses the whole request for one scope that is not granted, so then each is asked for alone
// to be able to name it.
func (a *app) token(ctx context.Context) (rest.Token, error) {
	t, denied, f := a.ask(ctx, a.scopes()...)
	if !denied {
		if f != nil {
			return t, f
		}
		return t, nil
	}
	var missing []string
	for _, scope := range a.scopes() {
		_, denied, other := a.ask(ctx, scope)
		if other != nil && !denied {
			return rest.Token{}, other
		}
		if denied {
			missing = append(missing, scope)
		}
	}
	if len(missing) == 0 {
		missing = a.scopes()
	}
	return rest.Token{}, schemas.Fail(schemas.CodePermissionMissing, "%s", a.grantScopes(missing)).Because(scopesDenied(missing))
}

// scopesDenied is the cause of a failure for want of scopes. There is no token then, so nothing else can be asked.
type scopesDenied []string

func (s scopesDenied) Error() string { return "not granted: " + strings.Join(s, " ") }

// grantScopes says where to grant scopes.
func (a *app) grantScopes(missing []string) string {
	return "the service app " + a.org.config.ClientID + " has not the scope " + strings.Join(missing, " and ") +
		"; grant it in the Admin Console under Applications > Applications > the app > Okta API Scopes"
}

// assertion is the claims of RFC 7523 §3, with a life of five minutes; Okta takes an hour at most.
type assertion struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	ID       string `json:"jti"`
	At       int64  `json:"iat"`
	Until    int64  `json:"exp"`
}

// ask asks for a token. Denied tells that Okta takes the app for what it is, but not one of the scopes. Where Okta demands a
// proof of possession, and then its nonce in it, the request is made anew with them.
func (a *app) ask(ctx context.Context, scopes ...string) (t rest.Token, denied bool, f *schemas.Failure) {
	var why string
	for range 3 {
		t, why, f = a.request(ctx, scopes)
		if why != "invalid_dpop_proof" && why != "use_dpop_nonce" {
			break
		}
		news, err := a.proof.demand()
		if err != nil {
			return t, false, schemas.Fail(schemas.CodeUnexpected, "no key for the proof of possession (DPoP) can be made; please report this").Because(err)
		}
		if !news && why != "use_dpop_nonce" {
			break
		}
	}
	return t, why == "invalid_scope" || why == "consent_required", f
}

// request sends it, with a new assertion.
func (a *app) request(ctx context.Context, scopes []string) (t rest.Token, why string, f *schemas.Failure) {
	now := time.Now()
	id := a.org.config.ClientID
	signed, err := a.key(assertion{Issuer: id, Subject: id, Audience: a.client.Base + tokenPath, ID: rand.Text(), At: now.Unix(), Until: now.Add(5 * time.Minute).Unix()})
	if err != nil {
		return t, "", schemas.Fail(schemas.CodeUnexpected, "the request for a token cannot be signed; please report this").Because(err)
	}
	var got struct {
		Token string `json:"access_token"`
		Life  int64  `json:"expires_in"`
		Scope string `json:"scope"`
	}
	answer, f := a.client.Do(ctx, rest.Call{Method: http.MethodPost, Path: tokenPath, Into: &got, Reads: true, Doing: "signing in", Body: url.Values{
		"grant_type": {"client_credentials"}, "scope": {strings.Join(scopes, " ")}, "client_assertion": {signed},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
	}})
	switch {
	case f != nil && answer != nil:
		return t, oauthError(answer), f
	case f != nil:
		return t, "", f
	case got.Token == "" || got.Life <= 0:
		return t, "", a.client.Failure(answer, schemas.CodeUnavailable, "the answer holds no token; see what stands between resetd and Okta")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.granted = got.Scope
	return rest.Token{Text: got.Token, Until: now.Add(time.Duration(min(got.Life, 86400)) * time.Second)}, "", nil
}

// lacking gives the scopes that the last token came without, although they were asked for.
func (a *app) lacking() (out []string) {
	a.mu.Lock()
	granted := strings.Fields(a.granted)
	a.mu.Unlock()
	for _, want := range a.scopes() {
		found := len(granted) == 0 // not told (RFC 6749 §5.1): as asked for
		for _, one := range granted {
			found = found || one == want
		}
		if !found {
			out = append(out, want)
		}
	}
	return out
}

// oauthError reads the error of a token request, which Okta gives in the form of RFC 6749 §5.2 or in its own.
func oauthError(a *rest.Answer) string {
	var body struct {
		OAuth string `json:"error"`
		Okta  string `json:"errorCode"`
	}
	if json.Unmarshal(a.Body, &body) != nil {
		return ""
	}
	if body.OAuth != "" {
		return body.OAuth
	}
	return body.Okta
}

// explain gives the meaning of a refused request for a token.
func (a *app) explain(got *rest.Answer) *schemas.Failure {
	if got.Status == http.StatusTooManyRequests {
		return a.client.Busy(got, a.org.pause(got))
	}
	switch oauthError(got) {
	case "":
		if got.Refuses() {
			return a.client.Foreign(got)
		}
	case "invalid_client", "unauthorized_client", "invalid_grant", "access_denied":
		return a.client.Failure(got, schemas.CodeBadCredentials, "Okta does not take the service app "+a.org.config.ClientID+
			" or its key; compare client_id, private_key and key_id with the app's page in the Admin Console (active? key active?)"+clockHint(got))
	case "invalid_scope", "consent_required":
		return a.client.Failure(got, schemas.CodePermissionMissing, a.grantScopes(a.scopes()))
	case "invalid_dpop_proof", "use_dpop_nonce":
		return a.client.Failure(got, schemas.CodeBadCredentials, "Okta does not take the proof of possession (DPoP)"+clockHint(got)+
			"; if it goes on, clear \"Require Demonstrating Proof of Possession (DPoP) header in token requests\" on the app's page in the Admin Console")
	}
	return nil
}

// clockHint speaks of the clock where it may be the reason: an assertion with a time that lies off is refused.
func clockHint(a *rest.Answer) string {
	at, err := http.ParseTime(a.Header.Get("Date"))
	if off := time.Since(at).Abs(); err != nil || off < 2*time.Minute {
		return ""
	}
	return "; this machine's clock and Okta's differ by " + time.Since(at).Abs().Round(time.Second).String() + ": correct it"
}
