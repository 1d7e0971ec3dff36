package verify

import (
	"encoding/base64"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The bounds of a token in bytes. An access token travels in a header; a security event token is a body.
const (
	maxBearerToken = 16 << 10
	maxEventToken  = 64 << 10
	maxKeyID       = 512
)

// strictBase64URL refuses stray bits in the last character, so that a token has one spelling. It still skips line breaks.
var strictBase64URL = base64.RawURLEncoding.Strict()

// jws is a token in the compact serialisation of RFC 7515, read and not verified.
type jws struct {
	alg, kid, typ string
	claims        []byte
	signed        *jose.JSONWebSignature // the library's reading of the same text
}

// joseHeader is what of a header is looked at. Keys and addresses of keys (jwk, jku, x5u, x5c) are not: a token cannot
// vouch for itself.
type joseHeader struct {
	Alg  string         `json:"alg"`
	Kid  string         `json:"kid"`
	Typ  string         `json:"typ"`
	Crit jsontext.Value `json:"crit"`
	B64  jsontext.Value `json:"b64"`
}

// parseJWS reads a token. Only the algorithms that are given are read at all, and "none" is never among them. A header
// with members twice, or with extensions that must be understood, is refused.
func parseJWS(token string, most int, algorithms []string) (*jws, error) {
	if len(token) > most {
		return nil, refuse(ReasonMalformedToken, "the token has %d bytes; at most %d are taken", len(token), most)
	}
	parts := strings.SplitN(token, ".", 6)
	switch {
	case len(parts) == 5:
		return nil, refuse(ReasonMalformedToken, "the token is encrypted (JWE); send a signed one")
	case len(parts) != 3 || parts[0] == "":
		return nil, refuse(ReasonMalformedToken, "this is no JSON Web Token, which has three parts with full stops between; send the token alone, without quotes or a line break")
	case strings.ContainsAny(token, "\r\n"):
		return nil, refuse(ReasonMalformedToken, "there is a line break in the token; send it in one line")
	}
	raw, err := strictBase64URL.DecodeString(parts[0])
	if err != nil {
		return nil, notBase64URL("header")
	}
	var h joseHeader
	if err := json.Unmarshal(raw, &h); err != nil || jsontext.Value(raw).Kind() != '{' {
		return nil, refuse(ReasonMalformedToken, "the token's header is no JSON object with each member once")
	}
	switch {
	case h.Crit != nil || h.B64 != nil:
		return nil, refuse(ReasonMalformedToken, "the token's header has extensions that must be understood (crit, b64); none are here")
	case len(h.Kid) > maxKeyID:
		return nil, refuse(ReasonMalformedToken, "the token's kid has %d bytes; at most %d are taken", len(h.Kid), maxKeyID)
	}
	algorithm := ""
	for _, a := range algorithms {
		if a == h.Alg {
			algorithm = a
		}
	}
	if algorithm == "" {
		return nil, refuse(ReasonWrongAlgorithm, "the token is not signed by an algorithm that is taken here (%s); set it at the issuer, or allow it below verify.token.algorithms",
			strings.Join(algorithms, ", "))
	}
	if _, err := strictBase64URL.DecodeString(parts[2]); err != nil || parts[2] == "" {
		return nil, notBase64URL("signature")
	}
	out := &jws{alg: algorithm, kid: h.Kid, typ: mediaType(h.Typ)}
	if out.claims, err = strictBase64URL.DecodeString(parts[1]); err != nil {
		return nil, notBase64URL("payload")
	}
	if out.signed, err = jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(algorithm)}); err != nil {
		return nil, refuse(ReasonMalformedToken, "the token's header holds something that cannot be read, such as a broken jwk; leave it out")
	}
	return out, nil
}

func notBase64URL(part string) error {
	return refuse(ReasonMalformedToken, "the token's %s is not base64url without padding; send the token as it was issued", part)
}

// signedBy tells whether a key made the signature. The library compares the kind of the key with the algorithm, and HMACs
// in constant time.
func (t *jws) signedBy(key any) bool {
	_, err := t.signed.Verify(key)
	return err == nil
}

// mediaType gives a typ in the short form and in lower case (RFC 7515 §4.1.9).
func mediaType(typ string) string {
	typ = strings.ToLower(typ)
	if short, ok := strings.CutPrefix(typ, "application/"); ok && !strings.Contains(short, "/") {
		return short
	}
	return typ
}
