package signature_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

// tokens are the parts of a content template: literals and tokens by turns.
var tokens = regexp.MustCompile(`\{[^{}]*\}`)

// FuzzTemplateContent holds that a template that is accepted signs nothing that can be cut in two ways: whatever is
// signed is taken apart in every other way, and none of them verifies.
func FuzzTemplateContent(f *testing.F) {
	for _, content := range []string{
		"", "{body}", "{timestamp}{body}", "{body}{timestamp}", "v0:{timestamp}:{body}", "{id}.{timestamp}.{body}", "{body}.{id}", "{id}{body}",
		"{method}{path}\n{body}", "{header:X-A}.{body}.{id}", "{header:X-A}-{id}-{body}", "{id}{timestamp}{body}", "{path}/{body}", "{timestamp}", "{body",
	} {
		f.Add(content, uint8(0), "a-1", "x.y", "/a", []byte("1.2-3/4:5"))
		f.Add(content, uint8(2), "1", "1795330800", "/1", []byte("0.0"))
	}
	f.Add("{timestamp}{body}", uint8(5), "", "", "", []byte("1"))
	f.Add("{body}{timestamp}", uint8(6), "", "", "", []byte("1"))
	f.Fuzz(func(t *testing.T, content string, how uint8, id, header, path string, body []byte) {
		template := signature.Template{SignatureHeader: "X-Signature", ContentTemplate: content, IDHeader: "X-Id"}
		if strings.Contains(content, "{timestamp}") {
			template.TimestampHeader, template.TimestampFormat = "X-Time", []string{"unix", "unix_ms", "rfc3339"}[how%3]
		}
		if how&4 != 0 {
			template.Encoding = "base64url"
		}
		if template.Check() != nil {
			return
		}
		named := tokens.FindAllString(content, -1)
		r := signature.TemplateRequest{Method: "POST", Path: path, Header: http.Header{}, Body: body}
		for _, token := range named {
			if name, is := strings.CutPrefix(strings.Trim(token, "{}"), "header:"); is {
				r.Header.Set(name, header)
			}
		}
		made, err := signature.SignTemplate(template, templateKey, r, id, now())
		if err != nil {
			return
		}
		right := map[string]string{"{body}": string(body), "{method}": "POST", "{path}": path, "{id}": id, "{timestamp}": made.Get("X-Time")}
		if content == "" {
			content, named = "{body}", []string{"{body}"}
		}
		whole := tokens.ReplaceAllStringFunc(content, func(token string) string {
			if value, ok := right[token]; ok {
				return value
			}
			return header
		})
		if len(whole) > 80 {
			return
		}
		verifier, err := signature.NewTemplateVerifier(template, []string{templateKey}, signature.TemplateOptions{Tolerance: map[bool]time.Duration{true: 1 << 62}[template.SignsTime()]})
		if err != nil {
			t.Fatal(err)
		}
		left := 2000
		cuts(whole, tokens.Split(content, -1), named, nil, &left, func(values []string) {
			other := signature.TemplateRequest{Method: "POST", Path: path, Header: http.Header{"X-Signature": made["X-Signature"]}}
			same := true
			for i, token := range named {
				value, known := right[token]
				if !known {
					value = header
				}
				same = same && value == values[i]
				switch token {
				case "{body}":
					other.Body = []byte(values[i])
				case "{method}":
					other.Method = values[i]
				case "{path}":
					other.Path = values[i]
				case "{id}":
					other.Header.Set("X-Id", values[i])
				case "{timestamp}":
					other.Header.Set("X-Time", values[i])
				default:
					other.Header.Set(strings.TrimPrefix(strings.Trim(token, "{}"), "header:"), values[i])
				}
			}
			if _, err := verifier.Verify(other, now()); (err == nil) != same {
				t.Fatalf("%q is %q; cut as %q: %v", content, whole, values, err)
			}
		})
	})
}

// cuts finds the values that the tokens between the literals could have in text, up to a number of them.
func cuts(text string, literals, named, values []string, left *int, found func([]string)) {
	rest, ok := strings.CutPrefix(text, literals[0])
	switch {
	case !ok || *left <= 0:
	case len(named) == 0:
		if rest == "" {
			*left--
			found(values)
		}
	default:
		for n := 0; n <= len(rest); n++ {
			if !strings.Contains(rest[n:], literals[1]) {
				break
			}
			cuts(rest[n:], literals[1:], named[1:], append(values[:len(values):len(values)], rest[:n]), left, found)
		}
	}
}
