//go:build !race

package signature_test

import (
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

// Under the race detector sync.Pool drops states at random, so this file is left out
// there.

func TestVerifyOfV1AllocatesNothing(t *testing.T) {
	key, old := signature.GenerateSymmetric(), signature.GenerateSymmetric()
	verifier, body := mustVerifier(t, key, old), benchBody()
	h := mustSign(t, "msg_1", now(), body, key, old)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := verifier.Verify(h, body, now()); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Fatalf("%v allocations for each delivery", n)
	}
}
