package verify_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas/sender"
	"github.com/resetd/resetd/schemas/signature"
)

// vectors gives the published vectors of a scheme. They are no part of the repository: RESETD_TEST_PAYLOADS names their
// folder, else they are looked for beside the repository.
func vectors(t *testing.T, scheme string) (out []vector) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(payloads(), "signature-vectors.json"))
	if err != nil {
		t.Skip("the published vectors are missing: name their folder in RESETD_TEST_PAYLOADS")
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, v := range all {
		if v.Scheme == scheme {
			out = append(out, v)
		}
	}
	if len(out) == 0 {
		t.Fatalf("there is no vector of %s", scheme)
	}
	return out
}

func payloads() string {
	if dir := os.Getenv("RESETD_TEST_PAYLOADS"); dir != "" {
		return dir
	}
	return "../../../../shared/payloads"
}

type vector struct {
	Scheme, Secret, Body, Source string
	Headers                      map[string]string
	Valid                        bool
	Clock                        int64
}

func (v vector) header() http.Header {
	h := http.Header{}
	for k, x := range v.Headers {
		h.Set(k, x)
	}
	return h
}

func TestStandardWebhooksVectors(t *testing.T) {
	for _, v := range vectors(t, "standard-webhooks") {
		s, err := verify.Open(sender.Verify{Scheme: "standard-webhooks", Keys: secrets(v.Secret)}, verify.Options{})
		if err != nil {
			t.Errorf("%s: %v", v.Source, err)
			continue
		}
		now := time.Unix(v.Clock, 0)
		if v.Clock == 0 {
			seconds, _ := strconv.ParseInt(v.header().Get("webhook-timestamp"), 10, 64)
			now = time.Unix(seconds, 0)
		}
		if _, err := s.Verify(t.Context(), &verify.Delivery{Header: v.header(), Body: []byte(v.Body)}, now); (err == nil) != v.Valid {
			t.Errorf("%s: %v", v.Source, err)
		}
	}
}

func TestStandardWebhooksVouchesForBodyTimeAndID(t *testing.T) {
	key := signature.GenerateSymmetric()
	s := mustOpen(t, sender.Verify{Scheme: "standard-webhooks", Keys: secrets(signature.GenerateSymmetric().Reveal(), key.Reveal())}, verify.Options{})
	signed, err := signature.Sign([]signature.Key{key}, "msg_1", noon, []byte("body"))
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	signed.Set(h)
	p, err := s.Verify(t.Context(), &verify.Delivery{Header: h, Body: []byte("body")}, noon.Add(time.Minute))
	if err != nil || p.ID != "msg_1" || !p.At.Equal(noon) || string(p.Payload) != "body" {
		t.Errorf("%+v, %v", p, err)
	}
	if c := s.Covers(); !c.Body || !c.Time || !c.ID || c.Weak() != "" {
		t.Errorf("it covers %+v", c)
	}
	for want, d := range map[verify.Reason]*verify.Delivery{
		"no_match":       {Header: h, Body: []byte("bodY")},
		"missing_header": {Header: http.Header{}, Body: []byte("body")},
	} {
		if _, err := s.Verify(t.Context(), d, noon); reasonOf(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := s.Verify(t.Context(), &verify.Delivery{Header: h, Body: []byte("body")}, noon.Add(6*time.Minute)); reasonOf(err) != "too_old" {
		t.Error(err)
	}
}
