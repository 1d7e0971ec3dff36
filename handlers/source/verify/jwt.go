package verify

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/resetd/resetd/schemas/sender"
)

// bearerJWT is an access token (RFC 9068 and what came before it) that comes with a delivery. It proves who sends and for
// whom, and nothing of the body: whoever sees the token can send anything until it expires.
type bearerJWT struct {
	rules  tokenRules
	header string // canonical; empty is Authorization with Bearer
}

func openJWT(v sender.Verify, o Options, f *faults) Scheme {
	shared := len(v.Keys) > 0
	j := &bearerJWT{rules: openTokenRules(v, o, shared, f)}
	if v.Token.Header != "" {
		if j.header = f.header("token.header", v.Token.Header); j.header == "Authorization" {
			j.header = ""
		}
	}
	if v.Token.Untyped {
		f.add("token.untyped", "only scheme ssf-set looks at this; remove it")
	}
	return j
}

// Verify implements Scheme. Form, addressee and time are looked at before the signature, as they cost nothing, and the keys
// of an issuer are fetched for a token only that says it is of that issuer.
func (j *bearerJWT) Verify(ctx context.Context, d *Delivery, now time.Time) (Proof, error) {
	text, err := j.token(d)
	if err != nil {
		return Proof{}, err
	}
	t, err := parseJWS(text, maxBearerToken, j.rules.algorithms)
	if err != nil {
		return Proof{}, err
	}
	c, err := parseClaims(t.claims)
	if err != nil {
		return Proof{}, err
	}
	if err := accessToken(t, c); err != nil {
		return Proof{}, err
	}
	if err := j.rules.addressed(c); err != nil {
		return Proof{}, err
	}
	if !c.has("exp") {
		return Proof{}, refuse(ReasonMalformedToken, "the token never expires (it has no exp); let the issuer give it a short life")
	}
	if _, err := j.rules.timely(c, now); err != nil {
		return Proof{}, err
	}
	if err := j.rules.keys.check(ctx, t); err != nil {
		return Proof{}, err
	}
	if err := j.rules.pinned(c); err != nil {
		return Proof{}, err
	}
	return Proof{Payload: d.Body, Who: c.who("sub", "azp", "appid", "client_id", "iss")}, nil
}

// Covers implements Scheme.
func (*bearerJWT) Covers() Coverage { return Coverage{} }

// token takes the token from its header and from nowhere else.
func (j *bearerJWT) token(d *Delivery) (string, error) {
	if j.header == "" {
		return bearer(d.Header)
	}
	return single(d.Header, j.header)
}

// accessToken refuses tokens of the same issuer that were made for something else, and prove nobody who asks for a reset
// (RFC 8725 §3.11): by their typ, where they have one, and by claims that access tokens of machines do not have.
func accessToken(t *jws, c claimSet) error {
	if !slices.Contains([]string{"", "jwt", "at+jwt"}, t.typ) {
		return refuse(ReasonWrongType, "the token's typ is not that of an access token (at+jwt or JWT); send the access token")
	}
	for _, name := range []string{"nonce", "at_hash", "c_hash", "s_hash"} {
		if c.has(name) {
			return refuse(ReasonWrongType, "the token has a %s and is an ID token, which any user of the application gets; send the access token", name)
		}
	}
	// Cognito and Keycloak tell the kind of a token in a claim.
	for _, name := range []string{"token_use", "typ"} {
		kind, err := c.text(name)
		if err == nil && slices.Contains([]string{"id", "refresh", "offline", "logout"}, strings.ToLower(kind)) {
			return refuse(ReasonWrongType, "the token's %s says that it is no access token; send the access token", name)
		}
	}
	switch {
	case c.has("events"):
		return refuse(ReasonWrongType, "the token has events: it reports something and gives access to nothing; send an access token, or use scheme ssf-set for security event tokens")
	case c.has("cnf"):
		return refuse(ReasonWrongType, "the token is bound to a key (cnf), of which no proof is taken here; let the issuer make a bearer token")
	}
	return nil
}
