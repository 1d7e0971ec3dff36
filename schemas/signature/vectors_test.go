package signature_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

// vector is one entry of testdata/vectors.json. The v1 signatures there were made
// with node:crypto, the v1a ones with crypto/ed25519, and two are published; all of
// them are checked again by node:crypto where Node is installed.
type vector struct {
	Name       string `json:"name"`
	Key        string `json:"key"`
	Public     string `json:"public"`
	ID         string `json:"id"`
	Timestamp  string `json:"timestamp"`
	Body       string `json:"body"`
	BodyBase64 []byte `json:"body_base64"`
	Signature  string `json:"signature"`
}

func (v vector) body() []byte {
	if v.BodyBase64 != nil {
		return v.BodyBase64
	}
	return []byte(v.Body)
}

func (v vector) at(t testing.TB) time.Time {
	t.Helper()
	seconds, err := strconv.ParseInt(v.Timestamp, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Unix(seconds, 0)
}

func ownVectors(t testing.TB) []vector {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(raw, &vs); err != nil {
		t.Fatal(err)
	}
	if len(vs) < 10 {
		t.Fatalf("only %d vectors", len(vs))
	}
	return vs
}

func TestOwnVectorsAreSignedToTheByteAndVerify(t *testing.T) {
	for _, v := range ownVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			key := mustParse(t, v.Key)
			s, err := signature.Sign([]signature.Key{key}, v.ID, v.at(t), v.body())
			if err != nil {
				t.Fatal(err)
			}
			if want := (signature.Headers{ID: v.ID, Timestamp: v.Timestamp, Signature: v.Signature}); s != want {
				t.Fatalf("signed %+v, want %+v", s, want)
			}
			verifiers := []signature.Key{key}
			if v.Public != "" {
				verifiers = append(verifiers, mustParse(t, v.Public))
			}
			for _, k := range verifiers {
				d, err := mustVerifier(t, k).Verify(header(v.ID, v.Timestamp, v.Signature), v.body(), v.at(t))
				if err != nil || d.ID != v.ID || !d.Timestamp.Equal(v.at(t)) {
					t.Fatalf("%v: got %+v, %v", k, d, err)
				}
			}
		})
	}
}

func TestOwnVectorsVerifyUnderNoOtherKey(t *testing.T) {
	vs := ownVectors(t)
	for _, v := range vs {
		for _, other := range vs {
			if other.Key == v.Key {
				continue
			}
			_, err := mustVerifier(t, mustParse(t, other.Key)).Verify(header(v.ID, v.Timestamp, v.Signature), v.body(), v.at(t))
			if !errors.Is(err, signature.ReasonNoMatch) {
				t.Fatalf("%q under the key of %q: %v", v.Name, other.Name, err)
			}
		}
	}
}
