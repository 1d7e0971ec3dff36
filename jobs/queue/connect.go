package queue

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// client is what is handed to asynq: one pool of connections for everything.
type client = redis.UniversalClient

// options are go-redis's, chosen so that a Redis that is gone or hangs is noticed within enqueueLimit. Nothing is tried
// twice: a second dequeue after a lost answer would leave the first one's wake-up with nobody, and the ledger's sweep is
// the retry of everything else.
func (t target) options() (*redis.UniversalOptions, error) {
	o := &redis.UniversalOptions{
		Addrs: t.hosts, MasterName: t.master, DB: t.db,
		Username: t.user, Password: t.password.Reveal(),
		SentinelUsername: t.sentinelUser, SentinelPassword: t.sentinelPassword.Reveal(),
		Protocol: 2, DisableIdentity: true, // fewer commands on a new connection; old servers answer them with errors
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		DialTimeout:              time.Second, DialerRetries: 1, MaxRetries: -1,
		ReadTimeout: 1500 * time.Millisecond, WriteTimeout: 1500 * time.Millisecond, ContextTimeoutEnabled: true,
		PoolSize: 64, PoolTimeout: enqueueLimit, PipelinePoolSize: -1,
		// Commands and answers are a few hundred bytes. The default of 32 KiB would make 4 MiB of 64 connections.
		ReadBufferSize: 4 << 10, WriteBufferSize: 4 << 10,
	}
	if !t.tls {
		return o, nil
	}
	o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.serverName}
	if t.ca == "" {
		return o, nil
	}
	pem, err := os.ReadFile(t.ca)
	if err != nil {
		return nil, fmt.Errorf("the queue's tls_ca: %w: name a readable file with PEM certificates", err)
	}
	o.TLSConfig.RootCAs = x509.NewCertPool()
	if !o.TLSConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the queue's tls_ca %s holds no PEM certificate: name the file with the CA that signed the server's", t.ca)
	}
	return o, nil
}

func (t target) client() (client, error) {
	o, err := t.options()
	if err != nil {
		return nil, err
	}
	switch t.kind {
	case sentinel:
		return redis.NewFailoverClient(o.Failover()), nil
	case cluster:
		return redis.NewClusterClient(o.Cluster()), nil
	}
	return redis.NewClient(o.Simple()), nil
}

// examine waits for the first answer and looks at the settings that matter.
func (q *Queue) examine(ctx context.Context) error {
	if err := q.knock(ctx); err != nil {
		return fmt.Errorf("the queue's Redis at %s %w", q.at, err)
	}
	settings, err := q.client.ConfigGet(ctx, "append*").Result()
	memory, memoryErr := q.client.ConfigGet(ctx, "maxmemory-policy").Result()
	if err := errors.Join(err, memoryErr); err != nil {
		// Managed services forbid CONFIG. Nothing here is needed to work.
		q.log.Debug().Err(q.hide.error(err)).Msg("redis does not show its settings; check by hand that maxmemory-policy is noeviction")
		return nil
	}
	q.synced = settings["appendonly"] == "yes" && settings["appendfsync"] == "always"
	q.log.Debug().Str("appendonly", settings["appendonly"]).Str("appendfsync", settings["appendfsync"]).
		Str("maxmemory_policy", memory["maxmemory-policy"]).Msg("redis is connected")
	if policy := memory["maxmemory-policy"]; policy != "" && policy != "noeviction" {
		q.log.Warn().Str("maxmemory_policy", policy).Msg("redis may evict wake-ups when its memory is full, which delays work: " +
			"set maxmemory-policy to noeviction, or give resetd a Redis of its own")
	}
	return nil
}

// knock pings until Redis answers. A Redis that is loading its data is waited for; any other error ends it at once.
func (q *Queue) knock(ctx context.Context) error {
	limit := time.Now().Add(loadLimit)
	for told := false; ; told = true {
		try, cancel := context.WithTimeout(ctx, startLimit)
		err := q.client.Ping(try).Err()
		cancel()
		if err == nil {
			q.health.recovered() // from what it thought of a Redis that was loading
			return nil
		}
		if !redis.HasErrorPrefix(err, "LOADING") || time.Now().After(limit) {
			return q.advise(err)
		}
		if !told {
			q.log.Info().Msg("redis is loading its data; waiting for it")
		}
		select {
		case <-ctx.Done():
			return q.advise(err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// advise adds to an error of the first ping what to do about it.
func (q *Queue) advise(err error) error {
	err = q.hide.error(err)
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case redis.HasErrorPrefix(err, "WRONGPASS"), redis.HasErrorPrefix(err, "NOAUTH"), redis.HasErrorPrefix(err, "NOPERM"),
		strings.Contains(err.Error(), "AUTH"):
		return fmt.Errorf("refuses us: %w: check user and password of the queue", err)
	case redis.HasErrorPrefix(err, "LOADING"):
		return fmt.Errorf("is still loading its data: %w: start again when it is ready", err)
	case errors.As(err, &unknown):
		return fmt.Errorf("shows a certificate of an unknown authority: %w: name its CA by tls_ca", err)
	case errors.As(err, &name):
		return fmt.Errorf("shows a certificate of another name: %w: use that name, or give it by tls_server_name", err)
	case errors.As(err, &record):
		return fmt.Errorf("does not speak TLS: %w: use redis instead of rediss, or enable TLS there", err)
	}
	if q.at.tls { // a server without TLS waits for more, or hangs up
		return fmt.Errorf("does not answer: %w: start it, correct the queue's URL, or write redis for rediss if it speaks no TLS", err)
	}
	return fmt.Errorf("does not answer: %w: start it, or correct the queue's URL", err)
}
