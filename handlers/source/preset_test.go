package source_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// vector lies beside each preset: one delivery of its sample body, signed, and what it must become.
type vector struct {
	Keys     []string          `json:"keys"`
	Now      time.Time         `json:"now"`
	Headers  map[string]string `json:"headers"`
	Key      string            `json:"key"`      // the idempotency key
	Accounts []string          `json:"accounts"` // of the requests, in order
}

func readVector(t *testing.T, preset string) (v vector, h http.Header, body []byte) {
	t.Helper()
	text, err := os.ReadFile("presets/" + preset + ".vector.json")
	if err != nil {
		t.Fatalf("preset %s has no signature vector: %v", preset, err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if body, err = os.ReadFile("presets/" + preset + ".sample.json"); err != nil {
		t.Fatalf("preset %s has no sample body: %v", preset, err)
	}
	h = http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	return v, h, body
}

func open(t *testing.T, preset string, keys ...string) *source.Source {
	t.Helper()
	c := source.Config{Name: "sender", Preset: preset}
	for _, k := range keys {
		c.Keys = append(c.Keys, schemas.NewSecret(k))
	}
	set, err := source.New([]source.Config{c}, schemas.NewValidator())
	if err != nil {
		t.Fatal(err)
	}
	s, known := set.Find("sender")
	if !known {
		t.Fatal("the source is not found")
	}
	return s
}

func TestEveryPresetVerifiesItsVectorAndMapsItsSample(t *testing.T) {
	if len(source.Presets()) == 0 {
		t.Fatal("there are no presets")
	}
	for _, name := range source.Presets() {
		t.Run(name, func(t *testing.T) {
			v, h, body := readVector(t, name)
			s := open(t, name, v.Keys...)
			key, err := s.Verify(h, body, v.Now)
			if err != nil || key != v.Key {
				t.Fatalf("key %q: %v", key, err)
			}
			spoilt := slices.Clone(body)
			spoilt[len(spoilt)/2] ^= 1
			if _, err := s.Verify(h, spoilt, v.Now); err == nil {
				t.Error("a changed body verifies")
			}
			m, p := s.Map(body)
			if p != nil {
				t.Fatal(p)
			}
			var accounts []string
			for _, r := range m.Requests {
				accounts = append(accounts, r.Account.Value)
			}
			if !slices.Equal(accounts, v.Accounts) {
				t.Errorf("accounts %q, want %q", accounts, v.Accounts)
			}
		})
	}
}

// The vector is no child of our own signature package: the standard library alone gives the same.
func TestNativeVectorIsStandardWebhooks(t *testing.T) {
	v, h, body := readVector(t, "native")
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(v.Keys[0], "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "." + string(body)))
	if want := "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil)); h.Get("webhook-signature") != want {
		t.Fatalf("vector has %s, want %s", h.Get("webhook-signature"), want)
	}
}

func TestUnknownNameGivesASourceThatNothingSatisfies(t *testing.T) {
	v, h, body := readVector(t, "native")
	set, err := source.New(nil, schemas.NewValidator())
	if err != nil {
		t.Fatal(err)
	}
	s, known := set.Find("stranger")
	if known || s == nil {
		t.Fatal("an unknown name is known")
	}
	if _, err := s.Verify(h, body, v.Now); !errors.Is(err, signature.ReasonNoMatch) {
		t.Fatal(err)
	}
}
