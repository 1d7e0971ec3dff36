package entra_test

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"
)

// aadsts answers as the token server does when it refuses.
func aadsts(w http.ResponseWriter, status int, kind string, number int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": kind, "error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: x Correlation ID: y", number, text),
		"error_codes": []int{number}, "timestamp": "2026-11-22 00:00:00Z", "trace_id": uuid.NewString(), "correlation_id": uuid.NewString()})
}

// authority answers what a token server is asked.
func (f *front) authority(w http.ResponseWriter, r *http.Request) {
	if strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration") {
		base := f.server.URL + "/" + tenantID
		if !strings.HasPrefix(r.URL.Path, "/"+tenantID+"/") {
			aadsts(w, http.StatusBadRequest, "invalid_tenant", 90002, "Tenant not found.")
			return
		}
		answer(w, map[string]any{"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize"})
		return
	}
	if r.ParseForm() != nil || r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("scope") == "" {
		aadsts(w, http.StatusBadRequest, "invalid_request", 900144, "The request body must contain the parameter.")
		return
	}
	if !strings.Contains(r.PostForm.Get("scope"), f.server.URL+"/.default") {
		aadsts(w, http.StatusBadRequest, "invalid_resource", 500011, "The resource principal was not found.")
		return
	}
	f.world.mu.Lock()
	defer f.world.mu.Unlock()
	id := r.PostForm.Get("client_id")
	a := f.world.apps[id]
	switch {
	case a == nil:
		aadsts(w, http.StatusUnauthorized, "unauthorized_client", 700016, "Application not found in the directory.")
	case f.refuseToken != 0:
		aadsts(w, http.StatusUnauthorized, "invalid_client", f.refuseToken, "Refused: "+r.PostForm.Get("client_secret")+r.PostForm.Get("client_assertion"))
	case r.PostForm.Get("client_assertion") != "":
		if !f.asserted(r.PostForm.Get("client_assertion")) {
			aadsts(w, http.StatusUnauthorized, "invalid_client", 700027, "The certificate with identifier used to sign the client assertion is not registered on application.")
			return
		}
		f.issue(w, id, a)
	case r.PostForm.Get("client_secret") != a.secret:
		aadsts(w, http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided: "+r.PostForm.Get("client_secret"))
	default:
		f.issue(w, id, a)
	}
}

// issue gives a new token. The caller holds the world's lock.
func (f *front) issue(w http.ResponseWriter, id string, a *app) {
	wids := []string{"0997a1d0-0d1d-4acb-b408-d5ca73121e90"}
	for template, scope := range a.roles {
		if scope == "/" {
			wids = append(wids, template)
		}
	}
	part := func(v any) string {
		text, _ := json.Marshal(v)
		return base64.RawURLEncoding.EncodeToString(text)
	}
	token := part(map[string]any{"alg": "RS256"}) + "." + part(map[string]any{"oid": a.oid, "appid": id, "tid": tenantID, "roles": a.permissions, "wids": wids}) + "." + part(uuid.NewString())
	if a.opaque {
		token = "opaque-" + uuid.NewString()
	}
	life := f.tokenLife
	if life == 0 {
		life = time.Hour
	}
	f.mu.Lock()
	f.tokens[token] = a
	f.issued = append(f.issued, token)
	f.mu.Unlock()
	answer(w, map[string]any{"token_type": "Bearer", "expires_in": int(life.Seconds()), "ext_expires_in": int(life.Seconds()), "access_token": token})
}

// asserted checks a client assertion: the federated token letter by letter, or a signature by the registered certificate
// (https://learn.microsoft.com/entra/identity-platform/certificate-credentials: PS256 and the thumbprint x5t#S256).
func (f *front) asserted(assertion string) bool {
	if f.federated != "" {
		return assertion == f.federated
	}
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || f.certificate == nil {
		return false
	}
	var header map[string]any
	var claims struct {
		Audience string `json:"aud"`
		Subject  string `json:"sub"`
		Until    int64  `json:"exp"`
	}
	if decode(parts[0], &header) != nil || decode(parts[1], &claims) != nil {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || header["alg"] != "PS256" || header["x5t#S256"] != thumbprint(f.certificate) || time.Unix(claims.Until, 0).Before(time.Now()) || claims.Subject != appFull {
		return false
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return rsa.VerifyPSS(f.certificate.PublicKey.(*rsa.PublicKey), crypto.SHA256, digest[:], signature, nil) == nil
}

func decode(part string, into any) error {
	text, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// thumbprint is as Microsoft's own library writes it, in the standard alphabet.
func thumbprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return base64.StdEncoding.EncodeToString(sum[:])
}
