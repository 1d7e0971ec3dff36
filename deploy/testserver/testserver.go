// Package testserver starts real slapd, redis-server and PostgreSQL processes
// for tests and for the crash and benchmark harnesses.
//
// Every server listens on 127.0.0.1 on a free port, keeps its files in a
// folder of its own and runs without privileges: as the user who runs the
// tests, or as nobody (PostgreSQL: postgres) when that user is root. It goes
// away with the test that asked for it, and also when the test process is
// killed: see [watchdog].
//
// Slapd, Redis and Postgres are for tests: they skip the test when the program
// is not installed, or fail it when RESETD_TEST_REQUIRE names the server.
// StartSlapd, StartRedis and StartPostgres return errors instead, for programs
// without a testing.TB.
//
// Samba is the exception: a domain controller has fixed ports, so each gets a
// loopback address of its own, and it takes root.
package testserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// startLimit bounds one start of a server, seeding included. Starts take well
// under two seconds on an idle machine; the limit is for a crowded one.
const startLimit = 90 * time.Second

// Required reports whether a missing server must fail a test rather than skip
// it. The environment variable RESETD_TEST_REQUIRE holds "all" or a comma
// separated list out of slapd, redis, postgres, samba, keycloak, moto, 389ds and nodered. CI sets it to "all", so that
// a machine without servers can not pass for a machine where they were tested.
func Required(server string) bool {
	for _, name := range strings.Split(os.Getenv("RESETD_TEST_REQUIRE"), ",") {
		if name = strings.TrimSpace(name); name == "all" || name == server {
			return true
		}
	}
	return false
}

// MissingError says that a server can not be started because its programs are
// not installed.
type MissingError struct {
	Server  string // slapd, redis, postgres, samba …: the name RESETD_TEST_REQUIRE knows
	Program string // the program that was looked for
	Package string // the Debian package that brings it
	Reason  string // what keeps it from running although it is installed; usually empty
}

// Error names the missing program and both ways to install it.
func (e *MissingError) Error() string {
	if e.Reason != "" {
		return e.Server + " can not run: " + e.Reason
	}
	return fmt.Sprintf("%s is not installed: run `make servers`, or `apt-get install --no-install-recommends %s`",
		e.Program, e.Package)
}

// begin starts a server for a test and ends it with the test. A missing program
// skips the test or, when it is required, fails it; any other error fails it.
func begin[S interface{ Close() error }](t testing.TB, start func(context.Context) (S, error)) S {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	server, err := start(ctx)
	if err != nil {
		giveUp(t, err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("stopping a test server: %v", err)
		}
	})
	return server
}

// giveUp ends a test whose server did not start.
func giveUp(t testing.TB, err error) {
	t.Helper()
	var missing *MissingError
	if !errors.As(err, &missing) {
		t.Fatalf("starting a test server: %v", err)
	}
	if Required(missing.Server) {
		t.Fatalf("RESETD_TEST_REQUIRE asks for %s: %v", missing.Server, missing)
	}
	t.Skip(missing.Error())
}
