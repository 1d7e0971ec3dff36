package testserver

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
)

// superuser is the cluster's one role. The databases' URLs carry it too: the
// ledger creates its own tables.
const superuser = "resetd"

// longestSocket is the longest path of a Unix socket that every system takes:
// sockaddr_un holds 104 bytes on macOS and 108 on Linux, a closing zero
// included.
const longestSocket = 103

// initCluster makes the data folder. It leaves out the sync of the empty
// cluster: nothing in it is worth one.
func initCluster(ctx context.Context, space *workspace, initdb, password string) error {
	if err := space.write("password", []byte(password+"\n")); err != nil {
		return err
	}
	err := space.run(ctx, initdb, "-D", space.file("data"), "-U", superuser, "--pwfile="+space.file("password"),
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	if err != nil {
		return err
	}
	return os.Remove(space.file("password"))
}

// socketDir returns the folder for the server's Unix socket: its own, or none
// when the path would be too long. Clients come by TCP in any case.
func socketDir(space *workspace, port int) string {
	if len(space.file(".s.PGSQL."+strconv.Itoa(port))) > longestSocket {
		return ""
	}
	return space.path
}

// Database makes an empty database for the test, drops it with the test, even
// when connections are still open, and returns its URL.
func (s *PostgresServer) Database(t testing.TB) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	database, drop, err := s.CreateDatabase(ctx)
	if err != nil {
		t.Fatalf("making a database: %v", err)
	}
	t.Cleanup(func() {
		if !s.alive() {
			return // the test stopped its own cluster; the database goes with it
		}
		ctx, cancel := context.WithTimeout(context.Background(), startLimit)
		defer cancel()
		if err := drop(ctx); err != nil {
			t.Errorf("dropping a database: %v", err)
		}
	})
	return database
}

// CreateDatabase makes an empty database and returns its URL and a function
// that drops it together with its open connections.
func (s *PostgresServer) CreateDatabase(ctx context.Context) (string, func(context.Context) error, error) {
	name := "t_" + strings.ToLower(rand.Text())
	if err := s.exec(ctx, "CREATE DATABASE "+name); err != nil {
		return "", nil, err
	}
	location, err := url.Parse(s.URL)
	if err != nil {
		return "", nil, fmt.Errorf("postgres: %w", err)
	}
	location.Path = "/" + name
	drop := func(ctx context.Context) error { return s.exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)") }
	return location.String(), drop, nil
}

// alive reports whether the first process runs.
func (s *PostgresServer) alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs()
}
