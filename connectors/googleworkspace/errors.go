package googleworkspace

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// The reasons by which Google says that it is called too often. Two of them come with the status 403, which otherwise
// means a missing right (https://developers.google.com/workspace/admin/directory/v1/limits).
var busyReasons = []string{"userRateLimitExceeded", "rateLimitExceeded", "quotaExceeded", "dailyLimitExceeded", "RATE_LIMIT_EXCEEDED"}

// What else a 403 may mean beside a missing privilege.
var (
	disabledReasons = []string{"accessNotConfigured", "SERVICE_DISABLED"}
	scopeReasons    = []string{"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}
	closedReasons   = []string{"domainCannotUseApis", "domainPolicy"}
)

// refusal is Google's error document, in the older form of the Directory API and the newer one of Cloud Identity.
type refusal struct {
	Error struct {
		Message string `json:"message"`
		Errors  []struct {
			Reason string `json:"reason"`
		} `json:"errors"`
		Details []struct {
			Reason string `json:"reason"`
		} `json:"details"`
	} `json:"error"`
}

// reasons lists those of an answer.
func (r refusal) reasons() []string {
	var out []string
	for _, e := range r.Error.Errors {
		out = append(out, e.Reason)
	}
	for _, d := range r.Error.Details {
		out = append(out, d.Reason)
	}
	return out
}

func refusalOf(a *rest.Answer) (r refusal) {
	_ = json.Unmarshal(a.Body, &r)
	return r
}

// has tells whether an answer gives one of the reasons.
func (r refusal) has(reasons []string) bool {
	return slices.ContainsFunc(r.reasons(), func(one string) bool { return slices.Contains(reasons, one) })
}

// rejectsPassword tells whether Google dislikes the password itself.
func rejectsPassword(a *rest.Answer) bool {
	r := refusalOf(a)
	return a.Status == http.StatusBadRequest && r.has([]string{"invalid", "invalidParameter"}) && strings.Contains(strings.ToLower(r.Error.Message), "password")
}

// explain says what Google means by an answer. It quotes Google's reasons, which are single words, and never its messages.
func (w *workspace) explain(a *rest.Answer) *schemas.Failure {
	r := refusalOf(a)
	why := code(strings.Join(r.reasons(), "_"))
	api := w.api
	if strings.HasPrefix(a.Call.Path, "/v1/") {
		api = w.idps.api
	}
	switch {
	case a.Refuses() && r.Error.Message == "" && len(r.reasons()) == 0: // Google says both, or one of them
		return api.Foreign(a)
	case (a.Status == http.StatusForbidden || a.Status == http.StatusTooManyRequests) && r.has(busyReasons):
		return api.Busy(a, rest.RetryAfter(a.Header, time.Now()))
	case a.Status == http.StatusForbidden && r.has(disabledReasons):
		name, service := "Admin SDK API", "admin.googleapis.com"
		if api != w.api {
			name, service = "Cloud Identity API", "cloudidentity.googleapis.com"
		}
		return api.Failure(a, schemas.CodePermissionMissing, "the "+name+" is not enabled; enable "+service+" in the Google Cloud project "+
			w.account.project+" (APIs & Services > Library)")
	case a.Status == http.StatusForbidden && r.has(scopeReasons):
		return api.Failure(a, schemas.CodePermissionMissing, "the token lacks a scope; under Domain-wide delegation in the admin console, give the client id "+
			w.account.clientID+" exactly these: "+strings.Join(w.config.scopes(), ","))
	case a.Status == http.StatusForbidden && r.has(closedReasons):
		return api.Failure(a, schemas.CodePermissionMissing, "the customer does not let programs in; in the admin console under Security > Access and data control > "+
			"API controls, let the Admin SDK be used")
	case a.Status == http.StatusForbidden && a.Call.Method == http.MethodGet && strings.HasPrefix(a.Call.Path, usersPath):
		return api.Failure(a, schemas.CodePermissionMissing, w.who()+" may not do that ("+why+"); it takes the privilege Users > Read, and for what is below a user "+
			"Security > User security management, in the account's organisational unit too")
	case a.Status == http.StatusForbidden:
		return api.Failure(a, schemas.CodePermissionMissing, w.who()+" may not do that ("+why+")")
	case a.Status == http.StatusUnauthorized:
		return api.Failure(a, schemas.CodeBadCredentials, "Google takes no token of "+w.account.email+" ("+why+"); see whether the service account and "+w.who()+" are active")
	case a.Status == http.StatusBadRequest && a.Call.Method == http.MethodGet && strings.Contains(r.Error.Message, "userKey"):
		return api.Failure(a, schemas.CodeAccountNotFound, "Google holds this to be no key of a user")
	case a.Status == http.StatusBadRequest && w.config.ProofAttribute != "" && strings.HasPrefix(a.Call.Path, usersPath):
		return api.Failure(a, schemas.CodePermissionMissing, "Google holds the request to be wrong ("+why+"), most likely because there is no custom attribute "+
			w.config.ProofAttribute+" that is a text with one value; make it as the README of this kind says, or take proof_attribute out of the settings")
	case a.Status == http.StatusBadRequest:
		return api.Failure(a, schemas.CodeUnexpected, "Google holds the request to be wrong ("+why+"); please report this")
	case a.Status == http.StatusPreconditionFailed:
		// Not our condition, since none is sent: an account that was made a moment ago is not ready yet.
		return api.Failure(a, schemas.CodeUnavailable, "the account is not ready for that ("+why+"), and nothing was done; it is tried again")
	case a.Status == http.StatusConflict, a.Status >= 500 && a.Call.Method != http.MethodGet:
		// Google is known to answer so and to have made the change all the same.
		f := api.Failure(a, schemas.CodeTimedOut, "Google failed ("+http.StatusText(a.Status)+"), and whether it was done is not known")
		f.RetryAfter = rest.RetryAfter(a.Header, time.Now())
		return f
	}
	return nil
}

// who names whom Google sees when resetd calls.
func (w *workspace) who() string {
	if w.config.Subject != "" {
		return w.config.Subject
	}
	return w.account.email
}
