package testserver

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// holdVariable makes TestHoldsAServer, in a child process, start a server.
const holdVariable = "RESETD_TESTSERVER_HOLD"

// held is what the tests need to know about any server.
type held interface {
	PID() int
	Dir() string
	Pause() error
	Close() error
}

// hold starts a server by name.
func hold(t *testing.T, name string) held {
	t.Helper()
	switch name {
	case "slapd":
		return Slapd(t)
	case "redis":
		return Redis(t)
	case "postgres":
		return Postgres(t)
	case "samba":
		return Samba(t)
	case "389ds":
		return DS389(t)
	case "nodered":
		return NodeRED(t, noderedFlow(t, echoFlow))
	}
	t.Fatalf("no server %q", name)
	return nil
}

// TestHoldsAServer is the child of the test below: it starts a server, tells
// its process id and folder, and waits to be killed.
func TestHoldsAServer(t *testing.T) {
	name, paused := strings.CutSuffix(os.Getenv(holdVariable), "-paused")
	if name == "" {
		return // not a child
	}
	server := hold(t, name)
	if paused {
		if err := server.Pause(); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Printf("held %d %s\n", server.PID(), server.Dir())
	select {}
}

func TestServersDieWithAKilledTestProcess(t *testing.T) {
	for _, name := range []string{"slapd", "redis", "postgres", "slapd-paused", "postgres-paused", "samba", "389ds"} {
		t.Run(name, func(t *testing.T) {
			program := map[string]need{"slapd": needSlapd, "redis": needRedis, "postgres": needInitdb, "samba": needSamba, "389ds": needDS389}
			if _, err := program[strings.TrimSuffix(name, "-paused")].find(); err != nil {
				giveUp(t, err)
			}
			if _, err := sambaAddress(); name == "samba" && err != nil { // installed, but not for us
				giveUp(t, err)
			}
			pid, dir := killHolder(t, name)
			// Generous: the watchdog itself gives a server five seconds.
			deadline := time.Now().Add(30 * time.Second)
			for !gone(pid) || exists(dir) {
				if time.Now().After(deadline) {
					t.Fatalf("after the kill: process gone %v, folder there %v", gone(pid), exists(dir))
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
}

// killHolder starts a child that holds the server, kills it and returns the
// server's process id and folder.
func killHolder(t *testing.T, name string) (pid int, dir string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestHoldsAServer$", "-test.v")
	child.Env = append(os.Environ(), holdVariable+"="+name)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Wait() }() // it was killed: that is no failure
	defer func() { _ = child.Process.Kill() }()
	var said []string
	for lines := bufio.NewScanner(output); lines.Scan(); {
		said = append(said, lines.Text())
		if _, err := fmt.Sscanf(lines.Text(), "held %d %s", &pid, &dir); err == nil {
			if gone(pid) || !exists(dir) {
				t.Fatal("the child's server does not run: nothing to test")
			}
			return pid, dir
		}
	}
	t.Fatalf("the child did not start a server:\n%s", strings.Join(said, "\n"))
	return 0, ""
}

// gone reports whether a process has ended. One that nobody reaped yet has.
func gone(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil || process.Signal(syscall.Signal(0)) != nil {
		return true
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	fields := strings.Fields(string(stat))
	return err == nil && len(fields) > 2 && fields[2] == "Z"
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func TestServersEndWithTheirTestAndLeaveNothing(t *testing.T) {
	for _, name := range []string{"slapd", "redis"} {
		t.Run(name, func(t *testing.T) {
			var server held
			t.Run("user", func(t *testing.T) { server = hold(t, name) })
			if server == nil {
				t.Skip(name + " is not installed: run `make servers`")
			}
			if !gone(server.PID()) || exists(server.Dir()) {
				t.Errorf("after the test: process gone %v, folder there %v", gone(server.PID()), exists(server.Dir()))
			}
			if err := server.Close(); err != nil {
				t.Errorf("closing twice: %v", err)
			}
		})
	}
}

func TestStoppedServerRefusesAndRestartedOneRemembers(t *testing.T) {
	s := Slapd(t)
	p := s.Person(JDoe)
	wantCode(t, service(t, s).Modify(reset(p.DN, fresh)), ldap.LDAPResultSuccess)
	url := s.URL
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bind(p.DN, fresh); !ldap.IsErrorWithCode(err, ldap.ErrorNetwork) {
		t.Errorf("a stopped server answered: %v", err)
	}
	if err := s.Pause(); err == nil {
		t.Error("a stopped server was paused")
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	wantBind(t, s, p.DN, fresh, ldap.LDAPResultSuccess, changeAfterReset)
	if s.URL != url {
		t.Errorf("moved from %s to %s", url, s.URL)
	}
}

func TestPausedServerHangsAndResumedOneAnswers(t *testing.T) {
	s := Slapd(t)
	conn := service(t, s)
	conn.SetTimeout(300 * time.Millisecond)
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := conn.Modify(reset(s.Person(JDoe).DN, fresh)); !ldap.IsErrorWithCode(err, ldap.ErrorNetwork) {
		t.Errorf("a paused server answered: %v", err)
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	wantBind(t, s, s.Person(Bob).DN, s.Person(Bob).Password, ldap.LDAPResultSuccess, noPolicyError)
}
