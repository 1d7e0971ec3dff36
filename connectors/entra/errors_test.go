package entra_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/schemas"
)

// What Graph answers, and what it means when it was reading and when it was changing something.
func TestEveryAnswerOfGraphHasItsCode(t *testing.T) {
	for name, one := range map[string]struct {
		status         int
		code, message  string
		reads, changes schemas.Code
		wait           time.Duration
	}{
		"the account is gone":      {404, "Request_ResourceNotFound", "Resource does not exist.", schemas.CodeAccountNotFound, schemas.CodeAccountNotFound, 0},
		"no service principal":     {403, "Authorization_IdentityNotFound", "The identity of the calling application could not be established.", schemas.CodeBadCredentials, schemas.CodeBadCredentials, 0},
		"want of a right":          {403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.", schemas.CodePermissionMissing, schemas.CodePermissionMissing, 0},
		"token refused for good":   {401, "InvalidAuthenticationToken", "Access token validation failure.", schemas.CodeBadCredentials, schemas.CodeBadCredentials, 0},
		"throttled":                {429, "TooManyRequests", "Too many requests.", schemas.CodeRateLimited, schemas.CodeRateLimited, 11 * time.Second},
		"not available":            {503, "serviceNotAvailable", "Try again later.", schemas.CodeUnavailable, schemas.CodeUnavailable, 11 * time.Second},
		"time-out inside of Graph": {504, "UnknownError", "Gateway time-out.", schemas.CodeUnavailable, schemas.CodeTimedOut, 0},
		"failed inside of Graph":   {500, "UnknownError", "", schemas.CodeUnavailable, schemas.CodeTimedOut, 0},
		"changed at the same time": {409, "Directory_ConcurrencyViolation", "A conflicting change.", schemas.CodeUnavailable, schemas.CodeUnavailable, 0},
		"a synced account":         {400, "Request_BadRequest", "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.", schemas.CodeUnexpected, schemas.CodeResetAtSource, 0},
		"a federated account":      {400, "Request_BadRequest", "Property passwordProfile cannot be used for federated users.", schemas.CodeUnexpected, schemas.CodeNotApplicable, 0},
		"a banned password":        {400, "Request_BadRequest", "The specified password does not comply with password complexity requirements.", schemas.CodeUnexpected, schemas.CodePasswordRejected, 0},
		"something else":           {400, "Request_BadRequest", "An unexpected 'StartOfObject' node was found.", schemas.CodeUnexpected, schemas.CodeUnexpected, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, reading := range []bool{true, false} {
				w := newWorld()
				p := w.add("someone@example.com", nil)
				f := newFront(t, w, func(f *front) {
					f.inside = func(_ *front, out http.ResponseWriter, r *http.Request) bool {
						if get(r) != reading || !strings.HasSuffix(r.URL.Path, p.id) {
							return false
						}
						if one.wait > 0 {
							out.Header().Set("Retry-After", "11")
						}
						refuse(out, one.status, one.code, one.message)
						return true
					}
				})
				c := connect(t, f)
				before := w.fingerprint()
				_, err := c.Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize)
				want := one.changes
				if reading {
					want = one.reads
				}
				got := codeIs(t, err, want)
				if got.RetryAfter != one.wait {
					t.Errorf("the wait is %s", got.RetryAfter)
				}
				if one.message != "" && strings.Contains(got.Detail, one.message) {
					t.Errorf("the detail quotes the message: %q", got.Detail)
				}
				if !strings.Contains(got.Detail, "corp-entra") {
					t.Errorf("the detail does not name the system: %q", got.Detail)
				}
				if w.fingerprint() != before {
					t.Error("the account was changed")
				}
			}
		})
	}
}

func TestAccountThatGraphMixesUpIsNotTouched(t *testing.T) {
	w := newWorld()
	p, other := w.add("p@example.com", nil), w.add("q@example.com", nil)
	f := newFront(t, w, func(f *front) {
		f.inside = func(_ *front, out http.ResponseWriter, r *http.Request) bool {
			if get(r) && strings.HasSuffix(r.URL.Path, p.id) {
				answer(out, other.json(other.record, "id,userPrincipalName"))
				return true
			}
			return false
		}
	})
	_, err := connect(t, f).Reset(t.Context(), schemas.Identity{ID: p.id}, schemas.ModeRandomize)
	codeIs(t, err, schemas.CodeUnexpected)
	if len(f.writes()) > 0 {
		t.Error("something was written")
	}
}

func TestWordsAboutThePaceAreHeardBesideAnAnswer(t *testing.T) {
	w := newWorld()
	p := w.add("paced@example.com", nil)
	f := newFront(t, w, func(f *front) {
		f.inside = func(_ *front, out http.ResponseWriter, r *http.Request) bool {
			out.Header().Set("x-ms-throttle-limit-percentage", "0.85")
			out.Header().Set("x-ms-throttle-scope", "Tenant_Application/ReadWrite")
			return false
		}
	})
	var hints []connectors.Hint
	c := openWith(t, f.config(), connectors.Env{System: "corp-entra", Hint: func(h connectors.Hint) { hints = append(hints, h) }})
	defer func() { _ = c.Close() }()
	classOf(t, c, p)
	if len(hints) == 0 || hints[0].Used != 0.85 {
		t.Errorf("the hints are %+v", hints)
	}
	got, err := c.Probe(t.Context())
	if err != nil || !strings.Contains(got.Limit, "85 %") || !strings.Contains(got.Limit, "Tenant_Application/ReadWrite") {
		t.Errorf("the limit reads %q, %v", got.Limit, err)
	}
}

func TestNonsenseAboutThePaceIsNotHeard(t *testing.T) {
	w := newWorld()
	p := w.add("paced@example.com", nil)
	for _, text := range []string{"", "much", "-1", "NaN", "Inf", "1e9"} {
		f := newFront(t, w, func(f *front) {
			f.inside = func(_ *front, out http.ResponseWriter, _ *http.Request) bool {
				out.Header().Set("x-ms-throttle-limit-percentage", text)
				return false
			}
		})
		c := openWith(t, f.config(), connectors.Env{Hint: func(h connectors.Hint) { t.Errorf("%q was heard as %+v", text, h) }})
		classOf(t, c, p)
		_ = c.Close()
	}
}
