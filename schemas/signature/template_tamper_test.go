package signature_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

// One signed text, cut elsewhere: digits are moved between the time, or the key, and the body. The times that arise are
// within the tolerance where they can be, so that only the form stands against them.
func TestBytesMovedBetweenThePartsOfATemplateAreRefused(t *testing.T) {
	const at, rfc = "1795330800", "2026-11-22T07:00:00Z"
	type cut struct{ time, id, body string }
	unix := signature.Template{SignatureHeader: "X-Signature", ContentTemplate: "{timestamp}{body}", TimestampHeader: "X-Time"}
	date := unix
	date.TimestampFormat = "rfc3339"
	behind := date
	behind.ContentTemplate = "{body}{timestamp}"
	unixBehind := unix
	unixBehind.ContentTemplate = "{body}{timestamp}"
	ms := unix
	ms.TimestampFormat = "unix_ms"
	id := signature.Template{SignatureHeader: "X-Signature", ContentTemplate: "{id}.{timestamp}.{body}", TimestampHeader: "X-Time", IDHeader: "X-Id"}
	tail := id
	tail.ContentTemplate = "{body}.{id}.{timestamp}"
	for name, c := range map[string]struct {
		template signature.Template
		whole    string // what is signed
		right    cut
		others   []cut
	}{
		"unix": {unix, at + "0" + at + "x", cut{at, "", "0" + at + "x"}, []cut{
			{at + "0", "", at + "x"}, {at[:9], "", "00" + at + "x"}, {"", "", at + "0" + at + "x"}, {at + "0" + at, "", "x"},
		}},
		"unix_ms": {ms, at + "000" + "12", cut{at + "000", "", "12"}, []cut{{at, "", "00012"}, {at + "0001", "", "2"}, {at + "00", "", "012"}}},
		"unix behind": {unixBehind, "x" + at + at, cut{at, "", "x" + at}, []cut{
			{at[9:] + at, "", "x" + at[:9]}, {at[1:], "", "x" + at + at[:1]}, {at + at, "", "x"},
		}},
		"rfc3339": {date, rfc + "Z" + rfc, cut{rfc, "", "Z" + rfc}, []cut{{rfc + "Z", "", rfc}, {rfc[:19], "", "ZZ" + rfc}, {rfc + "Z" + rfc, "", ""}}},
		"rfc3339 with a zone": {date, "2026-11-22T07:00:00+00:000", cut{"2026-11-22T07:00:00+00:00", "", "0"}, []cut{
			{"2026-11-22T07:00:00+00:000", "", ""}, {"2026-11-22T07:00:00+00:0", "", "00"}, {"2026-11-22T07:00:00+00", "", ":000"},
		}},
		"rfc3339 with a fraction": {date, "2026-11-22T07:00:00.5Z5Z", cut{"2026-11-22T07:00:00.5Z", "", "5Z"}, []cut{{"2026-11-22T07:00:00.5", "", "Z5Z"}, {"2026-11-22T07:00:00.5Z5Z", "", ""}}},
		"rfc3339 behind":          {behind, "2" + rfc, cut{rfc, "", "2"}, []cut{{"2" + rfc, "", ""}, {rfc[1:], "", "22"}}},
		"id": {id, "a." + at + "." + at + ".x", cut{at, "a", at + ".x"}, []cut{
			{at, "a." + at, "x"}, {at + "." + at, "a", "x"}, {at, "", "a." + at + ".x"},
		}},
		"id behind": {tail, "x.a.b." + at, cut{at, "b", "x.a"}, []cut{{at, "a.b", "x"}, {"b." + at, "a", "x"}, {at, "", "x.a.b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			verifier := mustTemplate(t, c.template, templateKey)
			mac := hex.EncodeToString(macOf(templateKey, c.whole))
			for i, each := range append([]cut{c.right}, c.others...) {
				_, err := verifier.Verify(signature.TemplateRequest{Body: []byte(each.body), Header: headers("X-Signature", mac, "X-Time", each.time, "X-Id", each.id)}, now())
				if (err == nil) != (i == 0) {
					t.Fatalf("%+v: %v", each, err)
				}
			}
		})
	}
}

// The key of GitGuardian is the time and the token. A token that is the end of another one must not turn digits of the
// time into a part of the token.
func TestBytesMovedBetweenTheTimeAndTheKeyAreRefused(t *testing.T) {
	template := signature.Template{SignatureHeader: "X-Signature", KeyTemplate: "{timestamp}{secret}", TimestampHeader: "X-Time"}
	long, short := "0"+templateKey, templateKey
	verifier := mustTemplate(t, template, long, short)
	mac := hex.EncodeToString(macOf("1795330800"+long, "x"))
	for time, accepted := range map[string]bool{"1795330800": true, "17953308000": false, "179533080": false} {
		_, err := verifier.Verify(signature.TemplateRequest{Body: []byte("x"), Header: headers("X-Signature", mac, "X-Time", time)}, now())
		if (err == nil) != accepted {
			t.Errorf("%s: %v", time, err)
		}
	}
}

// What is often written in place of what a vendor signs: each of it is made with the right key, and none of it counts.
func TestWrongSnippetsAreRefused(t *testing.T) {
	hexa := func(key, text string) string { return hex.EncodeToString(macOf(key, text)) }
	b64 := func(key, text string) string { return base64.StdEncoding.EncodeToString(macOf(key, text)) }
	for _, c := range []struct {
		name, vector string
		make         func(v templateVector) string
		want         signature.Reason
	}{
		{"GitGuardian by the token alone", "gitguardian", func(v templateVector) string { return "sha256=" + hexa(v.Key, v.Body) }, signature.ReasonNoMatch},
		{"GitGuardian with the time in the text", "gitguardian", func(v templateVector) string { return "sha256=" + hexa(v.Key, fmt.Sprint(v.Clock)+v.Body) }, signature.ReasonNoMatch},
		{"Zendesk with a full stop", "zendesk", func(v templateVector) string {
			return b64(v.Key, v.Headers["X-Zendesk-Webhook-Signature-Timestamp"]+"."+v.Body)
		}, signature.ReasonNoMatch},
		{"Zendesk by the body alone", "zendesk", func(v templateVector) string { return b64(v.Key, v.Body) }, signature.ReasonNoMatch},
		{"Zendesk by the decoded key", "zendesk", func(v templateVector) string {
			raw, _ := base64.StdEncoding.DecodeString(v.Key)
			return b64(string(raw), v.Headers["X-Zendesk-Webhook-Signature-Timestamp"]+v.Body)
		}, signature.ReasonNoMatch},
		{"Slack by the body alone", "slack", func(v templateVector) string { return "v0=" + hexa(v.Key, v.Body) }, signature.ReasonNoMatch},
		{"CrowdStrike with the time in front", "crowdstrike", func(v templateVector) string {
			return b64(v.Key, v.Headers["X-CS-Delivery-Timestamp"]+v.Body)
		}, signature.ReasonNoMatch},
		{"CrowdStrike in hexadecimal", "crowdstrike", func(v templateVector) string {
			return hexa(v.Key, v.Body+v.Headers["X-CS-Delivery-Timestamp"])
		}, signature.ReasonMalformedSignature},
		{"Teams by the key as it is written", "teams", func(v templateVector) string { return "HMAC " + b64(v.Key, v.Body) }, signature.ReasonNoMatch},
		{"Stripe with a comma", "stripe", func(v templateVector) string {
			return fmt.Sprintf("t=%d,v1=%s", v.Clock, hexa(v.Key, fmt.Sprint(v.Clock)+","+v.Body))
		}, signature.ReasonNoMatch},
		{"Stripe in its test mode", "stripe", func(v templateVector) string {
			return fmt.Sprintf("t=%d,v0=%s", v.Clock, hexa(v.Key, fmt.Sprint(v.Clock)+"."+v.Body))
		}, signature.ReasonMalformedSignature},
		{"Grafana by the body alone where a time is asked for", "grafana with a time", func(v templateVector) string { return hexa(v.Key, v.Body) }, signature.ReasonNoMatch},
		{"GitHub by SHA-1", "github", func(v templateVector) string { return "sha1=" + hexa(v.Key, v.Body)[:40] }, signature.ReasonMalformedSignature},
		{"HCP by SHA-256", "hcp vault radar", func(v templateVector) string { return "sha256=" + hexa(v.Key, v.Body) }, signature.ReasonMalformedSignature},
		{"the plain key as a signature", "github", func(v templateVector) string { return "sha256=" + v.Key }, signature.ReasonMalformedSignature},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := templateVectorOf(t, c.vector)
			template, r := v.template(t), v.request()
			r.Header.Set(template.SignatureHeader, c.make(v))
			_, err := mustTemplate(t, template, v.Key).Verify(r, v.at())
			wantReason(t, err, c.want)
		})
	}
}

// A delivery of Grafana without a time is no delivery of Grafana with one, and nothing falls back to the other.
func TestATemplateWithATimeRefusesDeliveriesWithoutOne(t *testing.T) {
	plain, timed := templateVectorOf(t, "grafana"), templateVectorOf(t, "grafana with a time")
	_, err := mustTemplate(t, timed.template(t), timed.Key).Verify(plain.request(), plain.at())
	wantReason(t, err, signature.ReasonMissingHeader)
	_, err = mustTemplate(t, plain.template(t), plain.Key).Verify(timed.request(), timed.at())
	wantReason(t, err, signature.ReasonNoMatch)
}
