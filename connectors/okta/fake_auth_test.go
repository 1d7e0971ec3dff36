package okta_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	clientID = "0oaservice0app0000h7"
	keyID    = "the-key-of-the-app"
)

// fakeApp is the service app, and the org's token endpoint.
type fakeApp struct {
	key    *ecdsa.PrivateKey
	pem    string
	scopes []string // granted

	dpop    bool // proof of possession is demanded
	apiWant bool // the API wants a nonce too
	nonce   string
	seen    map[string]bool // every jti so far

	made  int
	tries int               // requests for tokens
	valid map[string]string // tokens, and the thumbprint of the key each is bound to
	once  string            // a token that is taken for one call
	error string            // to answer with in place of a token
}

func newApp(t *testing.T) fakeApp {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return fakeApp{key: key, pem: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		scopes: []string{"okta.users.manage", "okta.users.read", "okta.roles.read"}, nonce: "nonce-1", seen: map[string]bool{}, valid: map[string]string{}}
}

// signedIn lets through who is signed in, and answers requests for tokens.
func (o *imitation) signedIn(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/oauth2/v1/token" {
			o.token(w, r)
			return
		}
		switch scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " "); {
		case scheme == "SSWS" && token == apiToken:
		case (scheme == "Bearer" || scheme == "DPoP") && o.admits(w, r, scheme, token):
		default:
			o.write(w, http.StatusUnauthorized, errorJSON("E0000011"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admits tells whether a token is good, and the proof with it.
func (o *imitation) admits(w http.ResponseWriter, r *http.Request, scheme, token string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	bound, ok := o.app.valid[token]
	if !ok || (bound != "") != (scheme == "DPoP") {
		return false
	}
	if o.app.once == token {
		delete(o.app.valid, token)
	}
	if bound == "" {
		return true
	}
	sum := sha256.Sum256([]byte(token))
	thumb, nonce, err := o.app.proof(r, base64.RawURLEncoding.EncodeToString(sum[:]))
	if err != nil || thumb != bound {
		o.t.Errorf("the proof of possession is not right: %v", err)
		return false
	}
	if o.app.apiWant && nonce != "api-nonce" {
		w.Header().Set("DPoP-Nonce", "api-nonce")
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
		return false
	}
	return true
}

// token is the token endpoint.
func (o *imitation) token(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.app.tries++
	refuse := func(status int, code string) {
		o.write(w, status, map[string]any{"error": code, "error_description": "what Okta says to " + code})
	}
	if o.app.error != "" {
		refuse(http.StatusBadRequest, o.app.error)
		return
	}
	if err := o.app.assertion(r); err != nil {
		o.t.Logf("the assertion is refused: %v", err)
		refuse(http.StatusUnauthorized, "invalid_client")
		return
	}
	scopes := strings.Fields(r.PostFormValue("scope"))
	for _, s := range scopes {
		if !slices.Contains(o.app.scopes, s) {
			refuse(http.StatusBadRequest, "invalid_scope")
			return
		}
	}
	thumb := ""
	if o.app.dpop {
		if r.Header.Get("DPoP") == "" {
			refuse(http.StatusBadRequest, "invalid_dpop_proof")
			return
		}
		made, nonce, err := o.app.proof(r, "")
		if err != nil {
			o.t.Errorf("the proof of possession is not right: %v", err)
			refuse(http.StatusBadRequest, "invalid_dpop_proof")
			return
		}
		if nonce != o.app.nonce {
			w.Header().Set("DPoP-Nonce", o.app.nonce)
			refuse(http.StatusBadRequest, "use_dpop_nonce")
			return
		}
		thumb = made
	}
	o.app.made++
	text := fmt.Sprintf("eyToken-%d-%s", o.app.made, rand.Text())
	o.app.valid[text] = thumb
	o.write(w, http.StatusOK, map[string]any{"access_token": text, "token_type": map[bool]string{true: "DPoP", false: "Bearer"}[o.app.dpop],
		"expires_in": 3600, "scope": strings.Join(scopes, " ")})
}

// assertion checks the client's assertion (RFC 7523 §3).
func (a *fakeApp) assertion(r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	if r.PostForm.Get("grant_type") != "client_credentials" || r.PostForm.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return fmt.Errorf("the form is %v", r.PostForm)
	}
	signed, err := jose.ParseSignedCompact(r.PostForm.Get("client_assertion"), []jose.SignatureAlgorithm{jose.ES256, jose.RS256})
	if err != nil {
		return err
	}
	text, err := signed.Verify(&a.key.PublicKey)
	if err != nil {
		return err
	}
	var claims struct {
		Issuer, Subject, Audience, ID string
		At, Until                     int64
	}
	var raw map[string]any
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	claims.Issuer, _ = raw["iss"].(string)
	claims.Subject, _ = raw["sub"].(string)
	claims.Audience, _ = raw["aud"].(string)
	claims.ID, _ = raw["jti"].(string)
	until, _ := raw["exp"].(float64)
	left := time.Until(time.Unix(int64(until), 0))
	if claims.Issuer != clientID || claims.Subject != clientID || claims.Audience != "http://"+r.Host+"/oauth2/v1/token" || left <= 0 || left > time.Hour || a.seen[claims.ID] ||
		signed.Signatures[0].Header.KeyID != keyID {
		return fmt.Errorf("the claims are %s", text)
	}
	a.seen[claims.ID] = true
	return nil
}

// proof checks a proof of possession (RFC 9449 §4.3) and gives the key's thumbprint and the nonce.
func (a *fakeApp) proof(r *http.Request, token string) (thumb, nonce string, err error) {
	signed, err := jose.ParseSignedCompact(r.Header.Get("DPoP"), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return "", "", err
	}
	head := signed.Signatures[0].Header
	if head.JSONWebKey == nil || !head.JSONWebKey.IsPublic() || head.ExtraHeaders["typ"] != "dpop+jwt" {
		return "", "", fmt.Errorf("the header is %+v", head)
	}
	text, err := signed.Verify(head.JSONWebKey)
	if err != nil {
		return "", "", err
	}
	var claims struct {
		ID     string `json:"jti"`
		Method string `json:"htm"`
		URL    string `json:"htu"`
		At     int64  `json:"iat"`
		Nonce  string `json:"nonce"`
		Token  string `json:"ath"`
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return "", "", err
	}
	if claims.Method != r.Method || claims.URL != "http://"+r.Host+r.URL.EscapedPath() || claims.Token != token || a.seen[claims.ID] || claims.ID == "" ||
		time.Since(time.Unix(claims.At, 0)).Abs() > time.Minute {
		return "", "", fmt.Errorf("the claims are %s", text)
	}
	a.seen[claims.ID] = true
	sum, err := head.JSONWebKey.Thumbprint(crypto.SHA256)
	return base64.RawURLEncoding.EncodeToString(sum), claims.Nonce, err
}
