package handlers_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// badInput is one delivery that must be refused with nothing submitted.
type badInput struct {
	name    string
	body    string // signed as it is, unless change spoils it
	change  func(*http.Request)
	status  int
	problem string
	pointer string // of the first field that is named; empty: none
	reason  string // why the signature did not hold
}

func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = values }
}

const good = `{"account":"jdoe@example.com"}`

func badInputs(t *testing.T) []badInput {
	ok := native(good)
	at := func(age time.Duration) func(*http.Request) {
		return func(r *http.Request) { sign(t, r.Header, "msg_1", clock.Add(-age), ok) }
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte(ok))
	_ = z.Close()
	many := strings.Repeat("v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ", 9999) + "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	return []badInput{
		{"wrong signature", ok, header("webhook-signature", "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), 401, "bad_signature", "", "no_match"},
		{"signature of another body", ok, func(r *http.Request) { sign(t, r.Header, "msg_1", clock, ok+" ") }, 401, "bad_signature", "", "no_match"},
		{"old timestamp", ok, at(301 * time.Second), 401, "bad_signature", "", "too_old"},
		{"timestamp of the future", ok, at(-301 * time.Second), 401, "bad_signature", "", "too_new"},
		{"timestamp in milliseconds", ok, header("webhook-timestamp", strconv.FormatInt(clock.UnixMilli(), 10)), 401, "bad_signature", "", "malformed_timestamp"},
		{"no id", ok, header("webhook-id"), 401, "bad_signature", "", "missing_header"},
		{"id with a full stop", ok, header("webhook-id", "a.b"), 401, "bad_signature", "", "malformed_id"},
		{"two ids", ok, header("webhook-id", "msg_1", "msg_2"), 401, "bad_signature", "", "doubled_header"},
		{"two timestamps", ok, header("webhook-timestamp", "1795330800", "1795330801"), 401, "bad_signature", "", "doubled_header"},
		{"two signature headers", ok, header("webhook-signature", "v1,AA==", "v1,AA=="), 401, "bad_signature", "", "doubled_header"},
		{"10,000 signatures", ok, header("webhook-signature", many), 401, "bad_signature", "", "too_many_signatures"},
		{"no signature at all", ok, func(r *http.Request) { r.Header = http.Header{"Content-Type": {"application/json"}} }, 401, "bad_signature", "", "missing_header"},

		{"unknown source", ok, func(r *http.Request) { r.URL.Path = "/v1/hooks/stranger" }, 404, "unknown_source", "", ""},
		{"source in another case", ok, func(r *http.Request) { r.URL.Path = "/v1/hooks/SOAR" }, 404, "unknown_source", "", ""},
		{"trailing slash", ok, func(r *http.Request) { r.URL.Path = "/v1/hooks/soar/" }, 404, "unknown_path", "", ""},
		{"doubled slash", ok, func(r *http.Request) { r.URL.Path = "/v1//hooks/soar" }, 404, "unknown_path", "", ""},
		{"no source", ok, func(r *http.Request) { r.URL.Path = "/v1/hooks/" }, 404, "unknown_path", "", ""},
		{"HEAD", ok, func(r *http.Request) { r.Method = "HEAD" }, 405, "method_not_allowed", "", ""},
		{"OPTIONS", ok, func(r *http.Request) { r.Method = "OPTIONS" }, 405, "method_not_allowed", "", ""},
		{"PUT", ok, func(r *http.Request) { r.Method = "PUT" }, 405, "method_not_allowed", "", ""},

		{"compressed body", zipped.String(), header("Content-Encoding", "gzip"), 415, "compressed_body", "", ""},
		{"compressed body after a harmless coding", zipped.String(), header("Content-Encoding", "identity", "br"), 415, "compressed_body", "", ""},
		{"a form", "account=jdoe", header("Content-Type", "application/x-www-form-urlencoded"), 415, "wrong_content_type", "", ""},
		{"JSON called text", ok, header("Content-Type", "text/plain"), 415, "wrong_content_type", "", ""},
		{"JSON in Latin-1", ok, header("Content-Type", "application/json; charset=iso-8859-1"), 415, "wrong_content_type", "", ""},
		{"two content types", ok, header("Content-Type", "application/json", "text/plain"), 415, "wrong_content_type", "", ""},

		{"broken JSON", `{"type":"password_reset.requested","data":`, nil, 400, "bad_json", "/data", ""},
		{"no JSON", `hello`, nil, 400, "bad_json", "", ""},
		{"empty body", ``, nil, 400, "bad_json", "", ""},
		{"garbage after the value", ok + `{}`, nil, 400, "bad_json", "", ""},
		{"not UTF-8", native("{\"account\":\"a\xff\"}"), nil, 400, "bad_json", "/data/account", ""},
		{"a key twice", native(`{"account":"a","account":"b"}`), nil, 400, "bad_json", "/data/account", ""},
		{"a key twice, once escaped", native(`{"account":"a","\u0061ccount":"b"}`), nil, 400, "bad_json", "/data/account", ""},
		{"deep nesting", native(strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000)), nil, 422, "invalid_request", "/data/0", ""},
		{"deep nesting in an unknown field", native(`{"account":"a","x":` + strings.Repeat(`[`, 100_000) + strings.Repeat(`]`, 100_000) + `}`), nil, 422, "invalid_request", "/data/x", ""},
		{"an array", `[]`, nil, 422, "invalid_request", "", ""},
		{"null", `null`, nil, 422, "invalid_request", "/type", ""},

		{"unknown field", native(`{"account":"a","acount":"b"}`), nil, 422, "invalid_request", "/data/acount", ""},
		{"unknown field in a batch", native(`[{"account":"a"},{"account":"a","x":1}]`), nil, 422, "invalid_request", "/data/1/x", ""},
		{"unknown field in the envelope", `{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z","data":{"account":"a"},"token":"` + operatorToken + `"}`, nil, 422, "invalid_request", "/token", ""},
		{"another letter case", native(`{"Account":"a"}`), nil, 422, "invalid_request", "/data/Account", ""},
		{"another type", strings.Replace(ok, "requested", "successful", 1), nil, 422, "invalid_request", "/type", ""},
		{"no data", `{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z"}`, nil, 422, "invalid_request", "/data", ""},
		{"a time that is none", strings.Replace(ok, "2026-11-22T07:00:00Z", "yesterday", 1), nil, 422, "invalid_request", "/timestamp", ""},
		{"no account", native(`{"reference":"INC1"}`), nil, 422, "invalid_request", "/data/account", ""},
		{"account of the wrong type", native(`{"account":["a"]}`), nil, 422, "invalid_request", "/data/account", ""},
		{"unknown system", native(`{"account":"a","systems":["nowhere"]}`), nil, 422, "unknown_system", "/data/systems/0", ""},
		{"system name that is none", native(`{"account":"a","systems":["../etc"]}`), nil, 422, "invalid_request", "/data/systems/0", ""},
		{"system twice", native(`{"account":"a","systems":["x","x"]}`), nil, 422, "invalid_request", "/data/systems", ""},
		{"1,001 requests", native("[" + strings.Repeat(`{"account":"a"},`, 1000) + `{"account":"a"}]`), nil, 422, "invalid_request", "/data", ""},
		{"control character in the account", native(`{"account":"j\u0000doe"}`), nil, 422, "invalid_request", "/data/account", ""},
		{"line break in the reference", native(`{"account":"a","reference":"INC1\nINC2"}`), nil, 422, "invalid_request", "/data/reference", ""},
		{"escape sequence in the description", native(`{"account":"a","description":"\u001b[2J"}`), nil, 422, "invalid_request", "/data/description", ""},
		{"right-to-left mark in the account", native(`{"account":"jdoe\u200f@example.com"}`), nil, 422, "invalid_request", "/data/account", ""},
		{"right-to-left override in the description", native(`[{"account":"a"},{"account":"b","description":"safe \u202etxt.exe"}]`), nil, 422, "invalid_request", "/data/1/description", ""},
		{"account too long", native(`{"account":"` + strings.Repeat("a", 1025) + `"}`), nil, 422, "invalid_request", "/data/account", ""},
		{"callback that is no URL", native(`{"account":"a","callback":{"url":"nope"}}`), nil, 422, "invalid_request", "/data/callback/url", ""},
		{"deceptive field name", native(`{"account":"a","x\u202ey":1}`), nil, 422, "invalid_request", "/data", ""},
		{"very long field name", native(`{"account":"a","` + strings.Repeat("x", 5000) + `":1}`), nil, 422, "invalid_request", "/data", ""},
	}
}

func TestBadInputIsRefusedClearlyAndSubmitsNothing(t *testing.T) {
	for _, c := range badInputs(t) {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			change := c.change
			if change == nil {
				change = func(*http.Request) {}
			}
			a := f.deliver("msg_1", c.body, change)
			p := a.want(t, c.status, c.problem)
			if c.pointer == "" && len(p.Errors) > 0 && p.Errors[0].Pointer != "" || c.pointer != "" && (len(p.Errors) == 0 || p.Errors[0].Pointer != c.pointer) {
				t.Errorf("fields %+v, want pointer %q", p.Errors, c.pointer)
			}
			for _, e := range p.Errors {
				if e.Detail == "" {
					t.Errorf("nothing is said about %q", e.Pointer)
				}
			}
			if c.reason != "" && !strings.HasPrefix(p.Detail, c.reason+": ") {
				t.Errorf("detail %q does not name the check %s", p.Detail, c.reason)
			}
			if challenge := a.Header.Get("WWW-Authenticate"); (a.StatusCode == 401) != (challenge == "standard-webhooks") {
				t.Errorf("WWW-Authenticate %q", challenge)
			}
			if n := len(f.tasks.submissions()); n != 0 {
				t.Errorf("%d submissions", n)
			}
			if len(a.body) > 4096 {
				t.Errorf("the answer has %d bytes", len(a.body))
			}
			for _, s := range secrets {
				if strings.Contains(a.body+f.log.String(), s) {
					t.Errorf("a secret is in the answer or the log")
				}
			}
		})
	}
}

func TestMethodThatIsNotTakenNamesThoseThatAre(t *testing.T) {
	f := newFixture(t)
	a := f.call("GET", "/v1/hooks/soar", "", "")
	a.want(t, 405, "method_not_allowed")
	if a.Header.Get("Allow") != "POST" {
		t.Fatal(a.Header)
	}
}

// A batch in which everything is wrong must not be answered by a hundred times its size.
func TestListOfBadFieldsIsBounded(t *testing.T) {
	f := newFixture(t)
	p := f.deliver("msg_1", native("["+strings.Repeat(`{"account":""},`, 999)+`{"account":""}]`)).want(t, 422, "invalid_request")
	if len(p.Errors) != 100 || !strings.Contains(p.Detail, "first 100") {
		t.Fatalf("%d fields, %q", len(p.Errors), p.Detail)
	}
}
