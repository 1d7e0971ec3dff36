package signature

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
)

// Headers are the three values that travel with a signed body.
type Headers struct {
	// ID names the message. It stays the same when the message is sent again.
	ID string
	// Timestamp is the time of this attempt in Unix seconds.
	Timestamp string
	// Signature is the list of signatures, with one space between them.
	Signature string
}

// Set writes the three headers into h and replaces what was there.
func (s Headers) Set(h http.Header) {
	h.Set(HeaderID, s.ID)
	h.Set(HeaderTimestamp, s.Timestamp)
	h.Set(HeaderSignature, s.Signature)
}

// Sign signs body with every key, in their order. Two keys at a time serve an
// exchange: the receiver accepts the message as long as it knows one of them. The
// time is that of the attempt, cut to whole seconds, so every attempt is signed
// anew under the same id.
//
// The error is an [*Error]: [ReasonUnusableKeys] for no key, more than
// [MaxSignatures] keys or a key that cannot sign, [ReasonMalformedID] for an id
// other than ^[A-Za-z0-9_-]{1,128}$, [ReasonMalformedTimestamp] for a time outside
// the years 2001 to 5138.
func Sign(keys []Key, id string, at time.Time, body []byte) (Headers, error) {
	if err := checkKeys(keys); err != nil {
		return Headers{}, err
	}
	if !validID(id) {
		return Headers{}, malformedID("webhook-id", id)
	}
	timestamp := strconv.FormatInt(at.Unix(), 10)
	if _, ok := parseTimestamp(timestamp); !ok {
		return Headers{}, refuse(ReasonMalformedTimestamp, "the time to sign with has no Unix seconds of 10 or 11 digits; check this machine's clock")
	}

	list := make([]byte, 0, len(keys)*(len(versionAsymmetric)+2+asymmetricLen))
	var message []byte
	for i, k := range keys {
		if i > 0 {
			list = append(list, ' ')
		}
		m := k.material()
		switch {
		case !k.CanSign():
			return Headers{}, refuse(ReasonUnusableKeys, "key %d is a public key and cannot sign; configure its whsk_ key", i+1)
		case m.mac != nil:
			sum := m.mac.sum(id, timestamp, body)
			list = append(list, versionSymmetric+","...)
			list = base64.StdEncoding.AppendEncode(list, sum[:])
		default:
			if message == nil {
				message = append(appendHead(make([]byte, 0, maxHead+len(body)), id, timestamp), body...)
			}
			list = append(list, versionAsymmetric+","...)
			list = base64.StdEncoding.AppendEncode(list, ed25519.Sign(m.private, message))
		}
	}
	return Headers{ID: id, Timestamp: timestamp, Signature: string(list)}, nil
}

// checkKeys holds for both directions: 1 to MaxSignatures keys, none of them zero.
func checkKeys(keys []Key) error {
	if len(keys) == 0 {
		return refuse(ReasonUnusableKeys, "there is no key; configure at least one")
	}
	if len(keys) > MaxSignatures {
		return refuse(ReasonUnusableKeys, "there are %d keys, %d are allowed; remove keys that were exchanged long ago", len(keys), MaxSignatures)
	}
	for i, k := range keys {
		if k.IsZero() {
			return refuse(ReasonUnusableKeys, "key %d is empty; configure it or remove it", i+1)
		}
	}
	return nil
}

func malformedID(header, id string) error {
	if len(id) > maxIDLen {
		return refuse(ReasonMalformedID, "%s has %d bytes, %d are allowed; use a shorter id", header, len(id), maxIDLen)
	}
	return refuse(ReasonMalformedID, "%s may hold A-Z a-z 0-9 _ - only, and at least one of them; a full stop would make the signed text ambiguous", header)
}
