package signature

import (
	"crypto/ed25519"
	"crypto/subtle"
	"net/http"
	"sync"
	"time"
)

// DefaultTolerance is how far a timestamp may lie from our clock, before and
// after. The reference libraries of Standard Webhooks use the same five minutes.
const DefaultTolerance = 5 * time.Minute

// maxScratch is the largest buffer that is kept for the next v1a delivery.
const maxScratch = 64 << 10

// Options adjust a [Verifier]. The zero value is right for most senders.
type Options struct {
	// Tolerance replaces DefaultTolerance when it is not zero. It is cut to whole
	// seconds and must be one second at least. A replayed delivery is well signed
	// for twice this time, so idempotency keys must be remembered for longer.
	Tolerance time.Duration
}

// Delivery is what a valid signature vouches for beside the body.
type Delivery struct {
	// ID is the sender's id of the message: the idempotency key.
	ID string
	// Timestamp is the time of the attempt by the sender's clock.
	Timestamp time.Time
}

// Verifier verifies deliveries against a fixed set of keys. It may be used by
// several goroutines at once.
type Verifier struct {
	symmetric  []*mac
	asymmetric []ed25519.PublicKey
	tolerance  int64     // seconds
	scratch    sync.Pool // *[]byte, for the signed text of v1a
}

// NewVerifier returns a Verifier that accepts what any of the keys has signed. A
// whsk_ key verifies as its public half does.
//
// The error is an [*Error]: [ReasonUnusableKeys] for no key, a zero key or more
// than [MaxSignatures] keys, [ReasonBadOption] for a tolerance below one second.
func NewVerifier(keys []Key, opts Options) (*Verifier, error) {
	if err := checkKeys(keys); err != nil {
		return nil, err
	}
	tolerance, err := toleranceSeconds(opts.Tolerance)
	if err != nil {
		return nil, err
	}
	v := &Verifier{tolerance: tolerance}
	v.scratch.New = func() any { return new([]byte) }
	for _, k := range keys {
		if m := k.material(); m.mac != nil {
			v.symmetric = append(v.symmetric, m.mac)
		} else {
			v.asymmetric = append(v.asymmetric, m.public)
		}
	}
	return v, nil
}

// Verify checks the three headers of h, the keys of which must be in the canonical
// form of net/http, against the raw bytes of body as they arrived. It keeps
// neither. On success the Delivery is signed by one of the keys and its timestamp
// lies within the tolerance of now.
//
// The error is an [*Error] with one of [VerifyReasons]. Form and time are checked
// first, as they cost nothing, so a reason other than no_match says nothing about
// the signature. A v1 signature is compared with whsec_ keys only, a v1a signature
// with ed25519 keys only. Every signature is compared with every key of its kind,
// in constant time, so the time taken does not tell which key matched.
func (v *Verifier) Verify(h http.Header, body []byte, now time.Time) (Delivery, error) {
	id, err := single(h, HeaderID, "webhook-id", adviceStandard)
	if err != nil {
		return Delivery{}, err
	}
	timestamp, err := single(h, HeaderTimestamp, "webhook-timestamp", adviceStandard)
	if err != nil {
		return Delivery{}, err
	}
	signatures, err := single(h, HeaderSignature, "webhook-signature", adviceStandard)
	if err != nil {
		return Delivery{}, err
	}
	if !validID(id) {
		return Delivery{}, malformedID("webhook-id", id)
	}
	seconds, ok := parseTimestamp(timestamp)
	if !ok {
		return Delivery{}, refuse(ReasonMalformedTimestamp, "webhook-timestamp is not a whole number of Unix seconds with 10 or 11 digits; send seconds, not milliseconds or a date")
	}
	if err := checkAge(now.Unix()-seconds, v.tolerance); err != nil {
		return Delivery{}, err
	}
	var c candidates
	if err := c.parse(signatures); err != nil {
		return Delivery{}, err
	}
	if v.matchSymmetric(&c, id, timestamp, body)|v.matchAsymmetric(&c, id, timestamp, body) != 1 {
		return Delivery{}, v.noMatch(&c)
	}
	return Delivery{ID: id, Timestamp: time.Unix(seconds, 0)}, nil
}

// checkAge compares whole seconds, the finest unit that every header can express.
func checkAge(age, tolerance int64) error {
	switch {
	case age > tolerance:
		return refuse(ReasonTooOld, "the sender's clock is %d s behind, or the delivery was held up (%d s are tolerated); check NTP on both machines, and sign every attempt anew", age, tolerance)
	case age < -tolerance:
		return refuse(ReasonTooNew, "the sender's clock is %d s ahead (%d s are tolerated); check NTP on both machines", -age, tolerance)
	}
	return nil
}

// toleranceSeconds returns the seconds of a tolerance, or of the default for zero.
func toleranceSeconds(tolerance time.Duration) (int64, error) {
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	if tolerance < time.Second {
		return 0, refuse(ReasonBadOption, "the tolerance is below one second; leave it out for %s", DefaultTolerance)
	}
	return int64(tolerance / time.Second), nil
}

// matchSymmetric returns 1 if a v1 signature was made with a whsec_ key, else 0.
func (v *Verifier) matchSymmetric(c *candidates, id, timestamp string, body []byte) int {
	matched := 0
	if c.nSymmetric == 0 {
		return matched
	}
	for _, m := range v.symmetric {
		sum := m.sum(id, timestamp, body)
		for i := range c.nSymmetric {
			matched |= subtle.ConstantTimeCompare(sum[:], c.symmetric[i][:])
		}
	}
	return matched
}

// matchAsymmetric returns 1 if a v1a signature was made with one of the ed25519
// keys, else 0.
func (v *Verifier) matchAsymmetric(c *candidates, id, timestamp string, body []byte) int {
	matched := 0
	if c.nAsymmetric == 0 || len(v.asymmetric) == 0 {
		return matched
	}
	scratch := v.scratch.Get().(*[]byte)
	message := append(appendHead((*scratch)[:0], id, timestamp), body...)
	for _, public := range v.asymmetric {
		for i := range c.nAsymmetric {
			if ed25519.Verify(public, message, c.asymmetric[i][:]) {
				matched = 1
			}
		}
	}
	if cap(message) <= maxScratch {
		*scratch = message
		v.scratch.Put(scratch)
	}
	return matched
}

// noMatch names the cheapest explanation. It tells kinds and never which key.
func (v *Verifier) noMatch(c *candidates) error {
	switch {
	case c.nSymmetric == 0 && c.nAsymmetric == 0:
		return refuse(ReasonNoMatch, "webhook-signature holds no signature of a version that is known here; sign with v1 or v1a")
	case c.nAsymmetric == 0 && len(v.symmetric) == 0:
		return refuse(ReasonNoMatch, "the delivery is signed with v1 (HMAC) and only v1a (ed25519) keys are configured; use a key of the same kind on both sides")
	case c.nSymmetric == 0 && len(v.asymmetric) == 0:
		return refuse(ReasonNoMatch, "the delivery is signed with v1a (ed25519) and only v1 (HMAC) keys are configured; use a key of the same kind on both sides")
	}
	return refuse(ReasonNoMatch, "no configured key made any of the signatures; compare the keys of both sides, and sign and send the same bytes of the body")
}
