package queue

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/resetd/resetd/schemas"
)

// kind is the way in which a Redis is set up.
type kind int

const (
	embedded kind = iota
	single
	sentinel
	cluster
)

// target is a read URL.
type target struct {
	kind             kind
	hosts            []string // host:port
	master           string   // the sentinels' name for the master
	db               int
	user             string
	password         schemas.Secret
	sentinelUser     string
	sentinelPassword schemas.Secret
	tls              bool
	ca               string // file with PEM certificates
	serverName       string // the name in the server's certificate
}

// errEncoding stands for whatever is wrong behind a password: an error that quoted the text could quote the password.
var errEncoding = errors.New("the queue's URL can not be read: percent-encode special characters in user and password " +
	"(/ is %2F, @ is %40, ? is %3F, # is %23, % is %25), or give the password apart from the URL")

// Describe gives a queue's URL without user and password, as logs and errors show it. The forms are
//
//	embedded
//	redis://[user[:password]@]host[:6379][/db]
//	redis+sentinel://[user[:password]@]host[:26379][,host…]/master[/db][?sentinel_user=…&sentinel_password=…]
//	redis+cluster://[user[:password]@]host[:6379][,host…]
//
// and each of the last three with rediss instead of redis for TLS, which then also takes tls_ca=FILE (PEM; the system's
// roots otherwise) and tls_server_name=NAME. User and password are those of the Redis servers; the sentinels have their
// own. Special characters are percent-encoded. No error repeats any part of the URL that may hold a password.
func Describe(rawURL string) (string, error) {
	t, err := parse(rawURL, schemas.Secret{})
	if err != nil {
		return "", err
	}
	return t.String(), nil
}

// parse reads a URL by hand: net/url takes one host only, and its errors quote the whole text.
func parse(raw string, password schemas.Secret) (target, error) {
	if raw == "embedded" {
		if !password.Empty() {
			return target{}, errors.New("the embedded queue takes no password: remove it, or name a Redis by redis://")
		}
		return target{kind: embedded}, nil
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	t, known := schemeTargets[scheme]
	if !ok || !known {
		return target{}, errors.New("the queue's URL has an unknown form: use embedded, redis://, redis+sentinel:// or " +
			"redis+cluster://, or rediss… for TLS")
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, rest := rest[:end], rest[end:]
	if strings.ContainsAny(rest, "@#") {
		return target{}, errEncoding
	}
	path, query, _ := strings.Cut(rest, "?")
	if i := strings.LastIndex(authority, "@"); i >= 0 {
		if err := t.readUser(authority[:i]); err != nil {
			return target{}, err
		}
		authority = authority[i+1:]
	}
	if !password.Empty() {
		if !t.password.Empty() {
			return target{}, errors.New("the queue's URL has a password and another is given apart from it: remove one")
		}
		t.password = password
	}
	if err := errors.Join(t.readHosts(authority), t.readPath(path), t.readQuery(query)); err != nil {
		return target{}, err
	}
	return t, nil
}

// schemeTargets are the beginnings of a URL, and what each says already.
var schemeTargets = map[string]target{
	"redis":           {kind: single},
	"rediss":          {kind: single, tls: true},
	"redis+sentinel":  {kind: sentinel},
	"rediss+sentinel": {kind: sentinel, tls: true},
	"redis+cluster":   {kind: cluster},
	"rediss+cluster":  {kind: cluster, tls: true},
}

func (t *target) readUser(text string) error {
	user, password, _ := strings.Cut(text, ":")
	user, userErr := url.PathUnescape(user)
	password, passwordErr := url.PathUnescape(password)
	if userErr != nil || passwordErr != nil {
		return errEncoding
	}
	t.user = user
	if password != "" {
		t.password = schemas.NewSecret(password)
	}
	return nil
}

func (t *target) readHosts(text string) error {
	port := "6379"
	if t.kind == sentinel {
		port = "26379"
	}
	for _, h := range strings.Split(text, ",") {
		bare, bracketed := strings.CutPrefix(h, "[")
		bare, closed := strings.CutSuffix(bare, "]")
		if bracketed && closed || !strings.Contains(h, ":") {
			h = net.JoinHostPort(bare, port)
		}
		host, p, splitErr := net.SplitHostPort(h)
		n, err := strconv.Atoi(p)
		if splitErr != nil || err != nil || n < 1 || n > 65535 || host == "" || strings.ContainsAny(host, " []%") {
			return errors.New("the queue's URL has a host that can not be read: write host or host:port, an IPv6 address in " +
				"brackets, and a user or password before an @")
		}
		t.hosts = append(t.hosts, net.JoinHostPort(host, p))
	}
	if t.kind == single && len(t.hosts) > 1 {
		return errors.New("the queue's URL names several hosts: use redis+sentinel:// or redis+cluster:// for them")
	}
	return nil
}

func (t *target) readPath(path string) error {
	path = strings.Trim(path, "/")
	if t.kind == sentinel {
		master, rest, _ := strings.Cut(path, "/")
		if master == "" {
			return errors.New("the queue's URL lacks the master's name: write redis+sentinel://host/NAME, as the sentinels call it")
		}
		t.master, path = master, rest
	}
	if path == "" {
		return nil
	}
	db, err := strconv.Atoi(path)
	switch {
	case err != nil || db < 0:
		return errors.New("the queue's URL has a database that is not a number: write it as the last part, for example /0")
	case t.kind == cluster && db != 0:
		return errors.New("the queue's URL names a database: Redis Cluster has only database 0, so remove it")
	}
	t.db = db
	return nil
}

func (t *target) readQuery(text string) error {
	values, err := url.ParseQuery(text)
	if err != nil {
		return errEncoding
	}
	for name, v := range values {
		isTLS := t.tls && (name == "tls_ca" || name == "tls_server_name")
		isSentinel := t.kind == sentinel && (name == "sentinel_user" || name == "sentinel_password")
		if len(v) != 1 || !isTLS && !isSentinel {
			return errors.New("the queue's URL has a parameter that is unknown for its form, or given twice: tls_ca and " +
				"tls_server_name go with rediss, sentinel_user and sentinel_password with redis+sentinel")
		}
	}
	t.ca, t.serverName, t.sentinelUser = values.Get("tls_ca"), values.Get("tls_server_name"), values.Get("sentinel_user")
	if p := values.Get("sentinel_password"); p != "" {
		t.sentinelPassword = schemas.NewSecret(p)
	}
	return nil
}

// String gives the URL without user and password.
func (t target) String() string {
	if t.kind == embedded {
		return "embedded"
	}
	scheme := "redis"
	if t.tls {
		scheme = "rediss"
	}
	hosts := strings.Join(t.hosts, ",")
	switch t.kind {
	case sentinel:
		return fmt.Sprintf("%s+sentinel://%s/%s/%d", scheme, hosts, t.master, t.db)
	case cluster:
		return fmt.Sprintf("%s+cluster://%s", scheme, hosts)
	}
	return fmt.Sprintf("%s://%s/%d", scheme, hosts, t.db)
}

// secrets are the texts that must not be shown.
func (t target) secrets() []schemas.Secret { return []schemas.Secret{t.password, t.sentinelPassword} }
