package keycloak

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// words is how Keycloak explains a refusal; older and newer parts of it use different fields.
type words struct {
	Error       string `json:"error"`
	Message     string `json:"errorMessage"`
	Description string `json:"error_description"`
}

// said reads the words of an answer; they are empty if the answer is none of Keycloak's.
func said(a *rest.Answer) (w words) {
	_ = json.Unmarshal(a.Body, &w) // what cannot be read says nothing
	return w
}

// is tells whether the error is one of these.
func (w words) is(errors ...string) bool { return slices.Contains(errors, w.Error) }

// The beginning of all errors by which a password policy rejects a password, as Keycloak's messages name them.
const rejects = "invalidPassword"

// explain gives the meaning of a refusal by the admin API. Nothing of what the server says is quoted.
func (r *realm) explain(a *rest.Answer) *schemas.Failure {
	w := said(a)
	text := strings.ToLower(w.Message + " " + w.Description + " " + w.Error)
	reads := a.Call.Method == http.MethodGet
	switch {
	case a.Status == http.StatusForbidden && reads:
		return r.api.Failure(a, schemas.CodePermissionMissing, "resetd's client may not do that; "+r.grant("view-users"))
	case a.Status == http.StatusForbidden:
		return r.api.Failure(a, schemas.CodePermissionMissing, "resetd's client may not do that, and nothing was changed; "+r.grant("manage-users"))
	case a.Status == http.StatusNotFound && w.Error == "User not found":
		return r.api.Failure(a, schemas.CodeAccountNotFound, "there is no account of that id in the realm "+r.config.Realm)
	case a.Status == http.StatusNotFound:
		return r.api.Failure(a, schemas.CodeUnexpected, "there is nothing at this address; see that there is a realm "+r.config.Realm+" at "+r.config.BaseURL+
			", and that what stands between lets /admin/ pass")
	case a.Status == http.StatusBadRequest && reads:
		// Characters that Keycloak takes in no address are in none of its ids either.
		return r.api.Failure(a, schemas.CodeAccountNotFound, "Keycloak does not take this as the id of an account")
	case a.Status == http.StatusBadRequest && strings.HasPrefix(w.Error, rejects):
		return r.api.Failure(a, schemas.CodePasswordRejected, "the realm's password policy rejects the password")
	case a.Status == http.StatusBadRequest && (strings.Contains(text, "read only") || strings.Contains(text, "read-only")):
		return r.api.Failure(a, schemas.CodeResetAtSource, "the account comes from a directory that Keycloak may only read; nothing was changed; reset it there")
	case a.Status == http.StatusBadRequest:
		return r.api.Failure(a, schemas.CodeUnexpected, "Keycloak refuses the change (HTTP 400), and nothing was changed; its log, at the level debug, has the reason")
	}
	return nil
}
