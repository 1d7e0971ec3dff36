package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/resetd/resetd/schemas"
)

func TestTheConfigurationAtHandIsTakenUnlessAFlagSaysOtherwise(t *testing.T) {
	f := newFakeAPI(t)
	t.Chdir(filepath.Dir(f.site(t)))
	resetd("", "tasks", "list").want(t, exitOK, "task-1", "")
	r := resetd("", "send", "--source", "soar", "--account", "jdoe", "--wait")
	r.want(t, exitOK, "successful", "")
	calls := len(f.seen)
	resetd("", "tasks", "list", "--url", f.URL).want(t, exitUsage, "", "needs an API token")
	resetd("", "send", "--source", "soar", "--account", "jdoe", "--url", f.URL).want(t, exitUsage, "", "no key to sign with")
	resetd("", "send", "--source", "soar", "--account", "jdoe", "--wait", "--key", "file:soar.key").want(t, exitUsage, "", "needs an API token")
	if len(f.seen) != calls {
		t.Errorf("something was sent: %v", f.seen[calls:])
	}
}

// Each command takes the weakest token that suffices; one that cannot be read here keeps no other from being used.
func TestTheTokenIsTheWeakestThatSuffices(t *testing.T) {
	t.Setenv(tokenEnv, "")
	dir := filepath.Dir(begun(t))
	c := &cobra.Command{}
	get := func(role string) string {
		a := access{file: filepath.Join(dir, starterName)}
		if err := a.load(c); err != nil {
			t.Fatal(err)
		}
		s, err := a.secret(c, role)
		if err != nil {
			return err.Error()
		}
		return s.Reveal()
	}
	keys := contents(t, filepath.Join(dir, "keys"))
	for role, file := range map[string]string{"viewer": "ops.token", "operator": "ops.token", "approver": "admin.token", "admin": "admin.token"} {
		if get(role) != strings.TrimSpace(keys[file]) {
			t.Errorf("%s does not take %s", role, file)
		}
	}
	if err := os.Remove(filepath.Join(dir, "keys", "admin.token")); err != nil {
		t.Fatal(err)
	}
	if get("viewer") != strings.TrimSpace(keys["ops.token"]) {
		t.Error("a token that is not here keeps another from being used")
	}
	if got := get("admin"); !strings.Contains(got, "api.tokens[1].token") {
		t.Errorf("the one that is needed is not named: %s", got)
	}
}

func TestATextIsPrintedOnceForEachSystem(t *testing.T) {
	const why = "resetd has no permission to act on corp-ldap"
	task := sampleTask("task-1", "soar", schemas.Request{})
	task.Detail = "corp-ldap: " + why
	e := &task.Enforcements[0]
	e.Detail, e.Steps = why, append(e.Steps, schemas.Step{Name: schemas.StepPreflight, Detail: why})
	var out strings.Builder
	if err := taskDetails(&out, task); err != nil || strings.Count(out.String(), why) != 1 || !strings.Contains(out.String(), "uid=jdoe") {
		t.Errorf("%v\n%s", err, out.String())
	}
	out.Reset()
	task.Detail = "something else"
	if err := taskDetails(&out, task); err != nil || !strings.Contains(out.String(), "something else") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestAnAccountMaySayItsType(t *testing.T) {
	for text, want := range map[string]schemas.Account{
		"dn:uid=jdoe,ou=people,dc=example,dc=com": {Type: schemas.AccountDN, Value: "uid=jdoe,ou=people,dc=example,dc=com"},
		"user_name:jdoe@example.com":              {Type: schemas.AccountUserName, Value: "jdoe@example.com"},
		"email:jdoe@example.com":                  {Type: schemas.AccountEmail, Value: "jdoe@example.com"},
		"user_name:dn:x":                          {Type: schemas.AccountUserName, Value: "dn:x"},
		"other:x":                                 {Type: schemas.AccountUserName, Value: "other:x"},
		"jdoe@example.com":                        {Type: schemas.AccountAddress, Value: "jdoe@example.com"},
	} {
		if got, err := parseAccount(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, name := range accountTypeNames() {
		if err := (schemas.Account{Type: schemas.AccountType(name)}).Check(); err == nil || strings.Contains(err.Error(), "unknown type") {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(resetd("", "send", "--help").out, name) {
			t.Errorf("the help does not tell of %s", name)
		}
	}
	resetd("", "send", "--source", "soar", "--account", "sid:jdoe").want(t, exitUsage, "", "a SID looks like")
	resetd("", "send", "--source", "soar", "--account", "dn:").want(t, exitUsage, "", "it is empty")
}

func TestShowTellsWhatTheCallerHeard(t *testing.T) {
	f := newFakeAPI(t)
	file := f.site(t)
	f.tasks["task-1"], f.tasks["quiet-1"] = sampleTask("task-1", "soar", schemas.Request{}), sampleTask("quiet-1", "soar", schemas.Request{})
	r := resetd("", "tasks", "show", "-c", file, "task-1")
	r.want(t, exitOK, "cb_task-1_4", "")
	for _, part := range []string{"dead", "503", "https://soar.example.com/hooks/"} {
		if !strings.Contains(r.out, part) {
			t.Errorf("%q is missing in\n%s", part, r.out)
		}
	}
	if r := resetd("", "tasks", "show", "-c", file, "quiet-1"); r.status != exitOK || strings.Contains(r.out, "CALLBACK") {
		t.Errorf("a task that owes nothing: %s%s", r.out, r.err)
	}
}
