package signature

import (
	"bytes"
	"crypto/hmac"
	"hash"
	"strings"
	"sync"
)

// maxTemplateKey is the longest key in bytes of its text. Beyond the block of its hash a key gains nothing; more than
// this is another file.
const maxTemplateKey = 1024

// publishedSecrets are keys that vendors sign test deliveries with and print in their documentation. Whoever accepts
// one accepts everybody.
var publishedSecrets = []struct{ text, owner string }{
	{"dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ==", "Zendesk"}, // "this_secret_is_for_testing_only"
}

// secrets decodes keys. Every one of them that is wrong has an error; none of the errors shows a part of it.
func (l *layout) secrets(keys []string) (secrets [][]byte, faults []error) {
	switch {
	case len(keys) == 0:
		faults = append(faults, refuse(ReasonUnusableKeys, "there is no key; configure at least one"))
	case len(keys) > MaxSignatures:
		faults = append(faults, refuse(ReasonUnusableKeys, "there are %d keys, %d are allowed; remove keys that were exchanged long ago", len(keys), MaxSignatures))
		return nil, faults
	}
	places := make([]int, 0, len(keys)) // of the secrets among the keys
	for i, text := range keys {
		secret, err := l.secret(text, i+1)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		for j, other := range secrets {
			if sameKey(other, secret) {
				faults = append(faults, refuse(ReasonUnusableKeys, "key %d is the same as key %d; remove one", i+1, places[j]))
			}
		}
		secrets, places = append(secrets, secret), append(places, i+1)
	}
	return secrets, faults
}

// secret decodes the n-th key.
func (l *layout) secret(text string, n int) ([]byte, error) {
	switch {
	case text == "":
		return nil, refuse(ReasonMalformedKey, "key %d is empty; check that its variable or file is set", n)
	case strings.TrimSpace(text) != text:
		return nil, refuse(ReasonMalformedKey, "white space or a line break around key %d; remove it", n)
	case len(text) > maxTemplateKey:
		return nil, refuse(ReasonMalformedKey, "key %d has %d characters and no key has more than %d; check that only the key is there", n, len(text), maxTemplateKey)
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return nil, refuse(ReasonMalformedKey, "key %d holds a line break or another control character; check that only the key is there", n)
	}
	if owner := published(text, nil); owner != "" {
		return nil, publishedKey(n, owner)
	}
	secret := []byte(text)
	if l.keyFormat != "raw" {
		var ok bool
		if secret, ok = decodeText(l.keyFormat, text); !ok {
			return nil, refuse(ReasonMalformedKey, "key %d is not %s, as key_format says; copy it again, or correct key_format", n, encodingNames[l.keyFormat])
		}
	}
	if owner := published("", secret); owner != "" {
		return nil, publishedKey(n, owner)
	}
	if sameKey(secret, nil) {
		return nil, refuse(ReasonMalformedKey, "key %d is nothing but zeros, as a placeholder is; configure the key itself", n)
	}
	if len(secret) < l.minKeyBytes {
		return nil, refuse(ReasonMalformedKey, "key %d has %d bytes, it needs %d; make a longer one, or lower min_key_bytes if the sender cannot take it", n, len(secret), l.minKeyBytes)
	}
	return secret, nil
}

// published returns whose public test key a key is, written as text or decoded, or the empty string.
func published(text string, secret []byte) string {
	for _, p := range publishedSecrets {
		decoded, _ := strictBase64.DecodeString(p.text)
		if text == p.text || sameKey(secret, []byte(p.text)) || sameKey(secret, decoded) {
			return p.owner
		}
	}
	return ""
}

// sameKey reports whether HMAC makes the same of two keys: it fills a key with zeros up to the block of its hash.
func sameKey(a, b []byte) bool {
	return bytes.Equal(bytes.TrimRight(a, "\x00"), bytes.TrimRight(b, "\x00"))
}

func publishedKey(n int, owner string) error {
	return refuse(ReasonUnusableKeys, "key %d is the one that %s prints in its documentation for test deliveries, so that anybody could sign; use the secret of your own webhook", n, owner)
}

// signer computes an HMAC over head, body and tail and appends it to sum. It is a function because neither fmt nor
// reflection reaches what it has captured; see Key. It may be called by several goroutines at once.
type signer func(sum []byte, timestamp string, head, body, tail []byte) []byte

// signer returns the one of a secret. It keeps secret, which the caller must not change afterwards.
func (l *layout) signer(secret []byte) signer {
	compute := func(h hash.Hash, sum, head, body, tail []byte) []byte {
		_, _ = h.Write(head)
		_, _ = h.Write(body)
		_, _ = h.Write(tail)
		return h.Sum(sum)
	}
	if index(l.key, partTimestamp) >= 0 {
		return func(sum []byte, timestamp string, head, body, tail []byte) []byte {
			return compute(hmac.New(l.hash, l.derive(secret, timestamp)), sum, head, body, tail)
		}
	}
	states := &sync.Pool{New: func() any { return hmac.New(l.hash, l.derive(secret, "")) }}
	return func(sum []byte, _ string, head, body, tail []byte) []byte {
		h := states.Get().(hash.Hash)
		sum = compute(h, sum, head, body, tail)
		h.Reset()
		states.Put(h)
		return sum
	}
}

// derive fills the key template.
func (l *layout) derive(secret []byte, timestamp string) []byte {
	var key []byte
	for _, p := range l.key {
		switch p.kind {
		case partSecret:
			key = append(key, secret...)
		case partTimestamp:
			key = append(key, timestamp...)
		default:
			key = append(key, p.text...)
		}
	}
	return key
}
