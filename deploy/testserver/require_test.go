package testserver

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
)

// verdict is a testing.TB that notes how a test ended.
type verdict struct {
	testing.TB
	skipped, failed string
}

func (v *verdict) Helper() {}

func (v *verdict) Skip(args ...any) {
	v.skipped = fmt.Sprint(args...)
	runtime.Goexit()
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// judge runs a test body that may end its goroutine.
func judge(body func(testing.TB)) *verdict {
	v, done := &verdict{}, make(chan struct{})
	go func() {
		defer close(done)
		body(v)
	}()
	<-done
	return v
}

// hideServers makes this process find no server program.
func hideServers(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", t.TempDir())
	t.Setenv("RESETD_TEST_DIRS", t.TempDir())
}

func TestMissingServerSkipsInOneLineThatTellsHowToInstallIt(t *testing.T) {
	hideServers(t)
	t.Setenv("RESETD_TEST_REQUIRE", "")
	for pkg, start := range map[string]func(testing.TB){
		"slapd":        func(t testing.TB) { Slapd(t) },
		"redis-server": func(t testing.TB) { Redis(t) },
		"python3-venv": func(t testing.TB) {
			begin(t, func(ctx context.Context) (*MotoServer, error) { return StartMoto(ctx, "") })
		},
		"postgresql":  func(t testing.TB) { Postgres(t, OwnCluster()) },
		"ldb-tools":   func(t testing.TB) { Samba(t) },
		"389-ds-base": func(t testing.TB) { DS389(t) },
		"nodejs npm":  func(t testing.TB) { NodeRED(t, NodeREDFlow{}) },
	} {
		v := judge(start)
		if v.failed != "" || v.skipped == "" {
			t.Fatalf("%s: skipped %q, failed %q", pkg, v.skipped, v.failed)
		}
		if strings.Contains(v.skipped, "\n") || !strings.Contains(v.skipped, pkg) || !strings.Contains(v.skipped, "make servers") {
			t.Errorf("%s: %q is not one line with package and remedy", pkg, v.skipped)
		}
	}
}

func TestMissingServerFailsWhenRequired(t *testing.T) {
	hideServers(t)
	for value, fails := range map[string]bool{
		"all": true, "slapd": true, "redis, slapd": true, "redis,postgres": false, "slapdx": false, "": false,
	} {
		t.Setenv("RESETD_TEST_REQUIRE", value)
		v := judge(func(t testing.TB) { Slapd(t) })
		if (v.failed != "") != fails || (v.skipped != "") == fails {
			t.Errorf("RESETD_TEST_REQUIRE=%q: skipped %q, failed %q", value, v.skipped, v.failed)
		}
	}
}

// The script and this package must agree on what is installed: otherwise
// "make test" would say nothing and the tests be skipped.
func TestScriptNamesExactlyTheServersThatAreMissingHere(t *testing.T) {
	script := func(t *testing.T, environment ...string) (lines []string, err error) {
		t.Helper()
		cmd := exec.Command("/bin/sh", "../test-servers.sh")
		cmd.Env = append(os.Environ(), append(environment, "RESETD_TEST_INSTALL=no")...)
		output, err := cmd.CombinedOutput()
		if text := strings.TrimSpace(string(output)); text != "" {
			lines = strings.Split(text, "\n")
		}
		return lines, err
	}
	compare := func(t *testing.T) {
		t.Helper()
		lines, err := script(t, "RESETD_TEST_REQUIRE=")
		if err != nil {
			t.Fatalf("nothing was required, yet: %v", err)
		}
		named := strings.Join(lines, "\n")
		missing := 0
		for _, n := range []need{needSlapd, needRedis, needInitdb, needSamba} {
			_, err := n.find()
			if (err != nil) != strings.Contains(named, n.server+" is missing") {
				t.Errorf("%s: this package says %v, the script says %q", n.server, err, named)
			}
			if err != nil {
				missing++
			}
		}
		_, no389 := findDS389()
		_, noMoto := findMoto()
		_, _, noKeycloak := findKeycloak()
		_, _, noNodeRED := findNodeRED()
		for server, err := range map[string]error{"moto": noMoto, "keycloak": noKeycloak, "nodered": noNodeRED, "389ds": no389} { // in folders of their own, or several programs
			if (err != nil) != strings.Contains(named, server+" is missing") {
				t.Errorf("%s: this package says %v, the script says %q", server, err, named)
			}
			if err != nil {
				missing++
			}
		}
		if len(lines) != missing {
			t.Errorf("%d lines for %d missing servers: %q", len(lines), missing, named)
		}
	}
	t.Run("as it is", compare)
	t.Run("with nothing", func(t *testing.T) {
		hideServers(t)
		compare(t)
		for value, fails := range map[string]bool{"all": true, "slapd, nothing": true, "slapdx": false} {
			if _, err := script(t, "RESETD_TEST_REQUIRE="+value); (err != nil) != fails {
				t.Errorf("RESETD_TEST_REQUIRE=%q: %v", value, err)
			}
		}
	})
}
