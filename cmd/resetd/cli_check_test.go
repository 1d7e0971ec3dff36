package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/resetd/resetd/cmd/resetd/config"
)

// begun fills a folder by init and changes the configuration by pairs of old and new texts. Its directory answers nowhere.
func begun(t *testing.T, pairs ...string) (file string) {
	t.Helper()
	dir := t.TempDir()
	resetd("", "init", "--dir", dir).want(t, exitOK, "wrote", "")
	file = filepath.Join(dir, starterName)
	pairs = append([]string{"ldaps://ldap.example.com", "ldaps://127.0.0.1:" + closedPort(t)}, pairs...)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(starter, pairs[i]) {
			t.Fatalf("the starter has no %q", pairs[i])
		}
	}
	if err := os.WriteFile(file, []byte(strings.NewReplacer(pairs...).Replace(starter)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// closedPort gives a port of this machine on which nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return port
}

func TestCheckLooksAtTheLedgerAndLeavesNothing(t *testing.T) {
	file := begun(t)
	r := resetd("", "check", "-c", file)
	r.want(t, exitUnsuccessful, "ok    ledger ", "1 problem was found")
	if !strings.Contains(r.out, "1 source, 1 system\n") || !strings.Contains(r.out, "FAIL  corp-ldap ") {
		t.Errorf("got\n%s", r.out)
	}
	if left, _ := os.ReadDir(filepath.Dir(file)); len(left) != 2 { // keys and the configuration
		t.Errorf("it left %v", left)
	}
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), "resetd-data"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	resetd("", "check", "-c", file).want(t, exitUnsuccessful, "is a file and not a folder; ", "2 problems were found")
}

func TestCheckSaysThatADatabaseDoesNotAnswer(t *testing.T) {
	t.Setenv("PG_PASSWORD", "hunter2-hunter2")
	host := "127.0.0.1:" + closedPort(t)
	r := resetd("", "check", "-c", begun(t, "ledger: sqlite", "ledger: postgres://resetd:${PG_PASSWORD}@"+host+"/resetd"))
	r.want(t, exitUnsuccessful, "FAIL  ledger               postgres://"+host+"/resetd does not answer", "problems")
	r.quiet(t, "hunter2")
}

func TestCheckTellsOnlyWarningsOfTheQueue(t *testing.T) {
	redis := miniredis.RunT(t)
	r := resetd("", "check", "-c", begun(t, "queue: embedded", "queue: redis://"+redis.Addr()))
	r.want(t, exitUnsuccessful, "ok    queue                redis://"+redis.Addr()+" answers\n", "problem")
	if strings.Contains(r.out, "DBG") || strings.Contains(r.out, "is connected") {
		t.Errorf("debug texts are shown:\n%s", r.out)
	}
}

func TestCheckAsksOnlyTheSystemsThatAreNamed(t *testing.T) {
	file := begun(t)
	r := resetd("", "check", "-c", file, "corp-ldap")
	r.want(t, exitUnsuccessful, "FAIL  corp-ldap ", "1 problem")
	if strings.Contains(r.out, "ledger") || strings.Contains(r.out, "queue") {
		t.Errorf("more was asked:\n%s", r.out)
	}
	resetd("", "check", "-c", file, "corp-ad").want(t, exitUsage, "", `no system "corp-ad"; its systems are corp-ldap`)
}

func TestEveryMistakeIsToldAtOnce(t *testing.T) {
	file := begun(t, "rate: 20/s", "rate: nonsense", "password: file:keys/corp-ldap.password", "password: ${NOT_SET_ANYWHERE}",
		"base_dn:", "bsae_dn:")
	for _, command := range []string{"check", "serve"} {
		r := resetd("", command, "-c", file)
		r.want(t, exitUsage, "", "systems[0].rate: ")
		if !strings.Contains(r.err, "NOT_SET_ANYWHERE is not set") || !strings.Contains(r.err, "did you mean base_dn?") {
			t.Errorf("%s: got\n%s", command, r.err)
		}
		if n := strings.Count(r.err, "NOT_SET_ANYWHERE"); n != 1 {
			t.Errorf("%s tells it %d times\n%s", command, n, r.err)
		}
	}
	resetd("", "check", "-c", begun(t, "password: file:keys/corp-ldap.password", "password: ${NOT_SET_ANYWHERE}")).
		want(t, exitUsage, "", "NOT_SET_ANYWHERE is not set")
}

func TestTheLogHasColoursOnATerminalOnly(t *testing.T) {
	var out bytes.Buffer
	log := newLogger(config.Log{Level: "info", Format: "console"}, &out)
	log.Info().Str("a", "b").Msg("hello")
	if strings.Contains(out.String(), "\x1b") || !strings.Contains(out.String(), "hello") {
		t.Errorf("got %q", out.String())
	}
	device, err := os.Open(os.DevNull) // a character device, as a terminal is
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = device.Close() }()
	t.Setenv("NO_COLOR", "")
	if !colourful(device) {
		t.Error("a terminal has no colours")
	}
	t.Setenv("NO_COLOR", "1")
	if colourful(device) {
		t.Error("NO_COLOR is not heeded")
	}
}
