package signature_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

// headerTemplates are the ways in which signature headers are read.
func headerTemplates() []signature.Template {
	return []signature.Template{
		{SignatureHeader: "X-Signature", SignaturePrefix: "v1=", SignatureList: ","},
		{SignatureHeader: "X-Signature", SignaturePrefix: "HMAC ", Encoding: "base64"},
		{SignatureHeader: "X-Signature", SignatureList: " ", Encoding: "base64url"},
		{SignatureHeader: "X-Signature", Pick: "v1=([^,]+)", TimestampPick: "t=([^,]+)", ContentTemplate: "{timestamp}.{body}"},
	}
}

// naiveTemplate is headerTemplates once more, by regular expressions over the whole header and comparison of what an
// encoder would write.
func naiveTemplate(which int, header string, body []byte) bool {
	if len(header) > 1024 || !regexp.MustCompile(`\A[ -~]+\z`).MatchString(header) {
		return false
	}
	separator := []string{",", "\n", " ", ","}[which]
	entries := strings.Split(header, separator)
	if len(entries) > 16 {
		return false
	}
	var signatures, times []string
	for _, e := range entries {
		if e == "" || strings.TrimSpace(e) != e {
			return false
		}
		switch v1 := strings.HasPrefix(e, "v1="); {
		case which == 0 && v1, which == 3 && v1 && len(e) > 3:
			signatures = append(signatures, e[3:])
		case which == 1 && strings.HasPrefix(e, "HMAC "):
			signatures = append(signatures, e[5:])
		case which == 1:
			return false
		case which == 2:
			signatures = append(signatures, e)
		case which == 3 && strings.HasPrefix(e, "t=") && len(e) > 2:
			times = append(times, e[2:])
		}
	}
	text := string(body)
	if which == 3 {
		if len(times) != 1 || !regexp.MustCompile(`\A[1-9][0-9]{9}\z`).MatchString(times[0]) || times[0] < "1795330500" || times[0] > "1795331100" {
			return false
		}
		text = times[0] + "." + text
	}
	mac := macOf(templateKey, text)
	matched := false
	for _, s := range signatures {
		raw, err := hex.DecodeString(s)
		canonical := s == hex.EncodeToString(raw) || s == strings.ToUpper(hex.EncodeToString(raw))
		switch which {
		case 1:
			raw, err = base64.StdEncoding.DecodeString(s)
			canonical = s == base64.StdEncoding.EncodeToString(raw)
		case 2:
			raw, err = base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
			canonical = s == base64.RawURLEncoding.EncodeToString(raw) || s == base64.URLEncoding.EncodeToString(raw)
		}
		if err != nil || !canonical || len(raw) != len(mac) {
			return false
		}
		matched = matched || slices.Equal(raw, mac)
	}
	return matched && len(signatures) <= 5
}

// FuzzTemplateHeader holds Verify against the naive verifier. A fuzzer cannot make signatures, so the words HEX, STD and
// URL stand for the right one, and NOW for the time.
func FuzzTemplateHeader(f *testing.F) {
	for which := range headerTemplates() {
		for _, text := range []string{
			"HEX", "v1=HEX", "v1=HEX,v1=HEX", "v2=x,v1=HEX", "v1=HEX, v1=HEX", "v1=HEX,", ",v1=HEX", "v1=", "HMAC STD", "HMAC  STD", "hmac STD", "HMAC STD,",
			"URL", "URL=", "URL URL", "URL  URL", " URL", "t=NOW,v1=HEX", "v1=HEX,t=NOW", "t=NOW,t=NOW,v1=HEX", "t=1,v1=HEX", "t=NOW,v0=0,v1=HEX", "t=,v1=HEX",
			strings.Repeat("v1=HEX,", 5) + "v1=HEX", strings.Repeat("x,", 17) + "v1=HEX", "v1=\x00HEX", "v1=HEX\r\n", "",
		} {
			f.Add(uint8(which), text, []byte("{}"))
		}
	}
	var verifiers []*signature.TemplateVerifier
	for _, template := range headerTemplates() {
		verifiers = append(verifiers, mustTemplate(f, template, templateKey))
	}
	f.Fuzz(func(t *testing.T, which uint8, header string, body []byte) {
		if len(header) > 1<<14 {
			return
		}
		which %= uint8(len(verifiers))
		text := string(body)
		if which == 3 {
			text = "1795330800." + text
		}
		mac := macOf(templateKey, text)
		header = strings.NewReplacer("HEX", hex.EncodeToString(mac), "STD", base64.StdEncoding.EncodeToString(mac),
			"URL", base64.RawURLEncoding.EncodeToString(mac), "NOW", "1795330800").Replace(header)
		given := slices.Clone(body)
		proof, err := verifiers[which].Verify(signature.TemplateRequest{Header: http.Header{"X-Signature": {header}}, Body: body}, now())
		if !slices.Equal(given, body) {
			t.Fatal("Verify changed the body")
		}
		if naive := naiveTemplate(int(which), header, body); naive != (err == nil) {
			t.Fatalf("template %d, header %q: the naive verifier says %t, Verify says %v", which, header, naive, err)
		}
		if err != nil {
			var typed *signature.Error
			if !errors.As(err, &typed) || !slices.Contains(signature.VerifyReasons(), typed.Reason) || typed.Detail == "" || proof != (signature.TemplateProof{}) {
				t.Fatalf("refused with %#v and %+v", err, proof)
			}
		}
	})
}
