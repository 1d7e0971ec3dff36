package testserver

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// PostgresServer is a running PostgreSQL cluster with one superuser. It listens
// on 127.0.0.1 only and asks for the password (SCRAM) everywhere.
type PostgresServer struct {
	*daemon
	URL string // of the maintenance database; tests want [PostgresServer.Database]
}

// PostgresOption changes how a cluster is started. A test that names one gets a
// cluster of its own.
type PostgresOption func(*postgresSettings)

type postgresSettings struct{ fsync string }

// OwnCluster asks for a cluster that no other test uses, which may therefore be
// stopped, killed and paused.
func OwnCluster() PostgresOption { return func(*postgresSettings) {} }

// WithoutFsync asks for a cluster of its own that does not wait for the disk.
func WithoutFsync() PostgresOption { return func(s *postgresSettings) { s.fsync = "off" } }

// shared is the cluster that all tests of a process use: making one takes a
// second or more, a database in it a tenth. It is the package's one variable
// with a state, because nothing else spans the tests of a process. No cleanup
// ends it; its watchdog does when the process ends.
var shared struct {
	once    sync.Once
	cluster *PostgresServer
	err     error
}

// Postgres returns a cluster. Without options it is the one that the process
// shares: take a Database from it and leave it running. With options it is the
// test's own and ends with the test. Data are synced to the disk unless
// WithoutFsync is given.
func Postgres(t testing.TB, options ...PostgresOption) *PostgresServer {
	t.Helper()
	if len(options) > 0 {
		return begin(t, func(ctx context.Context) (*PostgresServer, error) { return StartPostgres(ctx, "", options...) })
	}
	shared.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), startLimit)
		defer cancel()
		shared.cluster, shared.err = StartPostgres(ctx, "")
	})
	if shared.err != nil {
		giveUp(t, shared.err)
	}
	return shared.cluster
}

// StartPostgres makes a cluster in the folder postgres inside dir, or in a
// temporary folder when dir is "", and starts it. The context bounds the start,
// not the server's life: that ends with Close, or with the calling process. It
// returns a *MissingError when PostgreSQL is not installed.
func StartPostgres(ctx context.Context, dir string, options ...PostgresOption) (*PostgresServer, error) {
	settings := postgresSettings{fsync: "on"}
	for _, option := range options {
		option(&settings)
	}
	initdb, err := needInitdb.find()
	if err != nil {
		return nil, err
	}
	// The program beside initdb: the two must be of one version.
	program, err := needPostgres.in(filepath.Dir(initdb))
	if err != nil {
		return nil, err
	}
	who, err := unprivileged("postgres", "nobody")
	if err != nil {
		return nil, err
	}
	space, err := newWorkspace(dir, "postgres", who)
	if err != nil {
		return nil, err
	}
	password := newPassword()
	if err := initCluster(ctx, space, initdb, password); err != nil {
		space.discard()
		return nil, err
	}
	server := &PostgresServer{}
	var port int
	server.daemon = &daemon{
		name: "postgres", space: space, end: signalInt, ready: server.ping,
		argv: func() []string {
			return []string{
				program, "-D", space.file("data"), "-p", strconv.Itoa(port),
				"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + socketDir(space, port),
				"-c", "fsync=" + settings.fsync, "-c", "logging_collector=off", "-c", "max_connections=100",
				// Small and inside the data folder: a killed server leaves nothing in /dev/shm.
				"-c", "shared_buffers=32MB", "-c", "dynamic_shared_memory_type=mmap",
			}
		},
		move: func() (err error) {
			if port, err = freePort(); err != nil {
				return err
			}
			server.URL = (&url.URL{
				Scheme: "postgres", User: url.UserPassword(superuser, password),
				Host: address(port), Path: "/postgres", RawQuery: "sslmode=disable",
			}).String()
			return nil
		},
	}
	if err := server.move(); err != nil {
		space.discard()
		return nil, err
	}
	if err := server.boot(ctx, "QUIT"); err != nil {
		return nil, err
	}
	return server, nil
}

// ping succeeds when the server accepts the superuser's password.
func (s *PostgresServer) ping(ctx context.Context) error {
	return s.exec(ctx, "SELECT 1")
}

// exec runs one statement on a connection of its own to the maintenance
// database. CREATE and DROP DATABASE do not run inside a transaction.
func (s *PostgresServer) exec(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // the statement's error counts
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}
