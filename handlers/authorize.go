package handlers

import (
	"net/http"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// authorize lets the call through when its token has the role needed, and answers 401 or 403 otherwise (RFC 6750 §3).
func (f *Face) authorize(c *call, need Role) error {
	if need == Anyone {
		return nil
	}
	token, ok := f.Tokens.identify(c.Request.Header)
	if !ok {
		challenge, title := `Bearer realm="resetd"`, "A token is needed"
		if len(c.Request.Header["Authorization"]) > 0 {
			challenge += `, error="invalid_token"`
		}
		if bears(c.Request.Header) {
			title = "This token is unknown"
		}
		c.Header("WWW-Authenticate", challenge)
		return schemas.NewProblem(http.StatusUnauthorized, "unauthorized", title,
			"Send one of the tokens under api in the configuration, once, as: Authorization: Bearer <token>.")
	}
	c.caller, c.role = token.actor, token.role
	return c.atLeast(need, "")
}

// atLeast answers 403 unless the token has a role. What says for which part of the call it is needed; empty for all of it.
func (c *call) atLeast(need Role, what string) error {
	if c.role < need {
		if what != "" {
			what = " for " + what
		}
		c.Header("WWW-Authenticate", `Bearer realm="resetd", error="insufficient_scope", scope="`+need.String()+`"`)
		return schemas.NewProblem(http.StatusForbidden, "role_too_low", "The token's role does not allow this",
			"This needs the role "+need.String()+what+"; the token "+strings.TrimPrefix(c.caller, "token:")+" is "+c.role.String()+".")
	}
	return nil
}
