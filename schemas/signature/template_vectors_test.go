package signature_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

func TestTemplateVectorsVerifyAndResistAttacks(t *testing.T) {
	for _, v := range templateVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			template := v.template(t)
			verifier := mustTemplate(t, template, v.Key)
			proof, err := verifier.Verify(v.request(), v.at())
			if err != nil {
				t.Fatal(err)
			}
			want := signature.TemplateProof{}
			if template.SignsTime() {
				want.At = v.at()
			}
			if template.SignsID() {
				want.ID = v.ID
			}
			if proof.ID != want.ID || !proof.At.Equal(want.At) {
				t.Fatalf("proved %+v, want %+v", proof, want)
			}
			attackTemplate(t, template, verifier, v.request, v.at())
		})
	}
}

func TestTemplateVectorsAreSignedToTheByte(t *testing.T) {
	for _, v := range templateVectors(t) {
		if v.Others {
			continue
		}
		t.Run(v.Name, func(t *testing.T) {
			template, r := v.template(t), v.request()
			// What the sender sends already must count for nothing.
			r.Header.Set(template.SignatureHeader, "of an earlier attempt")
			if template.TimestampHeader != "" {
				r.Header.Set(template.TimestampHeader, "1")
			}
			made, err := signature.SignTemplate(template, v.Key, r, v.ID, v.at())
			if err != nil {
				t.Fatal(err)
			}
			if made.Get(template.SignatureHeader) == "" {
				t.Fatal("there is no signature")
			}
			for name := range made {
				if made.Get(name) != v.request().Header.Get(name) {
					t.Fatalf("%s is %q, want %q", name, made.Get(name), v.request().Header.Get(name))
				}
			}
			if r.Header.Get(template.SignatureHeader) != "of an earlier attempt" {
				t.Fatal("SignTemplate changed the request")
			}
		})
	}
}

func TestNodeCryptoAgreesWithTheTemplateVectors(t *testing.T) {
	path := node(t)
	raw, err := os.ReadFile(filepath.Join("testdata", "templates.json"))
	if err != nil {
		t.Fatal(err)
	}
	var answers []map[string]string
	runScript(t, path, t.TempDir(), "templates.mjs", json.RawMessage(raw), &answers)
	vectors := templateVectors(t)
	if len(answers) != len(vectors) {
		t.Fatalf("%d answers to %d vectors", len(answers), len(vectors))
	}
	for i, v := range vectors {
		if len(answers[i]) == 0 {
			t.Errorf("%s: no answer", v.Name)
		}
		for name, value := range answers[i] {
			if v.Headers[name] != value {
				t.Errorf("%s: node:crypto makes %s: %s", v.Name, name, value)
			}
		}
	}
}

// collected is one entry of the vectors that lie beside the project.
type collected struct {
	Scheme, Secret, Body, Source, Prefix string
	Headers                              map[string]string
	Valid                                bool
	Clock                                int64
}

// collectedTemplates are the templates of the schemes there. Some of the secrets are short, and only there.
func collectedTemplates(v collected) (signature.Template, bool) {
	templates := map[string]signature.Template{
		"github-sha256":          {SignatureHeader: "X-Hub-Signature-256", SignaturePrefix: "sha256="},
		"websub-x-hub-signature": {SignatureHeader: "X-Hub-Signature", SignaturePrefix: "sha256="},
		"slack-v0": {SignatureHeader: "X-Slack-Signature", SignaturePrefix: "v0=", ContentTemplate: "v0:{timestamp}:{body}",
			TimestampHeader: "X-Slack-Request-Timestamp"},
		"pagerduty-v3": {SignatureHeader: "X-PagerDuty-Signature", SignaturePrefix: "v1=", SignatureList: ","},
		"zendesk": {SignatureHeader: "X-Zendesk-Webhook-Signature", Encoding: "base64", ContentTemplate: "{timestamp}{body}",
			TimestampHeader: "X-Zendesk-Webhook-Signature-Timestamp", TimestampFormat: "rfc3339"},
		"generic-hmac": {SignatureHeader: "X-Signature", SignaturePrefix: v.Prefix, MinKeyBytes: 6},
		"t-v1-comma": {SignatureHeader: "X-Convoy-Signature", Pick: "v1=(.+)", TimestampPick: "t=(.+)",
			ContentTemplate: "{timestamp},{body}", MinKeyBytes: 6},
		"grafana-plain":  {SignatureHeader: "X-Grafana-Alerting-Signature"},
		"stripe-like":    {SignatureHeader: "Stripe-Signature", Pick: "v1=([^,]+)", TimestampPick: "t=([0-9]+)", ContentTemplate: "{timestamp}.{body}"},
		"teams-outgoing": {SignatureHeader: "Authorization", SignaturePrefix: "HMAC ", Encoding: "base64", KeyFormat: "base64"},
		"splunk-o11y":    {SignatureHeader: "X-SFX-Signature", Encoding: "base64"},
	}
	template, known := templates[v.Scheme]
	return template, known
}

// TestCollectedVectors reads the vectors that lie beside the project. Those of JSON Web Tokens are not for this package.
func TestCollectedVectors(t *testing.T) {
	var all []collected
	if err := json.Unmarshal(payloads(t, "signature-vectors.json"), &all); err != nil {
		t.Fatal(err)
	}
	tried := map[string]int{}
	for _, v := range all {
		if strings.HasPrefix(v.Scheme, "jws-") {
			continue
		}
		tried[v.Scheme]++
		t.Run(v.Scheme+"/"+v.Source, func(t *testing.T) {
			if v.Scheme == "standard-webhooks" {
				collectedStandard(t, v)
				return
			}
			template, known := collectedTemplates(v)
			if !known {
				t.Fatalf("no template for the scheme %s", v.Scheme)
			}
			var verifier *signature.TemplateVerifier
			if v.Scheme == "zendesk" {
				_, err := signature.NewTemplateVerifier(template, []string{v.Secret}, signature.TemplateOptions{})
				wantReason(t, err, signature.ReasonUnusableKeys)
				verifier = signature.NewTrustingVerifier(template, v.Secret)
			} else {
				verifier = mustTemplate(t, template, v.Secret)
			}
			request := templateVector{Headers: v.Headers, Body: v.Body}.request
			if _, err := verifier.Verify(request(), time.Unix(v.Clock, 0)); (err == nil) != v.Valid {
				t.Fatalf("got %v, want valid = %t", err, v.Valid)
			}
			if v.Valid {
				attackTemplate(t, template, verifier, request, time.Unix(v.Clock, 0))
			}
		})
	}
	if len(tried) < 12 || tried["standard-webhooks"] < 3 {
		t.Fatalf("the file holds only %v", tried)
	}
}

// collectedStandard holds a vector against the Verifier of Standard Webhooks.
func collectedStandard(t *testing.T, v collected) {
	at, key := time.Unix(v.Clock, 0), mustParse(t, v.Secret)
	verifier, request := mustVerifier(t, key), templateVector{Headers: v.Headers}.request
	verify := func(change func(http.Header), body string, at time.Time) error {
		h := request().Header
		change(h)
		_, err := verifier.Verify(h, []byte(body), at)
		return err
	}
	same := func(http.Header) {}
	if err := verify(same, v.Body, at); (err == nil) != v.Valid {
		t.Fatalf("got %v, want valid = %t", err, v.Valid)
	}
	made := mustSign(t, v.Headers["webhook-id"], at, []byte(v.Body), key)
	if equal := strings.Contains(v.Headers["webhook-signature"], made.Get("webhook-signature")); equal != v.Valid {
		t.Fatalf("our signature equals theirs: %t, want %t", equal, v.Valid)
	}
	if !v.Valid {
		return
	}
	wantReason(t, verify(same, reserialised(v.Body), at), signature.ReasonNoMatch)
	wantReason(t, verify(same, strings.Replace(v.Body, "2", "3", 1), at), signature.ReasonNoMatch)
	wantReason(t, verify(same, v.Body, at.Add(301*time.Second)), signature.ReasonTooOld)
	wantReason(t, verify(same, v.Body, at.Add(-301*time.Second)), signature.ReasonTooNew)
	wantReason(t, verify(func(h http.Header) { h.Set("webhook-signature", h.Get("webhook-signature")[:40]) }, v.Body, at), signature.ReasonMalformedSignature)
	for name := range v.Headers {
		wantReason(t, verify(func(h http.Header) { h.Del(name) }, v.Body, at), signature.ReasonMissingHeader)
		wantReason(t, verify(func(h http.Header) { h.Add(name, h.Get(name)) }, v.Body, at), signature.ReasonDoubledHeader)
	}
	_, err := mustVerifier(t, signature.GenerateSymmetric()).Verify(request().Header, []byte(v.Body), at)
	wantReason(t, err, signature.ReasonNoMatch)
}
