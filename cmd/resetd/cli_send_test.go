package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/resetd/resetd/schemas"
)

func TestSendPostsASignedRequestOnce(t *testing.T) {
	f := newFakeAPI(t)
	t.Setenv("SOAR_KEY", f.key.Reveal())
	r := resetd("", "send", "--url", f.URL, "--key", "${SOAR_KEY}", "--source", "soar", "--account", "jdoe@example.com", "--id", "msg_1")
	r.want(t, exitOK, "task-1 queued for jdoe@example.com\n  "+f.URL+"/v1/tasks/task-1", "")
	r.quiet(t, f.key.Reveal())
	if len(f.requests) != 1 || len(f.ids) != 1 || f.ids[0] != "msg_1" || f.seen[0] != "POST /v1/hooks/soar" {
		t.Fatalf("%v, %v, %v", f.requests, f.ids, f.seen)
	}
	if q := f.requests[0]; q.Account.Type != schemas.AccountAddress || q.Account.Value != "jdoe@example.com" || q.Mode != "" || q.DryRun || q.RevokeSessions != nil || len(q.Systems) != 0 {
		t.Fatalf("more was asked for than was said: %+v", q)
	}
}

func TestSendSaysEverythingThatItsFlagsSay(t *testing.T) {
	f := newFakeAPI(t)
	t.Setenv("SOAR_KEY", f.key.Reveal())
	resetd("", "send", "--url", f.URL, "--key", "${SOAR_KEY}", "--source", "soar", "--account", `CORP\jdoe`, "--account", "asmith",
		"--system", "corp-ldap", "--system", "corp-ad", "--mode", "expire", "--description", "Phish, case 4711", "--reference", "INC1",
		"--dry-run", "--keep-sessions").want(t, exitOK, "task-2 queued for asmith", "")
	if len(f.requests) != 2 || f.requests[0].Account.Type != schemas.AccountDownLevel || f.requests[1].Account.Value != "asmith" {
		t.Fatalf("accounts: %+v", f.requests)
	}
	for _, q := range f.requests {
		if strings.Join(q.Systems, " ") != "corp-ldap corp-ad" || q.Mode != schemas.ModeExpire || q.Description != "Phish, case 4711" ||
			q.Reference != "INC1" || !q.DryRun || q.RevokeSessions == nil || *q.RevokeSessions {
			t.Fatalf("got %+v", q)
		}
	}
}

func TestSendTakesAddressAndKeyFromTheConfiguration(t *testing.T) {
	f := newFakeAPI(t)
	file := f.site(t)
	send := func(source string, more ...string) result {
		return resetd("", append([]string{"send", "-c", file, "--source", source, "--account", "jdoe"}, more...)...)
	}
	// The system's secret and rate are wrong in the file, which is none of the sender's business.
	send("soar").want(t, exitOK, "task-1 queued for jdoe", "")
	send("nobody").want(t, exitUsage, "", "sources are soar, splunk, siem")
	send("splunk").want(t, exitUsage, "", "preset splunk")
	send("siem").want(t, exitUsage, "", "public keys only")
	send("broken").want(t, exitUsage, "", "sources[3].verify.keys[0]: there is no file")
	send("siem", "--key", "file:"+filepath.Join(filepath.Dir(file), "soar.key")).want(t, exitOK, "task-1", "")
	for text, want := range map[string]string{"sources: [\n": "not YAML", "sorces: []\n": "did you mean sources?", "sources: []\n": "has no source soar"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		send("soar").want(t, exitUsage, "", want)
	}
}

func TestSendWaitsAndTellsTheOutcomeByItsStatus(t *testing.T) {
	for name, c := range map[string]struct {
		flags  []string
		end    func(t *schemas.Task)
		status int
		out    string
	}{
		"successful": {nil, func(t *schemas.Task) { t.Status, t.Code = schemas.StatusSuccessful, schemas.CodeOK }, exitOK, "successful ok"},
		"unsuccessful": {nil, func(t *schemas.Task) {
			t.Status, t.Code, t.Detail = schemas.StatusUnsuccessful, schemas.CodeUnenforced, "corp-ldap: pwdMustChange is off"
		}, exitUnsuccessful, "pwdMustChange is off"},
		"in part":                   {nil, func(t *schemas.Task) { t.Status, t.Code = schemas.StatusPartiallySuccessful, schemas.CodeTimedOut }, exitUnsuccessful, "partially_successful timed_out"},
		"rejected":                  {nil, func(t *schemas.Task) { t.Status, t.Code = schemas.StatusRejected, schemas.CodeProtected }, exitUnsuccessful, "rejected protected"},
		"cancelled":                 {nil, func(t *schemas.Task) { t.Status, t.Code = schemas.StatusCancelled, schemas.CodeOK }, exitUnsuccessful, "cancelled"},
		"a dry run":                 {[]string{"--dry-run"}, func(t *schemas.Task) { t.Status, t.Code = schemas.StatusCancelled, schemas.CodeOK }, exitOK, "dry run"},
		"a dry run that would fail": {[]string{"--dry-run"}, func(t *schemas.Task) { t.Status, t.Code = schemas.StatusUnsuccessful, schemas.CodeAccountNotFound }, exitUnsuccessful, "account_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.end = c.end
			args := append([]string{"send", "-c", f.site(t), "--source", "soar", "--account", "jdoe", "--wait"}, c.flags...)
			r := resetd("", args...)
			r.want(t, c.status, c.out, "")
			r.quiet(t, f.key.Reveal(), testToken)
			if !strings.Contains(strings.Join(f.seen, "\n"), "GET /v1/tasks/task-1?wait=") {
				t.Errorf("calls: %v", f.seen)
			}
			var page schemas.TaskPage
			r = resetd("", append(args, "--json")...)
			if err := json.Unmarshal([]byte(r.out), &page); err != nil || len(page.Tasks) != 1 || r.status != c.status || r.err != "" {
				t.Errorf("%d %s%s: %v", r.status, r.out, r.err, err)
			}
		})
	}
}

func TestSendTellsWhenTheWaitIsOver(t *testing.T) {
	f := newFakeAPI(t)
	f.end = func(t *schemas.Task) { t.Status = schemas.StatusPendingApproval }
	file := f.site(t)
	r := resetd("", "send", "-c", file, "--source", "soar", "--account", "o'neill", "--wait=1s")
	r.want(t, exitNotFinal, "pending_approval", "\n  resetd tasks show -c "+file+" task-1\n")
	_, line, _ := strings.Cut(r.err, "\n  resetd ")
	resetd("", strings.Fields(line)...).want(t, exitOK, "o'neill", "")
}

func TestTheWorstOfSeveralTasksDecides(t *testing.T) {
	f := newFakeAPI(t)
	f.end = func(t *schemas.Task) {
		t.Status = map[string]schemas.Status{"a": schemas.StatusSuccessful, "b": schemas.StatusUnsuccessful, "c": schemas.StatusSuccessful}[t.Request.Account.Value]
	}
	resetd("", "send", "-c", f.site(t), "--source", "soar", "--account", "a", "--account", "b", "--account", "c", "--wait").
		want(t, exitUnsuccessful, "task-3", "")
}

func TestWaitingNeedsATokenBeforeAnythingIsSent(t *testing.T) {
	f := newFakeAPI(t)
	t.Setenv("SOAR_KEY", f.key.Reveal())
	resetd("", "send", "--url", f.URL, "--key", "${SOAR_KEY}", "--source", "soar", "--account", "jdoe", "--wait").want(t, exitUsage, "", tokenEnv)
	if len(f.seen) != 0 {
		t.Fatalf("sent all the same: %v", f.seen)
	}
	t.Setenv(tokenEnv, "wrong-"+testToken)
	r := resetd("", "send", "--url", f.URL, "--key", "${SOAR_KEY}", "--source", "soar", "--account", "jdoe", "--wait")
	r.want(t, exitRefused, "", "task task-1 was accepted, but: ")
	r.quiet(t, testToken)
	t.Setenv(tokenEnv, testToken)
	resetd("", "send", "--url", f.URL, "--key", "${SOAR_KEY}", "--source", "soar", "--account", "jdoe", "--wait").want(t, exitOK, "successful", "")
}

func TestARefusalIsToldWithEveryField(t *testing.T) {
	f := newFakeAPI(t)
	file := f.site(t)
	f.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		problem(w, schemas.NewProblem(403, "forbidden_system", "The request names a system that cannot be acted on", "Leave it out\x1b[31m.",
			schemas.FieldError{Pointer: "/data/systems/0", Detail: "this source may act on: corp-ldap"}))
		return true
	}
	r := resetd("", "send", "-c", file, "--source", "soar", "--account", "jdoe", "--system", "corp-ad")
	r.want(t, exitRefused, "", "(403): The request names a system that cannot be acted on")
	if !strings.Contains(r.err, "\n  /data/systems/0: this source may act on: corp-ldap") || strings.Contains(r.err, "\x1b") {
		t.Fatalf("got %q", r.err)
	}
	f.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		http.Redirect(w, r, "https://login.example.com/", http.StatusFound)
		return true
	}
	resetd("", "send", "-c", file, "--source", "soar", "--account", "jdoe").want(t, exitRefused, "", "a redirect to https://login.example.com/")
	f.before = func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		_, _ = w.Write([]byte("<html>hello"))
		return true
	}
	resetd("", "send", "-c", file, "--source", "soar", "--account", "jdoe").want(t, exitRefused, "", "nothing that resetd would say")
}

func TestAWrongKeyIsRefused(t *testing.T) {
	f := newFakeAPI(t)
	file := filepath.Join(filepath.Dir(f.site(t)), "splunk.key")
	resetd("", "send", "--url", f.URL, "--key", "file:"+file, "--source", "soar", "--account", "jdoe").want(t, exitRefused, "", "no_match")
}
