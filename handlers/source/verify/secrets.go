package verify

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// The size of a shared secret in bytes. Sixteen random ones cannot be guessed (128 bits); nobody's header takes more than
// the most.
const (
	minSecret = 16
	maxSecret = 1024
)

// digests tells in constant time whether a text is one of a set. It is a function and not a struct of digests: what a
// function has captured, neither fmt nor reflection can reach.
type digests func(candidate string) int

// newDigests keeps the SHA-256 of each text, so that neither the length of a text nor how much of it was right shows in
// the time. It gives 1 for a text of the set, else 0, after having compared all.
func newDigests(texts ...string) digests {
	sums := make([][sha256.Size]byte, len(texts))
	for i, t := range texts {
		sums[i] = sha256.Sum256([]byte(t))
	}
	return func(candidate string) int {
		sum, found := sha256.Sum256([]byte(candidate)), 0
		for i := range sums {
			found |= subtle.ConstantTimeCompare(sum[:], sums[i][:])
		}
		return found
	}
}

// parseSecrets reads the live secrets of a source for the place where they stand. The length is that of the text, as it is
// the text that the sender sends.
func parseSecrets(keys []schemas.Secret, in string, f *faults) digests {
	if len(keys) == 0 {
		f.add("keys", `there is no secret; write ["${NAME}"] or ["file:PATH"], and two of them while one is exchanged for the other`)
	}
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = k.Reveal()
		before := len(f.all)
		if checkSecretText(at("keys", i), k, minSecret, "", f); len(f.all) > before || k.Empty() {
			continue
		}
		switch in {
		case "header", "bearer":
			if strings.ContainsFunc(texts[i], func(r rune) bool { return r > 0x7e }) {
				f.add(at("keys", i), "a header carries ASCII only; make a secret of letters and digits")
			}
			if in == "bearer" && strings.Contains(texts[i], " ") {
				f.add(at("keys", i), "a bearer token has no spaces; write the token alone, without Bearer before it")
			}
		case "url":
			if strings.ContainsFunc(texts[i], func(r rune) bool { return !unreserved(r) }) {
				f.add(at("keys", i), "a part of a URL is written in letters, digits and - . _ ~ only, as anything else could arrive in another spelling; make a new one")
			}
		}
	}
	return newDigests(texts...)
}

// unreserved are the characters that a URL never escapes (RFC 3986 §2.3).
func unreserved(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r)
}

// The places where a shared secret can stand.
var places = []string{"header", "bearer", "basic", "url"}

// openPlace reads where the secrets of a source stand.
func openPlace(v sender.Verify, f *faults) place {
	p := place{in: v.Secret.In}
	if v.Secret.In == "" {
		f.add("secret.in", "this is missing; write header, bearer, basic or url, as the sender can do it; url only if it can do nothing else")
		return p
	}
	if !f.oneOf("secret.in", v.Secret.In, places) {
		return p
	}
	switch {
	case p.in == "header" && v.Secret.Header == "":
		f.add("secret.header", "this is missing; write the header that holds the secret, such as X-Secret")
	case p.in == "header":
		p.header = f.header("secret.header", v.Secret.Header)
	case v.Secret.Header != "":
		f.add("secret.header", "with in: %s the secret is not looked for there; remove it, or write in: header", p.in)
	}
	switch {
	case p.in == "basic" && v.Secret.User == "":
		f.add("secret.user", "this is missing; write the user name that the sender logs in with")
	case p.in == "basic" && (strings.Contains(v.Secret.User, ":") || strings.ContainsFunc(v.Secret.User, isControl)):
		f.add("secret.user", "a user name of basic authentication has no colon and no control character (RFC 7617 §2); choose another on both sides")
	case p.in == "basic":
		p.who, p.user = v.Secret.User, newDigests(v.Secret.User)
	case v.Secret.User != "":
		f.add("secret.user", "with in: %s there is no user name; remove it, or write in: basic", p.in)
	}
	p.secrets = parseSecrets(v.Keys, p.in, f)
	return p
}
