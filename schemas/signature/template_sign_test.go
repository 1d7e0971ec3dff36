package signature_test

import (
	"encoding/hex"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

func TestSignTemplateRefusesWhatItCannotSign(t *testing.T) {
	expression := signature.Template{SignatureHeader: "X-Signature", Pick: "v[12]=(.+)"}
	folded := signature.Template{SignatureHeader: "X-Signature", Pick: "(?i)v1=(.+)"}
	stamp := signature.Template{SignatureHeader: "X-Signature", Pick: "v1=(.+)", TimestampPick: "t[0-9]=(.+)", ContentTemplate: "{timestamp}{body}"}
	timed := signature.Template{SignatureHeader: "X-Signature", ContentTemplate: "{timestamp}{body}", TimestampHeader: "X-Time"}
	dated := timed
	dated.TimestampFormat = "rfc3339"
	id := signature.Template{SignatureHeader: "X-Signature", ContentTemplate: "{id}.{body}", IDHeader: "X-Id"}
	for name, c := range map[string]struct {
		template signature.Template
		key, id  string
		at       time.Time
		want     signature.Reason
	}{
		"an expression":             {expression, templateKey, "", now(), signature.ReasonBadTemplate},
		"an expression of any case": {folded, templateKey, "", now(), signature.ReasonBadTemplate},
		"an expression of the time": {stamp, templateKey, "", now(), signature.ReasonBadTemplate},
		"a template with a fault":   {signature.Template{}, templateKey, "", now(), signature.ReasonBadTemplate},
		"no key":                    {timed, "", "", now(), signature.ReasonMalformedKey},
		"a short key":               {timed, "short", "", now(), signature.ReasonMalformedKey},
		"no time":                   {timed, templateKey, "", time.Time{}, signature.ReasonMalformedTimestamp},
		"a time before 2001":        {timed, templateKey, "", time.Unix(999_999_999, 0), signature.ReasonMalformedTimestamp},
		"a year of five digits":     {dated, templateKey, "", time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), signature.ReasonMalformedTimestamp},
		"no id":                     {id, templateKey, "", now(), signature.ReasonMissingHeader},
		"an id with a full stop":    {id, templateKey, "a.b", now(), signature.ReasonMalformedID},
		"a line break in an id that is not signed": {signature.Template{SignatureHeader: "X-Signature", IDHeader: "X-Id"}, templateKey, "a\r\nX-Other: b", now(), signature.ReasonMalformedID},
		"a required header":                        {signature.Template{SignatureHeader: "X-Signature", RequiredHeaders: []string{"X-Event"}}, templateKey, "", now(), signature.ReasonMissingHeader},
	} {
		h, err := signature.SignTemplate(c.template, c.key, signature.TemplateRequest{}, c.id, c.at)
		if h != nil || err == nil {
			t.Fatalf("%s: signed %v", name, h)
		}
		wantReason(t, err, c.want)
	}
	// An expression that cannot be written can be read all the same.
	h := headers("X-Signature", "V1="+hex.EncodeToString(macOf(templateKey, "x")))
	if _, err := mustTemplate(t, folded, templateKey).Verify(signature.TemplateRequest{Header: h, Body: []byte("x")}, now()); err != nil {
		t.Fatal(err)
	}
}

func TestOneTemplateVerifierServesManyGoroutines(t *testing.T) {
	for _, template := range []signature.Template{
		{SignatureHeader: "X-Signature"},
		{SignatureHeader: "X-Signature", KeyTemplate: "{timestamp}{secret}", TimestampHeader: "X-Time"},
	} {
		verifier := mustTemplate(t, template, templateKey, "b"+templateKey)
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					r := signature.TemplateRequest{Body: []byte(strings.Repeat(string(rune('a'+g)), i+1))}
					h, err := signature.SignTemplate(template, templateKey, r, "", now().Add(time.Duration(g)*time.Second))
					if err != nil {
						t.Error(err)
						return
					}
					r.Header = h
					if _, err := verifier.Verify(r, now()); err != nil {
						t.Errorf("goroutine %d, round %d: %v", g, i, err)
					}
					r.Body[0]++
					if _, err := verifier.Verify(r, now()); err == nil {
						t.Errorf("goroutine %d, round %d: a changed body passed", g, i)
					}
				}
			})
		}
		wg.Wait()
	}
}
