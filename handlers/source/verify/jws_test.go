package verify_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/verify"
)

var everyAlgorithm = []string{"HS256", "RS256", "ES256", "EdDSA"}

// TestPublishedVectors reads RFC 7515 appendix A.1 and A.5 from the collection of vectors. Their claims are no delivery of
// ours, so that the layer of signatures is looked at alone.
func TestPublishedVectors(t *testing.T) {
	for _, v := range append(vectors(t, "jws-hs256"), vectors(t, "jws-none")...) {
		text := strings.TrimPrefix(v.header().Get("Authorization"), "Bearer ")
		tok, err := verify.ParseJWS(text, 1<<10, everyAlgorithm)
		if !v.Valid {
			if reasonOf(err) != verify.ReasonWrongAlgorithm {
				t.Errorf("%s: %v", v.Source, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", v.Source, err)
		}
		key, err := base64.RawURLEncoding.DecodeString(v.Secret)
		if err != nil {
			t.Fatal(err)
		}
		if !tok.SignedBy(key) {
			t.Errorf("%s: not verified", v.Source)
		}
		key[0]++
		if tok.SignedBy(key) {
			t.Errorf("%s: verified by another key", v.Source)
		}
		for i := range len(text) { // each byte changed
			other := text[:i] + string(text[i]^1) + text[i+1:]
			key[0]--
			if tok, err := verify.ParseJWS(other, 1<<10, everyAlgorithm); err == nil && tok.SignedBy(key) {
				t.Errorf("%s: byte %d may be changed", v.Source, i)
			}
			key[0]++
		}
	}
}

// TestVectorsOfOurOwn needs no file: ES256 of RFC 7515 appendix A.3 and EdDSA of RFC 8037 appendix A.4, whose numbers are
// facts, and an HS256 token that another program made (openssl dgst -sha256 -mac HMAC).
func TestVectorsOfOurOwn(t *testing.T) {
	raw := func(s string) []byte { return must(base64.RawURLEncoding.DecodeString(s)) }
	p256 := must(ecdsa.ParseUncompressedPublicKey(elliptic.P256(), slices.Concat([]byte{4},
		raw("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"), raw("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"))))
	ed := ed25519.PublicKey(raw("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"))
	for name, c := range map[string]struct {
		token  string
		key    any
		claims string
	}{
		"ES256": {"eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ." +
			"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", p256,
			"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"},
		"EdDSA": {"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc." +
			"hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg", ed, "Example of Ed25519 signing"},
		"HS256": {opensslToken, []byte("0123456789abcdef0123456789abcdef"), `{"iss":"soar"}`},
	} {
		tok, err := verify.ParseJWS(c.token, 1<<10, everyAlgorithm)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !tok.SignedBy(c.key) || string(tok.Claims()) != c.claims {
			t.Errorf("%s: signed %v, claims %q", name, tok.SignedBy(c.key), tok.Claims())
		}
		i := strings.LastIndexByte(c.token, '.') + 1
		bent := c.token[:i] + strings.Repeat("A", len(c.token)-i)
		if tok, err := verify.ParseJWS(bent, 1<<10, everyAlgorithm); err != nil || tok.SignedBy(c.key) {
			t.Errorf("%s: with another signature: %v", name, err)
		}
	}
}

const opensslToken = "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJzb2FyIn0.pIa9w1I7rOuyGHCvW7YB4KZxlTD5u1AZGMlDoJ4CL_U"
