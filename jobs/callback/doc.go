// Package callback is the HTTP side of callbacks: it decides where a source may hear back, signs a message and posts it, or
// makes the requests that a tool's own API wants. It keeps nothing; the ledger remembers what is owed and the jobs decide
// when to try again.
//
// # What is said
//
// A source is told in one format: resetd's own message, a CloudEvent, or the requests of a template (package format). The
// first two are always signed and go to what the source's list allows; a template goes to the one place that is
// configured, and logs in there as that tool wants it.
//
// # Where a callback may go
//
// A source's configuration lists URL prefixes, and perhaps one URL that is used when a request names none. The prefixes
// are compared part by part, never as text: scheme, host, port, and the path at its slashes. A URL that two programs
// could read differently is refused before it is compared. The list is asked when a task is accepted and again at each
// attempt, because the configuration may have changed in between.
//
// # Which addresses are dialled
//
// A name on the list may lead anywhere, and may lead elsewhere a second later. So the address is judged where the
// connection is made, after DNS: loopback and private networks are refused unless the configuration allows them; link-local
// addresses, the metadata services of clouds, multicast and everything else that is no ordinary host are always refused.
// Plain http goes to private networks only. No proxy is used, since it would resolve names on the far side of the guard,
// and no redirect is followed.
//
// # What is shown
//
// An attempt tells scheme, host and port, and neither path nor query, which often carry a token. It quotes nothing that
// the receiver sent, but for words of a list that is our own. A log-in is in no attempt, log line, metric or error.
package callback
