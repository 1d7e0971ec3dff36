package connectors

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"

	"github.com/resetd/resetd/schemas"
)

// findingsOfError reads a probe that failed: what must be in order for the system to say what it said is ok, and what comes
// behind the topic that failed was not looked at. The permission is not among it: whether resets are allowed matters once
// the system can be asked at all.
func (s *system) findingsOfError(err, raw error) []schemas.Finding {
	failed := failedTopic(schemas.CodeOf(err), raw)
	answered := failed != schemas.TopicReachability && failed != schemas.TopicRateLimit // the rate may be our own
	signedIn := failed == schemas.TopicRights || failed == schemas.TopicPolicy
	var f findings
	passed := true
	for _, topic := range schemas.Topics() {
		switch {
		case topic == failed:
			f.add(topic, schemas.FindingFail, "%s: %s", schemas.CodeOf(err), detailOf(err))
			passed = false
		case topic == schemas.TopicConfiguration:
			f.add(topic, schemas.FindingOK, "%s", s.settings())
		case passed && topic == schemas.TopicReachability && answered:
			f.add(topic, schemas.FindingOK, "the system can be reached")
		case passed && topic == schemas.TopicCredentials && signedIn:
			f.add(topic, schemas.FindingOK, "the log-in is accepted")
		case passed:
			f.add(topic, schemas.FindingUnknown, "not told, because of the failure below")
		default:
			f.add(topic, schemas.FindingUnknown, "not looked at, because of the failure above")
		}
	}
	return f
}

// failedTopic says which topic a failure of a probe is about.
func failedTopic(code schemas.Code, raw error) schemas.Topic {
	switch code {
	case schemas.CodeBadCredentials:
		return schemas.TopicCredentials
	case schemas.CodePermissionMissing:
		return schemas.TopicRights
	case schemas.CodeUnenforced, schemas.CodeUnsupported, schemas.CodePasswordRejected, schemas.CodeConflict:
		return schemas.TopicPolicy
	case schemas.CodeRateLimited:
		return schemas.TopicRateLimit
	}
	if unprotected(raw) {
		return schemas.TopicTLS
	}
	return schemas.TopicReachability
}

// unprotected tells whether an error comes of the attempt to protect the connection: the other side was reached then.
func unprotected(err error) bool {
	for _, is := range []func(error) bool{
		isA[*tls.CertificateVerificationError], isA[x509.UnknownAuthorityError], isA[x509.HostnameError],
		isA[x509.CertificateInvalidError], isA[tls.RecordHeaderError], isA[tls.AlertError],
	} {
		if is(err) {
			return true
		}
	}
	return errors.Is(err, http.ErrSchemeMismatch) // plain http where https was meant
}

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// detailOf gives the words of a Failure.
func detailOf(err error) string {
	if f, ok := errors.AsType[*schemas.Failure](err); ok {
		return f.Detail
	}
	return "the connector gave an error without a code; please report this"
}
