package callback

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/resetd/resetd/schemas"
	"github.com/resetd/resetd/schemas/receiver"
)

// The imitations refuse what their vendors refuse, as far as the vendors say so: a log-in that is missing or wrong, a
// ticket that is not there, a change that its state does not allow, a member that must be there. They keep what they took.

// tool is an imitation: its tickets, what was written to each, and the state of each.
type tool struct {
	mu    sync.Mutex
	notes map[string][]string
	state map[string]string
	serve func(t *tool, r *http.Request, path string, body map[string]any) (int, string)
}

func (t *tool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var body map[string]any
	if r.Method != http.MethodGet {
		if kind := r.Header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
			w.WriteHeader(http.StatusUnsupportedMediaType)
			return
		}
		if json.NewDecoder(r.Body).Decode(&body) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	status, answer := t.serve(t, r, r.URL.Path, body)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(answer))
}

// note keeps what was written to a ticket; a ticket that is not there is 404.
func (t *tool) note(ticket, text string, good int) (int, string) {
	if _, there := t.state[ticket]; !there {
		return http.StatusNotFound, `{"error":"not found"}`
	}
	t.notes[ticket] = append(t.notes[ticket], text)
	return good, `{}`
}

func (t *tool) written(ticket string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.notes[ticket])
}

func (t *tool) stateOf(ticket string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state[ticket]
}

func (t *tool) set(ticket, state string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state[ticket] = state
}

// within gives the variable part of a path, or false.
func within(path, before, after string) (string, bool) {
	rest, ok := strings.CutPrefix(path, before)
	if !ok {
		return "", false
	}
	middle, ok := strings.CutSuffix(rest, after)
	return middle, ok && middle != "" && !strings.Contains(middle, "/")
}

func in(body map[string]any, path ...string) any {
	var v any = body
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func text(v any) string { s, _ := v.(string); return s }

// jira has a workflow: 31 leads from open to contained, and nowhere else.
func jira(version, login string) func(*tool, *http.Request, string, map[string]any) (int, string) {
	return func(t *tool, r *http.Request, path string, body map[string]any) (int, string) {
		if r.Header.Get("Authorization") != login {
			return http.StatusUnauthorized, "Basic authentication with " + r.Header.Get("Authorization") + " failed"
		}
		base := "/rest/api/" + version + "/issue/"
		if key, ok := within(path, base, "/comment"); ok {
			said := text(in(body, "body"))
			if version == "3" {
				if in(body, "body", "type") != "doc" || in(body, "body", "version") != 1.0 {
					return http.StatusBadRequest, `{"errorMessages":["INVALID_INPUT"]}`
				}
				raw, _ := json.Marshal(in(body, "body"))
				said = string(raw)
			}
			if said == "" || len(body["properties"].([]any)) != 1 {
				return http.StatusBadRequest, `{"errorMessages":["Comment body can not be empty!"]}`
			}
			return t.note(key, said, http.StatusCreated)
		}
		key, ok := within(path, base, "/transitions")
		switch {
		case !ok || t.state[key] == "":
			return http.StatusNotFound, `{}`
		case in(body, "transition", "id") != "31" || t.state[key] != "open":
			return http.StatusBadRequest, `{"errorMessages":["It seems that you have tried to perform a workflow operation that is not valid"]}`
		}
		t.state[key] = "contained"
		return http.StatusNoContent, ""
	}
}

const sysID = "46d44a40a9fe198101a2a6a1b2ce5f3a"

func serviceNow(t *tool, r *http.Request, path string, body map[string]any) (int, string) {
	user, password, _ := r.BasicAuth()
	if user != "resetd" || password != "s3cret" {
		return http.StatusUnauthorized, `{"error":{"message":"User Not Authenticated"},"status":"failure"}`
	}
	if path == "/api/now/table/incident" && r.Method == http.MethodGet {
		if r.URL.Query().Get("sysparm_query") == "number=INC0012345^ORsys_id=INC0012345" && r.URL.Query().Get("sysparm_limit") == "2" {
			return http.StatusOK, `{"result":[{"sys_id":"` + sysID + `"}]}`
		}
		return http.StatusOK, `{"result":[]}`
	}
	if path != "/api/now/table/incident/"+sysID || r.Method != http.MethodPatch {
		return http.StatusNotFound, `{"error":{"message":"No Record found"}}`
	}
	if text(body["state"]) == "6" && (text(body["close_code"]) == "" || text(body["close_notes"]) == "") {
		return http.StatusForbidden, `{"error":{"message":"Operation Failed","detail":"Data Policy Exception: Close code is mandatory"}}`
	}
	if s := text(body["state"]); s != "" {
		t.state["INC0012345"] = s
	}
	status, answer := t.note("INC0012345", text(body["work_notes"]), http.StatusOK)
	return status, `{"result":` + answer + `}`
}

func theHive(t *tool, r *http.Request, path string, body map[string]any) (int, string) {
	if r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("X-Organisation") != "SOC" {
		return http.StatusUnauthorized, `{"type":"AuthenticationError"}`
	}
	id, ok := within(path, "/api/v1/alert/", "/comment")
	if !ok || text(body["message"]) == "" {
		return http.StatusBadRequest, `{"type":"BadRequest"}`
	}
	return t.note(id, text(body["message"]), http.StatusCreated)
}

func slackHook(t *tool, _ *http.Request, path string, body map[string]any) (int, string) {
	switch {
	case path != "/services/T0/B0/s3cret":
		return http.StatusNotFound, "no_service"
	case t.state["channel"] == "archived":
		return http.StatusGone, "channel_is_archived"
	case text(body["text"]) == "":
		return http.StatusBadRequest, "invalid_payload"
	}
	t.notes["channel"] = append(t.notes["channel"], text(body["text"]))
	return http.StatusOK, "ok"
}

func slackAPI(t *tool, r *http.Request, path string, body map[string]any) (int, string) {
	no := func(word string) (int, string) { return http.StatusOK, `{"ok":false,"error":"` + word + `"}` }
	switch {
	case path != "/api/chat.postMessage":
		return no("unknown_method")
	case r.Header.Get("Authorization") != "Bearer s3cret":
		return no("invalid_auth")
	case t.state[text(body["channel"])] == "":
		return no("channel_not_found")
	case t.state[text(body["channel"])] == "stranger":
		return no("not_in_channel")
	}
	t.notes["C0123456789"] = append(t.notes["C0123456789"], text(body["text"]))
	return http.StatusOK, `{"ok":true,"channel":"C0123456789","ts":"1795330800.000100","message":{"text":"` + "said" + `"}}`
}

func pagerDuty(t *tool, r *http.Request, path string, body map[string]any) (int, string) {
	switch {
	case r.Header.Get("Authorization") != "Token token=s3cret":
		return http.StatusUnauthorized, `{"error":{"message":"Unauthorized","code":2006}}`
	case r.Header.Get("Accept") != "application/vnd.pagerduty+json;version=2":
		return http.StatusNotAcceptable, `{}`
	case r.Header.Get("From") != "soc@example.com":
		return http.StatusBadRequest, `{"error":{"message":"Requester User Not Found","code":1008}}`
	}
	id, ok := within(path, "/incidents/", "/notes")
	if !ok || text(in(body, "note", "content")) == "" {
		return http.StatusBadRequest, `{"error":{"message":"Invalid Input Provided","code":2001}}`
	}
	status, answer := t.note(id, text(in(body, "note", "content")), http.StatusOK)
	return status, `{"note":` + answer + `}`
}

func zendesk(t *tool, r *http.Request, path string, body map[string]any) (int, string) {
	user, password, _ := r.BasicAuth()
	if user != "resetd@example.com/token" || password != "s3cret" {
		return http.StatusUnauthorized, `{"error":"Couldn't authenticate you"}`
	}
	id, ok := within(path, "/api/v2/tickets/", ".json")
	if !ok || r.Method != http.MethodPut || in(body, "ticket", "comment", "public") != false {
		return http.StatusBadRequest, `{}`
	}
	if t.state[id] == "closed" {
		return http.StatusUnprocessableEntity, `{"error":"RecordInvalid"}`
	}
	status, answer := t.note(id, text(in(body, "ticket", "comment", "html_body")), http.StatusOK)
	if s := text(in(body, "ticket", "status")); s != "" && status == http.StatusOK {
		t.state[id] = s
	}
	return status, `{"ticket":` + answer + `}`
}

func hec(t *tool, r *http.Request, path string, body map[string]any) (int, string) {
	switch {
	case path != "/services/collector/event":
		return http.StatusNotFound, `{"text":"The requested URL was not found on this server.","code":404}`
	case r.Header.Get("Authorization") != "Splunk s3cret":
		return http.StatusForbidden, `{"text":"Invalid token","code":4}`
	case t.state["ack"] != "" && r.Header.Get("X-Splunk-Request-Channel") == "":
		return http.StatusBadRequest, `{"text":"Data channel is missing","code":10}`
	case body["event"] == nil:
		return http.StatusBadRequest, `{"text":"Event field is required","code":12}`
	case text(body["index"]) != "" && text(body["index"]) != "security":
		return http.StatusBadRequest, `{"text":"Incorrect index","code":7,"invalid-event-number":1}`
	}
	t.notes["index"] = append(t.notes["index"], text(in(body, "event", "summary")))
	return http.StatusOK, `{"text":"Success","code":0}`
}

// xsoar runs an entry that begins with ! as a command.
func xsoar(base, key string) func(*tool, *http.Request, string, map[string]any) (int, string) {
	return func(t *tool, r *http.Request, path string, body map[string]any) (int, string) {
		if r.Header.Get("Authorization") != "s3cret" || r.Header.Get("x-xdr-auth-id") != key {
			return http.StatusUnauthorized, `{"reply":{"err_code":401}}`
		}
		said := text(body["data"])
		if path != base+"/entry" || t.state[text(body["investigationId"])] == "" {
			return http.StatusBadRequest, `{"error":"could not find investigation"}`
		}
		if strings.HasPrefix(said, "!") || strings.HasPrefix(said, "/") {
			t.notes["commands"] = append(t.notes["commands"], said)
		}
		return t.note(text(body["investigationId"]), said, http.StatusOK)
	}
}

func workflow(t *tool, r *http.Request, path string, body map[string]any) (int, string) {
	if path != "/workflows/1/triggers/manual/paths/invoke" || r.URL.Query().Get("sig") != "s3cret" || r.URL.Query().Get("sp") != "/triggers/manual/run" {
		return http.StatusForbidden, `{"error":{"code":"DirectApiAuthorizationRequired"}}`
	}
	list, _ := body["attachments"].([]any)
	if len(list) != 1 || text(in(list[0].(map[string]any), "content", "type")) != "AdaptiveCard" {
		return http.StatusBadRequest, `{"error":{"code":"TriggerInputSchemaMismatch"}}`
	}
	raw, _ := json.Marshal(list[0])
	t.notes["channel"] = append(t.notes["channel"], string(raw))
	return http.StatusAccepted, ""
}

// visit starts an imitation, and a poster whose source is told there.
func visit(t *testing.T, tickets map[string]string, serve func(*tool, *http.Request, string, map[string]any) (int, string), path string, spec receiver.Spec) (*tool, *Poster, schemas.Callback) {
	t.Helper()
	it := &tool{notes: map[string][]string{}, state: tickets, serve: serve}
	r := newReceiver(t, it.ServeHTTP)
	o := lab(r.ca)
	s := Source{URL: r.URL + path, Format: spec}
	if spec.Auth.Scheme == receiver.SchemeURL {
		s.URL, s.Format.Auth.Secret = "", schemas.NewSecret(r.URL+path)
	}
	o.Sources[source], o.PublicURL = s, "https://resetd.example.com/"
	p := mustNew(t, o)
	plan, err := p.Plan(source, nil, nil)
	if err != nil || plan == nil || !regexp.MustCompile(`^https://127\.0\.0\.1:[0-9]+$`).MatchString(plan.URL) {
		t.Fatalf("the plan is %+v, %v", plan, err)
	}
	c := owed(plan.URL)
	return it, p, c
}
