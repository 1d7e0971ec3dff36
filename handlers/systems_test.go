package handlers_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

const permission = "/v1/systems/corp-ldap/enforcement"

func TestSystemsAreShownWhole(t *testing.T) {
	f := newFixture(t)
	var list schemas.SystemList
	f.call("GET", "/v1/systems", viewerToken, "").decode(t, 200, &list)
	var one schemas.System
	f.call("GET", "/v1/systems/corp-ldap", viewerToken, "").decode(t, 200, &one)
	if len(list.Systems) != 1 || list.Systems[0].Enforcement != one.Enforcement || one.Enforcement.By != "token:root" || len(one.History) != 1 || one.Check == nil {
		t.Errorf("%+v\n%+v", list, one)
	}
}

func TestAnOperatorWithdrawsAndAnAdminGrants(t *testing.T) {
	f := newFixture(t)
	for _, token := range []string{operatorToken, approverToken, adminToken} {
		if a := f.call("PUT", permission, token, `{"permission":"not_granted","reason":"incident 4711"}`); a.StatusCode != 200 {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
	}
	for _, token := range []string{operatorToken, approverToken} {
		p := f.call("PUT", permission, token, `{"permission":"granted"}`).want(t, 403, "role_too_low")
		if !strings.Contains(p.Detail, "role admin for granting") {
			t.Errorf("detail %q", p.Detail)
		}
	}
	f.call("PUT", permission, adminToken, `{"permission":"granted","reason":"CHG0042"}`).decode(t, 200, &schemas.System{})
	f.call("DELETE", permission+"?reason=over", adminToken, "").decode(t, 200, &schemas.System{})
	want := []string{"permit corp-ldap not_granted token:ops incident 4711", "permit corp-ldap not_granted token:lead incident 4711",
		"permit corp-ldap not_granted token:root incident 4711", "permit corp-ldap granted token:root CHG0042", "permit corp-ldap configured token:root over"}
	if !slices.Equal(f.portal.did, want) {
		t.Errorf("did %q", f.portal.did)
	}
	if n := strings.Count(f.log.String(), `"message":"request"`); n < 5 { // five changes and two refusals
		t.Errorf("the log has %d lines: %s", n, f.log)
	}
}

func TestBadDecisionsAreRefusedAndChangeNothing(t *testing.T) {
	long := strings.Repeat("x", schemas.MaxReason+1)
	for _, c := range []struct {
		method, target, body string
		status               int
		problem, where       string // a pointer, or the name of a parameter
	}{
		{"PUT", "/v1/systems/nowhere/enforcement", `{"permission":"granted"}`, 404, "unknown_system", ""},
		{"PUT", "/v1/systems/CORP/enforcement", `{"permission":"granted"}`, 404, "unknown_system", ""},
		{"PUT", permission + "/", `{"permission":"granted"}`, 404, "unknown_path", ""},
		{"POST", permission, `{"permission":"granted"}`, 405, "method_not_allowed", ""},
		{"PUT", permission, ``, 400, "bad_json", ""},
		{"PUT", permission, `{"permission":"granted"}{}`, 400, "bad_json", ""},
		{"PUT", permission, `{"permission":"granted","permission":"not_granted"}`, 400, "bad_json", "/permission"},
		{"PUT", permission, `null`, 422, "invalid_request", "/permission"},
		{"PUT", permission, `{}`, 422, "invalid_request", "/permission"},
		{"PUT", permission, `{"permission":"GRANTED"}`, 422, "invalid_request", "/permission"},
		{"PUT", permission, `{"permission":true}`, 422, "invalid_request", "/permission"},
		{"PUT", permission, `{"permission":"configured"}`, 422, "invalid_request", "/permission"},
		{"PUT", permission, `{"permission":"granted","until":"noon"}`, 422, "invalid_request", "/until"},
		{"PUT", permission, `{"permission":"granted","reason":"` + long + `"}`, 422, "invalid_request", "/reason"},
		{"PUT", permission, `{"permission":"granted","reason":"two\nlines"}`, 422, "invalid_request", "/reason"},
		{"PUT", permission, `{"permission":"granted","reason":"\u202egnp"}`, 422, "invalid_request", "/reason"},
		{"PUT", permission + "?force=1", `{"permission":"granted"}`, 422, "invalid_query", "force"},
		{"DELETE", "/v1/systems/nowhere/enforcement", "", 404, "unknown_system", ""},
		{"DELETE", permission + "?reason=" + long, "", 422, "invalid_query", "reason"},
		{"DELETE", permission + "?why=x", "", 422, "invalid_query", "why"},
		{"POST", "/v1/systems/nowhere/check", "", 404, "unknown_system", ""},
		{"POST", "/v1/systems/corp-ldap/check?deep=1", "", 422, "invalid_query", "deep"},
		{"GET", "/v1/systems/nowhere", "", 404, "unknown_system", ""},
		{"GET", "/v1/systems?kind=x", "", 422, "invalid_query", "kind"},
		{"GET", "/v1/accounts", "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=", "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=a&q=b", "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=a%00b", "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=%ff", "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=%20jdoe", "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=" + strings.Repeat("a", schemas.MaxAccountBytes+1), "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=S-1-5-x", "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=A%5CB%5CC", "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=jdoe&type=sid", "", 422, "invalid_query", "q"},
		{"GET", "/v1/accounts?q=jdoe&type=password", "", 422, "invalid_query", "type"},
		{"GET", "/v1/accounts?q=jdoe&system=corp-ldap", "", 422, "invalid_query", "system"},
	} {
		f := newFixture(t)
		name := c.method + " " + c.target[:min(len(c.target), 60)] + " " + c.body[:min(len(c.body), 60)]
		p := f.call(c.method, c.target, adminToken, c.body).want(t, c.status, c.problem)
		switch {
		case c.where == "" && len(p.Errors) > 0 && p.Errors[0].Pointer+p.Errors[0].Parameter != "":
			t.Errorf("%s: %+v", name, p.Errors)
		case c.where != "" && (len(p.Errors) == 0 || p.Errors[0].Pointer+p.Errors[0].Parameter != c.where || p.Errors[0].Detail == ""):
			t.Errorf("%s: %+v, want %s", name, p.Errors, c.where)
		}
		if len(f.portal.did) != 0 {
			t.Errorf("%s did %q", name, f.portal.did)
		}
	}
}

func TestAccountsAreReadByTheirRuleOrByTheTypeGiven(t *testing.T) {
	for query, want := range map[string]string{
		"q=jdoe":                                 "look user_name jdoe",
		"q=jdoe%40example.com":                   "look login_or_email jdoe@example.com",
		"q=" + url.QueryEscape(`EXAMPLE\asmith`): "look down_level_logon_name EXAMPLE\\asmith",
		"q=s-1-5-21-1-2-3-4":                     "look sid S-1-5-21-1-2-3-4",
		"q=jdoe%40example.com&type=email":        "look email jdoe@example.com",
		"q=00u1abcd&type=object_id":              "look object_id 00u1abcd",
		"q=%7B5D0EE6C4-1111-2222-3333-444455556666%7D&type=object_id": "look object_id 5d0ee6c4-1111-2222-3333-444455556666",
	} {
		f := newFixture(t)
		var got schemas.AccountReport
		f.call("GET", "/v1/accounts?"+query, operatorToken, "").decode(t, 200, &got)
		if !slices.Equal(f.portal.did, []string{want}) || len(got.Systems) != 2 || got.Systems[0].Profile == nil || !got.Systems[0].Profile.Protected {
			t.Errorf("%s: %q, %+v", query, f.portal.did, got)
		}
	}
}

func TestFailuresBehindSystemsTellNothing(t *testing.T) {
	const planted = "Winter2026!planted"
	for _, c := range []struct{ method, target, body string }{
		{"GET", "/v1/systems", ""}, {"GET", "/v1/systems/corp-ldap", ""}, {"POST", "/v1/systems/corp-ldap/check", ""},
		{"PUT", permission, `{"permission":"granted"}`}, {"DELETE", permission, ""}, {"GET", "/v1/accounts?q=jdoe", ""},
	} {
		f := newFixture(t)
		f.portal.fail = errors.New("dsn has " + planted)
		a := f.call(c.method, c.target, adminToken, c.body)
		a.want(t, 500, "internal")
		if strings.Contains(a.body, planted) {
			t.Errorf("%s %s: %s", c.method, c.target, a.body)
		}
		if c.method == "POST" || strings.HasPrefix(c.target, "/v1/accounts") {
			continue // these do not ask the ledger
		}
		f.portal.fail = fmt.Errorf("ledger: %w", schemas.ErrOverloaded)
		f.call(c.method, c.target, adminToken, c.body).want(t, http.StatusServiceUnavailable, "overloaded")
	}
}

func TestOneTokenCannotAskTheSystemsWithoutEnd(t *testing.T) {
	now := clock
	f := newFixture(t, func(d *handlers.Deps) { d.Now = func() time.Time { return now } })
	for range 19 {
		f.call("GET", "/v1/accounts?q=jdoe", operatorToken, "").decode(t, 200, &schemas.AccountReport{})
	}
	f.call("POST", "/v1/systems/corp-ldap/check", operatorToken, "").decode(t, 200, &schemas.Check{})
	for range 3 {
		a := f.call("GET", "/v1/accounts?q=jdoe", operatorToken, "")
		a.want(t, 429, "too_many_looks")
		if a.Header.Get("Retry-After") != "1" {
			t.Fatalf("Retry-After %q", a.Header.Get("Retry-After"))
		}
		f.call("POST", "/v1/systems/corp-ldap/check", operatorToken, "").want(t, 429, "too_many_looks")
	}
	f.call("GET", "/v1/accounts?q=jdoe", adminToken, "").decode(t, 200, &schemas.AccountReport{}) // others are not held up
	f.call("GET", "/v1/systems", operatorToken, "").decode(t, 200, &schemas.SystemList{})
	now = now.Add(500 * time.Millisecond)
	f.call("GET", "/v1/accounts?q=jdoe", operatorToken, "").decode(t, 200, &schemas.AccountReport{})
	f.call("GET", "/v1/accounts?q=jdoe", operatorToken, "").want(t, 429, "too_many_looks")
	if n := len(f.portal.did); n != 22 {
		t.Errorf("%d calls came through", n)
	}
}
