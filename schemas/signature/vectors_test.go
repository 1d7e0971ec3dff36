package signature_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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

// TestCollectedVectors reads the vectors that lie beside the project, where they
// are; a clone of the project alone does not have them.
func TestCollectedVectors(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "payloads", "signature-vectors.json"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("missing: shared/payloads/signature-vectors.json beside the project")
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []struct {
		Scheme, Secret, Body, Source string
		Headers                      map[string]string
		Valid                        bool
		Clock                        int64
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, v := range all {
		if v.Scheme != "standard-webhooks" {
			continue
		}
		tried++
		t.Run(v.Source, func(t *testing.T) {
			h := http.Header{}
			for name, value := range v.Headers {
				h.Set(name, value)
			}
			key := mustParse(t, v.Secret)
			_, err := mustVerifier(t, key).Verify(h, []byte(v.Body), time.Unix(v.Clock, 0))
			if (err == nil) != v.Valid {
				t.Fatalf("got %v, want valid = %t", err, v.Valid)
			}
			made := mustSign(t, v.Headers["webhook-id"], time.Unix(v.Clock, 0), []byte(v.Body), key)
			if same := strings.Contains(v.Headers["webhook-signature"], made.Get("webhook-signature")); same != v.Valid {
				t.Fatalf("our signature equals theirs: %t, want %t", same, v.Valid)
			}
		})
	}
	if tried == 0 {
		t.Fatal("the file holds no vector of standard-webhooks")
	}
}
