package signature_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

// Every byte of everything that is signed, and of the signature, is replaced. v1 is
// cheap enough for all 255 other values; v1a gets each of the eight bits flipped.
func TestOneByteChangedAnywhereIsRefused(t *testing.T) {
	private, _ := signature.GenerateAsymmetric()
	all := func(b byte) (others []byte) {
		for x := range 256 {
			if byte(x) != b {
				others = append(others, byte(x))
			}
		}
		return others
	}
	bits := func(b byte) (others []byte) {
		for i := range 8 {
			others = append(others, b^1<<i)
		}
		return others
	}
	for name, c := range map[string]struct {
		key    signature.Key
		others func(byte) []byte
	}{"v1": {signature.GenerateSymmetric(), all}, "v1a": {private, bits}} {
		t.Run(name, func(t *testing.T) {
			verifier := mustVerifier(t, c.key)
			signed, err := signature.Sign([]signature.Key{c.key}, "msg_2mVkP0", now(), []byte(nativeBody))
			if err != nil {
				t.Fatal(err)
			}
			parts := []string{signed.ID, signed.Timestamp, signed.Signature, nativeBody}
			for p := range parts {
				for i := range len(parts[p]) {
					for _, other := range c.others(parts[p][i]) {
						m := append([]string(nil), parts...)
						m[p] = m[p][:i] + string([]byte{other}) + m[p][i+1:]
						_, err := verifier.Verify(header(m[0], m[1], m[2]), []byte(m[3]), now())
						var typed *signature.Error
						if !errors.As(err, &typed) {
							t.Fatalf("part %d, byte %d as %#x: got %v", p, i, other, err)
						}
					}
				}
			}
		})
	}
}

func TestBytesMovedBetweenThePartsAreRefused(t *testing.T) {
	key := signature.GenerateSymmetric()
	verifier := mustVerifier(t, key)
	raw := rawKey(t, key.Reveal())
	// The signed text is "1795330800.1795330800.1.x" in all of them.
	whole := naiveSignature("v1", raw, "1795330800", "1795330800", []byte("1.x"))
	if _, err := verifier.Verify(header("1795330800", "1795330800", whole), []byte("1.x"), now()); err != nil {
		t.Fatal(err)
	}
	for _, h := range [][3]string{
		{"1795330800.1795330800", "1", "x"},
		{"1795330800", "1795330800.1", "x"},
		{"1795330800.", "1795330800", "1.x"},
		{"", "1795330800", "1795330800.1.x"},
	} {
		if _, err := verifier.Verify(header(h[0], h[1], whole), []byte(h[2]), now()); err == nil {
			t.Fatalf("accepted another cut: %q", h)
		}
	}
}

func TestBodyCutOrExtendedIsRefused(t *testing.T) {
	private, _ := signature.GenerateAsymmetric()
	for _, key := range []signature.Key{signature.GenerateSymmetric(), private} {
		h := mustSign(t, "msg_1", now(), []byte(nativeBody), key)
		for _, body := range []string{"", nativeBody[1:], nativeBody[:len(nativeBody)-1], nativeBody + " ", nativeBody + "\n", "\ufeff" + nativeBody, nativeBody + nativeBody} {
			_, err := mustVerifier(t, key).Verify(h, []byte(body), now())
			wantReason(t, err, signature.ReasonNoMatch)
		}
	}
}

func TestReserialisedBodyIsRefused(t *testing.T) {
	key := signature.GenerateSymmetric()
	sent := `{"type": "password_reset.requested", "data": {"account": "a<b>@example.com", "n": 1.0}}`
	h := mustSign(t, "msg_1", now(), []byte(sent), key)

	var value any
	if err := json.Unmarshal([]byte(sent), &value); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	_, err = mustVerifier(t, key).Verify(h, again, now())
	wantReason(t, err, signature.ReasonNoMatch)
	if _, err := mustVerifier(t, key).Verify(h, []byte(sent), now()); err != nil {
		t.Fatalf("the raw bytes: %v", err)
	}
}
