package googleworkspace_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// allScopes is what the README lets an operator delegate, with what detect takes.
var allScopes = []string{
	"https://www.googleapis.com/auth/admin.directory.user", "https://www.googleapis.com/auth/admin.directory.user.security",
	"https://www.googleapis.com/auth/admin.directory.rolemanagement.readonly", "https://www.googleapis.com/auth/admin.directory.orgunit.readonly",
	"https://www.googleapis.com/auth/admin.directory.group.member.readonly", "https://www.googleapis.com/auth/cloud-identity.inboundsso.readonly",
}

// serviceAccount is resetd's account at Google Cloud: two keys, of which Google has forgotten the second.
type serviceAccount struct{ good, deleted *rsa.PrivateKey }

const (
	serviceEmail = "resetd@project-1.iam.gserviceaccount.com"
	serviceID    = "112233445566778899001"
)

var keys = sync.OnceValue(func() serviceAccount {
	var all [2]*rsa.PrivateKey
	for i := range all {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		all[i] = key
	}
	return serviceAccount{all[0], all[1]}
})

// pemOf writes a key as Google does.
func pemOf(key *rsa.PrivateKey) string {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// document is the key file.
func document(key *rsa.PrivateKey, tokenURL string) string {
	text, err := json.Marshal(map[string]string{"type": "service_account", "project_id": "project-1", "private_key_id": "abcdef0123456789",
		"private_key": pemOf(key), "client_email": serviceEmail, "client_id": serviceID, "token_uri": tokenURL,
		"auth_uri": "https://accounts.google.com/o/oauth2/auth", "universe_domain": "googleapis.com"})
	if err != nil {
		panic(err)
	}
	return string(text)
}

// grant is what a token is good for.
type grant struct {
	scopes []string
	actor  string // an address, or the id of the service account
	until  time.Time
}

// serveToken gives a token for a signed assertion (RFC 7523).
func (g *google) serveToken(w http.ResponseWriter, body []byte) {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		refuseToken(w, 400, "unsupported_grant_type", "Invalid grant_type")
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, "token")
	parts := strings.Split(form.Get("assertion"), ".")
	var claims struct {
		Iss, Aud, Scope, Sub string
		Iat, Exp             int64
	}
	if len(parts) == 3 {
		text, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(text, &claims)
	}
	now := time.Now().Unix()
	scopes := strings.Fields(claims.Scope)
	switch {
	case len(parts) != 3 || claims.Iss != serviceEmail || !strings.HasSuffix(claims.Aud, "/token"):
		refuseToken(w, 400, "invalid_grant", "Invalid JWT: Failed audience check.")
		return
	case !signed(&g.service.good.PublicKey, parts):
		refuseToken(w, 400, "invalid_grant", "Invalid JWT Signature.")
		return
	case claims.Iat > now || claims.Exp < now || claims.Exp-claims.Iat > 3600:
		refuseToken(w, 400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.")
		return
	case slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(g.delegated, s) }):
		refuseToken(w, 401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.")
		return
	}
	actor := serviceID
	if claims.Sub != "" {
		a := g.find(claims.Sub)
		if a == nil || a.suspended {
			refuseToken(w, 400, "invalid_grant", "Invalid email or User ID")
			return
		}
		actor = a.id
	}
	text := "ya29.c." + rand.Text()
	g.tokens[text] = grant{scopes, actor, time.Now().Add(time.Hour)}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(map[string]any{"access_token": text, "expires_in": 3599, "token_type": "Bearer"})
}

func refuseToken(w http.ResponseWriter, status int, code, text string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": code, "error_description": text})
}

func signed(key *rsa.PublicKey, parts []string) bool {
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return false
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) == nil
}

// expire makes Google take a token no more.
func (g *google) expire(r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
}

// admit looks at the token and its scopes, and gives the privileges of whoever it was given to.
func (g *google) admit(m *method, r *http.Request) (actor, *problem) {
	got, ok := g.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	if !ok || time.Now().After(got.until) {
		return actor{}, &problem{status: 401, reason: "authError", message: "Request had invalid authentication credentials."}
	}
	if m.Scopes != nil && !slices.ContainsFunc(got.scopes, func(s string) bool { return slices.Contains(m.Scopes, s) }) {
		return actor{}, &problem{status: 403, reason: "insufficientPermissions", message: "Insufficient Permission: Request had insufficient authentication scopes."}
	}
	out := actor{id: got.actor}
	for _, one := range g.assignments {
		if one.to == got.actor {
			out.super = out.super || g.roles[one.role].super
			out.privileges = append(out.privileges, g.roles[one.role].privileges...)
		}
	}
	return out, nil
}

// actor is who calls.
type actor struct {
	id         string
	super      bool
	privileges []string
}

// may tells whether a privilege is held, or one that includes it.
func (a actor) may(privilege string) bool {
	return a.super || slices.ContainsFunc(a.privileges, func(p string) bool {
		return p == privilege || p == "USERS_ALL" && strings.HasPrefix(privilege, "USERS_") ||
			p == "USERS_UPDATE" && (privilege == "USERS_RESET_PASSWORD" || privilege == "USERS_FORCE_PASSWORD_CHANGE")
	})
}
