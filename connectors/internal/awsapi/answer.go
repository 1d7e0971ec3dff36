package awsapi

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/resetd/resetd/connectors"
	"github.com/resetd/resetd/connectors/internal/rest"
	"github.com/resetd/resetd/schemas"
)

// Answer is an error that AWS sent.
type Answer struct {
	Code    string // without the suffix Exception, which some services write and others do not
	Message string // without the secret of the call, and at most 300 bytes of it
	Status  int
	Header  http.Header
}

// String gives the code, and the message where there is one.
func (a Answer) String() string {
	if a.Message == "" {
		return a.Code
	}
	return a.Code + ": " + a.Message
}

// maxMessage bounds what is quoted of AWS's words, in bytes.
const maxMessage = 300

// answerOf finds AWS's answer in an error of the SDK. The error itself is dropped: it may hold the request.
func answerOf(err error, secret schemas.Secret) (Answer, bool) {
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return Answer{}, false
	}
	a := Answer{Code: strings.TrimSuffix(api.ErrorCode(), "Exception")}
	a.Message = connectors.Redact(strings.TrimSpace(api.ErrorMessage()), secret)
	// A message about a value that breaks a rule quotes the value, perhaps cut short.
	if strings.HasPrefix(a.Code, "Validation") || strings.HasPrefix(a.Code, "InvalidParameter") && !secret.Empty() {
		a.Message = ""
	}
	if len(a.Message) > maxMessage {
		a.Message = strings.ToValidUTF8(a.Message[:maxMessage], "") + "…"
	}
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok && r.Response != nil {
		a.Status, a.Header = r.Response.StatusCode, r.Response.Header
	}
	return a, true
}

// The codes of errors that mean the same wherever they come, without the suffix Exception. Sources: "Common errors" of the
// IAM, STS and Cognito API references, and the SDK's own list of throttling codes.
var meanings = map[schemas.Code][]string{
	schemas.CodePermissionMissing: {"AccessDenied", "UnauthorizedOperation", "Forbidden"},
	schemas.CodeBadCredentials: {"ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient", "SignatureDoesNotMatch", "InvalidSignature", "AuthFailure",
		"MissingAuthenticationToken", "IncompleteSignature", "RequestExpired", "RequestTimeTooSkewed", "InvalidAccessKeyId", "OptInRequired", "NotAuthorized",
		"InvalidIdentityToken", "IDPRejectedClaim", "TokenRefreshRequired"},
	schemas.CodeRateLimited: {"Throttling", "Throttled", "RequestLimitExceeded", "TooManyRequests", "RequestThrottled", "SlowDown",
		"BandwidthLimitExceeded", "ProvisionedThroughputExceeded", "LimitExceeded", "PriorRequestNotComplete"},
	schemas.CodeUnavailable: {"ServiceUnavailable", "Unavailable", "EntityTemporarilyUnmodifiable", "ConcurrentModification", "IDPCommunicationError",
		"OperationInProgress", "ServiceNotAvailable"},
	schemas.CodeAccountNotFound:  {"NoSuchEntity", "UserNotFound"},
	schemas.CodePasswordRejected: {"PasswordPolicyViolation", "InvalidPassword", "PasswordHistoryPolicyViolation"},
}

// stale tells whether AWS takes the credentials no more, though they were good once, so that others may help.
func (a Answer) stale() bool {
	return slices.Contains([]string{"ExpiredToken", "InvalidClientTokenId", "UnrecognizedClient", "TokenRefreshRequired", "RequestExpired"}, a.Code)
}

// code gives what the answer means, and unexpected for what nobody here knows.
func (a Answer) code() schemas.Code {
	for code, names := range meanings {
		if slices.Contains(names, a.Code) {
			return code
		}
	}
	switch {
	case a.Status == http.StatusTooManyRequests:
		return schemas.CodeRateLimited
	case a.Status == http.StatusServiceUnavailable:
		return schemas.CodeUnavailable
	case a.Status == http.StatusForbidden && a.Code == "UnknownError": // a firewall on the way, or an endpoint's policy
		return schemas.CodePermissionMissing
	case a.Status >= 500:
		return schemas.CodeTimedOut
	}
	return schemas.CodeUnexpected
}

// judge makes a failure of an answer.
func (s *Session) judge(call Call, a Answer) *schemas.Failure {
	if call.Explain != nil {
		if f := call.Explain(a); f != nil {
			return f
		}
	}
	at := s.at(call)
	switch code := a.code(); code {
	case schemas.CodePermissionMissing:
		return schemas.Fail(code, "%s: AWS refuses it (%s); %s", at, a, Grant(call.Action, call.Resource))
	case schemas.CodeBadCredentials:
		return schemas.Fail(code, "%s: AWS refuses resetd's own credentials (%s); %s", at, a.Code, s.advice(a))
	case schemas.CodeRateLimited:
		f := schemas.Fail(code, "%s: AWS asks to be called less often (%s); nothing was done; lower rate: of the system %s if this goes on", at, a.Code, s.System)
		f.RetryAfter = rest.RetryAfter(a.Header, time.Now())
		return f
	case schemas.CodeUnavailable:
		f := schemas.Fail(code, "%s: AWS cannot do it now (%s); nothing was done", at, a.Code)
		f.RetryAfter = rest.RetryAfter(a.Header, time.Now())
		return f
	case schemas.CodeTimedOut:
		if call.Changes {
			return schemas.Fail(code, "%s: AWS failed (%s, HTTP %d), and whether it was done is not known", at, a.Code, a.Status)
		}
		return schemas.Fail(schemas.CodeUnavailable, "%s: AWS failed (%s, HTTP %d)", at, a.Code, a.Status)
	default:
		return schemas.Fail(code, "%s: %s", at, a)
	}
}

// advice says what to do about credentials that were refused.
func (s *Session) advice(a Answer) string {
	switch a.Code {
	case "RequestTimeTooSkewed", "RequestExpired":
		return "the clock of this machine differs from AWS's; set it"
	case "SignatureDoesNotMatch", "InvalidSignature":
		return "correct secret_access_key of the system " + s.System + ", and see that this machine's clock is right and nothing on the way changes requests"
	case "OptInRequired":
		return "the account is not enabled for the region " + s.Settings.Region
	}
	return "renew them in the settings of the system " + s.System + ", or in its environment"
}
