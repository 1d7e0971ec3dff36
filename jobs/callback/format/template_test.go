package format

import (
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
)

// one makes the only request of a custom format.
func one(t *testing.T, s receiver.Spec, e Event) Request {
	t.Helper()
	f, faults := New(s)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	all := requests(t, f, e, nil)
	if len(all) != 1 {
		t.Fatalf("%d requests", len(all))
	}
	return all[0]
}

func TestATreeKeepsTypesAndLeavesOutWhatHasNoValue(t *testing.T) {
	body := map[string]any{
		"text": "{{literal}} {account} is {status_text}", "version": "{version}", "text_version": "v{version}", "dry": "{dry_run}", "final": "{final}",
		"time": "{time_unix}", "at": "{time}", "systems": "{systems}", "in_text": "on {systems}", "set": "{param:set}", "code": "{code}",
		"gone": "{param:gone_too}", "list": []any{"{description}", "{code}", map[string]any{"{each result}": map[string]any{"{nokey": "x"}}},
		"empty": map[string]any{"in": "{code}"}, "null": nil, "yes": true, "n": int64(3), "blank": "",
	}
	delete(body, "gone")
	body["list"] = []any{"{description}", "{code}", map[string]any{"{each result}": map[string]any{"s": "{system}", "c": "{result_code}", "t": "{result_status}"}}}
	e := sampleEvent()
	e.Task.Code, e.Task.Enforcements[1].Code = "", ""
	r := one(t, custom(receiver.Request{Body: receiver.Tree{Value: body}}, func(s *receiver.Spec) { s.Params = map[string]string{"set": "a{b}"} }), e)
	var got any
	if err := json.Unmarshal(r.Body, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"text": "{literal} jdoe@example.com is partially successful", "version": 5.0, "text_version": "v5", "dry": false, "final": true,
		"time": 1795330800.25, "at": "2026-11-22T07:00:00.25Z", "systems": []any{"corp-ad", "entra"}, "in_text": "on corp-ad, entra", "set": "a{b}",
		"list":  []any{"Credential phish, case 4711", map[string]any{"s": "corp-ad", "c": "ok", "t": "successful"}, map[string]any{"s": "entra", "t": "unsuccessful"}},
		"empty": map[string]any{}, "null": nil, "yes": true, "n": 3.0, "blank": "",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%v, want\n%v", got, want)
	}
}

func TestAnAddressHoldsValuesWithinTheirPlace(t *testing.T) {
	form := func(s *receiver.Spec) {
		s.Template.Reference, s.Params = `.*`, map[string]string{"p": "a b&c=d/é"}
	}
	for reference, want := range map[string]string{
		"SEC-1":       "/t/SEC-1/n?x=SEC-1&p=a+b%26c%3Dd%2F%C3%A9&s=soar",
		"a b":         "/t/a%20b/n?x=a+b&p=a+b%26c%3Dd%2F%C3%A9&s=soar",
		"a?b#c&d":     "/t/a%3Fb%23c&d/n?x=a%3Fb%23c%26d&p=a+b%26c%3Dd%2F%C3%A9&s=soar",
		"..":          "",
		".":           "",
		"../admin":    "",
		`..\admin`:    "",
		"a%2fb":       "",
		"a;b":         "",
		"":            "",
		"a\nHost: x":  "",
		"a\u202eb":    "",
		"..%2f..%2fx": "",
	} {
		f, faults := New(custom(receiver.Request{URL: "/t/{reference}/n?x={reference}&p={param:p}&s={source}"}, form))
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		e := sampleEvent()
		e.Task.Request.Reference = reference
		talk, err := f.Talk(e)
		if err != nil {
			if want != "" {
				t.Errorf("%q: %v", reference, err)
			}
			continue
		}
		r, err := talk.Request("note")
		_, unaddressed := errors.AsType[*Unaddressed](err)
		if want == "" && !unaddressed || want != "" && (err != nil || r.Address != want) {
			t.Errorf("%q: %s, %v; want %s", reference, r.Address, err, want)
		}
	}
}

func TestHeadersHoldParamsAndNothingOfStrangers(t *testing.T) {
	s := custom(receiver.Request{Headers: map[string]string{"X-Param": "p={param:p}", "X-Task": "{task_id}/{event_id}/{status}"}},
		func(s *receiver.Spec) { s.Params = map[string]string{"p": "v"} })
	r := one(t, s, sampleEvent())
	if r.Header.Get("X-Param") != "p=v" || r.Header.Get("X-Task") != sample().ID+"/"+eventID+"/partially_successful" {
		t.Errorf("got %v", r.Header)
	}
	if r.Header.Get("Content-Type") != "" || r.Body != nil {
		t.Errorf("a body of %s %q", r.Header.Get("Content-Type"), r.Body)
	}
}

func TestEveryLogInSetsItsHeaderAndIsShownNowhere(t *testing.T) {
	const hidden = "s3cret-of-the-receiver"
	for name, c := range map[string]struct {
		auth   receiver.Auth
		header string
		want   string
	}{
		"none":   {receiver.Auth{}, "Authorization", ""},
		"bearer": {receiver.Auth{Scheme: "bearer", Secret: secret(hidden)}, "Authorization", "Bearer " + hidden},
		"basic":  {receiver.Auth{Scheme: "basic", User: "ü", Secret: secret("pässwörd:x")}, "Authorization", "Basic w7w6cMOkc3N3w7ZyZDp4"},
		"header": {receiver.Auth{Scheme: "header", Header: "x-api-key", Prefix: "Key ", Secret: secret(hidden)}, "X-Api-Key", "Key " + hidden},
		"url":    {receiver.Auth{Scheme: "url", Secret: secret("https://x.example/" + hidden)}, "Authorization", ""},
	} {
		f, faults := New(custom(receiver.Request{}, func(s *receiver.Spec) { s.Auth = c.auth }))
		if len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
			continue
		}
		h := http.Header{}
		f.Authorize(h)
		if got := h.Get(c.header); got != c.want {
			t.Errorf("%s: %s is %q, want %q", name, c.header, got, c.want)
		}
		if _, is := f.URL(); is != (name == "url") {
			t.Errorf("%s: its secret is a URL: %v", name, is)
		}
		shown := printed(*f)
		if strings.Contains(shown, hidden) {
			t.Errorf("%s: the secret is in %s", name, shown)
		}
	}
}

func TestAnswersAreHeard(t *testing.T) {
	expecting := receiver.Request{Name: "n", Expect: receiver.Tree{Value: map[string]any{"ok": true, "meta": map[string]any{"code": int64(0)}}}}
	asking := receiver.Request{Name: "ask", Take: map[string]receiver.Take{"id": {From: "result.*.id", Form: "[0-9a-f]{4}|7"}}}
	counting := receiver.Request{Name: "ask", Take: map[string]receiver.Take{"id": {From: "id", Form: "[0-9]+"}}}
	using := receiver.Request{Name: "use", URL: "/x/{taken:id}"}
	for name, c := range map[string]struct {
		requests []receiver.Request
		body     string
		ok       bool
	}{
		"as expected, and more":               {[]receiver.Request{expecting}, `{"ok":true,"meta":{"code":0,"x":1},"y":2}`, true},
		"not ok":                              {[]receiver.Request{expecting}, `{"ok":false,"meta":{"code":0}}`, false},
		"another type":                        {[]receiver.Request{expecting}, `{"ok":"true","meta":{"code":0}}`, false},
		"another number":                      {[]receiver.Request{expecting}, `{"ok":true,"meta":{"code":4}}`, false},
		"less":                                {[]receiver.Request{expecting}, `{"ok":true}`, false},
		"a member twice":                      {[]receiver.Request{expecting}, `{"ok":false,"ok":true,"meta":{"code":0}}`, false},
		"no JSON":                             {[]receiver.Request{expecting}, `<html>`, false},
		"nothing":                             {[]receiver.Request{expecting}, ``, false},
		"any object":                          {[]receiver.Request{{Name: "n", Expect: receiver.Tree{Value: map[string]any{}}}}, `{"id":"1"}`, true},
		"no object":                           {[]receiver.Request{{Name: "n", Expect: receiver.Tree{Value: map[string]any{}}}}, `"ok"`, false},
		"an object within":                    {[]receiver.Request{{Name: "n", Expect: receiver.Tree{Value: map[string]any{"note": map[string]any{}}}}}, `{"note":{"id":"1"}}`, true},
		"no object within":                    {[]receiver.Request{{Name: "n", Expect: receiver.Tree{Value: map[string]any{"note": map[string]any{}}}}}, `{"note":null}`, false},
		"cut":                                 {[]receiver.Request{expecting}, `{"ok":true,"meta":{"co`, false},
		"one entry":                           {[]receiver.Request{asking, using}, `{"result":[{"id":"00ff"}]}`, true},
		"a number":                            {[]receiver.Request{asking, using}, `{"result":[{"id":7}]}`, true},
		"a large number":                      {[]receiver.Request{counting, using}, `{"id":9007199254740991}`, true},
		"a number that is rounded to another": {[]receiver.Request{counting, using}, `{"id":9007199254740993}`, false},
		"no entry":                            {[]receiver.Request{asking, using}, `{"result":[]}`, false},
		"two entries":                         {[]receiver.Request{asking, using}, `{"result":[{"id":"00ff"},{"id":"00fe"}]}`, false},
		"no list":                             {[]receiver.Request{asking, using}, `{"result":{"id":"00ff"}}`, false},
		"another form":                        {[]receiver.Request{asking, using}, `{"result":[{"id":"../x"}]}`, false},
		"a form and a bit":                    {[]receiver.Request{asking, using}, `{"result":[{"id":"00ff/../x"}]}`, false},
		"null":                                {[]receiver.Request{asking, using}, `{"result":[{"id":null}]}`, false},
		"a list instead of text":              {[]receiver.Request{asking, using}, `{"result":[{"id":["00ff"]}]}`, false},
	} {
		f, faults := New(receiver.Spec{Format: receiver.Custom, Template: receiver.Template{Requests: c.requests}})
		if len(faults) > 0 {
			t.Fatalf("%s: %v", name, faults)
		}
		talk, err := f.Talk(sampleEvent())
		if err != nil {
			t.Fatal(err)
		}
		r, err := talk.Request(talk.Left(nil)[0])
		if err != nil || !r.Reads {
			t.Fatalf("%s: %+v, %v", name, r, err)
		}
		fault := talk.Verdict(r, []byte(c.body))
		if (fault == "") != c.ok {
			t.Errorf("%s: %q", name, fault)
		}
		if strings.Contains(fault, "../x") {
			t.Errorf("%s: the answer is quoted in %q", name, fault)
		}
	}
}

// A word of an answer is repeated only if it is on our own list; what else an answer says may be what we sent.
func TestHintsRepeatNoWordsOfTheReceiver(t *testing.T) {
	f := mustNew(t, "slack-api", examples()["slack-api"])
	talk, err := f.Talk(sampleEvent())
	if err != nil {
		t.Fatal(err)
	}
	r, err := talk.Request("message")
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		`{"ok":false,"error":"not_in_channel"}`: "not_in_channel: invite the app to the channel",
		`{"ok":false,"error":"s3cret"}`:         "",
		`{"ok":false,"error":{"x":1}}`:          "",
		`{"ok":false}`:                          "",
		`not_in_channel`:                        "",
	} {
		if got := talk.Hint(r, 200, []byte(body)); got != want {
			t.Errorf("%s: %q", body, got)
		}
	}
	plain := mustNew(t, "slack", examples()["slack"])
	if talk, err = plain.Talk(sampleEvent()); err != nil {
		t.Fatal(err)
	}
	if r, err = talk.Request("message"); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{"no_service\n": "no_service: the webhook was removed or switched off; make another one", "s3cret": "there is no such webhook; copy its URL again", strings.Repeat("x", 1000): "there is no such webhook; copy its URL again"} {
		if got := talk.Hint(r, 404, []byte(body)); got != want {
			t.Errorf("%.20q: %q", body, got)
		}
	}
}

func TestDetailsAreCutWhereTheReceiverEnds(t *testing.T) {
	for _, markup := range []string{"plain", "html", "slack", "jira-wiki", "servicenow", "code"} {
		for _, limit := range []int{200, 201, 500, 4000} {
			s := custom(receiver.Request{Body: receiver.Tree{Value: []any{"{details}"}}}, func(s *receiver.Spec) { s.Template.Text, s.Template.Limit = markup, limit })
			for _, words := range []string{"x", strings.Repeat("&", 4000), strings.Repeat("[", 4000), strings.Repeat("é", 4000), "`"} {
				e := poisoned(words, "SEC-1")
				for range 40 {
					e.Task.Enforcements = append(e.Task.Enforcements, e.Task.Enforcements[1])
				}
				var got []string
				if err := json.Unmarshal(one(t, s, e).Body, &got); err != nil {
					t.Fatal(err)
				}
				if n := utf8.RuneCountInString(got[0]); n > limit || n < 50 {
					t.Errorf("%s, %d: %d characters", markup, limit, n)
				}
				if !strings.HasSuffix(got[0], "the task has the rest") && limit < 2000 {
					t.Errorf("%s, %d: nobody says that it was cut: %s", markup, limit, got[0])
				}
			}
		}
	}
}

func TestWordsForPeople(t *testing.T) {
	task := func(status schemas.Status, code schemas.Code, change ...func(*schemas.Task)) schemas.Task {
		out := sample()
		out.Status, out.Code, out.Detail, out.Enforcements = status, code, "", nil
		for _, c := range change {
			c(&out)
		}
		return out
	}
	for want, got := range map[string]schemas.Task{
		"resetd: password reset of jdoe@example.com: successful":                          task(schemas.StatusSuccessful, schemas.CodeOK),
		"resetd: password reset of jdoe@example.com: successful (already_in_force)":       task(schemas.StatusSuccessful, schemas.CodeAlreadyInForce),
		"resetd: password reset of jdoe@example.com: unsuccessful (account_not_found)":    task(schemas.StatusUnsuccessful, schemas.CodeAccountNotFound),
		"resetd: password reset of jdoe@example.com: waiting for approval":                task(schemas.StatusPendingApproval, ""),
		"resetd: password reset of jdoe@example.com: rejected (protected)":                task(schemas.StatusRejected, schemas.CodeProtected),
		"resetd: dry run of a password reset of jdoe@example.com: cancelled":              task(schemas.StatusCancelled, "", func(t *schemas.Task) { t.Request.DryRun = true }),
		"resetd: password reset of a b: queued":                                           task(schemas.StatusQueued, "", func(t *schemas.Task) { t.Request.Account.Value = "a\nb" }),
		"resetd: password reset of " + strings.Repeat("x", 199) + "…: queued":             task(schemas.StatusQueued, "", func(t *schemas.Task) { t.Request.Account.Value = strings.Repeat("x", 1000) }),
		"resetd: password reset of \ufffdexe.gnp: queued":                                 task(schemas.StatusQueued, "", func(t *schemas.Task) { t.Request.Account.Value = "\u202eexe.gnp" }),
		"resetd: password reset of jdoe@example.com: in progress":                         task(schemas.StatusInProgress, ""),
		"resetd: password reset of jdoe@example.com: partially successful (needs_review)": task(schemas.StatusPartiallySuccessful, schemas.CodeNeedsReview),
	} {
		if s := summary(got); s != want {
			t.Errorf("got %q, want %q", s, want)
		}
	}
	for _, s := range append(schemas.TaskStatuses(), schemas.EnforcementStatuses()...) {
		if words[s] == "" {
			t.Errorf("there are no words for %s", s)
		}
	}
	if got := result(schemas.Enforcement{Status: schemas.StatusNotFound, Code: schemas.CodeAccountNotFound}); got != "account not found" {
		t.Errorf("got %q", got)
	}
}

func TestATaskAsDataHasNoSealedPassword(t *testing.T) {
	r := one(t, custom(receiver.Request{Body: receiver.Tree{Value: map[string]any{"task": "{task}", "text": "a {task}"}}}), sampleEvent())
	var got struct {
		Task schemas.Task `json:"task"`
		Text string       `json:"text"`
	}
	if err := json.Unmarshal(r.Body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Task.ID != sample().ID || len(got.Task.Enforcements) != 2 || strings.Contains(string(r.Body), "sealed") || got.Text != "a " {
		t.Errorf("got %s", r.Body)
	}
}
