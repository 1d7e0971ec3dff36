package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

// sampleSystem was withdrawn at run time, and its last check found two things.
func sampleSystem() schemas.System {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	return schemas.System{Name: "corp-ldap", Kind: "openldap", State: "open", Reason: "no route\x1b[2J", Until: at, Rate: "20/s", TimeoutMS: 10_000, Backlog: 3, Share: 1,
		Enforcement: schemas.PermissionState{Permission: notGranted, From: schemas.FromRunTime, Configured: granted, By: "token:ops", At: at, Reason: "incident 4711"},
		Check: &schemas.Check{System: "corp-ldap", At: at, State: schemas.FindingFail, Findings: []schemas.Finding{
			{Topic: schemas.TopicConfiguration, State: schemas.FindingOK, Detail: "openldap"},
			{Topic: schemas.TopicReachability, State: schemas.FindingFail, Detail: "no route"}, {Topic: schemas.TopicTLS, State: schemas.FindingUnknown, Detail: "not looked at"}}},
		History: []schemas.PermissionChange{{System: "corp-ldap", At: at, Actor: "token:ops", Decision: schemas.DecisionNotGranted, From: granted, To: notGranted, Reason: "incident 4711"}}}
}

// withSystems lets the fake answer the calls of systems, and gives what was sent to it.
func withSystems(f *fakeAPI) *[]string {
	var sent []string
	f.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if !strings.HasPrefix(r.URL.Path, "/v1/systems") || !f.allowed(w, r) {
			return true
		}
		body, _ := io.ReadAll(r.Body)
		sent = append(sent, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+r.Header.Get("Content-Type")+" "+string(body)))
		switch {
		case strings.HasPrefix(r.URL.Path, "/v1/systems/nowhere"):
			problem(w, schemas.NewProblem(404, "unknown_system", "There is no system of this name", "GET /v1/systems lists those of the configuration."))
		case strings.HasSuffix(r.URL.Path, "/check"):
			reply(w, 200, *sampleSystem().Check)
		case r.URL.Path == "/v1/systems":
			reply(w, 200, schemas.SystemList{Systems: []schemas.System{sampleSystem()}})
		default:
			reply(w, 200, sampleSystem())
		}
		return true
	}
	return &sent
}

func TestSystemsAreShownToPeopleAndPrograms(t *testing.T) {
	f := newFakeAPI(t)
	withSystems(f)
	file := f.site(t)
	resetd("", "systems", "list", "-c", file).want(t, exitOK, "not_granted  run_time  open", "")
	r := resetd("", "systems", "show", "-c", file, "corp-ldap")
	for _, part := range []string{"not_granted at run time by token:ops", "the configuration says granted", "incident 4711", "no route?[2J", "FAIL  corp-ldap ", "granted  not_granted"} {
		if !strings.Contains(r.out, part) {
			t.Errorf("%q is missing in\n%s", part, r.out)
		}
	}
	var list schemas.SystemList
	if err := json.Unmarshal([]byte(resetd("", "systems", "list", "-c", file, "--json").out), &list); err != nil || len(list.Systems) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	resetd("", "systems", "show", "-c", file, "nowhere").want(t, exitRefused, "", "There is no system of this name")
	for _, verb := range []string{"show", "check", "grant", "withdraw", "revert"} {
		resetd("", "systems", verb, "-c", file).want(t, exitUsage, "", "give the name of one system")
	}
}

func TestTheEndOfACheckIsForScripts(t *testing.T) {
	f := newFakeAPI(t)
	withSystems(f)
	file := f.site(t)
	r := resetd("", "systems", "check", "-c", file, "corp-ldap")
	r.want(t, exitUnsuccessful, "FAIL  corp-ldap            reachability  no route\n?     corp-ldap            tls ", "1 problem was found")
	if strings.Contains(r.out, string(schemas.TopicConfiguration)) {
		t.Errorf("what goes without saying is said:\n%s", r.out)
	}
	var got schemas.Check
	r = resetd("", "systems", "check", "-c", file, "corp-ldap", "--json")
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.status != exitUnsuccessful || len(got.Findings) != 3 {
		t.Errorf("%d %+v, %v", r.status, got, err)
	}
}

func TestPermissionsAreDecidedByTheTokenThatMay(t *testing.T) {
	f := newFakeAPI(t)
	sent := withSystems(f)
	file := f.site(t)
	resetd("", "systems", "withdraw", "-c", file, "corp-ldap", "--reason", "incident 4711").want(t, exitOK, "corp-ldap (openldap)", "")
	resetd("", "systems", "grant", "-c", file, "corp-ldap").want(t, exitUsage, "", "no API token with the role admin")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "role: operator", "role: admin", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	resetd("", "systems", "grant", "-c", file, "a/b").want(t, exitOK, "corp-ldap", "")
	resetd("", "systems", "revert", "-c", file, "corp-ldap", "--reason", "all over").want(t, exitOK, "corp-ldap", "")
	resetd("", "systems", "revert", "-c", file, "corp-ldap", "--json").want(t, exitOK, `"permission":"not_granted"`, "")
	want := []string{`PUT /v1/systems/corp-ldap/enforcement application/json {"permission":"not_granted","reason":"incident 4711"}`,
		`PUT /v1/systems/a%2Fb/enforcement application/json {"permission":"granted"}`, `DELETE /v1/systems/corp-ldap/enforcement?reason=all+over`,
		`DELETE /v1/systems/corp-ldap/enforcement`}
	if !slices.Equal(*sent, want) {
		t.Errorf("sent\n%s", strings.Join(*sent, "\n"))
	}
}
