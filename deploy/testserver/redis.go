package testserver

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"testing"

	"github.com/redis/go-redis/v9"
)

// RedisServer is a running redis-server (or Valkey) that demands a password and
// holds no data at first.
type RedisServer struct {
	*daemon
	Addr     string // host:port
	Password string // of the default user
	URL      string // redis://:password@host:port/0
}

// RedisOption changes how a Redis is started.
type RedisOption func(*redisSettings)

type redisSettings struct{ appendFsync string }

// WithAppendFsync sets how the append-only file is written: "always" syncs
// before every answer, "everysec" once a second (a killed process loses
// nothing, a machine up to a second), and "off", the default, keeps no file at
// all: a restarted server is empty.
func WithAppendFsync(policy string) RedisOption {
	return func(s *redisSettings) { s.appendFsync = policy }
}

// Redis starts a Redis for the test and ends it with the test.
func Redis(t testing.TB, options ...RedisOption) *RedisServer {
	t.Helper()
	return begin(t, func(ctx context.Context) (*RedisServer, error) { return StartRedis(ctx, "", options...) })
}

// StartRedis starts a Redis in the folder redis inside dir, or in a temporary
// folder when dir is "". The context bounds the start, not the server's life:
// that ends with Close, or with the calling process. It returns a *MissingError
// when redis-server is not installed.
func StartRedis(ctx context.Context, dir string, options ...RedisOption) (*RedisServer, error) {
	settings := redisSettings{appendFsync: "off"}
	for _, option := range options {
		option(&settings)
	}
	persistence := "appendonly no\n"
	switch settings.appendFsync {
	case "off":
	case "always", "everysec":
		persistence = "appendonly yes\nappendfsync " + settings.appendFsync + "\n"
	default:
		return nil, fmt.Errorf("append fsync %q is unknown: use always, everysec or off", settings.appendFsync)
	}
	program, err := needRedis.find()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged("nobody", "redis")
	if err != nil {
		return nil, err
	}
	space, err := newWorkspace(dir, "redis", who)
	if err != nil {
		return nil, err
	}
	server := &RedisServer{Password: newPassword()}
	// The password is in the file, not among the arguments, where ps shows it.
	config := "bind 127.0.0.1\nprotected-mode yes\ndaemonize no\nsave \"\"\ndir " + strconv.Quote(space.path) +
		"\nrequirepass " + server.Password + "\n" + persistence
	if err := space.write("redis.conf", []byte(config)); err != nil {
		space.discard()
		return nil, err
	}
	var port int
	server.daemon = &daemon{
		name: "redis", space: space, end: signalTerm, ready: server.ping,
		argv: func() []string { return []string{program, space.file("redis.conf"), "--port", strconv.Itoa(port)} },
		move: func() (err error) {
			if port, err = freePort(); err != nil {
				return err
			}
			server.Addr = address(port)
			server.URL = (&url.URL{Scheme: "redis", User: url.UserPassword("", server.Password), Host: server.Addr, Path: "/0"}).String()
			return nil
		},
	}
	if err := server.move(); err != nil {
		space.discard()
		return nil, err
	}
	if err := server.boot(ctx, "KILL"); err != nil {
		return nil, err
	}
	return server, nil
}

// FlushAll removes every key of every database, as a Redis that lost its memory.
func (s *RedisServer) FlushAll() error {
	return s.call(context.Background(), func(ctx context.Context, c *redis.Client) error { return c.FlushAll(ctx).Err() })
}

// ping succeeds when the server has loaded its data and knows the password.
func (s *RedisServer) ping(ctx context.Context) error {
	// go-redis prints a line for every refused connection; look before.
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.Addr)
	if err != nil {
		return err
	}
	if err := conn.Close(); err != nil {
		return err
	}
	return s.call(ctx, func(ctx context.Context, c *redis.Client) error { return c.Ping(ctx).Err() })
}

func (s *RedisServer) call(ctx context.Context, do func(context.Context, *redis.Client) error) error {
	client := redis.NewClient(&redis.Options{Addr: s.Addr, Password: s.Password, MaxRetries: -1, DialerRetries: 1})
	defer func() { _ = client.Close() }() // nothing is pending any more
	if err := do(ctx, client); err != nil {
		return fmt.Errorf("redis at %s: %w", s.Addr, err)
	}
	return nil
}
