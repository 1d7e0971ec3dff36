package signature_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

// clock is the moment at which the tests take place, in Unix seconds.
const clock = 1795330800

func now() time.Time { return time.Unix(clock, 0) }

const nativeBody = `{"type":"password_reset.requested","data":{"account":"jdoe@example.com","reference":"INC0012345"}}`

// missing skips a test whose surroundings are incomplete, and fails it where all
// of them are demanded.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("RESETD_TEST_REQUIRE") == "all" {
		t.Fatalf("missing: %s (RESETD_TEST_REQUIRE=all)", what)
	}
	t.Skipf("missing: %s", what)
}

func mustParse(t testing.TB, text string) signature.Key {
	t.Helper()
	k, err := signature.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func mustVerifier(t testing.TB, keys ...signature.Key) *signature.Verifier {
	t.Helper()
	v, err := signature.NewVerifier(keys, signature.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func mustSign(t testing.TB, id string, at time.Time, body []byte, keys ...signature.Key) http.Header {
	t.Helper()
	s, err := signature.Sign(keys, id, at, body)
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	s.Set(h)
	return h
}

func header(id, timestamp, list string) http.Header {
	return http.Header{
		signature.HeaderID: {id}, signature.HeaderTimestamp: {timestamp}, signature.HeaderSignature: {list},
	}
}

// wantReason fails unless err is an *Error with the reason and with a detail.
func wantReason(t testing.TB, err error, want signature.Reason) {
	t.Helper()
	var typed *signature.Error
	if !errors.As(err, &typed) || !errors.Is(err, want) {
		t.Fatalf("got %v, want an *Error with reason %s", err, want)
	}
	if typed.Detail == "" || !strings.Contains(err.Error(), typed.Detail) {
		t.Fatalf("%s has no detail that a person could read: %v", want, err)
	}
}

// rawKey returns the bytes behind the prefix.
func rawKey(t testing.TB, text string) []byte {
	t.Helper()
	_, encoded, _ := strings.Cut(text, "_")
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// naiveSignature signs with the standard library alone; raw is a whsec_ secret for
// v1 and a 64-byte private key for v1a.
func naiveSignature(version string, raw []byte, id, timestamp string, body []byte) string {
	message := []byte(id + "." + timestamp + "." + string(body))
	if version == "v1a" {
		return "v1a," + base64.StdEncoding.EncodeToString(ed25519.Sign(raw, message))
	}
	m := hmac.New(sha256.New, raw)
	m.Write(message)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// naiveVerify is the rules once more, written with regular expressions and without
// a thought for speed: the measure of the real one. The secret is a whsec_ one,
// the public key an ed25519 one.
func naiveVerify(h http.Header, body []byte, at int64, secret []byte, public ed25519.PublicKey) bool {
	id, timestamp, list := h["Webhook-Id"], h["Webhook-Timestamp"], h["Webhook-Signature"]
	if len(id) != 1 || len(timestamp) != 1 || len(list) != 1 || len(list[0]) > 1024 {
		return false
	}
	if !regexp.MustCompile(`\A[A-Za-z0-9_-]{1,128}\z`).MatchString(id[0]) ||
		!regexp.MustCompile(`\A[1-9][0-9]{9,10}\z`).MatchString(timestamp[0]) {
		return false
	}
	if seconds, err := strconv.ParseInt(timestamp[0], 10, 64); err != nil || at-seconds > 300 || seconds-at > 300 {
		return false
	}
	entries := strings.Split(list[0], " ")
	if len(entries) > 5 {
		return false
	}
	matched := false
	message := []byte(id[0] + "." + timestamp[0] + "." + string(body))
	for _, entry := range entries {
		if !regexp.MustCompile(`\A[A-Za-z0-9]{1,16},[A-Za-z0-9+/=]+\z`).MatchString(entry) {
			return false
		}
		version, value, _ := strings.Cut(entry, ",")
		raw, err := base64.StdEncoding.DecodeString(value)
		canonical := err == nil && base64.StdEncoding.EncodeToString(raw) == value
		switch version {
		case "v1":
			if !canonical || len(raw) != 32 {
				return false
			}
			m := hmac.New(sha256.New, secret)
			m.Write(message)
			matched = matched || hmac.Equal(raw, m.Sum(nil))
		case "v1a":
			if !canonical || len(raw) != 64 {
				return false
			}
			matched = matched || ed25519.Verify(public, message, raw)
		}
	}
	return matched
}
