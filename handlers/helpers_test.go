package handlers_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/rs/zerolog"

	"github.com/resetd/resetd/handlers"
	"github.com/resetd/resetd/handlers/source"
	"github.com/resetd/resetd/handlers/source/verify"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// The secrets of the fixture. No answer, log line or metric may show any of them.
const (
	soarKey       = "whsec_RlKKMkrBJfOP1id3r0mGQh1eA33Z4oZwf6UT2386qcc="
	soarOldKey    = "whsec_RYonbF1S5zYDOUH2wGK2ombxsqzj64db"
	viewerToken   = "3f9c1e7ab05d4826c1f3e97b"
	operatorToken = "a81b6cd20e4f97355d7e21f09b"
	approverToken = "c09d2b7e61a8f4435be6d7109a52"
	adminToken    = "77de0ab1c2f3946585e4d3f2b1a0c9"
)

var secrets = []string{soarKey, soarOldKey, viewerToken, operatorToken, approverToken, adminToken}

// clock is when the tests take place.
var clock = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

// fixture is a face with recording stubs behind it.
type fixture struct {
	t         testing.TB
	face      *handlers.Face
	tasks     *stubTasks
	history   *stubHistory
	callbacks *stubCallbacks
	portal    *stubPortal
	log       *bytes.Buffer
	registry  *prometheus.Registry
	fast      bool // do not hold each call against openapi.yaml
}

func newFixture(t testing.TB, change ...func(*handlers.Deps)) *fixture {
	t.Helper()
	f := &fixture{t: t, tasks: newStubTasks(), history: newStubHistory(), callbacks: newStubCallbacks(), portal: newStubPortal(),
		log: &bytes.Buffer{}, registry: prometheus.NewRegistry()}
	d := f.deps()
	for _, c := range change {
		c(&d)
	}
	face, err := handlers.New(d)
	if err != nil {
		t.Fatal(err)
	}
	f.face = face
	return f
}

func (f *fixture) deps() handlers.Deps {
	validator := schemas.NewValidator()
	sources, err := source.New([]source.Config{{Name: "soar", Preset: "native", Profile: keyed(soarKey, soarOldKey)}}, validator, verify.Options{})
	if err != nil {
		f.t.Fatal(err)
	}
	tokens, err := handlers.NewTokens([]handlers.Token{
		{Name: "watch", Role: handlers.Viewer, Text: schemas.NewSecret(viewerToken)},
		{Name: "ops", Role: handlers.Operator, Text: schemas.NewSecret(operatorToken)},
		{Name: "lead", Role: handlers.Approver, Text: schemas.NewSecret(approverToken)},
		{Name: "root", Role: handlers.Admin, Text: schemas.NewSecret(adminToken)},
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return handlers.Deps{
		Tasks: f.tasks, History: f.history, Callbacks: f.callbacks, Systems: f.portal, Permissions: f.portal, Accounts: f.portal, Sources: sources, Tokens: tokens, Validator: validator,
		Ready:   func(context.Context) error { return nil },
		Metrics: promhttp.HandlerFor(f.registry, promhttp.HandlerOpts{}), Registerer: f.registry,
		PublicURL: "https://resetd.example.com/", Logger: zerolog.New(zerolog.SyncWriter(f.log)),
		Now: func() time.Time { return clock },
	}
}

// answer is what came back, with the body read whole.
type answer struct {
	*http.Response
	body string
}

// do makes one call and holds it against openapi.yaml.
func (f *fixture) do(r *http.Request) answer {
	f.t.Helper()
	body := recordBody(r)
	w := httptest.NewRecorder()
	f.face.ServeHTTP(w, r)
	res := w.Result()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	a := answer{res, string(b)}
	if !f.fast {
		loadContract(f.t).hold(f.t, r, body.Bytes(), a)
	}
	return a
}

// call calls the API with a token; an empty token sends none.
func (f *fixture) call(method, target, token, body string) answer {
	f.t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return f.do(r)
}

// deliver posts a signed webhook to the source soar.
func (f *fixture) deliver(id, body string, change ...func(*http.Request)) answer {
	f.t.Helper()
	return f.do(signed(f.t, "/v1/hooks/soar", id, body, change...))
}

// signed makes a webhook request that is in order, unless a change spoils it.
func signed(t testing.TB, target, id, body string, change ...func(*http.Request)) *http.Request {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	sign(t, r.Header, id, clock, body)
	for _, c := range change {
		c(r)
	}
	return r
}

func sign(t testing.TB, h http.Header, id string, at time.Time, body string) {
	t.Helper()
	signWith(t, h, soarKey, id, at, body)
}

func signWith(t testing.TB, h http.Header, key, id string, at time.Time, body string) {
	t.Helper()
	k, err := signature.ParseKey(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := signature.Sign([]signature.Key{k}, id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	s.Set(h)
}

// native wraps data in the native body.
func native(data string) string {
	return `{"type":"password_reset.requested","timestamp":"2026-11-22T07:00:00Z","data":` + data + `}`
}

func (a answer) problem(t testing.TB) schemas.Problem {
	t.Helper()
	if got := a.Header.Get("Content-Type"); got != schemas.ProblemContentType {
		t.Fatalf("status %d with Content-Type %q, want a problem: %s", a.StatusCode, got, a.body)
	}
	var p schemas.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("problem is not JSON: %v: %s", err, a.body)
	}
	if p.Status != a.StatusCode || p.Title == "" || p.Detail == "" {
		t.Fatalf("a problem needs its status %d, a title and a detail: %s", a.StatusCode, a.body)
	}
	return p
}

// want checks status and problem name.
func (a answer) want(t testing.TB, status int, name string) schemas.Problem {
	t.Helper()
	p := a.problem(t)
	if a.StatusCode != status || p.Type != "urn:resetd:problem:"+name {
		t.Fatalf("got %d %s, want %d %s: %s", a.StatusCode, p.Type, status, name, a.body)
	}
	return p
}

// decode reads an answer that must have the status.
func (a answer) decode(t testing.TB, status int, into any) {
	t.Helper()
	if a.StatusCode != status {
		t.Fatalf("got %d, want %d: %s", a.StatusCode, status, a.body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/json" {
		t.Fatalf("Content-Type %q", got)
	}
	if err := json.Unmarshal([]byte(a.body), into); err != nil {
		t.Fatalf("%v: %s", err, a.body)
	}
}

// accepted is the answer to a delivery.
type accepted struct {
	Tasks []struct {
		ID        string `json:"id"`
		Status    string `json:"status"`
		StatusURL string `json:"status_url"`
	} `json:"tasks"`
}
