package signature_test

import (
	"crypto/ed25519"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

// FuzzVerifyHeader holds Verify against the naive verifier: both accept the same
// deliveries, and nothing panics. A fuzzer cannot make signatures, so the words V1
// and V1A in the list stand for the right ones.
func FuzzVerifyHeader(f *testing.F) {
	secret := make([]byte, 32)
	private := ed25519.NewKeyFromSeed(secret)
	public := ed25519.PublicKey(private[32:])
	verifier := mustVerifier(f, mustParse(f, encoded("whsec_", secret)), mustParse(f, encoded("whpk_", public)))

	const junk = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for _, list := range []string{
		"V1", "V1A", "V1 V1A", junk + " V1", "v2,AA V1", "V1 v1,AA", "V1,x", " V1", "V1 ", "V1  V1", "V1\tV1", "V1=", "v1,",
		",", "", "v1", "V1 V1 V1 V1 V1", "V1 V1 V1 V1 V1 V1", strings.Repeat("v2,A ", 300) + "V1", "v1a,V1", "v1,\r\nV1",
	} {
		f.Add("msg_1", "1795330800", list, []byte(nativeBody), uint8(0))
	}
	f.Add("a.b", "01795330800", "V1", []byte{}, uint8(1))
	f.Add("", "+1795330800", "V1A", []byte{0xff}, uint8(2))
	f.Add(strings.Repeat("x", 129), "17953308000", "V1", []byte("."), uint8(4))

	f.Fuzz(func(t *testing.T, id, timestamp, list string, body []byte, doubled uint8) {
		if len(list) > 1<<16 {
			return
		}
		list = strings.ReplaceAll(list, "V1A", naiveSignature("v1a", private, id, timestamp, body))
		list = strings.ReplaceAll(list, "V1", naiveSignature("v1", secret, id, timestamp, body))
		h := header(id, timestamp, list)
		for bit, name := range []string{signature.HeaderID, signature.HeaderTimestamp, signature.HeaderSignature} {
			if doubled&(1<<bit) != 0 {
				h[name] = append(h[name], h[name][0])
			}
		}
		given := slices.Clone(body)
		d, err := verifier.Verify(h, body, now())
		if !slices.Equal(given, body) {
			t.Fatal("Verify changed the body")
		}
		if naive := naiveVerify(h, body, clock, secret, public); naive != (err == nil) {
			t.Fatalf("the naive verifier says %t, Verify says %v", naive, err)
		}
		if err != nil {
			var typed *signature.Error
			if !errors.As(err, &typed) || !slices.Contains(signature.VerifyReasons(), typed.Reason) || typed.Detail == "" || d != (signature.Delivery{}) {
				t.Fatalf("refused with %#v and %+v", err, d)
			}
			return
		}
		if d.ID != id || h.Get("webhook-id") != id {
			t.Fatalf("accepted as %q", d.ID)
		}
	})
}

// FuzzParseKey holds that a key comes back from its own text, can do what it says, and
// that an error shows nothing of the text.
func FuzzParseKey(f *testing.F) {
	for _, text := range badKeys() {
		f.Add(text)
	}
	private, public := signature.GenerateAsymmetric()
	f.Add(private.Reveal())
	f.Add(public.Reveal())
	f.Add(encoded("whsk_", rawKey(f, private.Reveal())[:32]))
	f.Add(signature.GenerateSymmetric().Reveal())

	f.Fuzz(func(t *testing.T, text string) {
		k, err := signature.ParseKey(text)
		if err != nil {
			wantReason(t, err, signature.ReasonMalformedKey)
			if !k.IsZero() {
				t.Fatal("a key came with the error")
			}
			// Ten characters of a key are in no sentence of ours.
			if _, rest, _ := strings.Cut(text, "_"); len(rest) >= 10 && !strings.Contains(rest, " ") && strings.Contains(err.Error(), rest) {
				t.Fatalf("the error holds the text: %v", err)
			}
			return
		}
		whole := k.Reveal()
		seedAlone := strings.HasPrefix(text, "whsk_") && len(rawKey(t, text)) == ed25519.SeedSize
		if whole != text && !seedAlone || mustParse(t, whole).Reveal() != whole {
			t.Fatal("the key does not come back from its text")
		}
		verifier := k
		if p, ok := k.Public(); ok {
			verifier = p
		}
		if k.CanSign() {
			h := mustSign(t, "msg_1", now(), []byte(text), k)
			if _, err := mustVerifier(t, verifier).Verify(h, []byte(text), now()); err != nil {
				t.Fatal(err)
			}
		}
	})
}
