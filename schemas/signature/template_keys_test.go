package signature_test

import (
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas/signature"
)

func TestTemplateKeys(t *testing.T) {
	const zendesk = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="
	raw := []byte{0xfb, 0xff, 0xfe, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	std, url, hexa := base64.StdEncoding.EncodeToString(raw), base64.URLEncoding.EncodeToString(raw), hex.EncodeToString(raw)
	malformed, unusable := signature.ReasonMalformedKey, signature.ReasonUnusableKeys
	rows := []struct {
		name, format string
		min          int
		keys         []string
		want         signature.Reason // empty: accepted
	}{
		{"raw", "", 0, []string{templateKey}, ""},
		{"raw with spaces, as GitHub's own example", "raw", 0, []string{"It's a Secret to Everybody"}, ""},
		{"raw of letters beyond ASCII", "raw", 0, []string{"schlüssel-wörter"}, ""},
		{"base64", "base64", 0, []string{std}, ""},
		{"base64url", "base64url", 0, []string{url}, ""},
		{"base64url without padding", "base64url", 0, []string{strings.TrimRight(url, "=")}, ""},
		{"hex", "hex", 0, []string{hexa}, ""},
		{"hex in capitals", "hex", 0, []string{strings.ToUpper(hexa)}, ""},
		{"16 bytes", "", 0, []string{templateKey[:16]}, ""},
		{"short where that is allowed", "", 6, []string{"secret"}, ""},
		{"five", "", 0, []string{"a" + templateKey, "b" + templateKey, "c" + templateKey, "d" + templateKey, "e" + templateKey}, ""},

		{"none", "", 0, nil, unusable},
		{"six", "", 0, []string{"a" + templateKey, "b" + templateKey, "c" + templateKey, "d" + templateKey, "e" + templateKey, "f" + templateKey}, unusable},
		{"twice", "", 0, []string{templateKey, templateKey}, unusable},
		{"twice in two spellings", "hex", 0, []string{hexa, strings.ToUpper(hexa)}, unusable},
		{"twice with and without padding", "base64url", 0, []string{url, strings.TrimRight(url, "=")}, unusable},
		{"twice, with zeros that HMAC adds anyway", "hex", 0, []string{hexa, hexa + "0000"}, unusable},
		{"zeros at the end, which count", "hex", 0, []string{hexa[:30] + "00"}, ""},
		{"zeros only", "hex", 0, []string{strings.Repeat("00", 32)}, malformed},
		{"empty", "", 0, []string{""}, malformed},
		{"empty among others", "", 0, []string{templateKey, ""}, malformed},
		{"white space only", "", 1, []string{strings.Repeat(" ", 20)}, malformed},
		{"a line break behind", "", 0, []string{templateKey + "\n"}, malformed},
		{"a space before", "", 0, []string{" " + templateKey}, malformed},
		{"a line break inside", "", 0, []string{templateKey + "\n" + templateKey}, malformed},
		{"a zero byte inside", "", 0, []string{templateKey + "\x00a"}, malformed},
		{"15 bytes", "", 0, []string{templateKey[:15]}, malformed},
		{"15 bytes after decoding", "base64", 0, []string{base64.StdEncoding.EncodeToString(raw[:15])}, malformed},
		{"31 where 32 are asked for", "", 32, []string{templateKey[:31]}, malformed},
		{"a whole file", "", 0, []string{strings.Repeat("x", 1025)}, malformed},
		{"base64 without padding", "base64", 0, []string{strings.TrimRight(std, "=")}, malformed},
		{"base64 of the URL alphabet", "base64", 0, []string{url}, malformed},
		{"base64url of the standard alphabet", "base64url", 0, []string{std}, malformed},
		{"base64 with stray bits", "base64", 0, []string{std[:len(std)-2] + "B="}, malformed},
		{"base64 with a line break", "base64", 0, []string{std[:8] + "\n" + std[8:]}, malformed},
		{"raw text as base64", "base64", 0, []string{"It's a Secret to Everybody"}, malformed},
		{"hex of two cases", "hex", 0, []string{strings.ToUpper(hexa[:10]) + hexa[10:]}, malformed},
		{"hex cut", "hex", 0, []string{hexa[1:]}, malformed},

		{"Zendesk's test key", "", 0, []string{zendesk}, unusable},
		{"Zendesk's test key among others", "", 0, []string{templateKey, zendesk}, unusable},
		{"Zendesk's test key decoded", "base64", 0, []string{zendesk}, unusable},
		{"Zendesk's test key as what it decodes to", "", 0, []string{"this_secret_is_for_testing_only"}, unusable},
		{"Zendesk's test key in hex", "hex", 0, []string{hex.EncodeToString([]byte(zendesk))}, unusable},
		{"Zendesk's test key with zeros that HMAC adds anyway", "hex", 0, []string{hex.EncodeToString([]byte(zendesk)) + "00"}, unusable},
		{"Zendesk's test key in base64", "base64", 0, []string{base64.StdEncoding.EncodeToString([]byte(zendesk))}, unusable},
		{"Zendesk's test key where keys are hex", "hex", 0, []string{zendesk}, unusable},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			template := signature.Template{SignatureHeader: "X-Signature", KeyFormat: r.format, MinKeyBytes: r.min}
			v, err := signature.NewTemplateVerifier(template, r.keys, signature.TemplateOptions{})
			if r.want != "" {
				faults := faultsOf(t, err)
				if len(faults) != 1 || v != nil {
					t.Fatalf("got %v and %v, want one fault and no verifier", v, err)
				}
				wantReason(t, faults[0], r.want)
				for _, key := range r.keys {
					for i := 0; i+8 <= len(key); i++ {
						if part := key[i : i+8]; strings.TrimSpace(part) != "" && strings.Contains(err.Error(), part) {
							t.Fatalf("the error shows %q of the key: %v", part, err)
						}
					}
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range r.keys {
				h, err := signature.SignTemplate(template, key, signature.TemplateRequest{Body: []byte("x")}, "", now())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := v.Verify(signature.TemplateRequest{Header: h, Body: []byte("x")}, now()); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestZendeskIsNamedWhenItsTestKeyIsRefused(t *testing.T) {
	_, err := signature.NewTemplateVerifier(signature.Template{SignatureHeader: "X-Signature"},
		[]string{"dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="}, signature.TemplateOptions{})
	if err == nil || !strings.Contains(err.Error(), "Zendesk") {
		t.Fatal(err)
	}
}

func TestAnyTemplateKeyAtAnyPlaceMatchesAnySignatureAtAnyPlace(t *testing.T) {
	for _, template := range []signature.Template{
		{SignatureHeader: "X-Signature", SignaturePrefix: "v1=", SignatureList: ","},
		{SignatureHeader: "X-Signature", SignaturePrefix: "v1=", SignatureList: " ", KeyTemplate: "{timestamp}{secret}", TimestampHeader: "X-Time"},
	} {
		r := signature.TemplateRequest{Body: []byte(nativeBody)}
		sign := func(key string) string {
			h, err := signature.SignTemplate(template, key, r, "", now())
			if err != nil {
				t.Fatal(err)
			}
			r.Header = h
			return h.Get("X-Signature")
		}
		for known := range 5 {
			for place := range 5 {
				var keys, list []string
				for i := range 5 {
					keys = append(keys, strings.Repeat(string(rune('a'+i)), 20))
					list = append(list, sign(strings.Repeat(string(rune('p'+i)), 20)))
				}
				list[place] = sign(keys[known])
				r.Header.Set("X-Signature", strings.Join(list, template.SignatureList))
				if _, err := mustTemplate(t, template, keys...).Verify(r, now()); err != nil {
					t.Fatalf("key %d, signature %d: %v", known, place, err)
				}
				_, err := mustTemplate(t, template, keys[(known+1)%5]).Verify(r, now())
				wantReason(t, err, signature.ReasonNoMatch)
			}
		}
	}
}
