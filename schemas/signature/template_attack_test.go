package signature_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

// reserialised is the JSON of a body as another program would write it; of no JSON, the text with a line break.
func reserialised(body string) string {
	var value any
	if json.Unmarshal([]byte(body), &value) == nil {
		if again, err := json.MarshalIndent(value, "", " "); err == nil && string(again) != body {
			return string(again)
		}
	}
	return body + "\n"
}

// attackTemplate changes a delivery that verifies in every way that somebody on the way could, and wants each refused
// for its own reason.
func attackTemplate(t *testing.T, template signature.Template, verifier *signature.TemplateVerifier, request func() signature.TemplateRequest, at time.Time) {
	t.Helper()
	refused := func(want signature.Reason, at time.Time, change func(*signature.TemplateRequest)) {
		t.Helper()
		r := request()
		change(&r)
		proof, err := verifier.Verify(r, at)
		wantReason(t, err, want)
		if proof != (signature.TemplateProof{}) {
			t.Fatalf("a refused delivery came with %+v", proof)
		}
	}
	same := func(*signature.TemplateRequest) {}

	body := request().Body
	for i := range body {
		refused(signature.ReasonNoMatch, at, func(r *signature.TemplateRequest) { r.Body[i] ^= 1 << (i % 8) })
	}
	for _, other := range []string{reserialised(string(body)), string(body) + " ", "\ufeff" + string(body), "1" + string(body), string(body) + string(body) + "."} {
		refused(signature.ReasonNoMatch, at, func(r *signature.TemplateRequest) { r.Body = []byte(other) })
	}
	if len(body) > 0 {
		refused(signature.ReasonNoMatch, at, func(r *signature.TemplateRequest) { r.Body = nil })
		refused(signature.ReasonNoMatch, at, func(r *signature.TemplateRequest) { r.Body = r.Body[1:] })
		refused(signature.ReasonNoMatch, at, func(r *signature.TemplateRequest) { r.Body = r.Body[:len(r.Body)-1] })
	}

	for _, name := range usedHeaders(template) {
		refused(signature.ReasonMissingHeader, at, func(r *signature.TemplateRequest) { r.Header.Del(name) })
		refused(signature.ReasonMissingHeader, at, func(r *signature.TemplateRequest) { r.Header[name] = []string{""} })
		for _, second := range []string{request().Header.Get(name), "", "other"} {
			refused(signature.ReasonDoubledHeader, at, func(r *signature.TemplateRequest) { r.Header.Add(name, second) })
			refused(signature.ReasonDoubledHeader, at, func(r *signature.TemplateRequest) {
				r.Header[name] = slices.Insert(r.Header[name], 0, second)
			})
		}
	}
	header := http.CanonicalHeaderKey(template.SignatureHeader)
	for cut := 1; cut < 6; cut++ {
		refused(signature.ReasonMalformedSignature, at, func(r *signature.TemplateRequest) {
			r.Header.Set(header, r.Header.Get(header)[:len(r.Header.Get(header))-cut])
		})
	}

	if template.SignsTime() {
		late, early := at.Add(signature.DefaultTolerance+time.Second), at.Add(-signature.DefaultTolerance-time.Second)
		refused(signature.ReasonTooOld, late, same)
		refused(signature.ReasonTooNew, early, same)
		for _, still := range []time.Time{late.Add(-time.Second), early.Add(time.Second)} {
			if _, err := verifier.Verify(request(), still); err != nil {
				t.Fatalf("at the edge of the tolerance: %v", err)
			}
		}
		refused(signature.ReasonNoMatch, late, func(r *signature.TemplateRequest) { freshen(t, template, r, late) })
	} else if _, err := verifier.Verify(request(), at.Add(100*365*24*time.Hour)); err != nil {
		t.Fatalf("the time is not signed, and counts: %v", err)
	}
	if template.SignsID() {
		refused(signature.ReasonNoMatch, at, func(r *signature.TemplateRequest) { r.Header.Set(template.IDHeader, "another") })
	}
	if strings.Contains(template.ContentTemplate, "{method}") {
		refused(signature.ReasonNoMatch, at, func(r *signature.TemplateRequest) { r.Method = "PUT" })
		refused(signature.ReasonMalformedRequest, at, func(r *signature.TemplateRequest) { r.Method = "" })
	}
	if strings.Contains(template.ContentTemplate, "{path}") {
		refused(signature.ReasonNoMatch, at, func(r *signature.TemplateRequest) { r.Path += "x" })
		refused(signature.ReasonMalformedRequest, at, func(r *signature.TemplateRequest) { r.Path = "" })
	}

	other := "another-key-of-more-than-32-bytes-0123456789"
	if template.KeyFormat != "" {
		other = "aabbccddeeff00112233445566778899aabbccddeeff00112233445566778899" // hexadecimal, and base64
	}
	_, err := mustTemplate(t, template, other).Verify(request(), at)
	wantReason(t, err, signature.ReasonNoMatch)
}

// freshen writes another time into a delivery, as somebody would who replays it.
func freshen(t *testing.T, template signature.Template, r *signature.TemplateRequest, at time.Time) {
	t.Helper()
	made, err := signature.SignTemplate(template, strings.Repeat("00112233", 8), *r, "msg", at)
	if err != nil {
		t.Fatal(err)
	}
	if template.TimestampHeader != "" {
		r.Header.Set(template.TimestampHeader, made.Get(template.TimestampHeader))
		return
	}
	time, _, _ := strings.Cut(made.Get(template.SignatureHeader), ",")
	_, rest, _ := strings.Cut(r.Header.Get(template.SignatureHeader), ",")
	r.Header.Set(template.SignatureHeader, time+","+rest)
}
