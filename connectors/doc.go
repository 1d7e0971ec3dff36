// Package connectors is how resetd acts on IAM systems. It holds the contract of a connector (Connector), what a kind of
// system brings along (Kind, Config), and the one type through which the rest of resetd sees all systems (Set).
//
// # Division of labour
//
// A connector speaks to one system and says what happened, as a *schemas.Failure with a code of the closed list. It
// decides nothing about it: what may be tried again is told by schemas.Code.Retryable, and who tries again is the jobs.
// Time-outs, rates, pauses, the circuit breaker, panics, redaction, metrics and the log line are the same for every kind, so
// Set does them, once.
//
// # Adding a kind
//
// One folder with a Config that knows how to open itself, one line in the package builtin, and one call of
// conformance.Run in its test. A test in builtin names what is missing.
package connectors
