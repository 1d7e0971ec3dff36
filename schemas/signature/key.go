package signature

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
)

// The prefixes of serialised keys (Standard Webhooks 1.0.0, "Signature scheme").
const (
	prefixSymmetric = "whsec_"
	prefixPrivate   = "whsk_"
	prefixPublic    = "whpk_"
)

// generatedSecretSize is what GenerateSymmetric makes: as many bytes as the
// output of SHA-256, beyond which an HMAC key gains nothing (RFC 2104 §3).
const generatedSecretSize = 32

// Key is one signing or verifying key. It shows its kind and nothing else to
// fmt, encoding/json, YAML and loggers; only [Key.Reveal] returns its text. The
// zero Key is no key: it neither signs nor verifies.
//
// It is a struct with one pointer to a function on purpose. A string type with a
// String method is printed raw by a wrong verb such as %d, and inside unexported
// fields, where fmt calls no methods. A pointer to plain fields is safe there with
// %v only: %s of it is a wrong verb again, and fmt then prints what it points to.
// What a function has captured, neither fmt nor reflection can reach.
type Key struct {
	box *box
}

type box struct {
	open func() *material
}

// material is what a key consists of. Exactly one of mac and public is set;
// private is set beside public when the key can sign. No value of an exported type
// may refer to it other than through a box.
type material struct {
	text    string // the canonical serialisation, whole
	prefix  string
	mac     *mac
	public  ed25519.PublicKey
	private ed25519.PrivateKey
}

// GenerateSymmetric returns a new whsec_ key of 32 random bytes.
func GenerateSymmetric() Key {
	secret := make([]byte, generatedSecretSize)
	_, _ = rand.Read(secret) // never fails: crypto/rand ends the program instead
	return newSymmetric(secret)
}

// GenerateAsymmetric returns a new ed25519 key pair: the whsk_ key that signs, and
// the whpk_ key to give to those who verify.
func GenerateAsymmetric() (private, public Key) {
	seed := make([]byte, ed25519.SeedSize)
	_, _ = rand.Read(seed) // never fails, as above
	private = newPrivate(ed25519.NewKeyFromSeed(seed))
	public, _ = private.Public()
	return private, public
}

func seal(m material) Key {
	return Key{&box{func() *material { return &m }}}
}

// material returns the contents of k; for no key it returns an empty one.
func (k Key) material() *material {
	if k.box == nil {
		return &material{}
	}
	return k.box.open()
}

func newSymmetric(secret []byte) Key {
	return seal(material{text: serialise(prefixSymmetric, secret), prefix: prefixSymmetric, mac: newMAC(secret)})
}

func newPrivate(private ed25519.PrivateKey) Key {
	return seal(material{
		text: serialise(prefixPrivate, private), prefix: prefixPrivate,
		private: private, public: private.Public().(ed25519.PublicKey),
	})
}

func newPublic(public ed25519.PublicKey) Key {
	return seal(material{text: serialise(prefixPublic, public), prefix: prefixPublic, public: public})
}

func serialise(prefix string, raw []byte) string {
	return prefix + base64.StdEncoding.EncodeToString(raw)
}

// IsZero reports whether k is no key at all.
func (k Key) IsZero() bool { return k.box == nil }

// CanSign reports whether [Sign] accepts k: true for whsec_ and whsk_ keys.
func (k Key) CanSign() bool {
	m := k.material()
	return m.mac != nil || m.private != nil
}

// Public returns the whpk_ key that belongs to a whsk_ key, or a whpk_ key itself.
// It returns false for a whsec_ key, which has no public half, and for no key.
func (k Key) Public() (Key, bool) {
	public := k.material().public
	if public == nil {
		return Key{}, false
	}
	return newPublic(public), true
}

// Reveal returns the key in its serialised form, which [ParseKey] reads. It is the
// one way to the text of a key; call it only where a person asked to see the key.
// It returns the empty string for no key.
func (k Key) Reveal() string { return k.material().text }

// redacted is what everybody but Reveal gets to see. ParseKey refuses it, so a
// configuration that was written out redacted is not read back by mistake.
func (k Key) redacted() string {
	if k.IsZero() {
		return "[no key]"
	}
	return k.material().prefix + "[redacted]"
}

// Format writes the kind of the key, whatever the verb and the flags are.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, k.redacted()) }

// MarshalText returns the kind of the key and never fails. It serves JSON, YAML
// and structured logs.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.redacted()), nil }

// UnmarshalText reads a key as [ParseKey] does and returns its errors. On error k
// is left as it was.
func (k *Key) UnmarshalText(text []byte) error {
	parsed, err := ParseKey(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}
