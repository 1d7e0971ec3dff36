package signature_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

func TestKeysAreExchangedWithoutAGap(t *testing.T) {
	before, after := signature.GenerateSymmetric(), signature.GenerateSymmetric()
	body := []byte(nativeBody)
	steps := []struct {
		name             string
		sender, receiver []signature.Key
		accepted         bool
	}{
		{"before", []signature.Key{before}, []signature.Key{before}, true},
		{"the receiver learns the new key", []signature.Key{before}, []signature.Key{after, before}, true},
		{"the sender signs with both", []signature.Key{after, before}, []signature.Key{after, before}, true},
		{"or the sender begins, to an old receiver", []signature.Key{after, before}, []signature.Key{before}, true},
		{"and to a new receiver", []signature.Key{after, before}, []signature.Key{after}, true},
		{"after", []signature.Key{after}, []signature.Key{after}, true},
		{"the old key is dead", []signature.Key{before}, []signature.Key{after}, false},
	}
	for _, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			_, err := mustVerifier(t, s.receiver...).Verify(mustSign(t, "msg_1", now(), body, s.sender...), body, now())
			if (err == nil) != s.accepted {
				t.Fatalf("got %v, want accepted = %t", err, s.accepted)
			}
		})
	}
}

func TestAnyKeyAtAnyPlaceMatchesAnySignatureAtAnyPlace(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	for _, known := range []struct{ sign, verify signature.Key }{
		{signature.GenerateSymmetric(), signature.Key{}}, {private, public}, {private, private},
	} {
		if known.verify.IsZero() {
			known.verify = known.sign
		}
		for place := range signature.MaxSignatures {
			var signers, verifiers []signature.Key
			for i := range signature.MaxSignatures {
				otherPrivate, otherPublic := signature.GenerateAsymmetric()
				if i == place {
					signers, verifiers = append(signers, known.sign), append([]signature.Key{known.verify}, verifiers...)
				} else if i%2 == 0 {
					signers, verifiers = append(signers, otherPrivate), append([]signature.Key{signature.GenerateSymmetric()}, verifiers...)
				} else {
					signers, verifiers = append(signers, signature.GenerateSymmetric()), append([]signature.Key{otherPublic}, verifiers...)
				}
			}
			h := mustSign(t, "msg_1", now(), []byte(nativeBody), signers...)
			if _, err := mustVerifier(t, verifiers...).Verify(h, []byte(nativeBody), now()); err != nil {
				t.Fatalf("%v at place %d: %v", known.verify, place, err)
			}
		}
	}
}

func TestSignaturesOfAllKeysAreSeparatedByOneSpace(t *testing.T) {
	private, _ := signature.GenerateAsymmetric()
	secret := signature.GenerateSymmetric()
	list := mustSign(t, "msg_1", now(), nil, private, secret, private).Get(signature.HeaderSignature)
	entries := strings.Split(list, " ")
	if len(entries) != 3 || !strings.HasPrefix(entries[0], "v1a,") || !strings.HasPrefix(entries[1], "v1,") || entries[2] != entries[0] {
		t.Fatalf("got %q", list)
	}
}

func TestAVersionIsVerifiedOnlyWithKeysOfItsKind(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	secret := signature.GenerateSymmetric()
	// A confused verifier would take the public key, which everybody knows, for an
	// HMAC secret.
	confused := header("msg_1", "1795330800", naiveSignature("v1", rawKey(t, public.Reveal()), "msg_1", "1795330800", nil))
	_, err := mustVerifier(t, public).Verify(confused, nil, now())
	wantReason(t, err, signature.ReasonNoMatch)
	_, err = mustVerifier(t, public, secret).Verify(confused, nil, now())
	wantReason(t, err, signature.ReasonNoMatch)

	_, err = mustVerifier(t, secret).Verify(mustSign(t, "msg_1", now(), nil, private), nil, now())
	wantReason(t, err, signature.ReasonNoMatch)
	_, err = mustVerifier(t, public).Verify(mustSign(t, "msg_1", now(), nil, secret), nil, now())
	wantReason(t, err, signature.ReasonNoMatch)
}

func TestUnusableKeysAreRefusedBeforeUse(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	six := []signature.Key{private, private, private, private, private, private}
	for name, keys := range map[string][]signature.Key{
		"none": nil, "zero": {{}}, "zero among others": {private, {}}, "six": six,
	} {
		_, err := signature.Sign(keys, "msg_1", now(), nil)
		wantReason(t, err, signature.ReasonUnusableKeys)
		v, err := signature.NewVerifier(keys, signature.Options{})
		wantReason(t, err, signature.ReasonUnusableKeys)
		if v != nil {
			t.Fatalf("%s: a verifier came with the error", name)
		}
	}
	_, err := signature.Sign([]signature.Key{private, public}, "msg_1", now(), nil)
	wantReason(t, err, signature.ReasonUnusableKeys)
}

func TestSignRefusesWhatVerifyWouldRefuse(t *testing.T) {
	keys := []signature.Key{signature.GenerateSymmetric()}
	for _, id := range []string{"", "a.b", "a b", "ä", strings.Repeat("x", 129), "a\n"} {
		_, err := signature.Sign(keys, id, now(), nil)
		wantReason(t, err, signature.ReasonMalformedID)
	}
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Unix(999_999_999, 0), time.Unix(100_000_000_000, 0), time.Unix(-1795330800, 0)} {
		_, err := signature.Sign(keys, "msg_1", at, nil)
		wantReason(t, err, signature.ReasonMalformedTimestamp)
	}
}

func TestOneVerifierServesManyGoroutines(t *testing.T) {
	private, public := signature.GenerateAsymmetric()
	secret := signature.GenerateSymmetric()
	verifier := mustVerifier(t, secret, public)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 100 {
				key := secret
				if i%10 == 0 {
					key = private
				}
				body := []byte(strings.Repeat(string(rune('a'+g)), i+1))
				s, err := signature.Sign([]signature.Key{key}, "msg_1", now(), body)
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := verifier.Verify(header(s.ID, s.Timestamp, s.Signature), body, now()); err != nil {
					t.Errorf("goroutine %d, round %d: %v", g, i, err)
				}
				body[0]++
				if _, err := verifier.Verify(header(s.ID, s.Timestamp, s.Signature), body, now()); err == nil {
					t.Errorf("goroutine %d, round %d: a changed body passed", g, i)
				}
			}
		})
	}
	wg.Wait()
}
