package handlers_test

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/schemas"
)

func TestOperatorSubmitsOneRequest(t *testing.T) {
	f := newFixture(t, func(d *handlers.Deps) { d.NewID = func() string { return "fresh" } })
	var got accepted
	f.call("POST", "/v1/tasks", operatorToken, `{"account":"jdoe@example.com","systems":["corp-ldap"]}`).decode(t, 202, &got)
	s := f.tasks.submissions()
	if len(got.Tasks) != 1 || len(s) != 1 || s[0].Source != "api" || s[0].Key != "fresh" || s[0].Actor != "token:ops" {
		t.Fatalf("%+v %+v", got, s)
	}
}

func TestOperatorsIdempotencyKeyIsUsed(t *testing.T) {
	f := newFixture(t)
	var bodies []string
	for range 2 {
		r := httptest.NewRequest("POST", "/v1/tasks", strings.NewReader(good))
		r.Header.Set("Authorization", "Bearer "+operatorToken)
		r.Header.Set("Idempotency-Key", "case-4711")
		bodies = append(bodies, f.do(r).body)
	}
	if s := f.tasks.submissions(); len(s) != 1 || s[0].Key != "case-4711" || bodies[0] != bodies[1] {
		t.Fatalf("%+v %q", s, bodies)
	}
}

func TestOperatorsBadRequestIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, body string
		key        []string
		status     int
		problem    string
		field      schemas.FieldError
	}{
		{"unknown system", `{"account":"a","systems":["nowhere"]}`, nil, 422, "unknown_system", schemas.FieldError{Pointer: "/systems/0"}},
		{"unknown field", `{"account":"a","x":1}`, nil, 422, "invalid_request", schemas.FieldError{Pointer: "/x"}},
		{"bad account", `{"account":""}`, nil, 422, "invalid_request", schemas.FieldError{Pointer: "/account"}},
		{"a list", `[{"account":"a"}]`, nil, 422, "invalid_request", schemas.FieldError{}},
		{"a delivery", native(good), nil, 422, "invalid_request", schemas.FieldError{Pointer: "/type"}},
		{"broken", `{`, nil, 400, "bad_json", schemas.FieldError{}},
		{"two keys", good, []string{"a", "b"}, 422, "invalid_request", schemas.FieldError{Parameter: "Idempotency-Key"}},
		{"empty key", good, []string{""}, 422, "invalid_request", schemas.FieldError{Parameter: "Idempotency-Key"}},
		{"key with a full stop", good, []string{"a.b"}, 422, "invalid_request", schemas.FieldError{Parameter: "Idempotency-Key"}},
		{"key too long", good, []string{strings.Repeat("a", 129)}, 422, "invalid_request", schemas.FieldError{Parameter: "Idempotency-Key"}},
	} {
		f := newFixture(t)
		r := httptest.NewRequest("POST", "/v1/tasks", strings.NewReader(c.body))
		r.Header.Set("Authorization", "Bearer "+operatorToken)
		if c.key != nil {
			r.Header["Idempotency-Key"] = c.key
		}
		p := f.do(r).want(t, c.status, c.problem)
		if len(p.Errors) != 1 || p.Errors[0].Pointer != c.field.Pointer || p.Errors[0].Parameter != c.field.Parameter {
			t.Errorf("%s: %+v", c.name, p.Errors)
		}
		if len(f.tasks.submissions()) != 0 {
			t.Errorf("%s: something was submitted", c.name)
		}
	}
}

func TestSearchAsksForWhatTheQuerySays(t *testing.T) {
	f := newFixture(t)
	var page schemas.TaskPage
	f.call("GET", "/v1/tasks?q=Doe%40example&status=successful&system=corp-ldap&source=soar&from=2026-11-01T00:00:00Z&to=2026-11-22T08:00:00%2B01:00&cursor=djE6&limit=500",
		viewerToken, "").decode(t, 200, &page)
	want := schemas.TaskQuery{Q: "Doe@example", Status: schemas.StatusSuccessful, System: "corp-ldap", Source: "soar",
		From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), To: clock, Cursor: "djE6", Limit: 500}
	got := f.history.asked
	if !got.From.Equal(want.From) || !got.To.Equal(want.To) {
		t.Fatalf("%+v", got)
	}
	got.From, got.To = want.From, want.To
	if got != want || len(page.Tasks) != 1 || page.Next == "" {
		t.Fatalf("%+v %+v", got, page)
	}
}

func TestEverythingWrongWithAQueryIsNamed(t *testing.T) {
	for query, params := range map[string]string{
		"status=done":                         "status",
		"status=queued&status=successful":     "status",
		"from=yesterday&to=2026-11-22":        "from to",
		"limit=0":                             "limit",
		"limit=501":                           "limit",
		"limit=1e2":                           "limit",
		"limit=%2B5":                          "limit",
		"limit=-1":                            "limit",
		"q=" + strings.Repeat("a", 1025):      "q",
		"q=" + url.QueryEscape("a\u202eb"):    "q",
		"q=%00":                               "q",
		"q=%ff":                               "q",
		"system=Corp&source=%2e%2e":           "system source",
		"stauts=queued":                       "stauts",
		"account=a&user=b&limit=0":            "account user limit",
		"cursor=" + strings.Repeat("a", 1000): "cursor",
		"cursor=forged":                       "cursor",
		"q=%zz":                               "",
		"q=a;status=queued":                   "",
	} {
		f := newFixture(t)
		p := f.call("GET", "/v1/tasks?"+query, viewerToken, "").want(t, 422, "invalid_query")
		var got []string
		for _, e := range p.Errors {
			got = append(got, e.Parameter)
			if e.Pointer != "" || e.Detail == "" {
				t.Errorf("%s: %+v", query, e)
			}
		}
		if strings.Join(got, " ") != params {
			t.Errorf("%s: named %q, want %q", query, got, params)
		}
	}
}

func TestDeceptiveParameterNameIsNotRepeated(t *testing.T) {
	f := newFixture(t)
	a := f.call("GET", "/v1/tasks?"+url.QueryEscape("x\u202ey")+"=1", viewerToken, "")
	a.want(t, 422, "invalid_query")
	if strings.Contains(a.body, "\u202e") || strings.Contains(a.body, "202e") {
		t.Fatal(a.body)
	}
}

func TestCallsWithoutParametersTakeNone(t *testing.T) {
	f := newFixture(t)
	f.call("GET", "/v1/tasks/known/events?limit=3", viewerToken, "").want(t, 422, "invalid_query")
	f.call("GET", "/v1/tasks/known?limit=3", viewerToken, "").want(t, 422, "invalid_query")
}

func TestTaskAndItsHistoryAreShown(t *testing.T) {
	f := newFixture(t)
	var task schemas.Task
	f.call("GET", "/v1/tasks/known", viewerToken, "").decode(t, 200, &task)
	if task.Status != schemas.StatusInProgress {
		t.Fatalf("%+v", task)
	}
	var history struct{ Events []schemas.Event }
	f.call("GET", "/v1/tasks/known/events", viewerToken, "").decode(t, 200, &history)
	if len(history.Events) != 2 {
		t.Fatalf("%+v", history)
	}
}

func TestUnknownIDsAreNotFound(t *testing.T) {
	f := newFixture(t)
	for _, target := range []string{"/v1/tasks/other", "/v1/tasks/other?wait=1s", "/v1/tasks/" + strings.Repeat("a", 65),
		"/v1/tasks/%27%20or%201=1", "/v1/tasks/..", "/v1/tasks/%00", "/v1/tasks/other/events"} {
		a := f.call("GET", target, viewerToken, "")
		a.want(t, 404, "not_found")
		if p := a.problem(t); !strings.Contains(p.Title, "task") {
			t.Errorf("%s: the title is %q", target, p.Title)
		}
	}
	a := f.call("POST", "/v1/callbacks/other/redeliver", operatorToken, "")
	a.want(t, 404, "not_found")
	if p := a.problem(t); !strings.Contains(p.Title, "callback") {
		t.Errorf("the title is %q", p.Title)
	}
}

func TestWaitingEndsWithTheTime(t *testing.T) {
	f := newFixture(t)
	began := time.Now()
	var task schemas.Task
	f.call("GET", "/v1/tasks/known?wait=200ms", viewerToken, "").decode(t, 200, &task)
	if took := time.Since(began); took < 200*time.Millisecond || took > 10*time.Second || task.Status != schemas.StatusInProgress {
		t.Fatalf("%s after %s", task.Status, took)
	}
}

func TestWaitIsBounded(t *testing.T) {
	f := newFixture(t)
	for _, wait := range []string{"61s", "1h", "-1s", "30", "soon", "1s1"} {
		p := f.call("GET", "/v1/tasks/known?wait="+wait, viewerToken, "").want(t, 422, "invalid_query")
		if len(p.Errors) != 1 || p.Errors[0].Parameter != "wait" {
			t.Errorf("%s: %+v", wait, p.Errors)
		}
	}
}

func TestDecisionsBearTheNameOfTheToken(t *testing.T) {
	f := newFixture(t)
	f.call("POST", "/v1/tasks/known/cancel", operatorToken, "")
	f.call("POST", "/v1/tasks/known/retry", adminToken, "")
	if got := strings.Join(f.tasks.did, ", "); got != "cancel known token:ops, retry known token:root" {
		t.Fatal(got)
	}
	f.tasks.fail = schemas.ErrState
	f.call("POST", "/v1/tasks/known/cancel", operatorToken, "").want(t, 409, "wrong_state")
}

func TestCallbacksAreListedAndRedelivered(t *testing.T) {
	f := newFixture(t)
	var page schemas.CallbackPage
	f.call("GET", "/v1/callbacks?state=dead&task=0193&cursor=djE6&limit=7", viewerToken, "").decode(t, 200, &page)
	if want := (schemas.CallbackQuery{State: "dead", TaskID: "0193", Cursor: "djE6", Limit: 7}); f.callbacks.asked != want || len(page.Callbacks) != 1 {
		t.Fatalf("%+v %+v", f.callbacks.asked, page)
	}
	f.call("GET", "/v1/callbacks?state=lost", viewerToken, "").want(t, 422, "invalid_query")
	var cb schemas.Callback
	f.call("POST", "/v1/callbacks/known/redeliver", operatorToken, "").decode(t, 202, &cb)
	if cb.ID != "known" || len(f.callbacks.again) != 1 {
		t.Fatalf("%+v", cb)
	}
	f.call("POST", "/v1/callbacks/busy/redeliver", operatorToken, "").want(t, 409, "wrong_state")
}
