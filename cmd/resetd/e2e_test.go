package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
	"github.com/resetd/resetd/schemas"
)

// built is the real binary, made once for all end-to-end tests of the process.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "resetd-e2e-")
	if err != nil {
		return "", err
	}
	return harness.Build(context.Background(), dir)
})

// stage is a running resetd with a real OpenLDAP and a receiver around it.
type stage struct {
	*harness.Site
	t        *testing.T
	binary   string
	slapd    *testserver.SlapdServer
	receiver *harness.Receiver
	log      *bytes.Buffer
	bodies   *bytes.Buffer // of every callback
	process  *harness.Process
	client   *harness.Client
}

// play starts everything. Options may change what the installation is like.
func play(t *testing.T, options ...func(*harness.SiteOptions)) *stage {
	t.Helper()
	if testing.Short() {
		t.Skip("end-to-end tests build the binary; they run without -short")
	}
	return playOn(t, testserver.Slapd(t, testserver.WithUsers(200), testserver.WithClearPasswords()), options...)
}

// playOn does the same around a directory that is there already.
func playOn(t *testing.T, slapd *testserver.SlapdServer, options ...func(*harness.SiteOptions)) *stage {
	t.Helper()
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, binary: binary, slapd: slapd, log: &bytes.Buffer{}, bodies: &bytes.Buffer{}}
	if s.receiver, err = harness.NewReceiver(func(body []byte) { s.bodies.Write(body) }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.receiver.Close)
	o := harness.SiteOptions{CallbackURL: s.receiver.URL, Names: []string{"corp-ldap"}, Systems: harness.OpenLDAP("corp-ldap", s.slapd),
		Secrets: map[string]string{"ldap.password": s.slapd.ServicePassword}, Extra: "log: {level: debug, format: json}\n"}
	for _, change := range options {
		change(&o)
	}
	if s.Site, err = harness.NewSite(t.TempDir(), o); err != nil {
		t.Fatal(err)
	}
	if err := s.receiver.Trust(s.CallbackKey); err != nil {
		t.Fatal(err)
	}
	s.client = s.Client(16)
	s.start()
	t.Cleanup(func() { s.process.Kill() })
	return s
}

func (s *stage) start() {
	s.t.Helper()
	var err error
	if s.process, err = s.Start(s.binary, s.log); err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	if err := s.process.Ready(ctx); err != nil {
		s.t.Fatalf("%v\n%s", err, s.log)
	}
}

// ask sends a webhook for accounts and gives the tasks once they are final.
func (s *stage) ask(id string, accounts ...string) []schemas.Task {
	s.t.Helper()
	body, err := harness.Body(accounts...)
	if err != nil {
		s.t.Fatal(err)
	}
	status, accepted, err := s.client.Send(s.t.Context(), id, body)
	if err != nil || status != http.StatusAccepted {
		s.t.Fatalf("webhook: HTTP %d, %v", status, err)
	}
	out := make([]schemas.Task, len(accepted))
	for i, a := range accepted {
		out[i] = s.final(a.ID)
	}
	return out
}

// newest gives the task that was made last.
func (s *stage) newest() schemas.Task {
	s.t.Helper()
	var page schemas.TaskPage
	code, err := s.client.Get(s.t.Context(), "/v1/tasks?limit=1", &page)
	if err != nil || code != http.StatusOK || len(page.Tasks) != 1 {
		s.t.Fatalf("tasks: HTTP %d, %v", code, err)
	}
	return page.Tasks[0]
}

func (s *stage) final(id string) schemas.Task {
	s.t.Helper()
	var task schemas.Task
	code, err := s.client.Get(s.t.Context(), "/v1/tasks/"+id+"?wait=30s", &task)
	if err != nil || code != http.StatusOK || !task.Status.Final() {
		s.t.Fatalf("task %s: HTTP %d, %v, %s\n%s", id, code, err, task.Status, s.log)
	}
	return task
}

// run runs a command of the binary in the site's folder.
func (s *stage) run(args ...string) (string, int) {
	cmd := exec.CommandContext(s.t.Context(), s.binary, args...)
	cmd.Dir = s.Dir
	text, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

func TestEndToEndPasswordIsReallyReset(t *testing.T) {
	s := play(t)
	who := s.slapd.Person(testserver.JDoe)
	if _, err := s.slapd.Bind(who.DN, who.Password); err != nil {
		t.Fatalf("the old password does not bind before: %v", err)
	}
	task := s.ask("msg_1", who.Mail)[0]
	if task.Status != schemas.StatusSuccessful || task.Code != schemas.CodeOK {
		t.Fatalf("task ended as %s %s: %s", task.Status, task.Code, task.Detail)
	}
	if _, err := s.slapd.Bind(who.DN, who.Password); err == nil {
		t.Error("the old password still binds")
	}
	if reset, err := s.slapd.Values(who.DN, "pwdReset"); err != nil || strings.Join(reset, "") != "TRUE" {
		t.Errorf("pwdReset is %v, %v", reset, err)
	}
	writes, err := s.slapd.PasswordWrites()
	if err != nil || writes[strings.ToLower(who.DN)] != 1 {
		t.Errorf("the directory counted %d writes, %v", writes[strings.ToLower(who.DN)], err)
	}
	s.told(task)
	again := s.ask("msg_2", who.Mail)[0]
	if again.ID == task.ID || again.Status != schemas.StatusSuccessful {
		t.Errorf("a second request under another id gives %s %s", again.ID, again.Status)
	}
}

// told waits for the verified callback of a task.
func (s *stage) told(task schemas.Task) {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		tasks, bad := s.receiver.Told()
		if bad > 0 {
			s.t.Fatalf("%d callbacks were not verified", bad)
		}
		if tasks[task.ID] == string(task.Status) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("no callback for %s; told %v", task.ID, tasks)
		}
	}
}

func TestEndToEndHonestFailures(t *testing.T) {
	s := play(t)
	for account, want := range map[string]schemas.Code{
		"twins@example.com":  schemas.CodeAccountAmbiguous,
		"nobody@example.com": schemas.CodeAccountNotFound,
		"*":                  schemas.CodeAccountNotFound,
		"jdoe)(uid=*":        schemas.CodeAccountNotFound,
		testserver.Larry:     schemas.CodeUnenforced,
		testserver.Vera:      schemas.CodePermissionMissing,
	} {
		task := s.ask("msg_"+strings.Trim(strings.NewReplacer("*", "star", "(", "", ")", "", "=", "", "@", "", ".", "").Replace(account), " "), account)[0]
		if task.Status != schemas.StatusUnsuccessful || task.Code != want || task.Enforcements[0].Detail == "" {
			t.Errorf("%s ends as %s %s (%s), want %s", account, task.Status, task.Code, task.Detail, want)
		}
		s.told(task)
	}
}

func TestEndToEndStopsInOrderAndGoesOnWhereItWas(t *testing.T) {
	s := play(t)
	first := s.ask("msg_1", testserver.Alice)[0]
	if err := s.process.Stop(); err != nil {
		t.Fatalf("%v\n%s", err, s.log)
	}
	s.start()
	if got := s.final(first.ID); got.Status != schemas.StatusSuccessful {
		t.Errorf("after the restart the task is %s", got.Status)
	}
	if replay := s.ask("msg_other", testserver.Bob)[0]; replay.Status != schemas.StatusSuccessful {
		t.Errorf("a new task ends as %s", replay.Status)
	}
	if out, code := s.run("serve", "-c", "resetd.yaml"); code == 0 || !strings.Contains(out, "another") && !strings.Contains(out, "lock") {
		t.Errorf("a second process on the same ledger ends with %d:\n%s", code, out)
	}
}

func TestEndToEndCommands(t *testing.T) {
	s := play(t)
	if out, code := s.run("check", "-c", "resetd.yaml"); code != 0 {
		t.Errorf("check ends with %d:\n%s", code, out)
	}
	out, code := s.run("send", "-c", "resetd.yaml", "--source", "soar", "--account", testserver.Alice, "--wait", "--url", s.URL())
	if code != 0 || !strings.Contains(out, "successful") {
		t.Errorf("send --wait ends with %d:\n%s", code, out)
	}
	if out, code := s.run("tasks", "list", "-c", "resetd.yaml", "--url", s.URL()); code != 0 || !strings.Contains(out, testserver.Alice) {
		t.Errorf("tasks list ends with %d:\n%s", code, out)
	}
}

func TestDemoOnceEndsWithOneLineOfJSON(t *testing.T) {
	if testing.Short() {
		t.Skip("end-to-end tests build the binary; they run without -short")
	}
	binary, err := built()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), binary, "demo", "--once")
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	var last struct {
		Task             string
		Status           string
		CallbackVerified bool  `json:"callback_verified"`
		TookMS           int64 `json:"took_ms"`
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Status != "successful" || !last.CallbackVerified || last.Task == "" {
		t.Errorf("the last line is %s (%v)", lines[len(lines)-1], err)
	}
	if left, _ := filepath.Glob(filepath.Join(cmd.Dir, "*")); len(left) > 0 {
		t.Errorf("it left %v behind", left)
	}
}
