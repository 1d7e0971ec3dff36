package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"sync"
)

// maxHead is the longest text before the body: the id, the timestamp and two
// full stops.
const maxHead = maxIDLen + 1 + maxTimestampLen + 1

// mac computes HMAC-SHA256 under one secret without allocating. It may be used by
// several goroutines at once.
type mac struct {
	states sync.Pool
}

// macState is one computation's memory. The buffers live beside the hash because
// whatever goes through its interface would otherwise move to the heap each time.
type macState struct {
	hash hash.Hash
	head [maxHead]byte
	sum  [sha256.Size]byte
}

// newMAC keeps secret; the caller must not change it afterwards.
func newMAC(secret []byte) *mac {
	m := &mac{}
	m.states.New = func() any {
		h := hmac.New(sha256.New, secret)
		// The first Reset stores the hash states behind the two key blocks;
		// every later one starts from there instead of hashing the key again.
		h.Reset()
		return &macState{hash: h}
	}
	return m
}

// sum returns the MAC of "id.timestamp.body". The id and the timestamp must have
// passed validID and parseTimestamp, which bound their lengths.
func (m *mac) sum(id, timestamp string, body []byte) [sha256.Size]byte {
	s := m.states.Get().(*macState)
	_, _ = s.hash.Write(appendHead(s.head[:0], id, timestamp))
	_, _ = s.hash.Write(body)
	s.hash.Sum(s.sum[:0])
	sum := s.sum
	s.hash.Reset()
	m.states.Put(s)
	return sum
}

// appendHead appends everything of the signed text that precedes the body.
func appendHead(dst []byte, id, timestamp string) []byte {
	dst = append(dst, id...)
	dst = append(dst, '.')
	dst = append(dst, timestamp...)
	return append(dst, '.')
}
