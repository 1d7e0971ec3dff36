package entra

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// plain is a word that may be shown: an error code, a request's id, a throttling scope.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,99}$`)

// odata is Graph's form of an error (https://learn.microsoft.com/graph/errors).
type odata struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
		Details []struct {
			Target string `json:"target"`
		} `json:"details"`
		Inner struct {
			Request string `json:"request-id"`
		} `json:"innerError"`
	} `json:"error"`
}

// errorOf reads an answer that is no success.
func errorOf(a *rest.Answer) (e odata) {
	if json.Unmarshal(a.Body, &e) != nil {
		return odata{}
	}
	return e
}

// label names the error for a person and for Microsoft's support: the code and the request's id, never the message, which
// may quote what was sent.
func (e odata) label() string {
	out := "an error without a name"
	if plain.MatchString(e.Error.Code) {
		out = e.Error.Code
	}
	if plain.MatchString(e.Error.Inner.Request) {
		out += ", request-id " + e.Error.Inner.Request
	}
	return out
}

// aboutPassword tells whether a refusal is the policy's about the password that was sent. Graph has one code for all bad
// requests, so its message must tell: a rule of the directory, a list of banned passwords, or a detail about the property.
func (e odata) aboutPassword() bool {
	for _, d := range e.Error.Details {
		if strings.Contains(strings.ToLower(d.Target), "password") {
			return true
		}
	}
	return strings.Contains(strings.ToLower(e.Error.Message), "password")
}

// synced tells whether a refusal says that another directory owns the account.
func (e odata) synced() bool {
	m := strings.ToLower(e.Error.Message)
	return strings.Contains(m, "on-premises") || strings.Contains(m, "directory sync")
}

// federated tells whether a refusal says that another identity provider has the password.
func (e odata) federated() bool {
	return strings.Contains(strings.ToLower(e.Error.Message), "federated")
}

// explain gives the meaning of Graph's errors where it differs from that of their status, or says more.
func (t *tenant) explain(a *rest.Answer) *schemas.Failure {
	e := errorOf(a)
	switch {
	case e.Error.Code != "":
	case a.Refuses() && e.Error.Message == "" && a.Header.Get("request-id") == "": // which every answer of Graph has
		return t.rest.Foreign(a)
	default:
		return nil // a gateway's own page; the status tells
	}
	fail := func(code schemas.Code, text string) *schemas.Failure {
		return t.rest.Failure(a, code, text+" ("+e.label()+")")
	}
	switch a.Status {
	case http.StatusForbidden:
		if e.Error.Code == "Authorization_IdentityNotFound" {
			return fail(schemas.CodeBadCredentials, "the application has no service principal in the tenant; give it consent, and check tenant_id")
		}
		return fail(schemas.CodePermissionMissing, "Graph refuses it for want of a right")
	case http.StatusNotFound:
		return fail(schemas.CodeAccountNotFound, "there is no such account in the tenant")
	case http.StatusConflict, http.StatusPreconditionFailed, http.StatusLocked:
		return fail(schemas.CodeUnavailable, "the account was being changed by somebody else at the same moment; nothing was done")
	case http.StatusBadRequest:
		return fail(schemas.CodeUnexpected, "Graph does not take the request; give the request-id to Microsoft's support if this goes on")
	}
	f := t.rest.Usual(a)
	f.Detail += " (" + e.label() + ")"
	return f
}
