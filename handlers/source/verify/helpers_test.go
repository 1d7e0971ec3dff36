package verify_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"hash"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// noon is the time of all deliveries.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func mustOpen(t testing.TB, v sender.Verify, o verify.Options) verify.Scheme {
	t.Helper()
	s, err := verify.Open(v, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// reasonOf gives the reason of a refusal, or what it is instead.
func reasonOf(err error) verify.Reason {
	if err == nil {
		return "accepted"
	}
	if e, ok := errors.AsType[*verify.Error](err); ok {
		return e.Reason
	}
	return verify.Reason("no *verify.Error: " + err.Error())
}

func secrets(texts ...string) (out []schemas.Secret) {
	for _, s := range texts {
		out = append(out, schemas.NewSecret(s))
	}
	return out
}

// delivery is one from a usual place, with headers in pairs.
func delivery(body string, headers ...string) *verify.Delivery {
	d := &verify.Delivery{
		Method: http.MethodPost, Path: "/v1/hooks/soar", Header: http.Header{}, Body: []byte(body),
		Peer: netip.MustParseAddr("192.0.2.7"), Client: netip.MustParseAddr("192.0.2.7"),
	}
	for i := 0; i < len(headers); i += 2 {
		d.Header.Add(headers[i], headers[i+1])
	}
	return d
}

func withBearer(token string) *verify.Delivery {
	return delivery("{}", "Authorization", "Bearer "+token)
}

// keys that take long to make are made once.
var (
	rsaKey   = sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(2048) })
	otherRSA = sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(2048) })
	weakRSA  = sync.OnceValue(func() *rsa.PrivateKey { return makeRSA(1024) })
	ecKey    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	ec384    = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
	edKey    = sync.OnceValue(func() ed25519.PrivateKey { _, k, err := ed25519.GenerateKey(rand.Reader); return must(k, err) })
)

func makeRSA(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// rawToken writes a token by hand, so that the tests do not trust the library that they test.
func rawToken(header, claims, alg string, key any) string {
	input := b64([]byte(header)) + "." + b64([]byte(claims))
	return input + "." + b64(sign(alg, key, []byte(input)))
}

// token writes a token from values. The header gets alg unless it has one.
func token(alg string, key any, header, claims map[string]any) string {
	h := map[string]any{"alg": alg, "typ": "JWT"}
	for k, v := range header {
		if h[k] = v; v == nil {
			delete(h, k)
		}
	}
	return rawToken(string(must(json.Marshal(h))), string(must(json.Marshal(claims))), alg, key)
}

func sign(alg string, key any, input []byte) []byte {
	h := map[string]func() hash.Hash{"256": sha256.New, "384": sha512.New384, "512": sha512.New}[alg[max(0, len(alg)-3):]]
	id := map[string]crypto.Hash{"256": crypto.SHA256, "384": crypto.SHA384, "512": crypto.SHA512}[alg[max(0, len(alg)-3):]]
	var sum []byte
	if h != nil {
		d := h()
		d.Write(input)
		sum = d.Sum(nil)
	}
	switch k := key.(type) {
	case string:
		m := hmac.New(h, []byte(k))
		m.Write(input)
		return m.Sum(nil)
	case *rsa.PrivateKey:
		if strings.HasPrefix(alg, "PS") {
			return must(rsa.SignPSS(rand.Reader, k, id, sum, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}))
		}
		return must(rsa.SignPKCS1v15(rand.Reader, k, id, sum))
	case *ecdsa.PrivateKey:
		r, s, err := ecdsa.Sign(rand.Reader, k, sum)
		size := (k.Curve.Params().BitSize + 7) / 8
		return append(must(r, err).FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...)
	case ed25519.PrivateKey:
		return ed25519.Sign(k, input)
	}
	return nil
}

// jwk is one public key of a set.
func jwk(id string, public any, more ...string) map[string]any {
	text := must(json.Marshal(jose.JSONWebKey{Key: public, KeyID: id}))
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		panic(err)
	}
	for i := 0; i < len(more); i += 2 {
		m[more[i]] = more[i+1]
	}
	return m
}

func jwks(keys ...map[string]any) []byte { return must(json.Marshal(map[string]any{"keys": keys})) }

// with copies claims and changes some; nil takes one away.
func with(claims map[string]any, changes ...any) map[string]any {
	out := map[string]any{}
	for k, v := range claims {
		out[k] = v
	}
	for i := 0; i < len(changes); i += 2 {
		if out[changes[i].(string)] = changes[i+1]; changes[i+1] == nil {
			delete(out, changes[i].(string))
		}
	}
	return out
}
