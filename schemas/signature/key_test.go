package signature_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

func encoded(prefix string, raw []byte) string {
	return prefix + base64.StdEncoding.EncodeToString(raw)
}

func TestKeysThatAreAccepted(t *testing.T) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	for size := signature.MinSecretSize; size <= signature.MaxSecretSize; size++ {
		text := encoded("whsec_", bytes.Repeat([]byte{9}, size))
		if k := mustParse(t, text); k.Reveal() != text || !k.CanSign() {
			t.Fatalf("%d bytes do not come back as they were", size)
		}
	}
	whole, seed := mustParse(t, encoded("whsk_", private)), mustParse(t, encoded("whsk_", private[:32]))
	if whole.Reveal() != encoded("whsk_", private) || seed.Reveal() != whole.Reveal() {
		t.Fatal("a seed alone and the whole private key are not the same key")
	}
	public, ok := whole.Public()
	if !ok || public.Reveal() != encoded("whpk_", private[32:]) || public.CanSign() {
		t.Fatal("the public half is wrong")
	}
	if again, ok := public.Public(); !ok || again.Reveal() != public.Reveal() {
		t.Fatal("the public half of a public key is not itself")
	}
	if _, ok := signature.GenerateSymmetric().Public(); ok {
		t.Fatal("a shared secret has a public half")
	}
}

func TestGeneratedKeysDifferAndComeBack(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	other, _ := signature.GenerateAsymmetric()
	for _, k := range []signature.Key{private, public, other, signature.GenerateSymmetric()} {
		if mustParse(t, k.Reveal()).Reveal() != k.Reveal() {
			t.Fatalf("%v does not come back", k)
		}
	}
	first, second := signature.GenerateSymmetric(), signature.GenerateSymmetric()
	if private.Reveal() == other.Reveal() || first.Reveal() == second.Reveal() {
		t.Fatal("two generated keys are equal")
	}
	if n := len(rawKey(t, signature.GenerateSymmetric().Reveal())); n != 32 {
		t.Fatalf("a generated secret has %d bytes", n)
	}
}

func TestZeroKeyIsNoKey(t *testing.T) {
	var k signature.Key
	if _, ok := k.Public(); ok || !k.IsZero() || k.CanSign() || k.Reveal() != "" {
		t.Fatal("the zero key pretends to be one")
	}
}

func TestKeysShowTheirKind(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	for want, k := range map[string]signature.Key{
		"whsec_[redacted]": signature.GenerateSymmetric(), "whsk_[redacted]": private, "whpk_[redacted]": public, "[no key]": {},
	} {
		if got := fmt.Sprintf("%v", k); got != want {
			t.Fatalf("fmt shows %s, want %s", got, want)
		}
		if got, err := k.MarshalText(); err != nil || string(got) != want {
			t.Fatalf("encoders show %s, %v, want %s", got, err, want)
		}
	}
}

// badKeys are texts that ParseKey refuses, most of them with a secret inside.
func badKeys() map[string]string {
	secret := []byte("0123456789abcdefghijklmnopqrstuv")
	private := ed25519.NewKeyFromSeed(secret)
	foreign := append(bytes.Clone(private[:32]), ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, 32))[32:]...)
	good := encoded("whsec_", secret)
	bad := map[string]string{
		"empty": "", "prefix only": "whsec_", "no prefix": good[6:], "prefix in upper case": "WHSEC_" + good[6:],
		"another vendor's prefix": "whsecret_" + good[6:], "23 bytes": encoded("whsec_", secret[:23]),
		"one byte": encoded("whsec_", secret[:1]), "65 bytes": encoded("whsec_", bytes.Repeat(secret[:13], 5)),
		"10 kB": encoded("whsec_", bytes.Repeat(secret, 320)), "space before": " " + good, "line break behind": good + "\n",
		"line break inside": good[:20] + "\n" + good[20:], "four line breaks inside": good[:20] + "\n\r\n\n" + good[20:],
		"line break in place of a character": good[:20] + "\n" + good[21:], "no padding": strings.TrimRight(good, "="),
		"too much padding": good + "====", "cut": good[:len(good)-5], "URL alphabet": good[:30] + "-_" + good[32:],
		"stray bits": good[:len(good)-2] + "3=", "foreign character": good[:30] + "!" + good[31:], "twice": good + good,
		"two keys": good + " " + good, "quoted": `"` + good + `"`, "redacted": "whsec_[redacted]",
		"private of 33 bytes": encoded("whsk_", append(bytes.Clone(secret), 1)), "private of 24 bytes": encoded("whsk_", secret[:24]),
		"private with a foreign public half": encoded("whsk_", foreign), "public of 31 bytes": encoded("whpk_", private[32:63]),
		"public of 64 bytes": encoded("whpk_", private), "public of zeros": encoded("whpk_", make([]byte, 32)),
		"public beyond the field": encoded("whpk_", bytes.Repeat([]byte{0xff}, 32)),
	}
	return bad
}

func TestKeysThatAreRefused(t *testing.T) {
	for name, text := range badKeys() {
		t.Run(name, func(t *testing.T) {
			k, err := signature.ParseKey(text)
			wantReason(t, err, signature.ReasonMalformedKey)
			if !k.IsZero() {
				t.Fatal("a key came with the error")
			}
		})
	}
}

// smallOrder returns the encodings of the eight points whose order divides 8, and of
// two of them with the needless sign bit. The test below proves each by a forgery.
func smallOrder(t *testing.T) [][]byte {
	t.Helper()
	var points [][]byte
	for _, text := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		raw, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		negative := bytes.Clone(raw)
		negative[31] |= 0x80
		points = append(points, raw, negative)
	}
	return points
}

func TestPublicKeysForWhichAnybodyCanSignAreRefused(t *testing.T) {
	forged := make([]byte, ed25519.SignatureSize)
	forged[0] = 1 // R is the neutral point, S is zero: no private key needed
	for _, point := range smallOrder(t) {
		accepted := false
		for i := range 256 {
			accepted = accepted || ed25519.Verify(point, []byte{byte(i)}, forged)
		}
		if !accepted {
			t.Fatalf("%x is not the weakness that this test is about", point)
		}
		_, err := signature.ParseKey(encoded("whpk_", point))
		wantReason(t, err, signature.ReasonMalformedKey)
	}
}

func TestPublicKeysAreToldFromBytesThatAreNoPoint(t *testing.T) {
	for i := range 64 {
		seed := bytes.Repeat([]byte{byte(i)}, 32)
		mustParse(t, encoded("whpk_", ed25519.NewKeyFromSeed(seed)[32:]))
	}
	// About half of all texts are no point. A signature is valid only under a key
	// that is one; y = 2 is not.
	refused := 0
	for i := range 64 {
		if _, err := signature.ParseKey(encoded("whpk_", bytes.Repeat([]byte{byte(i + 1)}, 32))); err != nil {
			refused++
		}
	}
	if refused < 16 || refused > 48 {
		t.Fatalf("%d of 64 texts refused", refused)
	}
	two := make([]byte, 32)
	two[0] = 2
	if _, err := signature.ParseKey(encoded("whpk_", two)); err == nil {
		t.Fatal("y = 2 is no point of the curve")
	}
}
