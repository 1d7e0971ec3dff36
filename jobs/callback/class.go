package callback

import "github.com/resetd/resetd/schemas"

// The classes of a failed attempt, as schemas.Attempt.Error holds them. They label metrics, so the list is closed.
const (
	ClassNotAllowed     = "not_allowed"       // the configuration no longer allows the URL
	ClassSign           = "sign"              // the message could not be signed
	ClassBusy           = schemas.AttemptBusy // enough attempts are under way there; nothing was sent
	ClassInterrupted    = "interrupted"       // the caller's context was cancelled
	ClassDNS            = "dns"               // the name does not resolve
	ClassRefusedAddress = "refused_address"   // the guard does not dial the address
	ClassConnect        = "connect"           // no connection, or one that broke before the answer
	ClassTLS            = "tls"               // no TLS, or a certificate that is not trusted
	ClassTimeout        = "timeout"           // no answer in time
	ClassProtocol       = "protocol"          // the answer is not HTTP
	ClassRedirect       = "redirect"          // a 3xx answer
	ClassStatus         = "status"            // any other answer than 2xx
	ClassAnswer         = "answer"            // an answer of 2xx whose body says that it was not done
	// ClassNoReference: the task names no ticket of the form that the source's format needs.
	ClassNoReference = schemas.AttemptNoReference
)

// delivered is the metric label of an attempt without a class.
const delivered = "delivered"

// Classes lists every class.
func Classes() []string {
	return []string{ClassNotAllowed, ClassSign, ClassBusy, ClassInterrupted, ClassDNS, ClassRefusedAddress, ClassConnect,
		ClassTLS, ClassTimeout, ClassProtocol, ClassRedirect, ClassStatus, ClassAnswer, ClassNoReference}
}

// Counts tells whether an attempt of a class uses up one place of the schedule. A busy one was never made, and an
// interrupted one ended by our own doing: both are to be put back without being counted.
func Counts(class string) bool { return class != ClassBusy && class != ClassInterrupted }
