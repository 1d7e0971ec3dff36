package verify

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/resetd/resetd/schemas/sender"
)

const maxTokenID = 512

// eventToken is a security event token (RFC 8417) that is the body itself (RFC 8935), as Shared Signals transmitters push
// it (CAEP, RISC). The signature covers all of it; iat is its time and jti its id.
type eventToken struct {
	rules   tokenRules
	untyped bool
	bearer  *place // what must come beside the token; nil for nothing
}

func openSET(v sender.Verify, o Options, f *faults) Scheme {
	e := &eventToken{untyped: v.Token.Untyped}
	beside := v.Secret != sender.SharedSecret{}
	if beside {
		p := openPlace(v, f)
		e.bearer = &p
	}
	shared := len(v.Keys) > 0 && !beside
	e.rules = openTokenRules(v, o, shared, f)
	if shared && v.Token.Issuer == "" {
		f.add("token.issuer", "this is missing; write what the tokens have as iss, such as https://transmitter.example.com")
	}
	if shared && len(v.Token.Audience) == 0 {
		f.add("token.audience", "this is missing, and tokens that were made for others would be taken; write what the tokens for resetd have as aud")
	}
	if v.Token.Header != "" {
		f.add("token.header", "a security event token is the body; remove it, or write secret for what comes in a header beside it")
	}
	return e
}

// Verify implements Scheme. The payload is the claims, byte for byte as they were signed; NormaliseSET reads them. How old
// a token may be is for the caller to say, by Proof.At: a transmitter may deliver late, and has no exp to tell.
func (e *eventToken) Verify(ctx context.Context, d *Delivery, now time.Time) (Proof, error) {
	if e.bearer != nil {
		if err := e.bearer.check(d); err != nil {
			return Proof{}, err
		}
	}
	t, err := parseJWS(string(d.Body), maxEventToken, e.rules.algorithms)
	if err != nil {
		return Proof{}, err
	}
	c, err := parseClaims(t.claims)
	if err != nil {
		return Proof{}, err
	}
	if err := e.typed(t, c); err != nil {
		return Proof{}, err
	}
	if err := e.rules.addressed(c); err != nil {
		return Proof{}, err
	}
	id, err := c.text("jti")
	if err != nil {
		return Proof{}, err
	}
	switch {
	case id == "" || len(id) > maxTokenID:
		return Proof{}, refuse(ReasonMalformedToken, "the token has no jti of 1 to %d bytes, by which it would be known again (RFC 8417 §2.2)", maxTokenID)
	case !c.has("iat"):
		return Proof{}, refuse(ReasonMalformedToken, "the token has no iat, the time at which it was issued (RFC 8417 §2.2)")
	}
	issued, err := e.rules.timely(c, now)
	if err != nil {
		return Proof{}, err
	}
	if _, err := parseEvents(c); err != nil {
		return Proof{}, err
	}
	if err := e.rules.keys.check(ctx, t); err != nil {
		return Proof{}, err
	}
	if err := e.rules.pinned(c); err != nil {
		return Proof{}, err
	}
	return Proof{ID: eventID(e.rules.issuer, id), At: issued, Payload: t.claims, Who: c.who("iss")}, nil
}

// Covers implements Scheme.
func (*eventToken) Covers() Coverage { return Coverage{Body: true, Time: true, ID: true} }

// typed tells security event tokens from others of the same issuer and audience, which could be pushed here by whoever got
// hold of one (RFC 8417 §4.5 to 4.7). A token without typ, or with the JWT that says nothing, must at least lack what SSF 1.0
// forbids and every access and ID token has.
func (e *eventToken) typed(t *jws, c claimSet) error {
	switch {
	case t.typ == "secevent+jwt":
		return nil
	case t.typ != "" && t.typ != "jwt" || !e.untyped:
		return refuse(ReasonWrongType, "the token's typ is not secevent+jwt (RFC 8417 §2.3); if an older transmitter leaves it out, set verify.token.untyped")
	case c.has("sub") || c.has("exp"):
		return refuse(ReasonWrongType, "the token has no typ and has sub or exp, as access and ID tokens have; let the transmitter write typ secevent+jwt")
	}
	return nil
}

// eventID joins issuer and jti into one short text. The length of the issuer goes before it, so that no two pairs make the
// same text.
func eventID(issuer, id string) string {
	text := binary.BigEndian.AppendUint64(nil, uint64(len(issuer)))
	text = append(append(text, issuer...), id...)
	sum := sha256.Sum256(text)
	return "set_" + base64.RawURLEncoding.EncodeToString(sum[:])
}
