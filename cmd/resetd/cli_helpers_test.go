package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// result is what a command line came to.
type result struct {
	status   int
	out, err string
}

// resetd runs a command line as main does.
func resetd(stdin string, args ...string) result {
	var out, errOut bytes.Buffer
	status := run(args, strings.NewReader(stdin), &out, &errOut)
	return result{status, out.String(), errOut.String()}
}

// want checks the exit status and what is said where; an empty text expects nothing.
func (r result) want(t *testing.T, status int, out, errOut string) {
	t.Helper()
	if r.status != status || !strings.Contains(r.out, out) || !strings.Contains(r.err, errOut) || out == "" && r.out != "" || errOut == "" && r.err != "" {
		t.Fatalf("status %d\nout: %s\nerr: %s\nwant %d, %q, %q", r.status, r.out, r.err, status, out, errOut)
	}
}

// quiet makes sure that a secret is in neither output.
func (r result) quiet(t *testing.T, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if strings.Contains(r.out+r.err, s) {
			t.Fatalf("a secret is shown:\n%s%s", r.out, r.err)
		}
	}
}

const testToken = "test-token-of-32-characters-length"

// fakeAPI stands for a running resetd: it verifies signatures and tokens, takes tasks and lets them end.
type fakeAPI struct {
	*httptest.Server
	key signature.Key
	// before may answer a call itself; n counts the calls of its kind from 1.
	before func(w http.ResponseWriter, r *http.Request, n int) (done bool)

	mu    sync.Mutex
	calls map[string]int
	ids   []string // webhook-id of every delivery that came, taken or not
	seen  []string // method and URI of every call
	// requests are those of the last delivery that was taken.
	requests []schemas.Request
	tasks    map[string]schemas.Task
	// end is what a task becomes when it is waited for.
	end func(t *schemas.Task)
}

func newFakeAPI(t *testing.T) *fakeAPI {
	t.Helper()
	t.Setenv(tokenEnv, "")
	f := &fakeAPI{key: signature.GenerateSymmetric(), calls: map[string]int{}, tasks: map[string]schemas.Task{}}
	f.end = func(t *schemas.Task) {
		t.Status, t.Code, t.FinishedAt = schemas.StatusSuccessful, schemas.CodeOK, time.Now()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/hooks/{source}", f.hook)
	mux.HandleFunc("GET /v1/tasks", f.list)
	mux.HandleFunc("GET /v1/tasks/{id}", f.show)
	mux.HandleFunc("GET /v1/tasks/{id}/events", f.events)
	mux.HandleFunc("POST /v1/tasks/{id}/{verb}", f.decide)
	mux.HandleFunc("GET /v1/callbacks", f.callbacks)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		kind := r.Method + " " + r.URL.Path
		f.calls[kind]++
		n := f.calls[kind]
		f.seen = append(f.seen, r.Method+" "+r.RequestURI)
		if id := r.Header.Get("Webhook-Id"); id != "" {
			f.ids = append(f.ids, id)
		}
		f.mu.Unlock()
		if f.before == nil || !f.before(w, r, n) {
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeAPI) hook(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	verifier, err := signature.NewVerifier([]signature.Key{f.key}, signature.Options{})
	if err != nil {
		panic(err)
	}
	if _, err := verifier.Verify(r.Header, body, time.Now()); err != nil {
		problem(w, schemas.NewProblem(401, "bad_signature", "The signature does not hold", err.Error()))
		return
	}
	var d schemas.Delivery
	p := schemas.Decode(body, &d)
	if p == nil {
		p = schemas.NewValidator().Check(&d)
	}
	if p != nil {
		problem(w, p)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = d.Data.Items
	var a accepted
	for i, request := range d.Data.Items {
		task := sampleTask(fmt.Sprintf("task-%d", i+1), r.PathValue("source"), request)
		f.tasks[task.ID] = task
		a.Tasks = append(a.Tasks, struct {
			ID        string         `json:"id"`
			Status    schemas.Status `json:"status"`
			StatusURL string         `json:"status_url"`
		}{task.ID, task.Status, f.URL + "/v1/tasks/" + task.ID})
	}
	reply(w, http.StatusAccepted, a)
}

func (f *fakeAPI) show(w http.ResponseWriter, r *http.Request) {
	f.withTask(w, r, func(t *schemas.Task) {
		if r.URL.Query().Has("wait") {
			f.end(t)
		}
		reply(w, http.StatusOK, *t)
	})
}

func (f *fakeAPI) decide(w http.ResponseWriter, r *http.Request) {
	f.withTask(w, r, func(t *schemas.Task) {
		t.Status = map[string]schemas.Status{"retry": schemas.StatusQueued, "cancel": schemas.StatusCancelled}[r.PathValue("verb")]
		reply(w, http.StatusOK, *t)
	})
}

func (f *fakeAPI) events(w http.ResponseWriter, r *http.Request) {
	f.withTask(w, r, func(t *schemas.Task) {
		reply(w, http.StatusOK, history{[]schemas.Event{{TaskID: t.ID, Seq: 1, At: t.CreatedAt, Type: schemas.EventAccepted, Actor: "source:soar"},
			{TaskID: t.ID, Seq: 2, At: t.CreatedAt, Type: schemas.EventFailed, Actor: "worker:a", System: "corp-ldap", Code: schemas.CodeUnenforced, Detail: "pwdMustChange is off"}}})
	})
}

// callbacks gives one that was given up, for any task but one whose id begins with "quiet".
func (f *fakeAPI) callbacks(w http.ResponseWriter, r *http.Request) {
	if !f.allowed(w, r) {
		return
	}
	task := r.URL.Query().Get("task")
	page := schemas.CallbackPage{Callbacks: []schemas.Callback{}}
	if !strings.HasPrefix(task, "quiet") {
		page.Callbacks = append(page.Callbacks, schemas.Callback{ID: "cb_" + task + "_4", TaskID: task, URL: "https://soar.example.com/hooks/",
			Status: schemas.StatusSuccessful, State: schemas.CallbackDead, Attempts: 2, Log: []schemas.Attempt{{N: 1, Error: "connect"}, {N: 2, HTTPStatus: 503, Error: "status"}}})
	}
	reply(w, http.StatusOK, page)
}

// list gives two tasks a page, whatever the limit, until there are five.
func (f *fakeAPI) list(w http.ResponseWriter, r *http.Request) {
	if !f.allowed(w, r) {
		return
	}
	first := 0
	_, _ = fmt.Sscanf(r.URL.Query().Get("cursor"), "after-%d", &first)
	var limit int
	_, _ = fmt.Sscan(r.URL.Query().Get("limit"), &limit)
	page := schemas.TaskPage{}
	for n := first + 1; n <= 5 && len(page.Tasks) < min(2, limit); n++ {
		page.Tasks = append(page.Tasks, sampleTask(fmt.Sprintf("task-%d", n), "soar", schemas.Request{Account: schemas.Account{Type: schemas.AccountUserName, Value: fmt.Sprintf("user%d", n)}}))
	}
	if last := first + len(page.Tasks); last < 5 {
		page.Next = fmt.Sprintf("after-%d", last)
	}
	reply(w, http.StatusOK, page)
}

func (f *fakeAPI) withTask(w http.ResponseWriter, r *http.Request, do func(t *schemas.Task)) {
	if !f.allowed(w, r) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.tasks[r.PathValue("id")]
	if !ok {
		problem(w, schemas.NewProblem(404, "not_found", "There is no such task", "Check the id."))
		return
	}
	do(&t)
	f.tasks[t.ID] = t
}

func (f *fakeAPI) allowed(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Authorization") == "Bearer "+testToken {
		return true
	}
	problem(w, schemas.NewProblem(401, "unauthorized", "A token is needed", "Send a bearer token."))
	return false
}

func sampleTask(id, source string, r schemas.Request) schemas.Task {
	created := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	return schemas.Task{ID: id, Source: source, Request: r.WithDefaults(), Status: schemas.StatusQueued, CreatedAt: created, UpdatedAt: created,
		Enforcements: []schemas.Enforcement{{ID: id + ".0", System: "corp-ldap", Status: schemas.StatusQueued,
			Steps: []schemas.Step{{Name: schemas.StepResolve, Code: schemas.CodeOK, TookMS: 3, Detail: "uid=jdoe"}}}}}
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body, err := schemas.Encode(v)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(body)
}

func problem(w http.ResponseWriter, p *schemas.Problem) {
	w.Header().Set("Content-Type", schemas.ProblemContentType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// site writes a configuration that points at the server, with one source of every sort, and gives its path. The secret
// of its system is missing: the commands must not care.
func (f *fakeAPI) site(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	_, public := signature.GenerateAsymmetric()
	_, siem := signature.GenerateAsymmetric()
	for name, text := range map[string]string{"soar.key": f.key.Reveal(), "viewer.token": "viewer-" + testToken, "operator.token": testToken,
		"public.key": public.Reveal(), "siem.key": siem.Reveal(), "splunk.key": signature.GenerateSymmetric().Reveal(), "resetd.yaml": `listen: ` + strings.TrimPrefix(f.URL, "http://") + `
sources:
  - {name: soar, verify: {keys: ["file:public.key", "file:soar.key"]}, systems: [corp-ldap]}
  - {name: splunk, preset: splunk, verify: {keys: ["file:splunk.key"]}, systems: [corp-ldap]}
  - {name: siem, verify: {keys: ["file:siem.key"]}, systems: [corp-ldap]}
  - {name: broken, verify: {keys: ["file:missing.key"]}, systems: [corp-ldap]}
systems:
  - {name: corp-ldap, kind: openldap, rate: nonsense, config: {password: "${NOT_SET_ANYWHERE}"}}
api: {tokens: [{name: ops, role: operator, token: "file:operator.token"}]}
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "resetd.yaml")
}
