package callback

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
	"github.com/resetd/resetd/schemas/signature"
)

func TestACloudEventIsSignedAndSaysItsType(t *testing.T) {
	r := newReceiver(t, nil)
	o := lab(r.ca, r.URL)
	s := o.Sources[source]
	s.Format.Format = receiver.CloudEvents
	o.Sources[source], o.PublicURL = s, "https://resetd.example.com/"
	a, _ := post(t, mustNew(t, o), r.URL+"/in")
	wantDelivered(t, a)
	got := r.all()[0]
	if got.request.Header.Get("Content-Type") != "application/cloudevents+json" {
		t.Errorf("Content-Type is %s", got.request.Header.Get("Content-Type"))
	}
	v, err := signature.NewVerifier(s.Keys, signature.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.Verify(got.request.Header, got.body, time.Now()); err != nil {
		t.Error(err)
	}
	var event map[string]any
	if err := json.Unmarshal(got.body, &event); err != nil {
		t.Fatal(err)
	}
	if event["specversion"] != "1.0" || event["id"] != messageID || event["source"] != "https://resetd.example.com/v1/hooks/soar" || bytes.Contains(got.body, []byte("sealed-password")) {
		t.Errorf("got %s", got.body)
	}
}

// note is a template of two requests, on a server of one's own.
func note(change ...func(*receiver.Spec)) receiver.Spec {
	s := receiver.Spec{Format: receiver.Custom, Template: receiver.Template{Requests: []receiver.Request{
		{Name: "note", URL: "/notes/{task_id}?from={source}", Headers: map[string]string{"X-Event": "{event_id}"}, Body: receiver.Tree{Value: map[string]any{"text": "{details}"}}},
		{Name: "close", Method: "PUT", URL: "/state", When: []string{"successful"}, Body: receiver.Tree{Value: map[string]any{"state": "{status}"}}},
	}}}
	for _, c := range change {
		c(&s)
	}
	return s
}

func TestACustomTemplateIsSentBelowItsBaseAndSignedIfThereIsAKey(t *testing.T) {
	r := newReceiver(t, nil)
	key := signature.GenerateSymmetric()
	for name, keys := range map[string][]signature.Key{"without a key": nil, "with a key": {key}} {
		o := lab(r.ca)
		o.Sources[source] = Source{URL: r.URL + "/api/v1/", Keys: keys, Format: note(func(s *receiver.Spec) {
			s.Auth = receiver.Auth{Scheme: "header", Header: "X-Api-Key", Secret: schemas.NewSecret("s3cret")}
		})}
		before := len(r.all())
		a, _ := post(t, mustNew(t, o), r.URL)
		wantDelivered(t, a)
		got := r.all()[before:]
		if len(got) != 2 {
			t.Fatalf("%s: %d requests", name, len(got))
		}
		one, two := got[0].request, got[1].request
		if one.Method != "POST" || one.URL.RequestURI() != "/api/v1/notes/"+told.ID+"?from=soar" || two.Method != "PUT" || two.URL.RequestURI() != "/api/v1/state" ||
			one.Header.Get("X-Event") != messageID || two.Header.Get("X-Api-Key") != "s3cret" || one.Header.Get("User-Agent") != "resetd/1.2.3" {
			t.Errorf("%s: %s %s, %s %s, %v", name, one.Method, one.URL.RequestURI(), two.Method, two.URL.RequestURI(), one.Header)
		}
		if keys == nil {
			if one.Header.Get(signature.HeaderSignature) != "" {
				t.Errorf("%s: signed with what?", name)
			}
			continue
		}
		v, err := signature.NewVerifier(keys, signature.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, suffix := range []string{"_note", "_close"} {
			if _, err := v.Verify(got[i].request.Header, got[i].body, time.Now()); err != nil || got[i].request.Header.Get(signature.HeaderID) != messageID+suffix {
				t.Errorf("%s: %s: %v", name, got[i].request.Header.Get(signature.HeaderID), err)
			}
		}
	}
}

func TestATemplateGoesToItsConfiguredPlaceAlone(t *testing.T) {
	o := lab("")
	o.Sources[source] = Source{URL: "https://tool.example.com/tenant-secret", Format: note()}
	p := mustNew(t, o)
	plan, err := p.Plan(source, &schemas.CallbackRequest{Events: []string{"in_progress"}}, []string{"final"})
	if err != nil || plan.URL != "https://tool.example.com" || !slices.Equal(plan.Events, []string{"in_progress"}) {
		t.Errorf("got %+v, %v", plan, err)
	}
	for _, url := range []string{"https://evil.example.com/", "https://tool.example.com/tenant-secret"} {
		if plan, err := p.Plan(source, &schemas.CallbackRequest{URL: url}, nil); !errors.Is(err, schemas.ErrForbidden) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %+v, %v", url, plan, err)
		}
	}
	for _, url := range []string{"https://evil.example.com", "https://tool.example.com:8443", "http://tool.example.com", "not a url"} {
		a, _ := post(t, p, url)
		wantClass(t, a, ClassNotAllowed)
		if strings.Contains(a.Detail, "tenant-secret") {
			t.Errorf("the path is shown: %s", a.Detail)
		}
	}
}

func TestNothingIsSentWhereAStatusNeedsNothing(t *testing.T) {
	r := newReceiver(t, nil)
	o := lab(r.ca)
	o.Sources[source] = Source{URL: r.URL, Format: note(func(s *receiver.Spec) { s.Template.Requests = s.Template.Requests[1:] })}
	task := told
	task.Status = schemas.StatusUnsuccessful
	a, _ := mustNew(t, o).Post(t.Context(), owed(r.URL), task)
	if a.Error != "" || r.connections() != 0 {
		t.Errorf("got %+v", a)
	}
}

func TestCheckFormatNamesFaultsByTheirPaths(t *testing.T) {
	hidden := func(s string) receiver.Auth {
		return receiver.Auth{Secret: schemas.NewSecret(s)}
	}
	base := "https://acme.atlassian.net"
	for name, c := range map[string]struct {
		s    Source
		want string
	}{
		"standard":                        {Source{URL: base}, ""},
		"jira":                            {Source{URL: base, Format: receiver.Spec{Format: "jira", Auth: basic("u", "s3cret")}}, ""},
		"jira with a list, without a URL": {Source{Allow: []string{base}, Format: receiver.Spec{Format: "jira", Auth: basic("u", "s3cret")}}, "allow url"},
		"jira with a query":               {Source{URL: base + "/?x=1", Format: receiver.Spec{Format: "jira", Auth: basic("u", "s3cret")}}, "url"},
		"jira without all":                {Source{URL: base, Allow: []string{base}, Format: receiver.Spec{Format: "jira"}}, "auth.secret allow"},
		"slack with a URL":                {Source{URL: base, Format: receiver.Spec{Format: "slack", Auth: hidden("https://hooks.slack.com/services/s3cret")}}, "url"},
		"slack with a token":              {Source{Format: receiver.Spec{Format: "slack", Auth: hidden("xoxb-s3cret")}}, "auth.secret"},
		"slack with a user in the URL":    {Source{Format: receiver.Spec{Format: "slack", Auth: hidden("https://s3cret@hooks.slack.com/")}}, "auth.secret"},
		"paths below a signed URL": {Source{Format: note(func(s *receiver.Spec) {
			s.Auth = receiver.Auth{Scheme: "url", Secret: schemas.NewSecret("https://a.example/?sig=s3cret")}
		})}, "auth.secret"},
		"an unknown one": {Source{URL: base, Format: receiver.Spec{Format: "jyra"}}, "format"},
	} {
		var got []string
		faults := CheckFormat(c.s)
		for _, f := range faults {
			got = append(got, f.Path)
		}
		if strings.Join(got, " ") != c.want || strings.Contains(faults.Error(), "s3cret") {
			t.Errorf("%s: %v", name, faults)
		}
		_, err := New(Options{Sources: map[string]Source{source: {URL: c.s.URL, Allow: c.s.Allow, Format: c.s.Format, Keys: []signature.Key{signature.GenerateSymmetric()}}}})
		if (err == nil) != (c.want == "") || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: New says %v", name, err)
		}
	}
	for name, s := range map[string]Source{
		"plain http":                    {URL: "http://tool.example.com", Format: note()},
		"a public key":                  {URL: base, Format: note(), Keys: []signature.Key{{}}},
		"a URL that no one reads alike": {URL: "https://tool.example.com/a/../b", Format: note()},
		"plain http in the secret":      {Format: receiver.Spec{Format: "slack", Auth: hidden("http://hooks.slack.com/s3cret")}},
	} {
		if _, err := New(Options{Sources: map[string]Source{source: s}}); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if infos, err := Formats(); err != nil || len(infos) < 10 {
		t.Errorf("%d formats, %v", len(infos), err)
	}
}

// A reference that is allowed by the template and would lead elsewhere stays below the base.
func TestNoReferenceLeadsOutOfTheBase(t *testing.T) {
	r := newReceiver(t, nil)
	o := lab(r.ca)
	o.Sources[source] = Source{URL: r.URL + "/api", Format: note(func(s *receiver.Spec) {
		s.Template.Reference = ".*"
		s.Template.Requests = []receiver.Request{{Name: "note", URL: "/n/{reference}/x?q={reference}"}}
	})}
	p := mustNew(t, o)
	for _, ref := range []string{"..", ".", "../..", `..\..`, "%2e%2e", "..;", "..;/x", "a/b", "a%2fb", "", "//evil.example", "a\r\nX: 1", "x\x00", "..%c0%af", "?", "#", "@evil.example", "a b", "é", ":8443", "a&b=c"} {
		task := told
		task.Request.Reference = ref
		a, _ := p.Post(t.Context(), owed(r.URL), task)
		if a.Error != "" && a.Error != ClassNoReference {
			t.Errorf("%q: %+v", ref, a)
		}
	}
	for _, got := range r.all() {
		segments := strings.Split(got.request.URL.EscapedPath(), "/")
		if len(segments) != 5 || segments[1] != "api" || segments[2] != "n" || segments[4] != "x" || len(got.request.URL.Query()) != 1 {
			t.Errorf("%s left its place", got.request.URL.RequestURI())
		}
	}
	if len(r.all()) < 3 {
		t.Errorf("only %d references were taken", len(r.all()))
	}
}

// The verdict waits for the whole answer, and for no more of it than makes sense.
func TestAVerdictNeedsTheWholeAnswer(t *testing.T) {
	expecting := note(func(s *receiver.Spec) {
		s.Template.Requests = []receiver.Request{{Name: "note", Body: receiver.Tree{Value: "x"}, Expect: receiver.Tree{Value: map[string]any{"ok": true}}}}
	})
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		class  string
	}{
		"whole": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"ok":true}`)) }, ""},
		"after a while": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"ok":`))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(maxDrain + 100*time.Millisecond)
			_, _ = w.Write([]byte(`true}`))
		}, ""},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(`{"ok":true`))
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, ClassConnect},
		"endless": {func(w http.ResponseWriter, req *http.Request) {
			for req.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}, ClassAnswer},
		"never": {func(w http.ResponseWriter, req *http.Request) {
			_, _ = w.Write([]byte(`{"ok":true`))
			_ = http.NewResponseController(w).Flush()
			<-req.Context().Done()
		}, ClassTimeout},
	} {
		r := newReceiver(t, c.answer)
		o := lab(r.ca)
		o.Timeout = 3 * time.Second
		o.Sources[source] = Source{URL: r.URL, Format: expecting}
		a, _ := post(t, mustNew(t, o), r.URL)
		if a.Error != c.class {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

func TestRequestsOfATemplateShareTheTimeOfOneAttempt(t *testing.T) {
	r := newReceiver(t, func(w http.ResponseWriter, req *http.Request) {
		if strings.HasSuffix(req.URL.Path, "/state") {
			<-req.Context().Done()
		}
	})
	o := lab(r.ca)
	o.Timeout = 500 * time.Millisecond
	o.Sources[source] = Source{URL: r.URL, Format: note()}
	began := time.Now()
	a, _ := post(t, mustNew(t, o), r.URL)
	wantClass(t, a, ClassTimeout)
	if took := time.Since(began); took > 5*time.Second || fmt.Sprint(a.Done) != "[note]" || !strings.HasPrefix(a.Detail, "the request close: ") {
		t.Errorf("%s, %+v", took, a)
	}
}
