package main

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/resetd/resetd/schemas"
)

func TestListPagesUntilThereIsEnough(t *testing.T) {
	for flags, want := range map[string]struct{ tasks, calls int }{
		"":                           {5, 3},
		"--all":                      {5, 3},
		"--limit 1":                  {1, 1},
		"--limit 2":                  {2, 1},
		"--limit 3":                  {3, 2},
		"--limit 5":                  {5, 3},
		"--limit 3 --cursor after-1": {3, 2},
	} {
		t.Run(flags, func(t *testing.T) {
			f := newFakeAPI(t)
			file := f.site(t)
			args := append([]string{"tasks", "list", "-c", file}, strings.Fields(flags)...)
			r := resetd("", args...)
			if r.status != exitOK || strings.Count(r.out, "task-") != want.tasks || len(f.seen) != want.calls || !strings.HasPrefix(r.out, "ID ") {
				t.Fatalf("%d calls, status %d\n%s%s", len(f.seen), r.status, r.out, r.err)
			}
			if more := strings.Contains(r.err, "--cursor after-"); more != (flags == "--limit 1" || flags == "--limit 2" || flags == "--limit 3" || strings.Contains(flags, "cursor")) {
				t.Errorf("says that there are more: %t\n%s", more, r.err)
			}
			var page schemas.TaskPage
			if err := json.Unmarshal([]byte(resetd("", append(args, "--json")...).out), &page); err != nil || len(page.Tasks) != want.tasks {
				t.Errorf("%d tasks, %v", len(page.Tasks), err)
			}
		})
	}
}

func TestListHandsItsFiltersOn(t *testing.T) {
	f := newFakeAPI(t)
	resetd("", "tasks", "list", "-c", f.site(t), "--q", "j doe", "--status", "unsuccessful", "--system", "corp-ldap", "--source", "soar",
		"--from", "2026-11-22T08:00:00+01:00", "--to", "1h", "--limit", "1").want(t, exitOK, "task-1", "more")
	_, uri, _ := strings.Cut(f.seen[0], "?")
	got, err := url.ParseQuery(uri)
	if err != nil {
		t.Fatal(err)
	}
	to, err := time.Parse(time.RFC3339, got.Get("to"))
	if ago := time.Since(to); err != nil || ago < 59*time.Minute || ago > 61*time.Minute {
		t.Errorf("to: %s, %v", got.Get("to"), err)
	}
	got.Del("to")
	if want := "from=2026-11-22T07%3A00%3A00Z&limit=1&q=j+doe&source=soar&status=unsuccessful&system=corp-ldap"; got.Encode() != want {
		t.Errorf("got %s", got.Encode())
	}
}

func TestShowTellsEveryStep(t *testing.T) {
	f := newFakeAPI(t)
	f.tasks["task-1"] = sampleTask("task-1", "soar", schemas.Request{Account: schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"}, Reference: "INC\x1b[1m1"})
	file := f.site(t)
	r := resetd("", "tasks", "show", "-c", file, "task-1")
	for _, part := range []string{"jdoe (user_name)", "asked by", "INC?[1m1", "corp-ldap: queued", "resolve", "uid=jdoe", "3 ms"} {
		if !strings.Contains(r.out, part) {
			t.Errorf("%q is missing in\n%s", part, r.out)
		}
	}
	r.want(t, exitOK, "task-1", "")
	r = resetd("", "tasks", "show", "-c", file, "task-1", "--events")
	r.want(t, exitOK, "pwdMustChange is off", "")
	var h history
	if err := json.Unmarshal([]byte(resetd("", "tasks", "show", "-c", file, "task-1", "--events", "--json").out), &h); err != nil || len(h.Events) != 2 {
		t.Errorf("%+v, %v", h, err)
	}
	var task schemas.Task
	if err := json.Unmarshal([]byte(resetd("", "tasks", "show", "-c", file, "task-1", "--json").out), &task); err != nil || task.ID != "task-1" {
		t.Errorf("%+v, %v", task, err)
	}
	resetd("", "tasks", "show", "-c", file, "task-9").want(t, exitRefused, "", "There is no such task")
}

func TestRetryAndCancelActOnTheTask(t *testing.T) {
	f := newFakeAPI(t)
	f.tasks["a/b"] = sampleTask("a/b", "soar", schemas.Request{})
	file := f.site(t)
	resetd("", "tasks", "cancel", "-c", file, "a/b").want(t, exitOK, "cancelled", "")
	resetd("", "tasks", "retry", "-c", file, "a/b", "--json").want(t, exitOK, `"status":"queued"`, "")
	if want := []string{"POST /v1/tasks/a%2Fb/cancel", "POST /v1/tasks/a%2Fb/retry"}; !slices.Equal(f.seen, want) {
		t.Fatalf("calls: %v", f.seen)
	}
}

func TestTheTokenComesFromFlagEnvironmentOrConfiguration(t *testing.T) {
	f := newFakeAPI(t)
	file := f.site(t)
	list := func(more ...string) result {
		return resetd("", append([]string{"tasks", "list", "--url", f.URL}, more...)...)
	}
	list("-c", file).want(t, exitOK, "task-1", "")
	list("--token", "file:"+filepath.Join(filepath.Dir(file), "operator.token")).want(t, exitOK, "task-1", "")
	t.Setenv("MY_TOKEN", testToken)
	list("--token", "${MY_TOKEN}").want(t, exitOK, "task-1", "")
	t.Setenv(tokenEnv, testToken)
	list().want(t, exitOK, "task-1", "")
	t.Setenv(tokenEnv, "another-token-another-token")
	r := list("-c", file)
	r.want(t, exitRefused, "", "Check that the token is one of api: tokens:")
	r.quiet(t, "another-token", testToken)
	list("--token", "${MY_TOKEN}").want(t, exitOK, "task-1", "")
}

func TestTheWeakestTokenThatSufficesIsTaken(t *testing.T) {
	f := newFakeAPI(t)
	file := f.site(t)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "api:")
	tokens := func(list string) {
		if err := os.WriteFile(file, []byte(head+"api: {tokens: ["+list+"]}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tokens(`{name: boss, role: admin, token: "file:soar.key"}, {name: eye, role: viewer, token: "file:viewer.token"}, {name: ops, role: operator, token: "file:operator.token"}`)
	resetd("", "tasks", "list", "-c", file).want(t, exitRefused, "", "(401)") // the fake knows the operator's only
	resetd("", "tasks", "retry", "-c", file, "x").want(t, exitRefused, "", "(404)")
	tokens(`{name: eye, role: viewer, token: "file:viewer.token"}`)
	resetd("", "tasks", "retry", "-c", file, "x").want(t, exitUsage, "", "no API token with the role operator")
	tokens(`{name: eye, role: viewer, token: "file:missing.token"}`)
	resetd("", "tasks", "list", "-c", file).want(t, exitUsage, "", "the configuration is wrong:\n"+file+":9:49: api.tokens[0].token: there is no file")
}

func TestATokenIsNotSentInTheClearWithoutAWord(t *testing.T) {
	t.Setenv(tokenEnv, testToken)
	r := resetd("", "tasks", "list", "--url", "http://resetd.invalid:1")
	r.want(t, exitRefused, "", "warning: the token travels unencrypted to resetd.invalid:1")
	if r := resetd("", "tasks", "list", "--url", "http://127.0.0.1:1"); strings.Contains(r.err, "unencrypted") {
		t.Fatalf("loopback: %s", r.err)
	}
}

func TestASealedPasswordIsPrintedAsItIsAndOnlyWhenThereIsOne(t *testing.T) {
	f := newFakeAPI(t)
	const sealed = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n-----END AGE ENCRYPTED FILE-----\n"
	task := sampleTask("task-1", "soar", schemas.Request{Account: schemas.Account{Type: schemas.AccountUserName, Value: "jdoe"}})
	f.tasks["task-2"] = task
	task.Enforcements = append(slices.Clone(task.Enforcements), schemas.Enforcement{ID: "task-1.1", System: "corp-ad", Status: schemas.StatusSuccessful, Sealed: sealed})
	f.tasks["task-1"] = task
	file := f.site(t)
	if r := resetd("", "tasks", "sealed", "-c", file, "task-1"); r.status != exitOK || r.out != sealed {
		t.Errorf("status %d: %q", r.status, r.out)
	}
	resetd("", "tasks", "show", "-c", file, "task-1").want(t, exitOK, "age -d", "")
	resetd("", "tasks", "sealed", "-c", file, "task-1", "corp-ldap").want(t, exitUnsuccessful, "", "no sealed password")
	resetd("", "tasks", "sealed", "-c", file, "task-2").want(t, exitUnsuccessful, "", "no sealed password")
	resetd("", "tasks", "sealed", "-c", file).want(t, exitUsage, "", "id of one task")
}

// Who asks for the password of a task that shared another's end is told where it is.
func TestSealedPasswordOfACoalescedTaskIsWithTheOther(t *testing.T) {
	_, err := sealedOf(schemas.Task{Enforcements: []schemas.Enforcement{{System: "corp-ad", CoalescedWith: &schemas.Coalesced{TaskID: "0193-9"}}}}, nil)
	if err == nil || !strings.Contains(err.Error(), "resetd tasks sealed 0193-9") {
		t.Errorf("%v", err)
	}
}
