package signature

import (
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"time"
)

// TemplateOptions adjust a [TemplateVerifier]. The zero value is right for most senders.
type TemplateOptions struct {
	// Tolerance is that of [Options]. It must be zero if the template signs no time, since it would promise what the
	// signature does not hold.
	Tolerance time.Duration
}

// TemplateProof is what a valid signature vouches for beside the body.
type TemplateProof struct {
	// ID is the sender's id of the delivery if the template signs it, else empty.
	ID string
	// At is the time of the delivery by the sender's clock if the template signs it, else zero.
	At time.Time
}

// TemplateVerifier verifies deliveries of one kind of sender against a fixed set of keys. It may be used by several
// goroutines at once, and shows no key to fmt, encoders and loggers.
type TemplateVerifier struct {
	layout    *layout
	signers   []signer
	tolerance int64 // seconds
}

// NewTemplateVerifier returns a verifier of the template that accepts what any of the 1 to [MaxSignatures] keys has
// signed. The keys are texts as the vendor shows them; KeyFormat says how they are read.
//
// The error joins one [*Error] for everything that is wrong: [ReasonBadTemplate] for a field, see [Template.Check];
// [ReasonMalformedKey] for a key that is empty, cannot be decoded or is shorter than MinKeyBytes; [ReasonUnusableKeys]
// for no key, too many, one that stands there twice, or a vendor's published test key; [ReasonBadOption] for a tolerance
// below one second, or for one where no time is signed.
func NewTemplateVerifier(t Template, keys []string, opts TemplateOptions) (*TemplateVerifier, error) {
	l, faults := compile(t)
	secrets, wrong := l.secrets(keys)
	tolerance, err := toleranceSeconds(opts.Tolerance)
	if opts.Tolerance != 0 && !l.timed {
		err = refuse(ReasonBadOption, "there is a tolerance and the template signs no time, so that it would have no effect; leave it out")
	}
	if err := errors.Join(append(append(faults, wrong...), err)...); err != nil {
		return nil, err
	}
	v := &TemplateVerifier{layout: l, tolerance: tolerance}
	for _, secret := range secrets {
		v.signers = append(v.signers, l.signer(secret))
	}
	return v, nil
}

// Verify checks a delivery against its raw bytes. On success one of the keys has signed the body, and whatever else the
// template names; the time, if it is signed, lies within the tolerance of now. If the template signs a time or an id, a
// delivery without it is refused: there is no second attempt by other rules.
//
// The error is an [*Error] with one of [VerifyReasons]. Form and time are checked first, as they cost nothing, so a
// reason other than no_match says nothing about the signature. Every signature is compared with every key, in constant
// time, so the time taken does not tell which key matched. The body is hashed once for each key.
func (v *TemplateVerifier) Verify(r TemplateRequest, now time.Time) (TemplateProof, error) {
	l := v.layout
	header, err := single(r.Header, l.signatureHeader, l.signatureHeader, adviceTemplate)
	if err != nil {
		return TemplateProof{}, err
	}
	for _, name := range l.required {
		if _, err := single(r.Header, name, name, adviceTemplate); err != nil {
			return TemplateProof{}, err
		}
	}
	c, err := l.read(header)
	if err != nil {
		return TemplateProof{}, err
	}
	timestamp, at, err := v.time(r, c, now)
	if err != nil {
		return TemplateProof{}, err
	}
	id, err := l.id(r)
	if err != nil {
		return TemplateProof{}, err
	}
	head, tail, err := l.render(r, timestamp, id)
	if err != nil {
		return TemplateProof{}, err
	}
	matched := 0
	for _, sign := range v.signers {
		var buffer [sha512.Size]byte
		sum := sign(buffer[:0], timestamp, head, r.Body, tail)
		for i := range c.n {
			matched |= subtle.ConstantTimeCompare(sum, c.macs[i][:l.size])
		}
	}
	if matched != 1 {
		return TemplateProof{}, refuse(ReasonNoMatch, "no configured key made any of the signatures in %s; compare the keys of both sides, and what is signed with the template; the body must arrive with the very bytes that were signed", l.signatureHeader)
	}
	return TemplateProof{ID: id, At: at}, nil
}

// time reads the time if it is signed, and holds it against now.
func (v *TemplateVerifier) time(r TemplateRequest, c *found, now time.Time) (string, time.Time, error) {
	l, text, name := v.layout, c.time, v.layout.signatureHeader
	if !l.timed {
		return "", time.Time{}, nil
	}
	if l.timestampPick == nil {
		var err error
		name = l.timestampHeader
		if text, err = single(r.Header, name, name, adviceTemplate); err != nil {
			return "", time.Time{}, err
		}
	}
	at, ok := l.time.parse(text)
	if !ok {
		return "", time.Time{}, refuse(ReasonMalformedTimestamp, "the time in %s is not %s", name, l.time.name)
	}
	return text, at, checkAge(now.Unix()-at.Unix(), v.tolerance)
}

// id reads the id if it is signed.
func (l *layout) id(r TemplateRequest) (string, error) {
	if !l.signsID {
		return "", nil
	}
	id, err := single(r.Header, l.idHeader, l.idHeader, adviceTemplate)
	if err != nil {
		return "", err
	}
	if !validID(id) {
		return "", malformedID(l.idHeader, id)
	}
	return id, nil
}
