package verify_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers/source/verify"
)

// nginxEscape escapes as nginx does: everything but letters, digits and - . _ ~ .
func nginxEscape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// awsEscape leaves + = and / as they are, as AWS load balancers do.
func awsEscape(s string) string {
	return strings.NewReplacer("%2B", "+", "%3D", "=", "%2F", "/").Replace(nginxEscape(s))
}

func TestCertificatesThatAProxyHandsOver(t *testing.T) {
	root := authority(nil, "root")
	id := client(root, "soar.example.com")
	text, der := id.pem(), id.cert.Raw
	b64 := base64.StdEncoding.EncodeToString(der)
	if !strings.Contains(b64, "+") && !strings.Contains(b64, "/") {
		t.Fatal("the certificate does not try the characters that matter") // 600 characters without are as good as impossible
	}
	for name, c := range map[string]struct {
		text string
		want int // certificates; 0 for refused
	}{
		"nginx":                {nginxEscape(text), 1},
		"aws":                  {awsEscape(text), 1},
		"aws, chain":           {awsEscape(text + root.pem()), 2},
		"unescaped base64":     {strings.ReplaceAll(strings.ReplaceAll(text, "\n", "%0A"), " ", "%20"), 1},
		"no last line break":   {nginxEscape(strings.TrimSpace(text)), 1},
		"windows":              {nginxEscape(strings.ReplaceAll(text, "\n", "\r\n")), 1},
		"rfc 9440":             {":" + b64 + ":", 1},
		"rfc 9440, no end":     {":" + b64, 0},
		"rfc 9440, two":        {":" + b64 + ":, :" + b64 + ":", 0},
		"rfc 9440, parameter":  {":" + b64 + ":;a=1", 0},
		"rfc 9440, broken":     {":" + b64[:100] + ":", 0},
		"rfc 9440, line break": {":" + b64[:100] + "\n" + b64[100:] + ":", 0},
		"rfc 9440, nothing":    {"::", 0},
		"a colon":              {":", 0},
		"bare base64":          {b64, 0},
		"nothing":              {"", 0},
		"null":                 {"(null)", 0},
		"bad escape":           {"%zz" + nginxEscape(text), 0},
		"text before":          {nginxEscape("x\n" + text), 0},
		"text behind":          {nginxEscape(text + "x"), 0},
		"text between":         {nginxEscape(text + "x\n" + root.pem()), 0},
		"broken, then right":   {nginxEscape("-----BEGIN CERTIFICATE-----\n!!!\n" + text), 0},
		"empty, then right":    {nginxEscape("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n" + text), 0},
		"headers":              {nginxEscape(strings.Replace(text, "-----\n", "-----\nA: b\n\n", 1)), 0},
		"a key":                {nginxEscape(strings.ReplaceAll(text, "CERTIFICATE", "PRIVATE KEY")), 0},
		"cut off":              {nginxEscape(text)[:200], 0},
		"another byte":         {nginxEscape(text[:60] + "AAAA" + text[64:]), 0},
		"eleven":               {nginxEscape(strings.Repeat(text, 11)), 0},
		"ten":                  {nginxEscape(strings.Repeat(text, 10)), 10},
		"huge":                 {strings.Repeat("A", 1<<20), 0},
	} {
		leaf, between, err := verify.ParseHandedOver(c.text)
		if c.want == 0 {
			if reasonOf(err) != verify.ReasonWrongCertificate {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || string(leaf.Raw) != string(der) || len(between) != c.want-1 {
			t.Errorf("%s: %d behind it, %v", name, len(between), err)
		}
	}
}
