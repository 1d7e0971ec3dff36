package signature_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas/signature"
)

const templateKey = "8c1f0a4d6b7e4f2a9d3c5b7a1e0f9c8d"

// faultsOf returns what an error of NewTemplateVerifier joins.
func faultsOf(t *testing.T, err error) []error {
	t.Helper()
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("%v is no list of faults", err)
	}
	for _, fault := range joined.Unwrap() {
		var typed *signature.Error
		if !errors.As(fault, &typed) || typed.Detail == "" {
			t.Fatalf("%v is no *Error with a detail", fault)
		}
	}
	return joined.Unwrap()
}

// Every row changes a template that can be used, and names the field that the one fault must begin with; none: it can
// still be used.
func TestTemplatesThatAreRefused(t *testing.T) {
	timed := func(content string) func(*signature.Template) {
		return func(s *signature.Template) { s.TimestampHeader, s.ContentTemplate = "X-Time", content }
	}
	content := func(content string) func(*signature.Template) {
		return func(s *signature.Template) { s.ContentTemplate, s.IDHeader = content, "X-Id" }
	}
	rows := []struct {
		name   string
		change func(*signature.Template)
		field  string
	}{
		{"nothing changed", func(*signature.Template) {}, ""},
		{"sha1, explicitly", func(s *signature.Template) { s.Algorithm = "sha1" }, ""},
		{"every token", func(s *signature.Template) {
			s.ContentTemplate = "{method}{path}\n{header:X-A};{id}.{timestamp}{body}"
			s.IDHeader, s.TimestampHeader, s.KeyTemplate = "X-Id", "X-Time", "k{timestamp}-{secret}"
		}, ""},
		{"the time before the body", timed("{timestamp}{body}"), ""},
		{"the time behind the body", timed("{body}{timestamp}"), ""},
		{"text around", timed("a{timestamp}b{body}c"), ""},
		{"a separator that is no ASCII", content("{id}—{body}"), ""},
		{"an id that counts for nothing", func(s *signature.Template) { s.IDHeader = "X-Id" }, ""},
		{"both regular expressions", func(s *signature.Template) {
			s.Pick, s.TimestampPick, s.ContentTemplate = "v1=([0-9a-f]+)", "^t=([0-9]+)$", "{timestamp}.{body}"
		}, ""},

		{"md5", func(s *signature.Template) { s.Algorithm = "md5" }, "algorithm"},
		{"SHA256 in capitals", func(s *signature.Template) { s.Algorithm = "SHA256" }, "algorithm"},
		{"no header", func(s *signature.Template) { s.SignatureHeader = "" }, "signature_header"},
		{"a header with a colon", func(s *signature.Template) { s.SignatureHeader = "X-Sig:" }, "signature_header"},
		{"a header with a space", func(s *signature.Template) { s.SignatureHeader = "X Sig" }, "signature_header"},
		{"a header that is too long", func(s *signature.Template) { s.SignatureHeader = strings.Repeat("x", 129) }, "signature_header"},
		{"Host", func(s *signature.Template) { s.RequiredHeaders = []string{"host"} }, "required_headers"},
		{"a prefix with a line break", func(s *signature.Template) { s.SignaturePrefix = "v1=\n" }, "signature_prefix"},
		{"a prefix that is too long", func(s *signature.Template) { s.SignaturePrefix = strings.Repeat("x", 33) }, "signature_prefix"},
		{"a prefix with the separator", func(s *signature.Template) { s.SignaturePrefix, s.SignatureList = "v1,", "," }, "signature_prefix"},
		{"a list of letters", func(s *signature.Template) { s.SignatureList = "a" }, "signature_list"},
		{"a prefix and a pick", func(s *signature.Template) { s.Pick, s.SignaturePrefix = "v1=(.+)", "v1=" }, "pick"},
		{"no group", func(s *signature.Template) { s.Pick = "v1=.+" }, "pick"},
		{"two groups", func(s *signature.Template) { s.Pick = "(v1|v2)=(.+)" }, "pick"},
		{"no expression", func(s *signature.Template) { s.Pick = "v1=(.+" }, "pick"},
		{"unpaired brackets that pair in brackets", func(s *signature.Template) { s.Pick = "a)(b" }, "pick"},
		{"an expression that is too long", func(s *signature.Template) { s.Pick = "(" + strings.Repeat("a", 200) + ")" }, "pick"},
		{"an expression over the whole header", func(s *signature.Template) { s.Pick = "t=[0-9]+,v1=(.+)" }, "pick"},
		{"brackets without end", func(s *signature.Template) { s.Pick = strings.Repeat("(?:", 40) + "(a)" + strings.Repeat(")", 39) }, "pick"},
		{"base32", func(s *signature.Template) { s.Encoding = "base32" }, "encoding"},
		{"a key in base32", func(s *signature.Template) { s.KeyFormat = "base32" }, "key_format"},
		{"a negative minimum", func(s *signature.Template) { s.MinKeyBytes = -1 }, "min_key_bytes"},
		{"a minimum beyond reason", func(s *signature.Template) { s.MinKeyBytes = 129 }, "min_key_bytes"},

		{"a key without the secret", func(s *signature.Template) { s.KeyTemplate, s.TimestampHeader = "{timestamp}", "X-Time" }, "key_template"},
		{"a key of the body", func(s *signature.Template) { s.KeyTemplate = "{secret}{body}" }, "key_template"},
		{"a key of a header", func(s *signature.Template) { s.KeyTemplate = "{secret}{header:X-A}" }, "key_template"},
		{"a key with a zero byte", func(s *signature.Template) { s.KeyTemplate = "{secret}\x00" }, "key_template"},
		{"the secret twice", func(s *signature.Template) { s.KeyTemplate = "{secret}{secret}" }, "key_template"},
		{"no body", timed("{timestamp}"), "content_template"},
		{"the body twice", func(s *signature.Template) { s.ContentTemplate = "{body}{body}" }, "content_template"},
		{"the secret in the content", func(s *signature.Template) { s.ContentTemplate = "{secret}.{body}" }, "content_template"},
		{"an unknown token", func(s *signature.Template) { s.ContentTemplate = "{bodi}.{body}" }, "content_template"},
		{"an empty token", func(s *signature.Template) { s.ContentTemplate = "{}{body}" }, "content_template"},
		{"braces in braces", func(s *signature.Template) { s.ContentTemplate = "{{body}}" }, "content_template"},
		{"an open brace", func(s *signature.Template) { s.ContentTemplate = "{body}{" }, "content_template"},
		{"a closed brace", func(s *signature.Template) { s.ContentTemplate = "}{body}" }, "content_template"},
		{"a header without a name", func(s *signature.Template) { s.ContentTemplate = "{header:}.{body}" }, "content_template"},
		{"a header with a bad name", func(s *signature.Template) { s.ContentTemplate = "{header:a b}.{body}" }, "content_template"},
		{"Host in the content", func(s *signature.Template) { s.ContentTemplate = "{header:Host}\n{body}" }, "content_template"},
		{"the signature in the content", func(s *signature.Template) { s.ContentTemplate = "{header:x-signature}.{body}" }, "content_template"},
		{"the time as a header", func(s *signature.Template) {
			s.TimestampHeader, s.ContentTemplate = "X-Time", "{timestamp}{body}\n{header:x-time}"
		}, "content_template"},

		{"the id touches the body", content("{id}{body}"), "content_template"},
		{"the id touches the body from behind", content("{body}{id}"), "content_template"},
		{"the id touches the path", content("{id}{path}\n{body}"), "content_template"},
		{"the id touches the time", func(s *signature.Template) {
			s.ContentTemplate, s.IDHeader, s.TimestampHeader = "{id}{timestamp}{body}", "X-Id", "X-Time"
		}, "content_template"},
		{"the path touches the body", content("{path}{body}\n{id}"), "content_template"},
		{"the path touches the method", content("{path}{method}\n{body}\n{id}"), "content_template"},
		{"the method touches the path behind the body", content("{body}\n{method}{path}\n{id}"), "content_template"},
		{"the method touches the path from behind", content("{body}\n{path}{method}"), "content_template"},
		{"two headers touch", func(s *signature.Template) { s.ContentTemplate = "{header:A}{header:B}.{body}" }, "content_template"},

		{"the time without its place", func(s *signature.Template) { s.ContentTemplate = "{timestamp}{body}" }, "timestamp_header"},
		{"the time in the key without its place", func(s *signature.Template) { s.KeyTemplate = "{timestamp}{secret}" }, "timestamp_header"},
		{"a time that is not signed", func(s *signature.Template) { s.TimestampHeader = "X-Time" }, "timestamp_header"},
		{"a time in the header that is not signed", func(s *signature.Template) { s.TimestampPick = "t=(.+)" }, "timestamp_pick"},
		{"two places of the time", func(s *signature.Template) {
			s.TimestampPick, s.TimestampHeader, s.ContentTemplate = "t=(.+)", "X-Time", "{timestamp}{body}"
		}, "timestamp_header"},
		{"the time is the signature", func(s *signature.Template) { s.TimestampHeader, s.ContentTemplate = "x-SIGNATURE", "{timestamp}{body}" }, "timestamp_header"},
		{"a format of nothing", func(s *signature.Template) { s.TimestampFormat = "unix" }, "timestamp_format"},
		{"an unknown format", func(s *signature.Template) {
			s.TimestampHeader, s.ContentTemplate, s.TimestampFormat = "X-Time", "{timestamp}{body}", "rfc1123"
		}, "timestamp_format"},
		{"the id without its place", func(s *signature.Template) { s.ContentTemplate = "{id}.{body}" }, "id_header"},
		{"the id is the signature", func(s *signature.Template) { s.IDHeader = "X-Signature" }, "id_header"},
		{"nine required headers", func(s *signature.Template) { s.RequiredHeaders = strings.Split("a,b,c,d,e,f,g,h,i", ",") }, "required_headers"},
		{"a required header twice", func(s *signature.Template) { s.RequiredHeaders = []string{"X-A", "x-a"} }, "required_headers"},
		{"an empty required header", func(s *signature.Template) { s.RequiredHeaders = []string{""} }, "required_headers"},
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			template := signature.Template{SignatureHeader: "X-Signature"}
			r.change(&template)
			v, err := signature.NewTemplateVerifier(template, []string{templateKey}, signature.TemplateOptions{})
			faults := faultsOf(t, err)
			if checked := template.Check(); (checked == nil) != (err == nil) || err != nil && checked.Error() != err.Error() {
				t.Fatalf("Check says %v, NewTemplateVerifier %v", checked, err)
			}
			if r.field == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(faults) != 1 || v != nil {
				t.Fatalf("got %v and %v, want one fault and no verifier", v, err)
			}
			wantReason(t, faults[0], signature.ReasonBadTemplate)
			if !strings.HasPrefix(faults[0].Error(), "signature: bad_template: "+r.field+": ") {
				t.Fatalf("%v does not begin with the field %s", faults[0], r.field)
			}
		})
	}
}

func TestEverythingWrongWithATemplateIsToldAtOnce(t *testing.T) {
	_, err := signature.NewTemplateVerifier(signature.Template{
		Algorithm: "md5", Encoding: "x", KeyFormat: "hex", KeyTemplate: "x", ContentTemplate: "{timestamp}{what}", Pick: "(", RequiredHeaders: []string{":"},
	}, []string{"", "not hexadecimal", "00"}, signature.TemplateOptions{Tolerance: time.Millisecond})
	var got []string
	for _, fault := range faultsOf(t, err) {
		_, rest, _ := strings.Cut(fault.Error(), ": ")
		what, _, _ := strings.Cut(strings.TrimPrefix(rest, "bad_template: "), ": ")
		got = append(got, what)
	}
	want := "algorithm encoding signature_header pick key_template content_template timestamp_header required_headers malformed_key malformed_key malformed_key bad_option"
	if strings.Join(got, " ") != want {
		t.Fatalf("got  %s\nwant %s", strings.Join(got, " "), want)
	}
}

func TestAnUnknownTokenIsShownOnlyIfItCanBeNoKey(t *testing.T) {
	for token, shown := range map[string]bool{"timestmp": true, "header:": true, templateKey: false, "s3cret": false, strings.Repeat("a", 41): false} {
		err := signature.Template{SignatureHeader: "X-Signature", KeyTemplate: "{" + token + "}{secret}"}.Check()
		if err == nil || strings.Contains(err.Error(), token) != shown {
			t.Errorf("%s: %v", token, err)
		}
	}
}
