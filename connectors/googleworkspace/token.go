package googleworkspace

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// The scopes that a token is asked for. Google gives no token at all when one of them is not delegated, so nothing is
// asked for that the settings do not need.
const (
	scopeUser     = "https://www.googleapis.com/auth/admin.directory.user"
	scopeSecurity = "https://www.googleapis.com/auth/admin.directory.user.security"
	scopeRoles    = "https://www.googleapis.com/auth/admin.directory.rolemanagement.readonly"
	scopeUnits    = "https://www.googleapis.com/auth/admin.directory.orgunit.readonly"
	scopeMembers  = "https://www.googleapis.com/auth/admin.directory.group.member.readonly"
	scopeSSO      = "https://www.googleapis.com/auth/cloud-identity.inboundsso.readonly"
)

// assertionLife is what Google allows at most.
const assertionLife = time.Hour

// scopes are those that the settings need.
func (c *Config) scopes() []string {
	all := []string{scopeUser, scopeSecurity, scopeRoles}
	if c.ThirdPartyIDP == idpDetect {
		all = append(all, scopeUnits, scopeMembers, scopeSSO)
	}
	return all
}

// tokens makes what signs calls in.
func (w *workspace) tokens() (*rest.Tokens, error) {
	var server *rest.Client
	explain := func(a *rest.Answer) *schemas.Failure { return w.explainToken(server, a) }
	server, err := rest.New(rest.Options{Base: w.account.tokenURL, System: w.env.System, Product: "Google's token server",
		TLSCA: w.config.TLSCA, MaxConns: 2, Explain: explain})
	if err != nil {
		return nil, err
	}
	return rest.NewTokens(0, func(ctx context.Context) (rest.Token, error) {
		asked := time.Now()
		assertion, err := w.assertion(asked)
		if err != nil {
			return rest.Token{}, schemas.Fail(schemas.CodeBadCredentials, "the private key of %s cannot sign; create another key and put it into the settings of the system %s",
				w.account.email, w.env.System)
		}
		var got struct {
			Text    string `json:"access_token"`
			Seconds int    `json:"expires_in"`
		}
		_, f := server.Do(ctx, rest.Call{Method: http.MethodPost, Doing: "asking for a token", Reads: true, Into: &got,
			Body: url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}})
		switch {
		case f != nil:
			return rest.Token{}, f
		case got.Text == "" || got.Seconds <= 0:
			return rest.Token{}, schemas.Fail(schemas.CodeUnavailable, "Google's token server (%s) answered without a token; see whether token_uri is right and what stands between",
				w.env.System)
		}
		return rest.Token{Text: got.Text, Until: asked.Add(time.Duration(got.Seconds) * time.Second)}, nil
	}), nil
}

// assertion makes what a token is asked with (RFC 7523 §2.1): who we are, whom we act as and what for, signed by our key.
// It begins a little in the past, so that a clock that is slightly ahead does no harm.
func (w *workspace) assertion(now time.Time) (string, error) {
	begin := now.Add(-10 * time.Second)
	claims := map[string]any{"iss": w.account.email, "aud": w.account.tokenURL, "scope": strings.Join(w.config.scopes(), " "),
		"iat": begin.Unix(), "exp": begin.Add(assertionLife).Unix()}
	if w.config.Subject != "" {
		claims["sub"] = w.config.Subject
	}
	head, err := json.Marshal(map[string]string{"alg": "RS256", "typ": "JWT", "kid": w.account.keyID})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, w.account.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// explainToken says what the token server means. Of its words only the code is told, which is one of a closed list
// (RFC 6749 §5.2 and Google's own).
func (w *workspace) explainToken(server *rest.Client, a *rest.Answer) *schemas.Failure {
	if a.Status != http.StatusBadRequest && a.Status != http.StatusUnauthorized && a.Status != http.StatusForbidden {
		return nil
	}
	var said struct {
		Error string `json:"error"`
		Text  string `json:"error_description"`
	}
	_ = json.Unmarshal(a.Body, &said)
	if said.Error == "" { // a token server always says it (RFC 6749 §5.2)
		return server.Foreign(a)
	}
	fail := func(format string, args ...any) *schemas.Failure {
		return schemas.Fail(schemas.CodeBadCredentials, "Google gives "+w.account.email+" no token (%s): "+format, append([]any{code(said.Error)}, args...)...)
	}
	switch said.Error {
	case "unauthorized_client", "access_denied":
		return fail("the service account may not act as %s with these scopes; in the admin console under Security > Access and data control > API controls > "+
			"Domain-wide delegation, give the client id %s exactly these: %s; it can take minutes, and up to a day, to hold",
			w.subject(), w.account.clientID, strings.Join(w.config.scopes(), ","))
	case "invalid_grant":
		switch {
		case strings.Contains(said.Text, "Invalid email or User ID"), strings.Contains(said.Text, "Not a valid email"):
			return fail("%s is no active account of this customer; correct subject in the settings of the system %s", w.subject(), w.env.System)
		case strings.Contains(said.Text, "short-lived"), strings.Contains(said.Text, "timeframe"):
			return fail("this machine's clock is wrong; set it right")
		}
		return fail("the key %s is not, or no longer, one of the service account's; create another and put it into the settings of the system %s", w.account.keyID, w.env.System)
	case "invalid_client":
		return fail("there is no such service account; it may have been deleted or disabled; see the Google Cloud project %s", w.account.project)
	case "invalid_scope", "admin_policy_enforced", "org_internal":
		return fail("the customer's policy forbids what is asked for (%s); see API controls in the admin console", strings.Join(w.config.scopes(), ","))
	}
	return fail("see the service account in the Google Cloud project %s, its key, and subject in the settings of the system %s", w.account.project, w.env.System)
}

// subject names whom resetd acts as.
func (w *workspace) subject() string {
	if w.config.Subject == "" {
		return "itself (subject is not set)"
	}
	return w.config.Subject
}

// code gives a code of a vendor as it may be shown: letters, digits and underscores, and nothing else at all.
func code(text string) string {
	for _, r := range text {
		if r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return "without a known code"
		}
	}
	if text == "" || len(text) > 64 {
		return "without a known code"
	}
	return text
}
