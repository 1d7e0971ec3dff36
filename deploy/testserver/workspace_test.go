package testserver

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestUnreachableTemporaryFolderIsAvoided(t *testing.T) {
	private := t.TempDir() // below a folder of mode 0700
	t.Setenv("TMPDIR", private)
	s := Redis(t) // would not start in a folder it can not enter
	if s.space.who != nil && strings.HasPrefix(s.Dir(), private) {
		t.Errorf("the server of another user lives in %s", s.Dir())
	}
}

func TestGivenFolderIsUsedOnceAndKept(t *testing.T) {
	parent, err := os.MkdirTemp("", "resetd-given-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(parent) })
	if err := os.Chmod(parent, 0o755); err != nil { //nolint:gosec // the server's user must pass
		t.Fatal(err)
	}
	s, err := StartRedis(t.Context(), parent)
	if err != nil {
		giveUp(t, err)
	}
	if _, err := StartRedis(t.Context(), parent); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second server in the same folder: %v, want ErrExist", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Dir() != filepath.Join(parent, "redis") || !exists(s.Dir()) {
		t.Errorf("the server's folder %s is not where it was asked for, or gone", s.Dir())
	}
	if err := s.Restart(); err == nil {
		t.Error("a closed server was started again")
	}
}

func TestServersDoNotRunAsRoot(t *testing.T) {
	for _, name := range []string{"slapd", "redis", "postgres"} {
		t.Run(name, func(t *testing.T) {
			server := hold(t, name)
			status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(server.PID()), "status"))
			if errors.Is(err, fs.ErrNotExist) {
				t.Skip("no /proc to look at on this system")
			}
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(string(status)) {
				if ids, ok := strings.CutPrefix(line, "Uid:"); ok && strings.Fields(ids)[1] == "0" {
					t.Error("runs as root")
				}
			}
		})
	}
}

// A stranger's server on the chosen port must neither be taken for ours nor
// keep ours from starting.
func TestTakenPortIsLeftForAnother(t *testing.T) {
	first := Redis(t)
	tries := 0
	second := &RedisServer{Password: newPassword()}
	space, err := newWorkspace("", "redis", first.space.who)
	if err != nil {
		t.Fatal(err)
	}
	second.Addr = first.Addr
	port := strings.TrimPrefix(first.Addr, "127.0.0.1:")
	program, err := needRedis.find()
	if err != nil {
		t.Fatal(err)
	}
	second.daemon = &daemon{
		name: "redis", space: space, end: signalTerm, ready: second.ping,
		argv: func() []string {
			return []string{program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--requirepass", second.Password}
		},
		move: func() error {
			tries++
			free, err := freePort()
			port, second.Addr = strconv.Itoa(free), address(free)
			return err
		},
	}
	if err := second.boot(t.Context(), "KILL"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	if tries == 0 || second.Addr == first.Addr {
		t.Errorf("moved %d times, from %s to %s", tries, first.Addr, second.Addr)
	}
}

// Ubuntu's AppArmor keeps /usr/sbin/slapd away from temporary folders; a copy
// elsewhere is not kept. The machine that runs this needs no AppArmor: what is
// tested is that the copy works.
func TestSlapdRunsFromACopyWhereAProfileWouldConfineIt(t *testing.T) {
	program, err := needSlapd.find()
	if err != nil {
		giveUp(t, err)
	}
	who, err := unprivileged("nobody")
	if err != nil {
		t.Fatal(err)
	}
	space, err := newWorkspace("", "slapd", who)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(space.discard)
	if same, err := unconfined(program, filepath.Join(space.path, "no-profile"), space); err != nil || same != program {
		t.Errorf("without a profile: %s, %v; want %s", same, err, program)
	}
	profile := filepath.Join(t.TempDir(), "usr.sbin.slapd")
	if err := os.WriteFile(profile, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	moved, err := unconfined(program, profile, space)
	if err != nil || filepath.Dir(moved) != space.path {
		t.Fatalf("with a profile: %s, %v; want a copy in %s", moved, err, space.path)
	}
	server := newSlapdServer(space, nil)
	if err := server.prepare(t.Context(), space, moved); err != nil {
		t.Errorf("the copy does not run: %v", err)
	}
}
