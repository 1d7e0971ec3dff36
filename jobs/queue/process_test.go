package queue

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/resetd/resetd/deploy/testserver"
)

const processPassword = "setup-password-1"

// redisProcess starts a redis-server with settings that testserver does not offer, and gives its port. It asks for
// processPassword, and ends with the test, or with the test's process.
func redisProcess(t *testing.T, mode string, settings ...string) int {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if errors.Is(err, exec.ErrNotFound) {
		if testserver.Required("redis") {
			t.Fatal("RESETD_TEST_REQUIRE asks for redis: redis-server is not installed")
		}
		t.Skip("redis-server is not installed: run `make servers`, or `apt-get install redis-server`")
	}
	if err != nil {
		t.Fatal(err)
	}
	port := portFor(t)
	dir := t.TempDir()
	config := fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nsave \"\"\nrequirepass %s\n", port, dir, processPassword)
	if mode != "--sentinel" {
		config += "masterauth " + processPassword + "\nrepl-diskless-sync-delay 0\n"
	}
	for _, line := range settings {
		config += line + "\n"
	}
	file := filepath.Join(dir, "redis.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	// The shell kills the server when its input ends, which it does even when this process is killed.
	args := []string{"-c", `"$0" "$@" & p=$!; cat >/dev/null; kill -9 $p`, program, file}
	if mode != "" {
		args = append(args, mode)
	}
	cmd := exec.Command("sh", args...)
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = input.Close() // ends it
		_ = cmd.Wait()    // by the kill
	})
	client := processClient(t, port)
	eventually(t, "redis-server answers", func() bool { return client.Ping(t.Context()).Err() == nil })
	return port
}

// portFor gives a free port below those that outgoing connections get.
func portFor(t *testing.T) int {
	t.Helper()
	for port := 32100 + int(time.Now().UnixNano()%500); port < 32760; port++ {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			_ = listener.Close() // nothing came in
			return port
		}
	}
	t.Fatal("no free port found")
	return 0
}

func processClient(t *testing.T, port int) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", port), Password: processPassword, Protocol: 2})
	t.Cleanup(func() { _ = client.Close() }) // nothing is pending
	return client
}
