package signature_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	reference "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/resetd/resetd/schemas/signature"
)

// interopBodies are what is exchanged with other implementations.
func interopBodies() []string {
	return []string{
		"{}", nativeBody, `{"account":"jürgen@example.com","description":"Phishing ✉ 東京"}`,
		".1.2.\r\n", strings.Repeat(`{"k":"0123456789"}`, 4000),
	}
}

// The reference libraries take the clock of the machine, so do these tests; the
// tolerance of five minutes is wide enough for any machine.

func TestTheGoReferenceLibraryVerifiesWhatWeSign(t *testing.T) {
	for size := signature.MinSecretSize; size <= signature.MaxSecretSize; size += 8 {
		key := mustParse(t, encoded("whsec_", []byte(strings.Repeat("k", size))))
		theirs, err := reference.NewWebhook(key.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		other := signature.GenerateSymmetric()
		for _, body := range interopBodies() {
			h := mustSign(t, "msg_interop", time.Now(), []byte(body), other, key)
			if err := theirs.Verify([]byte(body), h); err != nil {
				t.Fatalf("%d bytes of secret: %v", size, err)
			}
			if err := theirs.Verify([]byte(body+" "), h); err == nil {
				t.Fatal("they accept a changed body, so this test shows nothing")
			}
		}
	}
}

func TestWeVerifyWhatTheGoReferenceLibrarySigns(t *testing.T) {
	key := signature.GenerateSymmetric()
	theirs, err := reference.NewWebhook(key.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	verifier := mustVerifier(t, signature.GenerateSymmetric(), key)
	for _, body := range interopBodies() {
		at := time.Now()
		list, err := theirs.Sign("msg_interop", at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		h := header("msg_interop", fmt.Sprint(at.Unix()), list)
		if _, err := verifier.Verify(h, []byte(body), at); err != nil {
			t.Fatal(err)
		}
		_, err = verifier.Verify(h, []byte(body+" "), at)
		wantReason(t, err, signature.ReasonNoMatch)
	}
}
