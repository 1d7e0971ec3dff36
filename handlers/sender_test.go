package handlers_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/sender"
)

// tokenSecret is a shared secret that no answer, log line or metric may show.
const tokenSecret = "url-secret-4f1c9a7be2"

// foreign is a source whose secret stands in the URL or in a header, with a body of its own.
func foreign(in string, change ...func(*sender.Profile)) source.Config {
	p := keyed(tokenSecret)
	p.Verify.Scheme = "shared-secret"
	p.Verify.Secret = sender.SharedSecret{In: in, Header: "X-Secret"}
	if in != "header" {
		p.Verify.Secret.Header = ""
	}
	p.Verify.AllowFrom = []string{"192.0.2.0/24"}
	p.Read = sender.Read{As: "json"}
	p.Map = sender.Map{Account: sender.Expressions{"$.user"}, OccurredAt: sender.Expressions{"$.time"}, Actor: sender.Expressions{"$.by"}}
	p.IgnoreWhen = []sender.Rule{{If: `body.?type.orValue("") == "ping"`, Why: "it is a ping"}}
	for _, c := range change {
		c(&p)
	}
	return source.Config{Name: "siem", Preset: "native", Profile: p, OwnActors: []string{"svc-resetd@example.com"}}
}

// send posts a body to the source siem, from an address that it allows.
func (f *fixture) send(path, body string, change ...func(*http.Request)) answer {
	f.t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/v1/hooks/siem"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for _, c := range change {
		c(r)
	}
	return f.do(r)
}

func TestSecretInTheURLProvesASenderAndIsToldNowhere(t *testing.T) {
	f := newFixture(t, withSources(t, foreign("url")))
	f.send("/"+tokenSecret, `{"user":"jdoe@example.com"}`).taken(t)
	f.send("/"+tokenSecret+"x", `{"user":"jdoe@example.com"}`).want(t, 401, "bad_signature")
	f.send("", `{"user":"jdoe@example.com"}`).want(t, 401, "bad_signature")
	f.send("/"+tokenSecret, `{"user":"jdoe@example.com"}`, func(r *http.Request) { r.RemoteAddr = "198.51.100.1:99" }).want(t, 401, "bad_signature")
	subs := f.tasks.submissions()
	if len(subs) != 1 || subs[0].Requests[0].Account.Value != "jdoe@example.com" || subs[0].Key != "" || subs[0].Repeat.Within != 15*time.Minute || subs[0].Repeat.Refuse {
		t.Fatalf("%+v", subs)
	}
	if strings.Contains(f.log.String(), tokenSecret) || strings.Contains(f.call(http.MethodGet, "/metrics", viewerToken, "").body, tokenSecret) {
		t.Error("the secret of the URL is told")
	}
}

// Some senders show their password only to who asks for it in the words of RFC 7617.
func TestSenderIsAskedForWhatItCanShow(t *testing.T) {
	for in, want := range map[string]string{"basic": `Basic realm="resetd"`, "bearer": `Bearer realm="resetd"`, "header": "shared-secret", "url": "shared-secret"} {
		f := newFixture(t, withSources(t, foreign(in, func(p *sender.Profile) {
			if in == "basic" {
				p.Verify.Secret.User = "siem"
			}
		})))
		a := f.send("", `{"user":"jdoe@example.com"}`)
		a.want(t, 401, "bad_signature")
		if got := a.Header.Get("WWW-Authenticate"); got != want {
			t.Errorf("%s: %q", in, got)
		}
	}
}

func TestTokenInTheURLOfAnotherSchemeIsRefused(t *testing.T) {
	f := newFixture(t)
	r := signed(t, "/v1/hooks/soar/extra", "msg_1", native(good))
	f.fast = true
	f.do(r).want(t, 401, "bad_signature")
}

func TestWhatAsksForNothingIsAcknowledgedWithTheReason(t *testing.T) {
	f := newFixture(t, withSources(t, foreign("url")))
	a := f.send("/"+tokenSecret, `{"type":"ping"}`)
	if a.StatusCode != 202 || !strings.Contains(a.body, "it is a ping") || len(f.tasks.submissions()) != 0 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	// The loop guard: a report of what resetd did itself asks for nothing.
	a = f.send("/"+tokenSecret, `{"user":"jdoe@example.com","by":"SVC-resetd@example.com"}`)
	if a.StatusCode != 202 || !strings.Contains(a.body, "own_actors") || len(f.tasks.submissions()) != 0 {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestBodyWithoutAnAccountIsRefusedWithWhatWasLookedFor(t *testing.T) {
	f := newFixture(t, withSources(t, foreign("url")))
	p := f.send("/"+tokenSecret, `{"username":"jdoe"}`).want(t, 422, "no_account")
	if len(p.Errors) == 0 || !strings.Contains(p.Errors[0].Detail, "$.user") {
		t.Errorf("%+v", p)
	}
}

func TestReportThatIsTooOldIsRefusedWhereTheTimeOfSendingIsNotSigned(t *testing.T) {
	f := newFixture(t, withSources(t, foreign("url")))
	f.send("/"+tokenSecret, `{"user":"a@example.com","time":"2026-11-22T06:00:00Z"}`).taken(t)
	p := f.send("/"+tokenSecret, `{"user":"a@example.com","time":"2026-11-20T06:00:00Z"}`).want(t, 422, "too_old")
	if len(p.Errors) != 1 || !strings.Contains(p.Detail, "max_age") {
		t.Errorf("%+v", p)
	}
}

func TestSenderHearsWhatItWants(t *testing.T) {
	for _, c := range []struct {
		respond sender.Respond
		status  int
		body    string
	}{
		{sender.Respond{Status: 200, Body: "empty"}, 200, ""},
		{sender.Respond{Status: 204}, 204, ""},
		{sender.Respond{Status: 200, Body: "message"}, 200, `"type":"message"`},
		{sender.Respond{Status: 200}, 200, `"status_url"`},
		{sender.Respond{}, 202, `"status_url"`},
	} {
		f := newFixture(t, withSources(t, foreign("url", func(p *sender.Profile) { p.Respond = c.respond })))
		f.fast = true // openapi.yaml describes the answer that nothing else was configured for
		a := f.send("/"+tokenSecret, `{"user":"jdoe@example.com"}`)
		if a.StatusCode != c.status || !strings.Contains(a.body, c.body) || c.body == "" && a.body != "" {
			t.Errorf("%+v: %d %q", c.respond, a.StatusCode, a.body)
		}
	}
}

func TestOktaIsAnsweredOnlyWithItsSecret(t *testing.T) {
	f := newFixture(t, withSources(t, foreign("header", func(p *sender.Profile) { p.Handshake = []string{"okta-challenge"} })))
	ask := func(secret string) answer {
		r := httptest.NewRequest(http.MethodGet, "/v1/hooks/siem", nil)
		r.Header.Set("x-okta-verification-challenge", `challenge"1`)
		if secret != "" {
			r.Header.Set("X-Secret", secret)
		}
		return f.do(r)
	}
	if a := ask(tokenSecret); a.StatusCode != 200 || a.body != `{"verification":"challenge\"1"}` {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	ask("").want(t, 401, "bad_signature")
	r := httptest.NewRequest(http.MethodGet, "/v1/hooks/siem", nil)
	r.Header.Set("X-Secret", tokenSecret)
	f.do(r).want(t, 405, "method_not_allowed")
}

func TestGraphIsAnsweredWithEscapedText(t *testing.T) {
	f := newFixture(t, withSources(t, foreign("url", func(p *sender.Profile) { p.Handshake = []string{"graph-validation-token"} })))
	f.fast = true
	a := f.send("/"+tokenSecret+"?validationToken=a%3Cscript%3E", "", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") })
	if a.StatusCode != 200 || a.body != "a&lt;script&gt;" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("%d %s %s", a.StatusCode, a.Header, a.body)
	}
	f.send("/wrong?validationToken=a", "").want(t, 401, "bad_signature")
}

func TestSlackIsAnsweredWithItsChallenge(t *testing.T) {
	f := newFixture(t, withSources(t, foreign("url", func(p *sender.Profile) { p.Handshake = []string{"slack-url-verification"} })))
	f.fast = true
	if a := f.send("/"+tokenSecret, `{"type":"url_verification","challenge":"3eZb"}`); a.StatusCode != 200 || a.body != `{"challenge":"3eZb"}` {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

func TestBodyThatWasKeptBySomebodyIsRefused(t *testing.T) {
	f := newFixture(t, withSources(t, foreign("url")))
	f.tasks.fail = schemas.ErrReplayed
	f.send("/"+tokenSecret, `{"user":"jdoe@example.com"}`).want(t, 422, "replayed_body")
}

func TestSourcesAreListedWithWhatCameFromThem(t *testing.T) {
	f := newFixture(t, withSources(t, foreign("url"), source.Config{Name: "soar", Preset: "native", Profile: keyed(soarKey),
		Limits: source.Limits{Deliveries: source.Rate{Count: 1, Per: time.Minute}}}))
	f.send("/"+tokenSecret, `{"user":"jdoe@example.com"}`).taken(t)
	f.send("/"+tokenSecret, `{"type":"ping"}`)
	f.send("/wrong", `{}`).want(t, 401, "bad_signature")
	f.deliver("msg_1", native(good)).taken(t)
	f.deliver("msg_2", native(good)).want(t, 429, "throttled")
	var got schemas.SourceList
	f.call(http.MethodGet, "/v1/sources", viewerToken, "").decode(t, 200, &got)
	if len(got.Sources) != 2 {
		t.Fatalf("%+v", got)
	}
	siem, soar := got.Sources[0], got.Sources[1]
	if siem.Name != "siem" || siem.Weak == "" || siem.Counts.Accepted != 1 || siem.Counts.Ignored != 1 || siem.Counts.Refused != 1 || siem.Counts.LastRefusal != "wrong_secret" {
		t.Errorf("%+v", siem)
	}
	if soar.Weak != "" || soar.Limits.Deliveries != "1 in 1m0s" || soar.Counts.Accepted != 1 || soar.Counts.Throttled != 1 {
		t.Errorf("%+v", soar)
	}
	f.call(http.MethodGet, "/v1/sources", "", "").want(t, 401, "unauthorized")
}
