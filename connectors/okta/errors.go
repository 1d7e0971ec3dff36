package okta

import (
	"encoding/json"
	"net/http"
	"regexp"
	"time"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// errorBody is how Okta explains itself. The summary may hold what an attribute says, so it is not passed on.
type errorBody struct {
	Code string `json:"errorCode"`
	ID   string `json:"errorId"`
}

// errorIDForm keeps to what can do no harm in a text.
var errorIDForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// meaning is what an error code of Okta is to us.
type meaning struct {
	code schemas.Code
	text string
}

// meanings are Okta's error codes (developer.okta.com, "Okta error codes and descriptions") that calls of resetd may meet,
// but for those that need more than a text.
var meanings = map[string]meaning{
	"E0000001": {schemas.CodeConflict, "Okta does not allow it in the state that the account is in now; look at its status in the Admin Console"},
	"E0000007": {schemas.CodeAccountNotFound, "Okta has no account of that id any more"},
	"E0000010": {schemas.CodeUnavailable, "Okta is in read-only mode for maintenance; nothing was changed"},
	"E0000014": {schemas.CodePasswordRejected, "Okta refused to change the credentials; see the org's password policy (minimum age, history) and the System Log for the cause"},
	"E0000015": {schemas.CodePermissionMissing, "the org does not have this feature, or resetd may not use it; ask Okta's support"},
	"E0000017": {schemas.CodeConflict, "Okta could not reset the password; the System Log has the cause"},
	"E0000023": {schemas.CodeResetAtSource, "another system is the master of this account; reset the password there"},
	"E0000031": {schemas.CodeUnexpected, "Okta does not understand the search; see whether sid_attribute and down_level_attribute name attributes of the profile"},
	"E0000034": {schemas.CodeConflict, "Okta does not allow a forgotten password to be recovered for this account; look at its password policy"},
	"E0000035": {schemas.CodeConflict, "Okta does not allow the password of this account to be changed; look at its password policy"},
	"E0000038": {schemas.CodeConflict, "Okta does not allow it in the status that the account has now; look at its status in the Admin Console"},
	"E0000080": {schemas.CodePasswordRejected, "the org's password policy rejects the temporary password that Okta made; look at the policy"},
}

// explain gives the meaning of an answer that is no success, or nil for the usual one of its status.
func (o *org) explain(a *rest.Answer) *schemas.Failure {
	var body errorBody
	if json.Unmarshal(a.Body, &body) != nil {
		body = errorBody{}
	}
	// Okta's own refusals have a code, or name a scope in the header and have no body at all.
	if a.Refuses() && body.Code == "" && a.Header.Get("WWW-Authenticate") == "" && a.Header.Get("X-Okta-Request-Id") == "" {
		f := o.client.Foreign(a)
		f.Detail += "; Okta itself answers so to an address that the org blocks (Security > Networks)"
		return f
	}
	tail := body.tail()
	if m, known := meanings[body.Code]; known && (a.Call.Method != http.MethodGet || m.code != schemas.CodeConflict) { // what only reads meets no state
		return o.client.Failure(a, m.code, m.text+tail)
	}
	switch {
	case body.Code == "E0000047" || a.Status == http.StatusTooManyRequests:
		return o.client.Busy(a, o.pause(a))
	case body.Code == "E0000004" || body.Code == "E0000005" || body.Code == "E0000011" || a.Status == http.StatusUnauthorized:
		return o.client.Failure(a, schemas.CodeBadCredentials, o.renew()+tail)
	case body.Code == "E0000006" || a.Status == http.StatusForbidden:
		return o.client.Failure(a, schemas.CodePermissionMissing, o.grant(a.Call)+tail)
	}
	return nil
}

// tail names the code and Okta's own id of the error, by which it can be found in the System Log.
func (b errorBody) tail() string {
	switch {
	case !errorIDForm.MatchString(b.Code):
		return ""
	case !errorIDForm.MatchString(b.ID):
		return " (" + b.Code + ")"
	}
	return " (" + b.Code + ", error id " + b.ID + ")"
}

// renew says what to do about credentials that Okta refuses.
func (o *org) renew() string {
	if o.app != nil {
		return "Okta does not take the token of the service app " + o.config.ClientID + "; see in the Admin Console whether the app is active"
	}
	return "Okta does not take the API token: it was revoked, was not used for 30 days, comes from an address that its network zone does not allow, or its owner was deactivated; " +
		"make a new one in the Admin Console under Security > API > Tokens"
}

// pause reads how long Okta asks to be left alone: until X-Rate-Limit-Reset, by the clock of the answer itself.
func (o *org) pause(a *rest.Answer) time.Duration {
	if wait := rest.UntilEpoch(a.Header, "X-Rate-Limit-Reset", time.Now()); wait > 0 {
		return wait
	}
	return rest.RetryAfter(a.Header, time.Now())
}
