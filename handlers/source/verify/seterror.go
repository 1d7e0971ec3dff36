package verify

import "github.com/resetd/resetd/schemas/signature"

// The error codes of RFC 8935 §2.4, which a transmitter of security event tokens gets in a 400 answer.
const (
	setInvalidRequest       = "invalid_request"
	setInvalidKey           = "invalid_key"
	setInvalidIssuer        = "invalid_issuer"
	setInvalidAudience      = "invalid_audience"
	setAuthenticationFailed = "authentication_failed"
	setAccessDenied         = "access_denied"
)

// SET gives the code of RFC 8935 §2.4 for the error. ReasonKeysUnavailable has one for completeness: it is no fault of the
// transmitter, and must be answered with 503, so that the token comes again.
func (e *Error) SET() string {
	switch e.Reason {
	case ReasonWrongAlgorithm, ReasonUnknownKey, ReasonKeysUnavailable, Reason(signature.ReasonNoMatch):
		return setInvalidKey
	case ReasonWrongIssuer:
		return setInvalidIssuer
	case ReasonWrongAudience:
		return setInvalidAudience
	case ReasonMissingToken, ReasonWrongSecret, ReasonNoCertificate, ReasonWrongCertificate,
		Reason(signature.ReasonMissingHeader), Reason(signature.ReasonDoubledHeader):
		return setAuthenticationFailed
	case ReasonForbiddenAddress, ReasonWrongClaim:
		return setAccessDenied
	}
	return setInvalidRequest
}
