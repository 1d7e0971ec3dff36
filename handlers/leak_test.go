package handlers_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

// Whatever is sent or goes wrong, no key, token, signature or piece of a body comes out again: not in an answer, not in a
// header, not in the log, not in a metric.
func TestNoSecretComesOut(t *testing.T) {
	const planted = "Winter2026!planted"
	f := newFixture(t)
	var out strings.Builder
	hear := func(a answer) {
		out.WriteString(a.body)
		_ = a.Header.Write(&out)
	}
	withAuth := func(method, target, auth, body string) {
		r := httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Authorization", auth)
		r.Header.Set("Cookie", "session="+planted)
		hear(f.do(r))
	}

	for _, c := range badInputs(t) {
		change := func(r *http.Request) {
			if c.change != nil {
				c.change(r)
			}
			r.Header.Set("X-Password", planted)
			r.URL.RawQuery = "password=" + planted
		}
		hear(f.deliver("msg_1", c.body, change))
	}
	for _, body := range []string{
		native(`{"account":"a","password":"` + planted + `"}`),
		native(`{"account":{"type":"password","value":"` + planted + `"}}`),
		native(`{"account":"` + planted + `\u0000"}`),
		native(`{"account":"a","mode":"` + planted + `"}`),
		native(`{"account":"a","callback":{"url":"` + planted + `"}}`),
		native(`{"account":"a","callback":{"events":["` + planted + `"]}}`),
		native(`{"account":"a","dry_run":"` + planted + `"}`),
		planted,
	} {
		hear(f.deliver("msg_2", body))
		withAuth("POST", "/v1/tasks", "Bearer "+operatorToken, body)
	}
	for _, body := range []string{`{"permission":"` + planted + `"}`, `{"permission":"granted","password":"` + planted + `"}`,
		`{"permission":"granted","reason":"` + planted + `\u0000"}`, `{"permission":"granted","reason":["` + planted + `"]}`} {
		withAuth("PUT", "/v1/systems/corp-ldap/enforcement", "Bearer "+adminToken, body)
	}
	for _, target := range []string{"/v1/accounts?q=" + planted + "%00", "/v1/accounts?q=jdoe&type=" + planted, "/v1/accounts?q=jdoe&password=" + planted} {
		withAuth("GET", target, "Bearer "+operatorToken, "")
	}
	for _, auth := range []string{"Bearer " + planted, "Bearer " + viewerToken, "Basic " + planted, planted} {
		withAuth("POST", "/v1/tasks", auth, good)
		withAuth("GET", "/v1/tasks?q="+planted+"%00&limit="+planted+"&from="+planted+"&status="+planted, auth, "")
	}
	for _, err := range []error{errors.New("dsn has " + planted), schemas.Fail(schemas.CodeUnexpected, "x").Because(errors.New(planted))} {
		f.tasks.fail = err
		a := f.deliver("msg_3", native(good))
		if strings.Contains(a.body, planted) {
			t.Error("the text of an unknown error is in the answer")
		}
	}
	f.log.Reset() // the jobs' own errors are theirs to keep clean
	f.tasks.fail, f.tasks.then = nil, func() { panic(errors.New(planted + operatorToken)) }
	hear(f.deliver("msg_4", native(good)))
	f.tasks.then = nil
	if _, err := handlers.NewTokens([]handlers.Token{{Name: "x", Text: schemas.NewSecret(planted)}}); err != nil {
		out.WriteString(err.Error())
	}
	out.WriteString(f.scraped())
	out.WriteString(f.log.String())

	signatures := signed(t, "/", "msg_1", native(good)).Header.Get("webhook-signature")
	for _, secret := range append(secrets, planted, strings.TrimPrefix(signatures, "v1,"), strings.TrimPrefix(soarKey, "whsec_")) {
		if i := strings.Index(out.String(), secret); i >= 0 {
			t.Errorf("%q came out: …%s", secret, out.String()[max(0, i-200):i+len(secret)])
		}
	}
}
