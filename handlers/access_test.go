package handlers_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

var everyRole = []struct {
	role  handlers.Role
	token string
}{{handlers.Anyone, ""}, {handlers.Viewer, viewerToken}, {handlers.Operator, operatorToken}, {handlers.Approver, approverToken}, {handlers.Admin, adminToken}}

func TestEachCallTakesTheRoleThatItNeedsAndEveryRoleAboveIt(t *testing.T) {
	for _, c := range []struct {
		method, target, body string
		need                 handlers.Role
		status               int
	}{
		{"POST", "/v1/tasks", good, handlers.Operator, 202},
		{"GET", "/v1/tasks", "", handlers.Viewer, 200},
		{"GET", "/v1/tasks/known", "", handlers.Viewer, 200},
		{"GET", "/v1/tasks/known/events", "", handlers.Viewer, 200},
		{"POST", "/v1/tasks/known/cancel", "", handlers.Operator, 200},
		{"POST", "/v1/tasks/known/retry", "", handlers.Operator, 202},
		{"GET", "/v1/callbacks", "", handlers.Viewer, 200},
		{"POST", "/v1/callbacks/known/redeliver", "", handlers.Operator, 202},
		{"GET", "/v1/systems", "", handlers.Viewer, 200},
		{"GET", "/v1/systems/corp-ldap", "", handlers.Viewer, 200},
		{"POST", "/v1/systems/corp-ldap/check", "", handlers.Operator, 200},
		{"PUT", "/v1/systems/corp-ldap/enforcement", `{"permission":"not_granted"}`, handlers.Operator, 200},
		{"DELETE", "/v1/systems/corp-ldap/enforcement", "", handlers.Admin, 200},
		{"GET", "/v1/accounts?q=jdoe", "", handlers.Operator, 200},
		{"GET", "/metrics", "", handlers.Viewer, 200},
		{"GET", "/healthz", "", handlers.Anyone, 200},
		{"GET", "/readyz", "", handlers.Anyone, 200},
		{"GET", "/openapi.yaml", "", handlers.Anyone, 200},
	} {
		for _, r := range everyRole {
			f := newFixture(t)
			a := f.call(c.method, c.target, r.token, c.body)
			switch {
			case r.role >= c.need:
				if a.StatusCode != c.status {
					t.Errorf("%s %s as %s: %d %s", c.method, c.target, r.role, a.StatusCode, a.body)
				}
				continue
			case r.role == handlers.Anyone:
				a.want(t, 401, "unauthorized")
				if a.Header.Get("WWW-Authenticate") != `Bearer realm="resetd"` {
					t.Errorf("%s %s: challenge %q", c.method, c.target, a.Header.Get("WWW-Authenticate"))
				}
			default:
				p := a.want(t, 403, "role_too_low")
				if !strings.Contains(p.Detail, c.need.String()) || !strings.Contains(a.Header.Get("WWW-Authenticate"), "insufficient_scope") {
					t.Errorf("%s %s as %s: %q does not name the role %s", c.method, c.target, r.role, p.Detail, c.need)
				}
			}
			if len(f.tasks.submissions())+len(f.tasks.did)+len(f.callbacks.again)+len(f.portal.did) != 0 {
				t.Errorf("%s %s as %s did something", c.method, c.target, r.role)
			}
		}
	}
}

func TestWrongAuthorizationIsRefused(t *testing.T) {
	for name, values := range map[string][]string{
		"unknown token":       {"Bearer 000000000000000000000000"},
		"almost the token":    {"Bearer " + viewerToken[:23] + "c"},
		"beginning of one":    {"Bearer " + viewerToken[:12]},
		"nothing":             {"Bearer "},
		"another scheme":      {"Basic " + viewerToken},
		"no scheme":           {viewerToken},
		"two headers":         {"Bearer " + viewerToken, "Bearer " + viewerToken},
		"two tokens":          {"Bearer " + viewerToken + " " + adminToken},
		"space before it":     {"Bearer  " + viewerToken},
		"far too long":        {"Bearer " + strings.Repeat("a", 10_000)},
		"hash of the token":   {fmt.Sprintf("Bearer %x", sha256.Sum256([]byte(viewerToken)))},
		"the role's name":     {"Bearer viewer"},
		"comma after it":      {"Bearer " + viewerToken + ","},
		"quotes around it":    {`Bearer "` + viewerToken + `"`},
		"line break after it": {"Bearer " + viewerToken + "\n"},
	} {
		f := newFixture(t)
		r := httptest.NewRequest("GET", "/v1/tasks", nil)
		r.Header["Authorization"] = values
		a := f.do(r)
		a.want(t, 401, "unauthorized")
		if !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%s: challenge %q", name, a.Header.Get("WWW-Authenticate"))
		}
	}
}

func TestSchemeOfTheTokenHasNoCase(t *testing.T) {
	f := newFixture(t)
	r := httptest.NewRequest("GET", "/v1/tasks", nil)
	r.Header.Set("Authorization", "bearer "+viewerToken)
	if a := f.do(r); a.StatusCode != 200 {
		t.Fatal(a.StatusCode)
	}
}

func TestATokenDoesNotReplaceASignature(t *testing.T) {
	f := newFixture(t)
	f.call("POST", "/v1/hooks/soar", adminToken, native(good)).want(t, 401, "bad_signature")
}

func TestMetricsAreOpenOnlyWhereThatIsConfigured(t *testing.T) {
	f := newFixture(t, func(d *handlers.Deps) { d.MetricsOpen = true })
	a := f.call("GET", "/metrics", "", "")
	if a.StatusCode != 200 || !strings.Contains(a.body, "resetd_hook_deliveries_total") {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
}

func TestTokensThatCouldBeGuessedOrConfusedAreRefused(t *testing.T) {
	ok := handlers.Token{Name: "ops", Role: handlers.Operator, Text: schemas.NewSecret(operatorToken)}
	with := func(change func(*handlers.Token)) []handlers.Token {
		spoilt := ok
		change(&spoilt)
		return []handlers.Token{spoilt}
	}
	text := func(s string) []handlers.Token {
		return with(func(t *handlers.Token) { t.Text = schemas.NewSecret(s) })
	}
	for name, tokens := range map[string][]handlers.Token{
		"23 characters":          text("a81b6cd20e4f97355d7e21f"),
		"empty":                  text(""),
		"variable not filled in": text("${OPS_TOKEN_FROM_THE_ENVIRONMENT}"),
		"space inside":           text("a81b6cd20e4f 97355d7e21f09b"),
		"line break at the end":  text(operatorToken + "\n"),
		"not random":             text(strings.Repeat("secret", 5)),
		"far too long":           text(strings.Repeat(operatorToken, 30)),
		"no name":                with(func(t *handlers.Token) { t.Name = "" }),
		"name with a space":      with(func(t *handlers.Token) { t.Name = "o ps" }),
		"no role":                with(func(t *handlers.Token) { t.Role = handlers.Anyone }),
		"role beyond the last":   with(func(t *handlers.Token) { t.Role = handlers.Admin + 1 }),
		"same name twice":        {ok, {Name: "ops", Role: handlers.Viewer, Text: schemas.NewSecret(viewerToken)}},
		"same text twice":        {ok, {Name: "other", Role: handlers.Viewer, Text: ok.Text}},
	} {
		_, err := handlers.NewTokens(tokens)
		if err == nil {
			t.Errorf("%s was taken", name)
			continue
		}
		if text := tokens[0].Text.Reveal(); text != "" && strings.Contains(err.Error(), strings.TrimSpace(text)) {
			t.Errorf("%s: the error shows the token: %v", name, err)
		}
	}
	if _, err := handlers.NewTokens([]handlers.Token{ok}); err != nil {
		t.Error(err)
	}
}

func TestWithoutTokensTheAPIIsClosed(t *testing.T) {
	none, err := handlers.NewTokens(nil)
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, func(d *handlers.Deps) { d.Tokens = none })
	f.call(http.MethodGet, "/v1/tasks", "", "").want(t, 401, "unauthorized")
	f.call(http.MethodGet, "/v1/tasks", viewerToken, "").want(t, 401, "unauthorized")
}

func TestRolesAreReadByTheirNames(t *testing.T) {
	for r := handlers.Viewer; r <= handlers.Admin; r++ {
		if got, err := handlers.ParseRole(r.String()); err != nil || got != r {
			t.Errorf("%s: %v, %v", r, got, err)
		}
	}
	for _, name := range []string{"", "anyone", "Admin", "root"} {
		if _, err := handlers.ParseRole(name); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
}
