package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// branch adds a second directory with the same people, where the configuration permits nothing.
func branch(second *testserver.SlapdServer) func(*harness.SiteOptions) {
	return func(o *harness.SiteOptions) {
		o.Names = append(o.Names, "branch-ldap")
		o.Systems += strings.NewReplacer("enforcement: granted", "enforcement: not_granted", "file:ldap.password", "file:branch.password").
			Replace(harness.OpenLDAP("branch-ldap", second))
		o.Secrets["branch.password"] = second.ServicePassword
	}
}

// on gives the part of a task on one system.
func on(t *testing.T, task schemas.Task, system string) schemas.Enforcement {
	t.Helper()
	for _, e := range task.Enforcements {
		if e.System == system {
			return e
		}
	}
	t.Fatalf("the task has no part on %s: %+v", system, task.Enforcements)
	return schemas.Enforcement{}
}

// command runs a command against the running resetd and demands its exit status.
func (s *stage) command(want int, args ...string) string {
	s.t.Helper()
	out, code := s.run(append(args, "-c", "resetd.yaml", "--url", s.URL())...)
	if code != want {
		s.t.Fatalf("%v ends with %d, want %d:\n%s", args, code, want, out)
	}
	return out
}

func (s *stage) system(name string) schemas.System {
	s.t.Helper()
	var got schemas.System
	if code, err := s.client.Get(s.t.Context(), "/v1/systems/"+name, &got); err != nil || code != http.StatusOK {
		s.t.Fatalf("system %s: HTTP %d, %v", name, code, err)
	}
	return got
}

func (s *stage) restart() {
	s.t.Helper()
	if err := s.process.Stop(); err != nil {
		s.t.Fatalf("%v\n%s", err, s.log)
	}
	s.start()
}

// The way that an administrator goes: a task fails for want of the permission, the permission is granted while resetd
// runs, and one call runs again what failed and nothing else.
func TestEndToEndPermissionIsGrantedAndOnlyWhatFailedRunsAgain(t *testing.T) {
	server := testserver.Slapd(t, testserver.WithUsers(20), testserver.WithClearPasswords())
	s := play(t, branch(server))
	task := s.ask("msg_1", testserver.JDoe)[0]
	first, missing := on(t, task, "corp-ldap"), on(t, task, "branch-ldap")
	if task.Status != schemas.StatusPartiallySuccessful || first.Status != schemas.StatusSuccessful || missing.Code != schemas.CodePermissionMissing {
		t.Fatalf("the task is %s: %+v", task.Status, task.Enforcements)
	}
	for _, part := range []string{"enforcement: granted", "- name: branch-ldap", "resetd systems grant branch-ldap"} {
		if !strings.Contains(missing.Detail, part) {
			t.Errorf("the detail does not name %q: %s", part, missing.Detail)
		}
	}
	person := server.Person(testserver.JDoe)
	if _, err := server.Bind(person.DN, person.Password); err != nil {
		t.Fatalf("the second directory was changed without permission: %v", err)
	}
	s.command(exitOK, "systems", "grant", "branch-ldap", "--reason", "CHG0042")
	s.command(exitOK, "tasks", "retry", task.ID)
	again := s.final(task.ID)
	same, done := on(t, again, "corp-ldap"), on(t, again, "branch-ldap")
	if again.Status != schemas.StatusSuccessful || done.Status != schemas.StatusSuccessful {
		t.Errorf("after the retry the task is %s: %+v", again.Status, again.Enforcements)
	}
	if same.Generation != first.Generation || same.Attempts != first.Attempts || !same.FinishedAt.Equal(first.FinishedAt) {
		t.Errorf("what had succeeded was run again: %+v, was %+v", same, first)
	}
	for name, directory := range map[string]*testserver.SlapdServer{"corp-ldap": s.slapd, "branch-ldap": server} {
		writes, err := directory.PasswordWrites()
		if err != nil || writes[strings.ToLower(person.DN)] != 1 {
			t.Errorf("%s counted %d writes, %v", name, writes[strings.ToLower(person.DN)], err)
		}
	}
	if _, err := server.Bind(person.DN, person.Password); err == nil {
		t.Error("the old password still binds to the second directory")
	}
	s.restart()
	if got := s.system("branch-ldap"); got.Enforcement.Permission != schemas.PermissionGranted || got.Enforcement.From != schemas.FromRunTime ||
		got.Enforcement.By != "token:root" || got.Enforcement.Reason != "CHG0042" || len(got.History) != 1 {
		t.Errorf("after a restart: %+v", got)
	}
	if next := s.ask("msg_2", testserver.Alice)[0]; next.Status != schemas.StatusSuccessful {
		t.Errorf("after a restart a task is %s: %+v", next.Status, next.Enforcements)
	}
}

func TestEndToEndWithdrawalIsNotUndoneByARestart(t *testing.T) {
	s := play(t)
	out := s.command(exitOK, "systems", "withdraw", "corp-ldap", "--reason", "incident 4711")
	if !strings.Contains(out, "not_granted at run time by token:ops") || !strings.Contains(out, "incident 4711") {
		t.Errorf("withdraw says\n%s", out)
	}
	for _, id := range []string{"msg_before", "msg_after_restart"} {
		task := s.ask(id, testserver.Alice)[0]
		if task.Code != schemas.CodePermissionMissing {
			t.Fatalf("the task is %s %s", task.Status, task.Code)
		}
		if why := on(t, task, "corp-ldap").Detail; !strings.Contains(why, "withdrawn by token:ops on ") || !strings.Contains(why, "incident 4711") {
			t.Errorf("the detail does not tell who withdrew it: %s", why)
		}
		if got := s.system("corp-ldap").Enforcement; got.Permission != schemas.PermissionNotGranted || got.Configured != schemas.PermissionGranted {
			t.Errorf("%+v", got)
		}
		s.restart()
	}
	if writes, err := s.slapd.PasswordWrites(); err != nil || len(writes) != 0 {
		t.Errorf("the directory counted %v, %v", writes, err)
	}
	if out := s.command(exitOK, "systems", "revert", "corp-ldap"); !strings.Contains(out, "granted by the configuration") {
		t.Errorf("revert says\n%s", out)
	}
	if task := s.ask("msg_after", testserver.Alice)[0]; task.Status != schemas.StatusSuccessful {
		t.Errorf("the task is %s %s", task.Status, task.Code)
	}
}

func TestEndToEndSystemsAndAccountsAreShown(t *testing.T) {
	s := play(t, func(o *harness.SiteOptions) { // programs are accounts too here, resetd itself among them
		o.Systems = strings.Replace(o.Systems, "config: {", `config: {user_filter: "(|(objectClass=person)(objectClass=simpleSecurityObject))", `, 1)
	})
	out := s.command(exitOK, "systems", "check", "corp-ldap")
	for _, topic := range schemas.Topics()[1:] {
		if !strings.Contains(out, string(topic)) {
			t.Errorf("the check says nothing of %s:\n%s", topic, out)
		}
	}
	if got := s.system("corp-ldap"); got.Check == nil || got.Check.State == schemas.FindingFail || got.Kind != "openldap" {
		t.Errorf("%+v", got)
	}
	if out := s.command(exitOK, "systems", "list"); !strings.Contains(out, "corp-ldap") || !strings.Contains(out, "granted") {
		t.Errorf("list says\n%s", out)
	}
	var report struct {
		State    string
		Findings []struct{ Part, Topic, State, Detail string }
	}
	out, code := s.run("check", "-c", "resetd.yaml", "--json")
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != exitOK || report.State == "fail" || len(report.Findings) < 9 {
		t.Errorf("check --json ends with %d, %v:\n%s", code, err, out)
	}
	look := func(q string) schemas.Sighting {
		t.Helper()
		var got schemas.AccountReport
		if status, err := s.client.Get(t.Context(), "/v1/accounts?"+q, &got); err != nil || status != http.StatusOK || len(got.Systems) != 1 {
			t.Fatalf("%s: HTTP %d, %v, %+v", q, status, err, got)
		}
		return got.Systems[0]
	}
	if got := look("q=" + testserver.JDoe); got.State != schemas.SightingFound || got.Profile == nil || got.Profile.MustChange || got.Identity == nil || len(got.Modes) == 0 || got.Profile.Protected {
		t.Errorf("%+v %+v", got, got.Profile)
	}
	s.ask("msg_1", testserver.JDoe)
	if got := look("q=" + testserver.JDoe); got.Profile == nil || !got.Profile.MustChange || got.Profile.PasswordChangedAt.IsZero() {
		t.Errorf("after the reset: %+v", got.Profile)
	}
	if got := look("type=dn&q=" + url.QueryEscape(s.slapd.ServiceDN)); got.Profile == nil || !got.Profile.Protected || got.Profile.ProtectedBecause == "" {
		t.Errorf("resetd's own account: %+v %+v", got, got.Profile)
	}
	if got := look("q=nobody"); got.State != schemas.SightingNotFound || got.Code != schemas.CodeAccountNotFound {
		t.Errorf("nobody: %+v", got)
	}
	if got := look("q=twins@example.com"); got.State != schemas.SightingAmbiguous {
		t.Errorf("twins: %+v", got)
	}
	if writes, err := s.slapd.PasswordWrites(); err != nil || len(writes) != 1 {
		t.Errorf("looking and checking wrote passwords: %v, %v", writes, err)
	}
}
