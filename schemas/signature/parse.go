package signature

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
)

// The size of a decoded whsec_ secret in bytes (Standard Webhooks 1.0.0,
// "Signature scheme": 192 bits at least, 512 at most).
const (
	MinSecretSize = 24
	MaxSecretSize = 64
)

// maxKeyText bounds the work on a text that is no key. The longest keys, of 64
// bytes, have 6+88 characters.
const maxKeyText = 128

// strictBase64 is padded standard base64 that refuses stray bits in the last
// character. It still skips line breaks, which callers must rule out themselves.
var strictBase64 = base64.StdEncoding.Strict()

// ParseKey reads a serialised key: a prefix and padded standard base64.
//
//	whsec_  24 to 64 secret bytes; signs and verifies v1
//	whsk_   an ed25519 private key: the 32-byte seed and the 32-byte public key,
//	        as Svix writes it, or the seed alone; signs and verifies v1a
//	whpk_   an ed25519 public key of 32 bytes; verifies v1a
//
// Nothing is trimmed or repaired. The error is an [*Error] with
// [ReasonMalformedKey] and never holds any part of the text.
func ParseKey(text string) (Key, error) {
	prefix := ""
	for _, p := range []string{prefixSymmetric, prefixPrivate, prefixPublic} {
		if strings.HasPrefix(text, p) {
			prefix = p
		}
	}
	switch {
	case text == "":
		return Key{}, refuse(ReasonMalformedKey, "the key is empty; check that its variable or file is set")
	case strings.TrimSpace(text) != text:
		return Key{}, refuse(ReasonMalformedKey, "white space or a line break around the key; remove it")
	case prefix == "":
		return Key{}, refuse(ReasonMalformedKey, "the key begins with none of whsec_, whsk_ and whpk_; copy it with its prefix, or make one: whsec_ and 32 random bytes in base64")
	case len(text) > maxKeyText:
		return Key{}, refuse(ReasonMalformedKey, "the key has %d characters and no key has more than %d; check that only the key is there", len(text), maxKeyText)
	}
	raw, err := decodeKey(prefix, text[len(prefix):])
	if err != nil {
		return Key{}, err
	}
	switch prefix {
	case prefixSymmetric:
		if len(raw) < MinSecretSize || len(raw) > MaxSecretSize {
			return Key{}, refuse(ReasonMalformedKey, "the whsec_ secret has %d bytes, it needs %d to %d; make a new one", len(raw), MinSecretSize, MaxSecretSize)
		}
		return newSymmetric(raw), nil
	case prefixPrivate:
		return parsePrivate(raw)
	default:
		return parsePublic(raw)
	}
}

// decodeKey decodes the part after the prefix, and names the two usual mistakes.
func decodeKey(prefix, encoded string) ([]byte, error) {
	if strings.ContainsAny(encoded, "-_") {
		return nil, refuse(ReasonMalformedKey, "the text after %s is in the URL alphabet of base64; write it with + and /", prefix)
	}
	if len(encoded)%4 != 0 {
		return nil, refuse(ReasonMalformedKey, "the text after %s is cut off or lacks its padding; copy it again, with the = at its end", prefix)
	}
	raw, err := strictBase64.DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		// The decoder's error tells an offset, and nothing worth the risk.
		return nil, refuse(ReasonMalformedKey, "the text after %s is not padded standard base64; copy it again", prefix)
	}
	return raw, nil
}

func parsePrivate(raw []byte) (Key, error) {
	if len(raw) != ed25519.SeedSize && len(raw) != ed25519.PrivateKeySize {
		return Key{}, refuse(ReasonMalformedKey, "the whsk_ key has %d bytes, it needs %d, or %d for a seed alone; make a new one",
			len(raw), ed25519.PrivateKeySize, ed25519.SeedSize)
	}
	private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	// Signing with a public half of another key would give the private key away
	// to whoever sees two such signatures.
	if len(raw) == ed25519.PrivateKeySize && !bytes.Equal(raw, private) {
		return Key{}, refuse(ReasonMalformedKey, "the public half of the whsk_ key does not belong to its private half; copy it again or make a new one")
	}
	return newPrivate(private), nil
}

func parsePublic(raw []byte) (Key, error) {
	if len(raw) != ed25519.PublicKeySize {
		return Key{}, refuse(ReasonMalformedKey, "the whpk_ key has %d bytes, it needs %d; copy it again", len(raw), ed25519.PublicKeySize)
	}
	switch classifyPoint(raw) {
	case pointInvalid:
		return Key{}, refuse(ReasonMalformedKey, "the whpk_ key is no point of the curve, so nothing could ever match it; copy it again")
	case pointSmallOrder:
		return Key{}, refuse(ReasonMalformedKey, "anybody could sign for this whpk_ key (a point of small order, such as all zeros); ask the sender for the real one")
	}
	return newPublic(raw), nil
}
