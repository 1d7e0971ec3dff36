package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/signature"
)

// desk is a ticketing tool: issues with comments and a state, behind a log-in. It fails when it is told to.
type desk struct {
	*httptest.Server
	mu       sync.Mutex
	comments map[string][]string // by issue
	moved    map[string]string
	down     int // how many transitions fail before one succeeds
	strange  []string
}

const deskSecret = "jira-token-7d1f0a9c3b"

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{comments: map[string][]string{"SEC-12": nil}, moved: map[string]string{}}
	mux := http.NewServeMux()
	known := func(w http.ResponseWriter, r *http.Request) (string, bool) {
		user, secret, _ := r.BasicAuth()
		issue := r.PathValue("issue")
		_, ok := d.comments[issue]
		switch {
		case user != "resetd@example.com" || secret != deskSecret:
			w.WriteHeader(http.StatusUnauthorized)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			return issue, true
		}
		return "", false
	}
	mux.HandleFunc("POST /rest/api/3/issue/{issue}/comment", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if issue, ok := known(w, r); ok {
			body, _ := io.ReadAll(r.Body)
			d.comments[issue] = append(d.comments[issue], string(body))
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, `{"id":"1"}`)
		}
	})
	mux.HandleFunc("POST /rest/api/3/issue/{issue}/transitions", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if issue, ok := known(w, r); ok {
			if d.down--; d.down >= 0 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			var body struct{ Transition struct{ ID string } }
			_ = json.NewDecoder(r.Body).Decode(&body)
			d.moved[issue] = body.Transition.ID
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.strange = append(d.strange, r.Method+" "+r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
	})
	d.Server = httptest.NewServer(mux)
	t.Cleanup(d.Close)
	return d
}

// A ticket gets one comment and is moved on, although the first attempt to move it fails; a task whose reference is no ticket
// is told to nobody, and says so among the callbacks.
func TestEndToEndTicketIsCommentedOnceAndMovedOn(t *testing.T) {
	d := newDesk(t)
	d.down = 1
	key := signature.GenerateSymmetric()
	s := play(t, withSources(fmt.Sprintf("  - name: tickets\n    verify: {keys: [\"file:tickets.key\"]}\n    systems: [corp-ldap]\n    callback:\n      format: jira\n      url: %q\n"+
		"      auth: {scheme: basic, user: resetd@example.com, secret: \"file:jira.token\"}\n      params: {transition_successful: \"31\"}\n", d.URL),
		map[string]string{"tickets.key": key.Reveal(), "jira.token": deskSecret}))
	s.Source, s.Key = "tickets", key
	client := s.Client(2)
	send := func(id, account, reference string) string {
		body, err := schemas.Encode(map[string]any{"type": schemas.EventResetRequested, "timestamp": time.Now().UTC(), "data": map[string]any{
			"account": account, "reference": reference, "description": "[~admin] {color:red} @here"}})
		if err != nil {
			t.Fatal(err)
		}
		status, tasks, err := client.Send(t.Context(), id, body)
		if err != nil || status != http.StatusAccepted {
			t.Fatal(status, err)
		}
		return tasks[0].ID
	}
	task := send("msg_1", s.slapd.Person(testserver.JDoe).Mail, "SEC-12")
	if got := s.final(task); got.Status != schemas.StatusSuccessful {
		t.Fatalf("%s %s", got.Status, got.Detail)
	}
	stranger := send("msg_2", s.slapd.Person(testserver.Alice).Mail, "not a ticket/../../x")
	s.final(stranger)
	settled := func(state schemas.CallbackState, task string) schemas.Callback {
		for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			var page schemas.CallbackPage
			if code, err := s.client.Get(t.Context(), "/v1/callbacks?state="+string(state), &page); err != nil || code != 200 {
				t.Fatal(code, err)
			}
			for _, c := range page.Callbacks {
				if c.TaskID == task {
					return c
				}
			}
			if time.Now().After(deadline) {
				t.Fatalf("no callback of %s is %s\n%s", task, state, s.log)
			}
		}
	}
	told := settled(schemas.CallbackDelivered, task)
	if len(told.Log) != 2 || told.Log[0].Error == "" || told.Log[1].Error != "" {
		t.Errorf("attempts: %+v", told.Log)
	}
	dead := settled(schemas.CallbackDead, stranger)
	if len(dead.Log) != 1 || dead.Log[0].Error != schemas.AttemptNoReference || !strings.Contains(dead.Log[0].Detail, "SEC-123") {
		t.Errorf("attempts: %+v", dead.Log)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if n := len(d.comments["SEC-12"]); n != 1 || d.moved["SEC-12"] != "31" || len(d.strange) > 0 {
		t.Fatalf("%d comments, moved by %q, strange calls %v", n, d.moved["SEC-12"], d.strange)
	}
	if text := d.comments["SEC-12"][0]; !strings.Contains(text, task) || !strings.Contains(text, "successful") || !json.Valid([]byte(text)) {
		t.Errorf("comment: %s", text)
	}
	if strings.Contains(s.log.String(), deskSecret) {
		t.Error("the secret is in the log")
	}
}
