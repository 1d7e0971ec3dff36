// Package verify proves that a delivery comes from whom it claims to come: one Scheme for each way in which senders prove
// themselves. A scheme never falls back to a weaker one.
package verify

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/netip"
	"time"
)

// Delivery is one request to a hook, as far as a scheme may look at it.
type Delivery struct {
	Method string
	Path   string      // as it was requested, without its query
	Header http.Header // keys in canonical form
	Body   []byte      // raw, as it arrived
	Token  string      // the part of the path behind the source's name; empty if there is none
	Peer   netip.Addr  // who holds the connection
	Client netip.Addr  // who sent it, by the word of trusted proxies; Peer without one
	TLS    *tls.ConnectionState
}

// Proof is what a verified delivery vouches for.
type Proof struct {
	// ID is the sender's own id of the delivery, where the proof covers it; the idempotency key. Empty if it covers none.
	ID string
	// At is the time of the delivery, where the proof covers it.
	At time.Time
	// Payload is what is to be mapped: the body, or the claims of a security event token as JSON.
	Payload []byte
	// Who is the sender by the proof, such as the subject of a token or the name in a certificate; no secret.
	Who string
}

// Scheme verifies. It is safe for concurrent use and keeps neither header nor body.
type Scheme interface {
	// Verify checks the delivery against its raw bytes. The error is an *Error, whose detail may be told to the sender. With
	// ReasonKeysUnavailable nothing was judged, and the sender must be asked to come again (503); any other is final (401).
	Verify(ctx context.Context, d *Delivery, now time.Time) (Proof, error)
	// Covers tells what the proof vouches for. What it does not cover is compensated by whoever calls.
	Covers() Coverage
}

// Coverage is what a scheme's proof vouches for.
type Coverage struct {
	Body bool // the bytes of the body
	Time bool // when it was sent
	ID   bool // the id of the delivery, which is unique
}

// Weak tells what somebody who has seen one delivery could do, in words for an operator; empty if nothing.
func (c Coverage) Weak() string {
	switch {
	case !c.Body:
		return "the scheme proves the sender and not the body: whoever sees one delivery, or its credential, can ask for any reset that the source may ask for"
	case !c.Time && !c.ID:
		return "the scheme signs no time: a delivery that was seen could be sent again; it is refused as long as the ledger remembers it, and by its occurred_at after that"
	}
	return ""
}
