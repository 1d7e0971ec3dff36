package main

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/resetd/resetd/deploy/harness"
	"github.com/resetd/resetd/deploy/testserver"
)

// Every secret of a run is searched for in everything that leaves the process: logs, ledger files, Redis, metrics,
// callbacks, answers and errors. The generated passwords are read from the directory's own log of changes.
func TestNoSecretLeavesTheProcess(t *testing.T) {
	server := testserver.Redis(t)
	s := play(t, func(o *harness.SiteOptions) { o.Queue = server.URL })
	for i := 1; i <= 40; i++ {
		s.ask("msg_"+testserver.BulkUID(i), testserver.BulkUID(i))
	}
	for _, account := range []string{"twins@example.com", "nobody", testserver.Vera, testserver.Larry} {
		s.told(s.ask("msg_"+strings.Split(account, "@")[0], account)[0])
	}
	checks := s.command(exitOK, "systems", "check", "corp-ldap", "--json")
	keys := redisContents(t, server)
	answers := bytes.NewBufferString(checks)
	for _, path := range []string{"/metrics", "/v1/tasks?limit=500", "/v1/callbacks?limit=500", "/readyz", "/v1/tasks/nothing",
		"/v1/systems", "/v1/systems/corp-ldap", "/v1/accounts?q=" + testserver.BulkUID(1), "/v1/accounts?q=" + testserver.Vera} {
		var raw []byte
		if _, err := s.client.Get(t.Context(), path, &raw); err != nil {
			t.Fatal(err)
		}
		answers.Write(raw)
	}
	s.slapd.Pause() // what is said when the directory hangs
	body, err := harness.Body(testserver.BulkUID(100))
	if err != nil {
		t.Fatal(err)
	}
	if code, _, err := s.client.Send(t.Context(), "msg_hanging", body); err != nil || code != http.StatusAccepted {
		t.Fatal(code, err)
	}
	s.slapd.Resume()
	if err := s.process.Stop(); err != nil {
		t.Fatal(err)
	}
	places := map[string][]byte{"the log": s.log.Bytes(), "Redis": keys, "an answer": answers.Bytes(), "a callback": s.bodies.Bytes()}
	if err := filepath.WalkDir(s.DataDir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		places["the ledger file "+d.Name()] = text
		return err
	}); err != nil {
		t.Fatal(err)
	}
	secrets := generated(t, s.slapd)
	if len(secrets) < 40 {
		t.Fatalf("only %d generated passwords were found in the directory's log; the search would prove nothing", len(secrets))
	}
	for name, text := range s.Secrets {
		secrets[name] = strings.TrimPrefix(text, "whsec_")
	}
	for place, text := range places {
		if len(text) == 0 {
			t.Errorf("%s is empty; the search proves nothing there", place)
		}
		for name, secret := range secrets {
			if bytes.Contains(text, []byte(secret)) || bytes.Contains(text, []byte(base64.StdEncoding.EncodeToString([]byte(secret)))) {
				t.Errorf("%s holds the secret %s", place, name)
			}
		}
	}
}

func redisContents(t *testing.T, server *testserver.RedisServer) []byte {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: server.Addr, Password: server.Password})
	defer func() { _ = client.Close() }()
	var out bytes.Buffer
	keys, err := client.Keys(t.Context(), "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		dump, err := client.Dump(t.Context(), key).Result()
		if err != nil {
			continue // it is gone by now
		}
		out.WriteString(key + "\n" + dump + "\n")
	}
	return out.Bytes()
}

// generated reads the passwords that resetd made from the LDIF that slapd writes before it hashes them.
func generated(t *testing.T, s *testserver.SlapdServer) map[string]string {
	t.Helper()
	text, err := os.ReadFile(s.AuditLog)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for i, m := range regexp.MustCompile(`(?m)^userPassword::? (\S+)$`).FindAllSubmatch(text, -1) {
		value := string(m[1])
		if plain, err := base64.StdEncoding.DecodeString(value); err == nil && bytes.HasPrefix(m[0], []byte("userPassword::")) {
			value = string(plain)
		}
		if !strings.HasPrefix(value, "{") {
			out["password "+string(rune('A'+i%26))+value[:0]+string(m[1][:4])] = value
		}
	}
	return out
}
