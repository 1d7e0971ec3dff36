package googleworkspace_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// refusing makes a customer that answers every call of one kind with a problem.
func refusing(t *testing.T, httpMethod string, p *problem) (*google, connectors.Connector) {
	g, c := plain(t)
	g.refuse = func(_ *method, r *http.Request) *problem {
		if r.Method != httpMethod {
			return nil
		}
		return p
	}
	return g, c
}

func TestGooglesRefusals(t *testing.T) {
	t.Parallel()
	const serviceDisabled = `{"error":{"code":403,"message":"off","status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"SERVICE_DISABLED","domain":"googleapis.com"}]}}`
	for _, one := range []struct {
		p      problem
		onRead schemas.Code
		onPut  schemas.Code
		word   string
	}{
		{problem{status: 400, reason: "invalid", message: "Invalid Input: custom_schema"}, schemas.CodeUnexpected, schemas.CodeUnexpected, "invalid"},
		{problem{status: 400, reason: "badRequest", message: "Type not supported: userKey"}, schemas.CodeAccountNotFound, schemas.CodeUnexpected, "badRequest"},
		{problem{status: 401, reason: "authError", message: "Invalid Credentials"}, schemas.CodeBadCredentials, schemas.CodeBadCredentials, "resetd@example.com"},
		{problem{status: 403, reason: "forbidden", message: "Not Authorized to access this resource/api"}, schemas.CodePermissionMissing, schemas.CodePermissionMissing, "forbidden"},
		{problem{status: 403, reason: "insufficientPermissions", message: "Insufficient Permission"}, schemas.CodePermissionMissing, schemas.CodePermissionMissing, allScopes[1]},
		{problem{status: 403, reason: "accessNotConfigured", message: "Access Not Configured"}, schemas.CodePermissionMissing, schemas.CodePermissionMissing, "admin.googleapis.com"},
		{problem{status: 403, body: serviceDisabled}, schemas.CodePermissionMissing, schemas.CodePermissionMissing, "project-1"},
		{problem{status: 403, reason: "domainCannotUseApis", message: "The domain cannot use apis."}, schemas.CodePermissionMissing, schemas.CodePermissionMissing, "API controls"},
		{problem{status: 403, reason: "userRateLimitExceeded", message: "User Rate Limit Exceeded"}, schemas.CodeRateLimited, schemas.CodeRateLimited, "less often"},
		{problem{status: 403, reason: "quotaExceeded", message: "Quota exceeded"}, schemas.CodeRateLimited, schemas.CodeRateLimited, "less often"},
		{problem{status: 404, reason: "notFound", message: "Resource Not Found: userKey"}, schemas.CodeAccountNotFound, schemas.CodeAccountNotFound, ""},
		{problem{status: 409, reason: "conflict", message: "Conflicting requests"}, schemas.CodeTimedOut, schemas.CodeTimedOut, "not known"},
		{problem{status: 412, reason: "conditionNotMet", message: "Precondition Failed"}, schemas.CodeUnavailable, schemas.CodeUnavailable, "nothing was done"},
		{problem{status: 429, reason: "rateLimitExceeded", message: "Rate Limit Exceeded", wait: "3"}, schemas.CodeRateLimited, schemas.CodeRateLimited, "less often"},
		{problem{status: 500, reason: "backendError", message: "Backend Error"}, schemas.CodeUnavailable, schemas.CodeTimedOut, ""},
		{problem{status: 503, reason: "backendError", message: "Backend Error", wait: "2"}, schemas.CodeUnavailable, schemas.CodeTimedOut, ""},
	} {
		name := http.StatusText(one.p.status) + " " + one.p.reason
		g, c := refusing(t, http.MethodPut, &one.p)
		_, err := c.Reset(t.Context(), idOf(g.add("jdoe@example.com")), schemas.ModeRandomize)
		if got := schemas.CodeOf(err); got != one.onPut || !strings.Contains(err.Error(), one.word) {
			t.Errorf("%s to a change: %v, want %s and %q", name, err, one.onPut, one.word)
		}
		if f, ok := errors.AsType[*schemas.Failure](err); ok && one.p.wait != "" && f.RetryAfter < time.Second {
			t.Errorf("%s: the wait that Google asks for is not passed on", name)
		}
		g, c = refusing(t, http.MethodGet, &one.p)
		if _, err = c.Classify(t.Context(), idOf(g.add("jdoe@example.com"))); schemas.CodeOf(err) != one.onRead {
			t.Errorf("%s to a reading: %v, want %s", name, err, one.onRead)
		}
	}
}

func TestTokenServersRefusals(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		status     int
		code, text string
		want       schemas.Code
		words      []string
	}{
		"no delegation": {401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method.", schemas.CodeBadCredentials,
			[]string{"Domain-wide delegation", serviceID, allScopes[0], allScopes[1], allScopes[2], "resetd@example.com"}},
		"no such administrator": {400, "invalid_grant", "Invalid email or User ID", schemas.CodeBadCredentials, []string{"subject", "resetd@example.com"}},
		"key deleted":           {400, "invalid_grant", "Invalid JWT Signature.", schemas.CodeBadCredentials, []string{"abcdef0123456789"}},
		"clock":                 {400, "invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.", schemas.CodeBadCredentials, []string{"clock"}},
		"account deleted":       {401, "invalid_client", "The OAuth client was not found.", schemas.CodeBadCredentials, []string{"project-1"}},
		"policy":                {400, "admin_policy_enforced", "x", schemas.CodeBadCredentials, []string{"API controls"}},
		"not understood":        {400, "<b>new</b>", "x", schemas.CodeBadCredentials, []string{"without a known code"}},
		"too often":             {429, "rate_limited", "x", schemas.CodeRateLimited, nil},
		"down":                  {503, "internal_failure", "x", schemas.CodeUnavailable, nil},
		"success without token": {200, "", "", schemas.CodeUnavailable, nil},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGoogle(t)
			url := g.door(t, func(w http.ResponseWriter, r *http.Request, g http.Handler) {
				if r.URL.Path != "/token" {
					g.ServeHTTP(w, r)
					return
				}
				refuseToken(w, one.status, one.code, one.text)
			})
			_, err := open(t, configOf(url)).Probe(t.Context())
			wantWords(t, wantCode(t, err, one.want), one.words...)
		})
	}
}

// The imitation quotes the password when it dislikes it, as no server should; nor may anything else of Google's words show.
func TestNeitherPasswordNorKeyNorTokenNorGooglesWordsShow(t *testing.T) {
	t.Parallel()
	g, c := plain(t)
	a := g.add("jdoe@example.com")
	g.weak = 3
	_, first := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
	wantCode(t, first, schemas.CodePasswordRejected)
	said := []error{first}
	for _, status := range []int{400, 401, 403, 409, 429, 500} {
		g.refuse = func(*method, *http.Request) *problem {
			return &problem{status: status, reason: "<script>" + pemOf(keys().good), message: "loose talk"}
		}
		_, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
		said = append(said, err)
	}
	secrets := append([]string{"loose talk", "<script>", "PRIVATE KEY"}, g.passwords...)
	for token := range g.tokens {
		secrets = append(secrets, token)
	}
	if len(secrets) < 7 {
		t.Fatalf("%d things to look for, want 7 or more", len(secrets))
	}
	for _, err := range said {
		for e := err; e != nil; e = errors.Unwrap(e) {
			for _, secret := range secrets {
				if strings.Contains(e.Error(), secret) {
					t.Errorf("%q shows in %v", secret, e)
				}
			}
		}
	}
}

func TestPasswordThatCannotBeSealedIsNotSet(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	a := g.add("jdoe@example.com")
	config := configOf(g.door(t, nil))
	for _, seal := range []func(schemas.Secret) (string, error){
		func(schemas.Secret) (string, error) { return "", errors.New("no recipient") },
		func(s schemas.Secret) (string, error) { return "sealed " + s.Reveal()[:4], nil },
	} {
		c, err := config.Open(connectors.Env{System: "corp-google", Seal: seal})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
		_ = c.Close()
		switch sent := g.passwords; {
		case err != nil && (len(sent) > 0 || schemas.CodeOf(err) != schemas.CodeUnexpected):
			t.Errorf("%v, and %d passwords were sent", err, len(sent))
		case err == nil && (len(sent) != 1 || got.Sealed != "sealed "+sent[0][:4]):
			t.Errorf("%+v after %d passwords", got, len(sent))
		}
	}
	if len(g.passwords) != 1 {
		t.Errorf("%d passwords were sent, want 1", len(g.passwords))
	}
}

func TestAnswerAboutSomebodyElseIsNotTaken(t *testing.T) {
	t.Parallel()
	g := newGoogle(t)
	a, other := g.add("jdoe@example.com"), g.add("other@example.com")
	url := g.door(t, func(w http.ResponseWriter, r *http.Request, g http.Handler) {
		if r.Method == http.MethodGet {
			r.URL.Path = strings.NewReplacer(a.id, other.id, a.primary, other.primary).Replace(r.URL.Path)
		}
		g.ServeHTTP(w, r)
	})
	c := open(t, configOf(url))
	_, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
	wantCode(t, err, schemas.CodeUnexpected)
	_, err = c.Resolve(t.Context(), schemas.Account{Type: schemas.AccountEmail, Value: a.primary})
	wantCode(t, err, schemas.CodeAccountNotFound)
	if g.sent("directory.users.update") > 0 {
		t.Error("an account was changed")
	}
}

func TestProofAttributeThatIsNotThereIsNamed(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{http.MethodGet, http.MethodPut} {
		g, c := plain(t, marked)
		a := g.add("jdoe@example.com")
		g.refuse = func(_ *method, r *http.Request) *problem {
			if r.Method != verb || !strings.HasSuffix(r.URL.Path, a.id) {
				return nil
			}
			return &problem{status: 400, reason: "invalid", message: "Invalid Input: custom_schema"}
		}
		_, err := c.Reset(t.Context(), idOf(a), schemas.ModeRandomize)
		wantWords(t, wantCode(t, err, schemas.CodePermissionMissing), "resetd.reset", "proof_attribute")
	}
}
