package signature_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

// Every row is signed as it stands, so that only the form of the time can be the reason of the refusal.
func TestSpellingsOfATime(t *testing.T) {
	for format, rows := range map[string]map[string]bool{
		"unix": {"1795330800": true, "1795330801": true, "01795330800": false, "+1795330800": false, "-1795330800": false, "17953308000": false,
			"179533080": false, "1795330800.0": false, "1795330800 ": false, " 1795330800": false, "0x6b02b1f0": false, "1795330800000": false,
			"1_795_330_800": false, "１795330800": false, "2026-11-22T07:00:00Z": false, "0000000000": false, "1.7953308e9": false},
		"unix_ms": {"1795330800000": true, "1795330800999": true, "1795330800": false, "01795330800000": false, "+795330800000": false,
			"17953308000000": false, "1795330800.000": false, "179533080000": false},
		"rfc3339": {"2026-11-22T07:00:00Z": true, "2026-11-22T07:00:00.123456789Z": true, "2026-11-22T08:00:00+01:00": true,
			"2026-11-22T02:30:00.5-04:30": true, "2026-11-22T07:00:00+00:00": true, "2026-11-22T07:00:00-00:00": true,
			"2026-11-22T07:00:00": false, "2026-11-22 07:00:00Z": false, "2026-11-22t07:00:00z": false, "2026-11-22T07:00:00z": false,
			"2026-11-22T07:00:00,5Z": false, "2026-11-22T07:00:00.Z": false, "2026-11-22T07:00:00.1234567890Z": false, "2026-11-22T7:00:00Z": false,
			"2026-11-22T07:00Z": false, "2026-11-22T07:00:60Z": false, "2026-11-22T24:00:00Z": false, "2026-02-30T07:00:00Z": false,
			"2026-13-22T07:00:00Z": false, "2026-11-22T07:00:00+0100": false, "2026-11-22T07:00:00+1:00": false, "2026-11-22T07:00:00+24:00": false,
			"2026-11-22T08:00:00+01:60": false, "2026-11-22T07:00:00ZZ": false, "2026-11-22T07:00:00Z ": false, "2026-11-22T07:00:00 Z": false,
			"12026-11-22T07:00:00Z": false, "1795330800": false, "Sun, 22 Nov 2026 07:00:00 GMT": false, "20261122T070000Z": false,
			"2026-11-22T07:00:00UTC": false, "2026-11-22T07:00:00−01:00": false},
	} {
		template := signature.Template{SignatureHeader: "X-Signature", ContentTemplate: "{timestamp}{body}", TimestampHeader: "X-Time", TimestampFormat: format}
		verifier := mustTemplate(t, template, templateKey)
		for text, accepted := range rows {
			r := signature.TemplateRequest{Header: headers("X-Signature", hex.EncodeToString(macOf(templateKey, text+"x")), "X-Time", text), Body: []byte("x")}
			_, err := verifier.Verify(r, now())
			if accepted && err != nil {
				t.Errorf("%s %q: %v", format, text, err)
			}
			if !accepted {
				wantReason(t, err, signature.ReasonMalformedTimestamp)
			}
		}
	}
}

// What is signed besides must be readable in one way, however it is signed.
func TestSpellingsOfSignedValues(t *testing.T) {
	template := signature.Template{SignatureHeader: "X-Signature", IDHeader: "X-Id", ContentTemplate: "{method}-{path}|{header:X-Tenant}.{id}:{body}"}
	verifier := mustTemplate(t, template, templateKey)
	request, id := signature.ReasonMalformedRequest, signature.ReasonMalformedID
	for _, r := range []struct {
		name, method, path, tenant, id string
		want                           signature.Reason
	}{
		{"right", "POST", "/v1/hooks/soar", "a b:c|d", "msg_1", ""},
		{"an escape in the path", "POST", "/v1/hooks/a%20b", "t", "msg_1", ""},
		{"the method in small letters", "post", "/", "t", "m", request},
		{"no method", "", "/", "t", "m", request},
		{"the separator in the method", "PO-ST", "/", "t", "m", request},
		{"a long method", strings.Repeat("A", 17), "/", "t", "m", request},
		{"no path", "POST", "", "t", "m", request},
		{"a path without a slash", "POST", "v1", "t", "m", request},
		{"the separator in the path", "POST", "/a|b", "t", "m", request},
		{"a query", "POST", "/a?b", "t", "m", request},
		{"a fragment", "POST", "/a#b", "t", "m", request},
		{"a space in the path", "POST", "/a b", "t", "m", request},
		{"a line break in the path", "POST", "/a\nb", "t", "m", request},
		{"a letter beyond ASCII in the path", "POST", "/ä", "t", "m", request},
		{"a long path", "POST", "/" + strings.Repeat("a", 1024), "t", "m", request},
		{"the separator in the header", "POST", "/", "a.b", "m", request},
		{"a line break in the header", "POST", "/", "a\nb", "m", request},
		{"a letter beyond ASCII in the header", "POST", "/", "ä", "m", request},
		{"a long header", "POST", "/", strings.Repeat("a", 1025), "m", request},
		{"the separator in the id", "POST", "/", "t", "a:b", id},
		{"a full stop in the id", "POST", "/", "t", "a.b", id},
		{"a long id", "POST", "/", "t", strings.Repeat("a", 129), id},
		{"no id", "POST", "/", "t", "", signature.ReasonMissingHeader},
		{"no header", "POST", "/", "", "m", signature.ReasonMissingHeader},
	} {
		t.Run(r.name, func(t *testing.T) {
			text := r.method + "-" + r.path + "|" + r.tenant + "." + r.id + ":x"
			d := signature.TemplateRequest{Method: r.method, Path: r.path, Body: []byte("x"),
				Header: headers("X-Signature", hex.EncodeToString(macOf(templateKey, text)), "X-Tenant", r.tenant, "X-Id", r.id)}
			proof, err := verifier.Verify(d, now())
			if r.want == "" {
				if err != nil || proof.ID != r.id {
					t.Fatal(proof, err)
				}
				return
			}
			wantReason(t, err, r.want)
			if _, err := signature.SignTemplate(template, templateKey, d, r.id, now()); err == nil {
				t.Fatal("SignTemplate signs what Verify refuses")
			}
		})
	}
}

// Behind the body a value ends at the last byte of the literal before it.
func TestSpellingsOfValuesBehindTheBody(t *testing.T) {
	template := signature.Template{SignatureHeader: "X-Signature", ContentTemplate: "{body}, ;{header:X-Tenant}"}
	for value, accepted := range map[string]bool{"tenant, 7": true, "tenant;7": false, "x, ;y": false} {
		h := headers("X-Signature", hex.EncodeToString(macOf(templateKey, "x, ;"+value)), "X-Tenant", value)
		_, err := mustTemplate(t, template, templateKey).Verify(signature.TemplateRequest{Header: h, Body: []byte("x")}, now())
		if accepted && err != nil {
			t.Errorf("%q: %v", value, err)
		}
		if !accepted {
			wantReason(t, err, signature.ReasonMalformedRequest)
		}
	}
}

func TestToleranceOfATemplate(t *testing.T) {
	timed := signature.Template{SignatureHeader: "X-Signature", TimestampHeader: "X-Time", ContentTemplate: "{timestamp}.{body}"}
	v, err := signature.NewTemplateVerifier(timed, []string{templateKey}, signature.TemplateOptions{Tolerance: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	h, err := signature.SignTemplate(timed, templateKey, signature.TemplateRequest{}, "", now())
	if err != nil {
		t.Fatal(err)
	}
	for late, want := range map[time.Duration]signature.Reason{
		10*time.Second + 999*time.Millisecond: "", -10 * time.Second: "",
		11 * time.Second: signature.ReasonTooOld, -11 * time.Second: signature.ReasonTooNew,
		1e9 * time.Second: signature.ReasonTooOld, -9e9 * time.Second: signature.ReasonTooNew,
	} {
		_, err := v.Verify(signature.TemplateRequest{Header: h}, now().Add(late))
		if want == "" && err != nil {
			t.Fatalf("%s late: %v", late, err)
		}
		if want != "" {
			wantReason(t, err, want)
		}
	}
	for _, bad := range []time.Duration{-time.Second, time.Millisecond} {
		_, err := signature.NewTemplateVerifier(timed, []string{templateKey}, signature.TemplateOptions{Tolerance: bad})
		wantReason(t, err, signature.ReasonBadOption)
	}
	_, err = signature.NewTemplateVerifier(signature.Template{SignatureHeader: "X-Signature"}, []string{templateKey}, signature.TemplateOptions{Tolerance: time.Minute})
	wantReason(t, err, signature.ReasonBadOption)
}
