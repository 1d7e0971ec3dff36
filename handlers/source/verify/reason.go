package verify

import (
	"errors"
	"fmt"
	"slices"

	"github.com/resetd/resetd/schemas/signature"
)

// Reason says why a delivery was not verified. The list is closed: it labels metrics. Those of package signature are
// among them, under the same names.
type Reason string

// The reasons beside those of package signature.
const (
	ReasonForbiddenAddress Reason = "forbidden_address" // it comes from a network that is not allowed
	ReasonMissingToken     Reason = "missing_token"     // no shared secret or token came with it
	ReasonWrongSecret      Reason = "wrong_secret"
	ReasonNoCertificate    Reason = "no_certificate"
	ReasonWrongCertificate Reason = "wrong_certificate"
	ReasonMalformedToken   Reason = "malformed_token" // no JSON Web Token
	ReasonWrongType        Reason = "wrong_type"      // another kind of token, such as an ID token
	ReasonWrongAlgorithm   Reason = "wrong_algorithm"
	ReasonUnknownKey       Reason = "unknown_key"      // the token names a key that the issuer does not have
	ReasonKeysUnavailable  Reason = "keys_unavailable" // the issuer does not give its keys: no fault of the sender, answer 503
	ReasonWrongIssuer      Reason = "wrong_issuer"
	ReasonWrongAudience    Reason = "wrong_audience"
	ReasonWrongClaim       Reason = "wrong_claim"
	ReasonExpired          Reason = "expired"
	ReasonNotYet           Reason = "not_yet"
)

// Reasons lists every reason, those of package signature first.
func Reasons() []Reason {
	var out []Reason
	for _, r := range signature.VerifyReasons() {
		out = append(out, Reason(r))
	}
	return slices.Concat(out, []Reason{ReasonForbiddenAddress, ReasonMissingToken, ReasonWrongSecret, ReasonNoCertificate, ReasonWrongCertificate,
		ReasonMalformedToken, ReasonWrongType, ReasonWrongAlgorithm, ReasonUnknownKey, ReasonKeysUnavailable, ReasonWrongIssuer,
		ReasonWrongAudience, ReasonWrongClaim, ReasonExpired, ReasonNotYet})
}

// Error is the error of Verify. Its detail says what to do and holds nothing of a key, a secret or a token.
type Error struct {
	Reason Reason
	Detail string
}

// Error implements error.
func (e *Error) Error() string { return string(e.Reason) + ": " + e.Detail }

// refuse makes an Error.
func refuse(r Reason, format string, args ...any) error {
	return &Error{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// fromSignature turns an error of package signature into one of this package.
func fromSignature(err error) error {
	if e, ok := errors.AsType[*signature.Error](err); ok {
		return &Error{Reason: Reason(e.Reason), Detail: e.Detail}
	}
	return err
}
