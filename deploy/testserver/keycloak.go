package testserver

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// keycloakVersion is the version that deploy/test-servers.sh fetches; a test compares the two.
const keycloakVersion = "26.7.4"

// keycloakLimit bounds one start of Keycloak. It takes some twenty seconds of processor time, which is six of an idle
// machine and minutes of a crowded one.
const keycloakLimit = 5 * time.Minute

// keycloakPatience bounds one call, for crowded machines too.
const keycloakPatience = 2 * time.Minute

// KeycloakServer is a running Keycloak with nothing in it but the realm master. It keeps everything in memory: a server
// that was stopped comes back empty. Tests take a [KeycloakServer.Realm] of their own.
type KeycloakServer struct {
	*daemon
	URL string // http://127.0.0.1:port

	// Admin may do everything, in all realms.
	Admin, AdminPassword string

	health string // where the server says that it is ready
	tokens adminToken
}

// sharedKeycloak is the server that all tests of a process use, because a start takes from six seconds to a minute. As with
// the shared PostgreSQL no cleanup ends it; its watchdog does when the process ends.
var sharedKeycloak struct {
	once   sync.Once
	server *KeycloakServer
	err    error
}

// Keycloak returns the server that the tests of this process share. Leave it running.
func Keycloak(t testing.TB) *KeycloakServer {
	t.Helper()
	sharedKeycloak.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), keycloakLimit)
		defer cancel()
		sharedKeycloak.server, sharedKeycloak.err = StartKeycloak(ctx, "")
	})
	if sharedKeycloak.err != nil {
		giveUp(t, sharedKeycloak.err)
	}
	return sharedKeycloak.server
}

// StartKeycloak starts a Keycloak in the folder keycloak inside dir, or in a temporary folder when dir is "". The context
// bounds the start, not the server's life: that ends with Close, or with the calling process. It returns a *MissingError
// when Java or Keycloak is not there.
func StartKeycloak(ctx context.Context, dir string) (*KeycloakServer, error) {
	java, home, err := findKeycloak()
	if err != nil {
		return nil, err
	}
	who, err := unprivileged("nobody")
	if err != nil {
		return nil, err
	}
	space, err := newWorkspace(dir, "keycloak", who)
	if err != nil {
		return nil, err
	}
	server := &KeycloakServer{Admin: "admin", AdminPassword: newPassword()}
	if err := server.prepare(space, home); err != nil {
		space.discard()
		return nil, err
	}
	server.daemon = &daemon{
		name: "keycloak", space: space, end: signalTerm, ready: server.answers, limit: keycloakLimit,
		argv: func() []string { return keycloakCommand(java, space.path) },
		move: func() error { return server.configure(space) },
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

// prepare makes the server's home in the folder: files of its own where it writes, and the distribution's programs. They
// are linked to, or copied where the server's user cannot reach them, as in root's home.
func (s *KeycloakServer) prepare(space *workspace, home string) error {
	for _, name := range []string{"conf", "data", "providers", "themes"} {
		if err := space.mkdir(name); err != nil {
			return err
		}
	}
	from, to := filepath.Join(home, "lib"), space.file("lib")
	if space.who.reaches(from) {
		return os.Symlink(from, to)
	}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return fmt.Errorf("copying Keycloak's programs: %w", err)
	}
	return space.who.own(to)
}

// configure chooses ports and writes the settings. They are in a file and not among the arguments, where ps shows them.
// The second port is that of the management interface.
func (s *KeycloakServer) configure(space *workspace) error {
	port, err := freePort()
	if err != nil {
		return err
	}
	management := port
	for management == port {
		if management, err = freePort(); err != nil {
			return err
		}
	}
	s.URL, s.health = "http://"+address(port), "http://"+address(management)+"/health/ready"
	return space.write("conf/keycloak.conf", []byte(strings.Join([]string{
		"db=dev-mem", "health-enabled=true", // as it was built
		"http-enabled=true", "http-host=127.0.0.1", "http-port=" + strconv.Itoa(port),
		"http-management-host=127.0.0.1", "http-management-port=" + strconv.Itoa(management),
		"hostname-strict=false", "cache=local", "log-level=warn",
		"bootstrap-admin-username=" + s.Admin, "bootstrap-admin-password=" + s.AdminPassword, "",
	}, "\n")))
}

// keycloakCommand is what bin/kc.sh comes to, with a small heap. The script itself would stand between the process and
// whoever signals it.
func keycloakCommand(java, home string) []string {
	command := []string{
		java, "-Xms64m", "-Xmx384m", "-XX:MetaspaceSize=96M", "-XX:MaxMetaspaceSize=256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dfile.encoding=UTF-8", "-Duser.language=en", "-Duser.country=US", "-Djava.io.tmpdir=" + filepath.Join(home, "data"),
		"--enable-native-access=ALL-UNNAMED",
	}
	for _, opened := range []string{"java.base/java.util", "java.base/java.util.concurrent", "java.base/java.security", "java.base/java.lang"} {
		command = append(command, "--add-opens="+opened+"=ALL-UNNAMED")
	}
	return append(command,
		"-Djava.util.concurrent.ForkJoinPool.common.threadFactory=io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory",
		"-Djava.util.logging.manager=org.jboss.logmanager.LogManager", "-Dpicocli.disable.closures=true",
		"-Dkc.home.dir="+home, "-Djboss.server.config.dir="+filepath.Join(home, "conf"),
		"-cp", filepath.Join(home, "lib", "quarkus-run.jar"), "io.quarkus.bootstrap.runner.QuarkusEntryPoint", "start", "--optimized")
}

// findKeycloak gives the Java program and the folder with the built distribution, or a *MissingError.
func findKeycloak() (java, home string, err error) {
	if java, err = needJava.find(); err != nil {
		return "", "", err
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		cache = filepath.Join(os.Getenv("HOME"), ".cache")
	}
	home = filepath.Join(cache, "resetd", "keycloak-"+keycloakVersion)
	// The script writes this file last, so a folder that was left half done does not count.
	if _, err := os.Stat(filepath.Join(home, "built-for-tests")); err != nil {
		return "", "", &MissingError{Server: needJava.server, Program: "Keycloak " + keycloakVersion, Package: needJava.pkg}
	}
	return java, home, nil
}

// needJava is what Keycloak runs on; Maven fetches Keycloak itself.
var needJava = need{"keycloak", "default-jre-headless maven", []string{"java"}}
