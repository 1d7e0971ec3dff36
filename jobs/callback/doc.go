// Package callback is the HTTP side of callbacks: it decides where a source may hear back, signs a message and posts it.
// It keeps nothing; the ledger remembers what is owed and the jobs decide when to try again.
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
// the receiver sent.
package callback
